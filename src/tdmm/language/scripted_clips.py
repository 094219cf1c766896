"""Clips as tokens with the scripts that they were acted from, and what may befall them before they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from tdmm.acting.excerpt import drawn_excerpt, drawn_hold
from tdmm.acting.in_sight import in_sight
from tdmm.acting.question_facts import Known, certain_blinks
from tdmm.acting.script import Script
from tdmm.corpus import shards
from tdmm.corpus.mixing import Blend, Share
from tdmm.language.data import Chosen, FrameTokenizer, choose_all, featured, joined, tokenise
from tdmm.language.joined import Laid
from tdmm.language.motion2language_recipe import Distortion
from tdmm.motion.degradation import PARTS, Faults, degraded, without

Codes = npt.NDArray[np.integer]
Features = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ScriptedTokens:
    """Clips as tokens, with the scripts that they were acted from.

    Attributes:
        codes: (F, L), all clips end to end.
        offsets: (N + 1,) where each clip starts.
        scripts: N.
        features: (F, 58) what the codes were made of; None where nothing is to be encoded anew.
        blinks: N, how often both lids close, unasked blinks included; None where that is not certain. Empty: of no
            clip is it known.
        blend: of which corpora the clips are; None where they are all of one.
    """

    codes: Laid
    offsets: npt.NDArray[np.int64]
    scripts: tuple[Script, ...]
    features: Laid | None = None
    blinks: tuple[int | None, ...] = ()
    blend: Blend | None = None

    def __post_init__(self) -> None:
        if len(self.offsets) != len(self.scripts) + 1 or self.offsets[-1] != len(self.codes):
            raise ValueError(f"{len(self.scripts)} scripts, {len(self.offsets)} offsets, {len(self.codes)} frames")

    def __len__(self) -> int:
        return len(self.scripts)

    def clip(self, index: int) -> Codes:
        """Codes (T, L) of one clip."""
        return self.codes[self.offsets[index] : self.offsets[index + 1]]

    def known(self, index: int) -> Known:
        """What answers about one clip may rest on."""
        return Known(self.scripts[index], self.blinks[index] if self.blinks else None)


def scripted_tokens(corpora: Sequence[Share], split: str, tokenizer: FrameTokenizer, cache: Path) -> ScriptedTokens:
    """Clips with a script of a split of every corpus; their codes are kept in `cache`.

    Raises:
        FileProblem: a corpus or the cache folder cannot be used.
        InvalidInput: there are no clips, or none with a script, see `choose_all`.
    """
    chosen = choose_all(corpora, split, "script")
    parts = [_of_corpus(clips, tokenizer, cache) for clips, _ in chosen]
    if len(parts) == 1:
        return parts[0]
    blend = Blend.of([len(part) for part in parts], [weight for _, weight in chosen])
    order = list(zip(blend.corpora, blend.places, strict=True))
    codes, offsets = joined([(part.codes, part.offsets) for part in parts], blend)
    features = [(part.features, part.offsets) for part in parts if part.features is not None]
    return ScriptedTokens(
        codes,
        offsets,
        tuple(parts[corpus].scripts[place] for corpus, place in order),
        joined(features, blend)[0],
        tuple(parts[corpus].blinks[place] for corpus, place in order),
        blend,
    )


def _of_corpus(chosen: Chosen, tokenizer: FrameTokenizer, cache: Path) -> ScriptedTokens:
    clips = tokenise(chosen, tokenizer, cache)
    scripts: list[Script] = []
    blinks: list[int | None] = []
    for clip in chosen.of(shards.read(chosen.corpus, chosen.split, columns=("script", "events"))):
        assert clip.script is not None
        scripts.append(clip.script)
        blinks.append(None if clip.events is None else certain_blinks(clip.events))
    return ScriptedTokens(clips.codes, clips.offsets, tuple(scripts), featured(chosen)[0], tuple(blinks))


class Tracker:
    """Clips as a face tracker may have seen them: spoilt features, encoded anew, and what is still in sight.

    Args:
        clips: with their features.
        tokenizer: whose codes the clips have.
        faults: of the tracker.
        excerpts: share of the clips, among those that can be cut, of which a part is seen, as of a longer recording.
    """

    def __init__(
        self, clips: ScriptedTokens, tokenizer: FrameTokenizer, faults: Faults | None = None, excerpts: float = 0.0
    ) -> None:
        self._clips, self._tokenizer, self._excerpts = clips, tokenizer, excerpts
        faults = faults or Faults()
        # What is hidden is decided here, because a part may be hidden only where something honest is left to say.
        self._partial, self._faults = faults.partial, replace(faults, partial=0.0)

    def seen(self, index: int, draw: np.random.Generator) -> tuple[Features, Known]:
        """Features (T, 58) of a clip with a tracker's faults, and what answers about them may rest on."""
        assert self._clips.features is not None
        span = slice(self._clips.offsets[index], self._clips.offsets[index + 1])
        features, known = self._clips.features[span], self._clips.known(index)
        if self._excerpts and draw.random() < self._excerpts:
            features, known = _part(features, known, draw)
        features = degraded(features, draw, self._faults)
        if draw.random() < self._partial:
            part = PARTS[int(draw.integers(len(PARTS)))]
            left = in_sight(known.script, part)
            if left is not None:
                return without(features, part), Known(left, None if part == "upper" else known.blinks)
        return features, known

    def encoded(self, features: Sequence[Features], device: str) -> list[Codes]:
        """Codes (T, L) of each, all encoded at once.

        Shorter ones stand still at their ends meanwhile, so their last few codes may differ from those of the clip
        encoded alone. `device` is the type of the tokenizer's.
        """
        if not features:
            return []
        longest = max(map(len, features))
        padded = np.stack([np.pad(clip, ((0, longest - len(clip)), (0, 0)), mode="edge") for clip in features])
        # As exactly as the codes of the other clips, and of every motion in use.
        with torch.autocast(device, enabled=False):
            codes = self._tokenizer.encode_features(torch.from_numpy(padded)).cpu().numpy()
        return [row[: len(clip)] for row, clip in zip(codes, features, strict=True)]


def _part(features: Features, known: Known, draw: np.random.Generator) -> tuple[Features, Known]:
    """As much as a cut recording shows, half of them one expression alone; all of it where nothing can be cut."""
    cut = (drawn_hold(known.script, draw) if draw.random() < 0.5 else None) or drawn_excerpt(known.script, draw)
    if cut is None:
        return features, known
    # Nobody knows which of the unasked blinks are left.
    return features[cut.frames], Known(cut.script)


def distort(codes: Codes, codebook_size: int, how: Distortion, rng: np.random.Generator) -> Codes:
    """Codes (T, L) a little shorter, slower or faster, and with a few wrong ones; at least one frame."""
    front, back = rng.integers(0, how.crop + 1, 2)
    if len(codes) > front + back:
        codes = codes[front : len(codes) - back]
    count = max(1, round(len(codes) * (1 + rng.uniform(-how.stretch, how.stretch))))
    codes = codes[np.linspace(0, len(codes) - 1, count).round().astype(np.int64)]
    wrong = rng.random(codes.shape) < how.corruption
    return np.where(wrong, rng.integers(0, codebook_size, codes.shape), codes)
