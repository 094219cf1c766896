"""The errors of our own face tracker, measured, so that models learn from motions as it would tell them.

Rendered films of acted motions are tracked, and what was tracked is compared with what was acted (the closed loop).
Four things go wrong. A movement is told too small, too large or not at all: a *gain* for each channel of a clip, nearly
alike on both sides of a face. It goes *astray*: while cheeks are raised, lids are told to tighten. And
whatever the face does, there is an error that *lasts* for a whole clip, as when a person's low brows are taken for a
frown, and one that *passes*. Of each of these the distribution over clips is kept, as quantiles, because its tails
matter most: what is missed, what is seen where nothing is. Errors are those of both sides of a face together, and of
one side against the other, for both sides err alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from math import erf, sqrt
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tdmm.face.channels import ARKIT, INDEX, mirrored
from tdmm.files import written_aside
from tdmm.motion.features import FEATURES

Floats = npt.NDArray[np.float64]

LEVELS = np.concatenate([np.linspace(0, 0.05, 11), np.linspace(0.075, 0.925, 35), np.linspace(0.95, 1, 11)])
"""Of the quantiles that are kept of each distribution: more of them where the rare large errors are."""

_E, _N = len(ARKIT), len(FEATURES)
_OTHER_SIDE = np.array([*(INDEX[mirrored(name)] for name in ARKIT), *range(_E, _N)])
_UNIT = np.array([1.0] * _E + [0.2] * 3 + [0.05] * 3)
"""What counts as much as a whole coefficient: 0.2 radians, 5 cm."""
_MOVED = 0.2
"""Of a unit: from this peak on, a movement's gain can be told."""
_LEAST_GAINS = 12
"""Clips that move a channel, below which the gains of all channels stand for its own."""
_MOST_GAIN = 2.0
_COURSES = 8
"""Courses in time that movements of a clip have at most."""
_LEAST_COURSE = 0.03
"""Root mean square from which on something that takes such a course is a movement."""


@dataclass(frozen=True)
class TrackingNoise:
    """How a tracker errs, as float32 arrays; Q quantiles (`LEVELS`) of each of 58 features or directions.

    Directions are features of both sides of a face together (at the place of the left one), and of the left against the
    right (at that of the right one), over the root of two.

    Attributes:
        gain: (58, Q) of the share of a clip's movement that is told, features.
        sides: () correlation of the gains of both sides of a face.
        astray: (58, Q) of the root mean square of what is told in a direction beside, in the course of a movement.
        lasting: (58, Q) of what errs in a direction for a whole clip.
        passing: (58, Q) of the standard deviation of what comes and goes within a clip.
        persistence: (58,) of what comes and goes, its correlation from frame to frame.
    """

    gain: npt.NDArray[np.float32]
    sides: npt.NDArray[np.float32]
    astray: npt.NDArray[np.float32]
    lasting: npt.NDArray[np.float32]
    passing: npt.NDArray[np.float32]
    persistence: npt.NDArray[np.float32]

    @classmethod
    def measured(cls, truths: Sequence[npt.ArrayLike], tracked: Sequence[npt.ArrayLike]) -> TrackingNoise:
        """What went wrong between acted motions and the same motions after tracking.

        Args:
            truths: (T, 58) features of each clip, as acted.
            tracked: as many, frame by frame of the same length.

        Raises:
            ValueError: there are fewer than two clips, or their lengths differ.
        """
        acted = [np.asarray(each, np.float64) / _UNIT for each in truths]
        told = [np.asarray(each, np.float64) / _UNIT for each in tracked]
        if len(acted) < 2 or [each.shape for each in acted] != [each.shape for each in told]:
            raise ValueError("Errors are measured on two clips or more, each tracked in all of its frames.")
        gains = np.stack([_gains(one, other) for one, other in zip(acted, told, strict=True)])
        astray, lasting, passing = [], [], []
        for one, other, gain in zip(acted, told, gains, strict=True):
            left = _across(other - one - np.where(np.isfinite(gain), gain - 1.0, 0.0) * _from_rest(one))
            courses = _courses(one)
            rest = np.median(left, axis=0)
            along = courses.T @ (left - rest) / len(one)
            astray.append(along)
            lasting.append(rest)
            passing.append(left - rest - courses @ along)
        before, after = (np.concatenate([each[part] for each in passing]) for part in (slice(None, -1), slice(1, None)))
        persistence = (before * after).sum(0) / np.maximum((before**2).sum(0), 1e-12)
        parts = (
            _quantiles(gains), _sides(gains), np.quantile(np.concatenate(astray), LEVELS, axis=0).T,
            np.quantile(lasting, LEVELS, axis=0).T, np.quantile([each.std(0) for each in passing], LEVELS, axis=0).T,
            np.clip(persistence, 0.0, 0.999),
        )  # fmt: skip
        return cls(*(np.asarray(part, np.float32) for part in parts))

    def spoilt(self, features: npt.ArrayLike, draw: np.random.Generator) -> Floats:
        """A clip as the tracker might tell it.

        Args:
            features: (T, 58) as acted, or as measured by something better.
            draw: decides which errors it has.

        Returns:
            (T, 58); coefficients are not yet held within [0, 1].
        """
        acted = np.asarray(features, np.float64) / _UNIT
        gain = _drawn(self.gain, self._alike(draw))
        courses = _courses(acted)
        astray = np.reshape([_drawn(self.astray, draw.random(_N)) for _ in courses.T], (-1, _N))
        error = courses @ astray + _drawn(self.lasting, draw.random(_N)) + self._passing(len(acted), draw)
        told = acted + (gain - 1.0) * _from_rest(acted) + _across(error)
        out: Floats = told * _UNIT
        return out

    def _passing(self, frames: int, draw: np.random.Generator) -> Floats:
        keep = self.persistence.astype(np.float64)
        fresh = draw.normal(size=(frames, _N))
        fresh[1:] *= np.sqrt(1 - keep**2)
        for frame in range(1, frames):
            fresh[frame] += keep * fresh[frame - 1]
        return fresh * _drawn(self.passing, draw.random(_N))

    def _alike(self, draw: np.random.Generator) -> Floats:
        """(58,) ranks within 0 to 1, correlated between the sides of a face."""
        own, shared = draw.normal(size=(2, _N))
        shared = shared[np.minimum(np.arange(_N), _OTHER_SIDE)]
        both = np.sqrt(float(self.sides)) * shared + np.sqrt(1 - float(self.sides)) * own
        return np.array([0.5 * (1 + erf(each / sqrt(2))) for each in both])

    def save(self, path: Path) -> None:
        """Write it as npz, in half precision."""
        parts = {each.name: getattr(self, each.name).astype(np.float16) for each in fields(self)}
        with written_aside(path) as aside:
            np.savez_compressed(aside, **parts)

    @classmethod
    def load(cls, path: Path) -> TrackingNoise:
        """Read what `save` wrote."""
        with np.load(path) as stored:
            return cls(**{each.name: stored[each.name].astype(np.float32) for each in fields(cls)})


