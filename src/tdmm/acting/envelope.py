"""Shapes in time: how an action rises, stays alive while it is held, and lets go.

An onset is not the mirror of an offset: clips played backwards look artificial (Reinl & Bartels 2015,
Frontiers in Psychology 6:1107). Rises here are minimum-jerk; releases start briskly and end slowly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tdmm.motion.clip import FPS

Array = npt.NDArray[np.float64]

_SHARPNESS = 8.0  # of the smooth maximum: two equal values meet 9 % above either


@dataclass(frozen=True)
class Timing:
    """Seconds: rises from `onset`, is there from `apex` to `offset`, is over at `end`."""

    onset: float
    apex: float
    offset: float
    end: float


@dataclass(frozen=True)
class Liveliness:
    """How much a held action moves.

    Attributes:
        breath: how far below its peak the slow swell goes, a fraction of the peak.
        breath_hz: its rate.
        tremble: depth of the fast tremble, a fraction of the peak.
        tremble_hz: its rate.
        haste: above 1 the rise starts early and settles late, below 1 the reverse.
    """

    breath: float = 0.0
    breath_hz: float = 0.6
    tremble: float = 0.0
    tremble_hz: float = 6.0
    haste: float = 1.0


def on_frame(seconds: float) -> float:
    """The nearest frame's time, so that a peak is really reached."""
    return round(seconds * FPS) / FPS


def minimum_jerk(progress: Array) -> Array:
    """The smoothest way from 0 to 1, for `progress` in [0, 1] (clipped) (Flash & Hogan 1985)."""
    x = np.minimum(np.maximum(progress, 0.0), 1.0)
    shaped: Array = x * x * x * (10.0 + x * (6.0 * x - 15.0))
    return shaped


def rise_and_release(times: Array, timing: Timing, alive: Liveliness | None = None) -> Array:
    """(T,) in [0, 1]: exactly 0 outside `onset`..`end` and 1 at `apex`.

    Args:
        times: (T,) seconds.
        timing: in order, with a rise and a release longer than nothing.
        alive: movement within the hold; None holds still.
    """
    alive = alive or Liveliness()
    rise = np.maximum((times - timing.onset) / max(timing.apex - timing.onset, 1e-6), 0.0)
    fall = np.clip((times - timing.offset) / max(timing.end - timing.offset, 1e-6), 0.0, 1.0)
    # The exponent below 1 puts the release's greatest speed in its first third.
    shape = minimum_jerk(np.minimum(rise, 1.0) ** (1.0 / alive.haste)) * (1.0 - minimum_jerk(fall**0.8))
    if alive.breath or alive.tremble:
        since = 2.0 * np.pi * np.maximum(times - timing.apex, 0.0)
        dip = alive.breath * 0.5 * (1.0 - np.cos(alive.breath_hz * since))
        dip += alive.tremble * 0.5 * (1.0 - np.cos(alive.tremble_hz * since))
        shape = shape * (1.0 - dip)
    return shape


def smooth_maximum(curves: list[Array]) -> Array:
    """Combine curves (T,) of one channel: the larger wins, and where they cross nothing pops."""
    if len(curves) == 1:
        return curves[0]
    powers = sum((np.maximum(curve, 0.0) ** _SHARPNESS for curve in curves), np.zeros_like(curves[0]))
    combined: Array = np.minimum(powers ** (1.0 / _SHARPNESS), 1.0)
    return combined
