"""What the tokenizer learns from: windows of clips of one corpus or several, and random combinations of shapes.

Acted clips alone would teach it only faces that our actor makes; random combinations, dense and sparse,
slow and as fast as speech, with tilted resting faces and sensor noise, let a real capture through.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from tdmm.errors import InvalidConfig
from tdmm.face.channels import ARKIT, INDEX, mirrored
from tdmm.motion.degradation import NOISE_ONLY, degraded
from tdmm.motion.features import FEATURES

if TYPE_CHECKING:
    from tdmm.corpus.shards import PackedMotion

Floats = npt.NDArray[np.float32]

_E = len(ARKIT)
_MIRROR = np.array([INDEX[mirrored(name)] for name in ARKIT])
_MOUTH = np.array([name.startswith(("jaw", "mouth", "tongue")) for name in ARKIT])
_RIGHT = np.array([name.endswith("Right") for name in ARKIT])
_GAZE = np.array([name.startswith("eyeLook") for name in ARKIT])
_OPPOSITES = tuple(
    (INDEX[first], INDEX[second])
    for first, second in (
        ("eyeLookDownLeft", "eyeLookUpLeft"), ("eyeLookDownRight", "eyeLookUpRight"),
        ("eyeLookInLeft", "eyeLookOutLeft"), ("eyeLookInRight", "eyeLookOutRight"),
        ("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"),
    )
)  # fmt: skip
"""Channels of one degree of freedom: no face shows both at once."""


class MixtureConfig(BaseModel):
    """How a batch is mixed.

    Attributes:
        frames: length of a window, frames.
        random_share: share of random combinations; 1 where there is no corpus.
        tracked_share: share of acted windows with the resting face, gains and jitter of a tracker.
        random_weight: how much the codebooks learn from one of either, against 1 from an acted window as it is.
            Small, so that codes are not spent on faces that nobody makes.
        random_loss: how much the errors of one of either count.
        head_limit_deg: largest head angle of a random combination.
        translation_limit: largest translation of one, metres.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    frames: int = Field(default=64, ge=8)
    random_share: float = Field(default=0.3, ge=0, le=1)
    tracked_share: float = Field(default=0.0, ge=0, le=1)
    random_weight: float = Field(default=0.15, gt=0, le=1)
    random_loss: float = Field(default=1.0, gt=0, le=1)
    head_limit_deg: float = Field(default=40.0, ge=0, le=90)
    translation_limit: float = Field(default=0.05, ge=0, le=0.5)


class Mixture:
    """Batches of windows; each depends on (seed, step) alone.

    Args:
        corpora: clips, and the weight with which windows of them are drawn beside those of the others. Without any:
            random combinations alone.
        config: how a batch is mixed.
        seed: of all draws.

    Raises:
        InvalidConfig: clips are asked for and there is no corpus.
    """

    def __init__(self, corpora: Sequence[tuple[PackedMotion, float]], config: MixtureConfig, seed: int) -> None:
        if not corpora and config.random_share < 1:
            raise InvalidConfig("random_share below 1 needs a corpus: give one, or set random_share to 1.")
        self.config, self.seed = config, seed
        self._clips = [clips for clips, _ in corpora]
        weights = np.array([weight for _, weight in corpora], np.float64)
        self._shares = weights / weights.sum()

    def weights(self, size: int) -> tuple[Floats, Floats]:
        """What the codebooks may learn from each window of a batch, and what its errors count, each (size,)."""
        # Random windows come first, tracked ones next.
        teaching, counting = np.ones((2, size), np.float32)
        made = sum(self._made(size))
        teaching[:made], counting[:made] = self.config.random_weight, self.config.random_loss
        return teaching, counting

    def _made(self, size: int) -> tuple[int, int]:
        """How many windows of a batch are random, and how many tracked."""
        random, tracked = round(size * self.config.random_share), round(size * self.config.tracked_share)
        return random, min(tracked, size - random)

    def batch(self, step: int, size: int) -> Floats:
        """(size, frames, 58) windows of that step."""
        draw = np.random.default_rng((self.seed, step))
        drawn, tracked = self._made(size)
        parts = [random_combinations(draw, drawn, self.config)] if drawn else []
        if self._clips and drawn < size:
            windows = self._windows(draw, size - drawn)
            for window in windows[:tracked]:
                window[:] = degraded(window, draw, NOISE_ONLY)
            parts.append(windows)
        return np.concatenate(parts)

    def _windows(self, draw: np.random.Generator, size: int) -> Floats:
        if len(self._clips) == 1:
            return _windows(draw, self._clips[0], size, self.config.frames)
        chosen = draw.choice(len(self._clips), size, p=self._shares)
        windows = np.empty((size, self.config.frames, len(FEATURES)), np.float32)
        for corpus in np.unique(chosen):
            rows = np.flatnonzero(chosen == corpus)
            windows[rows] = _windows(draw, self._clips[corpus], len(rows), self.config.frames)
        return windows


