"""Time: the only place where a frame rate changes.

Frame i of a motion stands at i / fps seconds and lasts until the next; T frames last T / fps.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tdmm.errors import InvalidMotion
from tdmm.motion.clip import FPS, FaceMotion
from tdmm.motion.rotation import slerp, to_euler, to_quaternions

MAX_FPS = 1000.0

Floats = npt.NDArray[np.float64]


def resample(motion: FaceMotion, fps: float = FPS) -> FaceMotion:
    """The same motion at another frame rate.

    Coefficients and translation follow a monotone cubic (no value outside the range of its two
    neighbours), the head turns along the shortest arc, confidence is interpolated linearly. The first
    frame is kept, the duration to within half a new frame, and a motion that already runs at `fps` is
    returned as it is.

    Args:
        motion: any rig, any rate.
        fps: frames a second wanted, above 0 and up to 1000.

    Raises:
        InvalidMotion: `fps` is out of range.
    """
    if not math.isfinite(fps) or not 0 < fps <= MAX_FPS:
        raise InvalidMotion(f"fps is {fps}; it must be above 0 and at most {MAX_FPS:g}.")
    if fps == motion.fps:
        return motion
    frames = max(1, round(motion.frames * fps / motion.fps))
    # After the last frame there is nothing to lean on: its value is held.
    position = np.minimum(np.arange(frames) * (motion.fps / fps), motion.frames - 1)
    before = np.minimum(position.astype(np.int64), max(motion.frames - 2, 0))
    after = np.minimum(before + 1, motion.frames - 1)
    fraction = position - before
    quaternions = to_quaternions(motion.head)
    head = to_euler(slerp(quaternions[before], quaternions[after], fraction))
    # A frame that falls on an old one keeps its very angles, not the round trip of them.
    head = np.where(fraction[:, None] == 0, motion.head[before], head)
    return motion.with_(
        fps=fps,
        expression=_monotone(motion.expression, before, fraction),
        head=head,
        translation=None if motion.translation is None else _monotone(motion.translation, before, fraction),
        confidence=None if motion.confidence is None else _linear(motion.confidence, before, after, fraction),
    )


def trim(motion: FaceMotion, start: float = 0.0, end: float | None = None) -> FaceMotion:
    """The part from `start` up to `end`, in seconds; None is the end of the motion.

    Raises:
        InvalidMotion: the part is empty or begins outside the motion.
    """
    stop = motion.seconds if end is None else end
    if not 0 <= start < motion.seconds:
        raise InvalidMotion(f"start is {start:g} s; the motion runs from 0 to {motion.seconds:g} s.")
    if not stop > start:
        raise InvalidMotion(f"The part from {start:g} s to {stop:g} s is empty; end must come after start.")
    first = min(round(start * motion.fps), motion.frames - 1)
    last = max(first + 1, min(round(min(stop, motion.seconds) * motion.fps), motion.frames))
    part = slice(first, last)
    return motion.with_(
        expression=motion.expression[part],
        head=motion.head[part],
        translation=None if motion.translation is None else motion.translation[part],
        confidence=None if motion.confidence is None else motion.confidence[part],
    )


def in_sight(motion: FaceMotion) -> list[tuple[float, float]]:
    """When the face is in sight, as (start, end) seconds: where confidence is above 0, shorter gaps than half a second
    included. Glimpses of less than a fifth of a second are left out where there is anything longer.

    Raises:
        InvalidMotion: confidence is 0 from first to last.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], motion.seen, [False]]))) / motion.fps
    if not len(edges):
        raise InvalidMotion(
            f"The face is in sight in none of the {motion.frames} frames: their confidence is 0. "
            "Capture it again, with the face lit and turned to the camera."
        )
    starts, ends = edges[::2], edges[1::2]
    lasting = starts[1:] - ends[:-1] >= _BRIDGED
    starts, ends = starts[np.r_[True, lasting]], ends[np.r_[lasting, True]]
    longer = (ends - starts >= _GLIMPSE) | ((ends - starts).max() < _GLIMPSE)
    return list(zip(starts[longer].tolist(), ends[longer].tolist(), strict=True))


_BRIDGED = 0.5
"""Seconds: a tracker goes on through shorter gaps, and a face in them hardly changes unseen."""
_GLIMPSE = 0.2
"""Seconds in which no expression comes and goes."""


def _linear(
    values: npt.ArrayLike, before: npt.NDArray[np.int64], after: npt.NDArray[np.int64], fraction: Floats
) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    blended: Floats = array[before] * (1 - fraction) + array[after] * fraction
    return blended


def _monotone(values: npt.ArrayLike, before: npt.NDArray[np.int64], fraction: Floats) -> Floats:
    """Cubic Hermite interpolation that overshoots nowhere, (T, C) to (N, C).

    Slopes are the harmonic mean of the neighbouring differences, and zero at a peak (Fritsch and
    Butland 1984), here for evenly spaced frames.
    """
    array = np.asarray(values, dtype=np.float64)
    if len(array) == 1:
        return np.repeat(array, len(before), axis=0)
    step = np.diff(array, axis=0)
    slope = np.zeros_like(array)
    same_way = step[1:] * step[:-1] > 0
    total = np.where(same_way, step[1:] + step[:-1], 1.0)
    slope[1:-1] = np.where(same_way, 2 * step[1:] * step[:-1] / total, 0.0)
    slope[0], slope[-1] = step[0], step[-1]
    t = fraction[:, None]
    low, high = array[before], array[before + 1]
    rise = t * t * (3 - 2 * t)
    curve = low + (high - low) * rise + t * (1 - t) ** 2 * slope[before] - t * t * (1 - t) * slope[before + 1]
    # The curve stays between its neighbours, and ends on the last, but for rounding.
    bounded: Floats = np.clip(np.where(t == 1.0, high, curve), np.minimum(low, high), np.maximum(low, high))
    return bounded
