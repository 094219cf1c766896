"""Clips that are there already: the same motion, perhaps some frames later, a little noisier, or cut a little
differently.

Two steps. What a motion is like in eighths of its time is a direction in space; those near it are found among those
that lie on the same side of random planes (Charikar 2002), so that a clip is compared with few others. Those few are
laid over it frame by frame, up to four frames to and fro.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tdmm.errors import InvalidInput
from tdmm.motion.clip import FPS, FaceMotion
from tdmm.motion.features import FEATURES, to_features
from tdmm.motion.timeline import resample
from tdmm.reading.signals import smoothed

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]

THRESHOLD = 0.98
"""Likeness from which on two motions are one; see docs/corpus-recordings.md for what it tells apart."""

_PARTS = 8
_ALIKE = 0.9
"""Cosine of two outlines from which on the courses are compared: two frames' delay leaves 0.91 of it at least."""
_MOST_FRAMES = 4
_TABLES, _BITS = 40, 16
"""Two outlines of cosine 0.9 share a bucket of one of the tables in 97% of cases, of 0.95 in 99.9%."""
_MIXTURES = 8
_CHANNELS = len(FEATURES)
_SCALE = np.concatenate([np.ones(_CHANNELS - 6), np.full(3, 1 / 0.35), np.full(3, 1 / 0.05)]).astype(np.float32)
"""A full coefficient, a turn of 20 degrees and a lean of 5 cm count alike."""
_MIX = np.random.default_rng(1).normal(size=(_CHANNELS, _MIXTURES)).astype(np.float32)
_PLANES = np.random.default_rng(0).normal(size=(_PARTS * _CHANNELS, _TABLES * _BITS)).astype(np.float32)
_POWERS = 2 ** np.arange(_BITS)


@dataclass(frozen=True)
class Signature:
    """What a motion is recognised by: what it does about its own mean.

    Attributes:
        outline: (464,) of length 1; zeros for a face that never moves.
        course: (T, 8) at 25 fps, random mixtures of all channels.
    """

    outline: Floats
    course: Halves


@dataclass(frozen=True)
class Duplicate:
    """A clip that is there already.

    Attributes:
        place: of it among those offered. kept: of the one that it repeats.
        likeness: of the two, at most 1.
    """

    place: int
    kept: int
    likeness: float


def signature(motion: FaceMotion) -> Signature:
    """The signature of a motion, whatever its length and frame rate.

    Raises:
        InvalidMotion: it is not on the `arkit` rig, or lacks a channel.
    """
    return signature_of(to_features(resample(motion, FPS)))


def signature_of(features: npt.ArrayLike) -> Signature:
    """The same of features (T, 58) at 25 fps, as shards hold them."""
    values = smoothed(np.asarray(features, np.float32) * _SCALE, 2)
    values = values - values.mean(0)
    # Means over overlapping triangles: a motion that begins two frames later has nearly the same.
    position = (np.arange(len(values)) + 0.5) / len(values) * _PARTS
    weights = np.maximum(0.0, 1.0 - np.abs(position[None] - (np.arange(_PARTS)[:, None] + 0.5)) / 1.5)
    pooled = (weights / np.maximum(weights.sum(1, keepdims=True), 1e-9)) @ values
    length = float(np.linalg.norm(pooled))
    outline = (pooled / length if length > 1e-6 else np.zeros_like(pooled)).astype(np.float32).reshape(-1)
    return Signature(outline, (values @ _MIX).astype(np.float16))


def likeness(one: Signature, other: Signature) -> float:
    """Cosine of two courses where they fit best, up to four frames apart; over the time that both have."""
    best = -1.0
    for delay in range(-_MOST_FRAMES, _MOST_FRAMES + 1):
        first = one.course[max(0, delay) :].astype(np.float32)
        second = other.course[max(0, -delay) :].astype(np.float32)
        frames = min(len(first), len(second))
        if frames < max(len(one.course), len(other.course)) - 2 * _MOST_FRAMES or not frames:
            continue
        first, second = first[:frames], second[:frames]
        first, second = first - first.mean(0), second - second.mean(0)
        lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
        best = max(best, float((first * second).sum()) / lengths if lengths > 1e-6 else -1.0)
    return best


class Kept:
    """The clips that are kept so far; clips are offered one after another.

    Memory grows with the clips that are kept, some 7 KB for one of five seconds.

    Args:
        threshold: likeness from which on a clip is there already.

    Raises:
        InvalidInput: the threshold makes no sense.
    """

    def __init__(self, threshold: float = THRESHOLD) -> None:
        if not _ALIKE <= threshold <= 1.0:
            raise InvalidInput(f"a threshold of {threshold:g} for duplicates makes no sense; give {_ALIKE:g} to 1.")
        self.threshold = threshold
        self._buckets: list[dict[int, list[int]]] = [{} for _ in range(_TABLES)]
        self._outlines: Halves = np.empty((256, _PARTS * _CHANNELS), np.float16)
        self._kept: list[tuple[int, Signature]] = []
        self._offered = 0

    def offer(self, found: Signature) -> Duplicate | None:
        """The kept clip that this one repeats; None if there is none, and then it is kept itself."""
        place = self._offered
        self._offered += 1
        if not found.outline.any():
            return None  # faces that never move are alike, and nobody's copies
        keys = ((found.outline @ _PLANES > 0).reshape(_TABLES, _BITS) @ _POWERS).tolist()
        rows = {row for bucket, key in zip(self._buckets, keys, strict=True) for row in bucket.get(key, ())}
        near = np.array(sorted(rows), np.int64)
        if len(near):
            near = near[self._outlines[near].astype(np.float32) @ found.outline >= _ALIKE]
        for row in near.tolist():
            kept, other = self._kept[row]
            alike = likeness(found, other)
            if alike >= self.threshold:
                return Duplicate(place, kept, alike)
        self._keep(place, found, keys)
        return None

    def _keep(self, place: int, found: Signature, keys: list[int]) -> None:
        row = len(self._kept)
        if row == len(self._outlines):
            self._outlines = np.concatenate([self._outlines, np.empty_like(self._outlines)])
        self._outlines[row] = found.outline
        # The outline lies in the table already.
        self._kept.append((place, Signature(np.zeros(0, np.float32), found.course)))
        for bucket, key in zip(self._buckets, keys, strict=True):
            bucket.setdefault(key, []).append(row)


def near_duplicates(signatures: Iterable[Signature], threshold: float = THRESHOLD) -> list[Duplicate]:
    """Which clips repeat an earlier one. Of those that are alike the first is kept.

    Args:
        signatures: of the clips, in order.
        threshold: likeness from which on two are one motion.
    """
    kept = Kept(threshold)
    return [found for found in map(kept.offer, signatures) if found is not None]