def _windows(draw: np.random.Generator, clips: PackedMotion, size: int, frames: int) -> Floats:
    """Random windows, every frame of the corpus about as likely; a short clip holds its last frame."""
    centres = draw.integers(0, clips.offsets[-1], size)
    chosen = np.searchsorted(clips.offsets, centres, side="right") - 1
    starts, ends = clips.offsets[chosen], clips.offsets[chosen + 1]
    first = np.clip(centres - draw.integers(0, frames, size), starts, np.maximum(starts, ends - frames))
    index = np.minimum(first[:, None] + np.arange(frames), ends[:, None] - 1)
    return np.asarray(clips.features[index], np.float32)


def random_combinations(draw: np.random.Generator, size: int, config: MixtureConfig) -> Floats:
    """(size, frames, 58) random motions: sparse, dense and speech-like faces on a moving head."""
    frames = config.frames
    kind = draw.random((size, 1))
    dense, speech = kind < 0.2, kind > 0.7
    # How many channels move, how far, and how many frames lie between two of their turning points.
    active = draw.random((size, _E)) < np.where(dense, 0.9, draw.uniform(0.03, 0.3, (size, 1)))
    active |= speech & _MOUTH & (draw.random((size, _E)) < 0.6)
    peak = draw.uniform(0.2, 1.0, (size, _E)) * np.where(dense, draw.uniform(0.2, 0.7, (size, 1)), 1.0)
    spacing = np.exp(draw.uniform(np.log(4), np.log(40), (size, _E)))
    spacing = np.where(speech & _MOUTH, draw.uniform(2.5, 6.0, (size, _E)), spacing)
    spacing = np.where(_GAZE & (draw.random((size, _E)) < 0.5), draw.uniform(2.0, 8.0, (size, _E)), spacing)
    resting = draw.uniform(0.1, 0.7, (size, 1))
    faces = _wander(draw, spacing, frames, resting) * (active * peak)[:, None]

    symmetric = draw.random((size, 1, 1)) < 0.5
    faces = np.where(symmetric & _RIGHT & ~_GAZE, faces[..., _MIRROR] * draw.uniform(0.8, 1.0, (size, 1, _E)), faces)
    tilted = draw.exponential(0.06, (size, 1, _E)) * (draw.random((size, 1, 1)) < 0.5)
    noise = draw.normal(0, 0.01, faces.shape) * (draw.random((size, 1, 1)) < 0.3)
    faces = faces + np.minimum(tilted, 0.4) + noise
    for first, second in _OPPOSITES:
        difference = faces[..., first] - faces[..., second]
        faces[..., first], faces[..., second] = np.maximum(difference, 0), np.maximum(-difference, 0)

    limits = np.deg2rad(config.head_limit_deg) * np.array([0.8, 1.0, 0.7])
    limits = np.concatenate([limits, np.full(3, config.translation_limit)])
    # Squared, so that small motions, where errors show, are common; one head in seven keeps still.
    reach = draw.random((size, 1, 6)) ** 2 * (draw.random((size, 1, 1)) < 0.85)
    offset = draw.uniform(-1, 1, (size, 1, 6)) * (draw.random((size, 1, 6)) < 0.3)
    head = _wander(draw, np.exp(draw.uniform(np.log(6), np.log(80), (size, 6))), frames, np.zeros((size, 1)))
    head = np.clip((2 * head - 1) * reach + offset, -1, 1) * limits
    return np.concatenate([np.clip(faces, 0, 1), head], axis=-1).astype(np.float32)


def _wander(
    draw: np.random.Generator, spacing: npt.NDArray[np.float64], frames: int, resting: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """(B, frames, C) smooth paths in [0, 1] through random turning points, `resting` of which are 0."""
    size, columns = spacing.shape
    points = int(frames / spacing.min()) + 3
    values = draw.random((size, points, columns)) * (draw.random((size, points, columns)) >= resting[..., None])
    place = draw.random((size, 1, columns)) + np.arange(frames)[:, None] / spacing[:, None]
    before = place.astype(np.int64)
    along = place - before
    along = along * along * (3 - 2 * along)
    start = np.take_along_axis(values, before, 1)
    return start + along * (np.take_along_axis(values, before + 1, 1) - start)