@cache
def tracking_noise() -> TrackingNoise:
    """Of our tracker, as `tools/refine_tracker.py errors` measured it."""
    with resources.as_file(resources.files("tdmm.motion") / "assets" / "tracking_noise.npz") as path:
        return TrackingNoise.load(path)


def _from_rest(clip: Floats) -> Floats:
    """Movement: coefficients as they are, poses from where the head is held."""
    return np.concatenate([clip[:, :_E], clip[:, _E:] - np.median(clip[:, _E:], axis=0)], axis=1)


def _across(clip: Floats) -> Floats:
    """Features to directions, or directions to features."""
    side = np.arange(_N)
    left, right = np.flatnonzero(side < _OTHER_SIDE), _OTHER_SIDE[side < _OTHER_SIDE]
    out = clip.copy()
    out[..., left] = (clip[..., left] + clip[..., right]) / sqrt(2)
    out[..., right] = (clip[..., left] - clip[..., right]) / sqrt(2)
    return out


def _gains(acted: Floats, told: Floats) -> Floats:
    """(58,) how much of each movement is told; nan where there is next to none."""
    movement, seen = _from_rest(acted), _from_rest(told)
    share = (movement * seen).sum(0) / np.maximum((movement**2).sum(0), 1e-9)
    out: Floats = np.where(np.abs(movement).max(0) > _MOVED, np.clip(share, 0.0, _MOST_GAIN), np.nan)
    return out


def _courses(acted: Floats) -> Floats:
    """(T, C) the courses in time that movements take: up where coefficients rise, each of power T."""
    movement = acted - np.median(acted, axis=0)
    courses, sizes, channels = np.linalg.svd(movement / sqrt(len(acted)), full_matrices=False)
    count = min(_COURSES, int((sizes > _LEAST_COURSE).sum()))
    towards = np.where(channels[:count, :_E].sum(1) < 0, -1.0, 1.0)
    return courses[:, :count] * towards * sqrt(len(acted))


def _quantiles(gains: Floats) -> Floats:
    """(58, Q) of the gains (clips, 58) of each channel and of its other side."""
    every = gains[:, :_E][np.isfinite(gains[:, :_E])]
    rows = []
    for channel in range(_N):
        own = gains[:, [channel, _OTHER_SIDE[channel]]]
        own = own[np.isfinite(own)]
        rows.append(np.quantile(own if len(own) >= _LEAST_GAINS else every, LEVELS))
    return np.stack(rows)


def _sides(gains: Floats) -> float:
    """Correlation of the gains of left and right, about those of their channels."""
    about = []
    for left, right in enumerate(_OTHER_SIDE):
        both = gains[:, [left, right]]
        both = both[np.isfinite(both).all(1)]
        if left < right and len(both):
            about.append(both - both.mean())
    together = np.concatenate(about) if about else np.ones((1, 2))
    share = 2 * together.prod(1).sum() / max(float((together**2).sum()), 1e-9)
    return float(np.clip(share, 0.0, 1.0))


def _drawn(quantiles: npt.NDArray[np.float32], ranks: Floats) -> Floats:
    """(C,) of each row's distribution, the value at its rank."""
    low = np.clip(np.searchsorted(LEVELS, ranks, side="right") - 1, 0, len(LEVELS) - 2)
    along = (ranks - LEVELS[low]) / (LEVELS[low + 1] - LEVELS[low])
    rows = np.arange(len(quantiles))
    out: Floats = quantiles[rows, low] + along * (quantiles[rows, low + 1] - quantiles[rows, low])
    return out
