"""Smoothing that takes the jitter and leaves the blinks: the 1 euro filter (Casiez, Roussel, Vogel 2012), run forwards
and backwards so that nothing comes late."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class OneEuro:
    """How a signal is smoothed.

    Attributes:
        least_hz: cut-off of what hardly moves; lower takes more jitter.
        more_hz: by which the cut-off rises for a speed of 1 unit a second; higher follows faster.
        speed_hz: cut-off of the speed itself.
    """

    least_hz: float
    more_hz: float
    speed_hz: float = 3.0


COEFFICIENTS = OneEuro(least_hz=1.5, more_hz=6.0)
"""Of coefficients: 0 to 1."""
LIDS = OneEuro(least_hz=2.5, more_hz=30.0, speed_hz=12.0)
"""Of lids and gaze: a blink closes in two frames."""
ANGLES = OneEuro(least_hz=1.2, more_hz=12.0)
"""Of the head's angles, radians."""
PLACES = OneEuro(least_hz=0.6, more_hz=20.0)
"""Of the head's place across the view, metres."""
DEPTH = OneEuro(least_hz=0.3, more_hz=3.0)
"""Of how far away it is, metres: the least certain of all."""


def smoothed(values: npt.ArrayLike, fps: float, how: OneEuro) -> Array:
    """A signal (T, C) without its jitter.

    Args:
        values: evenly spaced in time.
        fps: frames a second.
        how: cut-offs.
    """
    signal = np.asarray(values, np.float64)
    if len(signal) < 3:
        return signal.copy()
    return (_forwards(signal, fps, how) + _forwards(signal[::-1], fps, how)[::-1]) / 2


def _forwards(signal: Array, fps: float, how: OneEuro) -> Array:
    # The speed is taken from both neighbours, which a filter of live signals could not.
    speeds = np.abs(np.gradient(signal, 1.0 / fps, axis=0))
    out = np.empty_like(signal)
    out[0], speed = signal[0], speeds[0]
    keep = _share(how.speed_hz, fps)
    for frame in range(1, len(signal)):
        speed = np.maximum(speed + keep * (speeds[frame] - speed), speeds[frame] * 0.5)
        share = _share(how.least_hz + how.more_hz * speed, fps)
        out[frame] = out[frame - 1] + share * (signal[frame] - out[frame - 1])
    return out


def _share(hz: Array | float, fps: float) -> Array:
    """Of a new value, what a first-order low-pass of that cut-off takes."""
    turn = 2 * math.pi * np.asarray(hz) / fps
    out: Array = turn / (turn + 1)
    return out
