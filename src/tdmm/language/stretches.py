"""The stretches in which a motion is read: where the face is in sight, and no longer than a model reads at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tdmm.motion.clip import FPS, FaceMotion
from tdmm.motion.timeline import in_sight
from tdmm.tokens.tokenizer import MotionTokens, Tokenizer


@dataclass(frozen=True)
class Stretch:
    """A part of a motion.

    Attributes:
        start: seconds at which it begins.
        tokens: its codes.
    """

    start: float
    tokens: MotionTokens

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.tokens.frames / FPS


def stretches(tokenizer: Tokenizer, motion: FaceMotion, longest: int) -> list[Stretch]:
    """The stretches of a motion in which its face is in sight, each in as few equal parts as `longest` allows.

    Args:
        tokenizer: makes the codes.
        motion: on the `arkit` rig.
        longest: frames that are read at once.

    Raises:
        InvalidMotion: another rig, a missing channel, or the face is never in sight.
    """
    seen = in_sight(motion)
    codes = tokenizer.encode(motion).codes
    found = []
    for start, end in seen:
        first = min(round(start * FPS), len(codes) - 1)
        part = codes[first : max(first + 1, round(end * FPS))]
        for piece in np.array_split(part, -(-len(part) // longest)):
            found.append(Stretch(first / FPS, MotionTokens(piece, tokenizer.fingerprint)))
            first += len(piece)
    return found


def joined(texts: Sequence[str], times: Sequence[tuple[float, float]]) -> str:
    """One text as it is; of several, each with the seconds (start, end) it speaks of."""
    if len(texts) == 1:
        return texts[0]
    return " ".join(f"[{start:.1f}-{end:.1f} s] {text}" for (start, end), text in zip(times, texts, strict=True))
