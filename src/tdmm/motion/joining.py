"""Motions one after another, without a jump where they meet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tdmm.errors import InvalidMotion
from tdmm.motion.clip import FaceMotion

EASE = 0.4
"""Seconds over which what does not meet is evened out."""


def concatenated(motions: Sequence[FaceMotion]) -> FaceMotion:
    """Motions as one, with the identity, the text and the provenance of the first.

    Raises:
        InvalidMotion: they differ in rig, channels or frame rate, or there is none.
    """
    if not motions:
        raise InvalidMotion("There is no motion to join.")
    first = motions[0]
    for motion in motions[1:]:
        if (motion.rig, motion.channels, motion.fps) != (first.rig, first.channels, first.fps):
            raise InvalidMotion(
                f"A motion on {motion.rig} at {motion.fps:g} fps cannot follow one on {first.rig} at {first.fps:g} fps "
                "or with other channels. Resample or retarget one of them first."
            )
    moved = any(motion.translation is not None for motion in motions)
    return first.with_(
        expression=np.concatenate([motion.expression for motion in motions]),
        head=np.concatenate([motion.head for motion in motions]),
        translation=np.concatenate([motion.translation_or_zeros() for motion in motions]) if moved else None,
        confidence=None,
    )


def met(
    motion: FaceMotion, before: FaceMotion | None = None, after: FaceMotion | None = None, seconds: float = EASE
) -> FaceMotion:
    """A motion whose ends are moved so that it goes on from `before` and leads to `after`.

    The first frame takes the place that follows the last one of `before`, the last frame that of the first one
    of `after`; the difference fades over `seconds` by a minimum-jerk course. Coefficients stay within [0, 1].
    """
    expression, head = motion.expression.astype(np.float64), motion.head.astype(np.float64)
    translation = motion.translation_or_zeros().astype(np.float64)
    span = max(1, min(round(seconds * motion.fps), motion.frames))
    for other, place, frame in ((before, 0, -1), (after, -1, 0)):
        if other is None:
            continue
        weight = _fading(motion.frames, span)[:: 1 if place == 0 else -1, None]
        expression = expression + weight * (other.expression[frame] - expression[place])
        head = head + weight * (other.head[frame] - head[place])
        translation = translation + weight * (other.translation_or_zeros()[frame] - translation[place])
    return motion.with_(expression=np.clip(expression, 0.0, 1.0), head=head, translation=translation)


def _fading(frames: int, span: int) -> npt.NDArray[np.float64]:
    """(T,) from 1 at the first frame to 0 after `span` frames."""
    x = np.clip(np.arange(frames) / span, 0.0, 1.0)
    return np.asarray(1.0 - x * x * x * (10.0 + x * (6.0 * x - 15.0)))
