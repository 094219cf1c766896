"""What a face does when nothing is asked of it: it sways, and its eyes make small saccades.

Saccades: direction shares and D = D0 + d A after Lee, Badler & Badler 2002 ("Eyes Alive"), with
amplitudes kept small so that they stay below anything a script asks for. Spontaneous blinks are in
`tdmm.acting.blinks`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tdmm.acting.envelope import Array, minimum_jerk
from tdmm.acting.script import Energy


@dataclass(frozen=True)
class Temper:
    """What an energy changes.

    Attributes:
        blinks_a_minute: spontaneous ones, besides those that go with gaze and head turns.
        sway: scale of the head's idle sway.
        tremble: scale of the tremble in a hold.
        haste: above 1 actions rise earlier within their onset.
        fixation: mean seconds between small saccades.
    """

    blinks_a_minute: float
    sway: float
    tremble: float
    haste: float
    fixation: float


TEMPERS: dict[Energy, Temper] = {
    "low": Temper(blinks_a_minute=11.0, sway=0.6, tremble=0.6, haste=0.9, fixation=2.2),
    "normal": Temper(blinks_a_minute=15.0, sway=0.8, tremble=1.0, haste=1.0, fixation=1.6),
    "high": Temper(blinks_a_minute=19.0, sway=1.0, tremble=1.6, haste=1.15, fixation=1.1),
}

EYE_DEG = 30.0
"""Degrees of eye rotation at an eye-look coefficient of 1."""

IDLE_GAZE = 0.14
"""Idle gaze never exceeds this eye-look coefficient; scripted gaze starts at twice as much."""

_DIRECTION_SHARES = np.array([15.5, 6.5, 17.7, 7.4, 16.8, 7.9, 20.4, 7.8])
_DIRECTION_SHARES /= _DIRECTION_SHARES.sum()


def sway(times: Array, rng: np.random.Generator, scale: float) -> tuple[Array, Array]:
    """Idle sway of the head.

    Returns:
        (T, 3) pitch, yaw, roll in radians, at most 1.2 degrees each, and (T, 3) x, y, z in metres, at
        most 2 mm each; every component lies between 0.08 and 0.5 Hz.
    """
    rates = rng.uniform(0.08, 0.5, (6, 3))
    phases = rng.uniform(0.0, 2.0 * np.pi, (6, 3))
    waves = np.sin(2.0 * np.pi * times[:, None, None] * rates + phases).mean(axis=2)
    limit = np.array([math.radians(d) for d in (1.0, 1.2, 0.7)] + [0.0012, 0.0008, 0.0020])
    limit *= scale * rng.uniform(0.4, 1.0, 6)
    motion = waves * limit
    return motion[:, :3], motion[:, 3:]


def saccades(times: Array, rng: np.random.Generator, fixation: float) -> Array:
    """(T, 2) where the eyes idly rest, in eye-look coefficients, toward the face's left and up.

    Fixations last 0.2 s at least; every other saccade or so returns to straight ahead.
    """
    place = np.zeros((len(times), 2))
    here = np.zeros(2)
    at = float(rng.exponential(fixation))
    while at < times[-1]:
        if rng.random() < 0.5 and here.any():
            there = np.zeros(2)
        else:
            angle = rng.choice(8, p=_DIRECTION_SHARES) * math.pi / 4.0
            # Eyes Alive's law A = -6.9 ln(P / 15.7), at a fifth of its amplitude.
            degrees = min(-6.9 * math.log(rng.uniform(0.3, 15.0) / 15.7) / 5.0, 3.0)
            there = np.array([math.cos(angle), math.sin(angle)]) * (degrees / EYE_DEG)
        step = minimum_jerk((times - at) / saccade_seconds(float(np.abs(there - here).max())))
        place += step[:, None] * (there - here)
        here = there
        at += max(0.2, float(rng.gamma(2.0, fixation / 2.0)))
    return place


def saccade_seconds(amplitude: float) -> float:
    """Duration of a saccade of that eye-look coefficient.

    D0 is 25 ms and d 2.4 ms a degree; 40 ms are added for the eyes to settle, without which a small
    saccade falls between two frames.
    """
    return 0.065 + 0.0024 * EYE_DEG * amplitude
