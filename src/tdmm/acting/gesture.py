"""Head motions: nods, shakes, wobbles; turns, tilts, bows; leans and recoils.

The first cycle of a nod is the largest, magnitude declines with position and the last cycle is smaller
than that trend (Mori, Den & Jokinen 2025, PLOS ONE 20:e0323448).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tdmm.acting.envelope import Array, Timing, minimum_jerk, rise_and_release
from tdmm.acting.script import HeadMotion
from tdmm.motion.events import HeadEvent, HeadMotionKind

PITCH, YAW, ROLL, X, Y, Z = range(6)

CYCLIC: tuple[HeadMotionKind, ...] = ("nod", "shake", "wobble")
"""Kinds that repeat."""

_FASTEST_CYCLE = 0.26  # seconds; rapid nods stay below 4 Hz
_FASTEST_TURN = 250.0  # degrees a second; a rapid shake is a small one


@dataclass(frozen=True)
class _Course:
    """Where a head motion goes: an axis, a sign, and its size at intensities 0.3 and 1."""

    axis: int
    sign: float
    slight: float
    extreme: float

    def amplitude(self, intensity: float) -> float:
        """Degrees, or millimetres on an axis of translation."""
        span = self.extreme - self.slight
        return max(self.slight + span * (intensity - 0.3) / 0.7, 0.4 * self.slight)


_COURSES: dict[HeadMotionKind, _Course] = {
    "nod": _Course(PITCH, 1.0, 6.0, 15.0),
    "shake": _Course(YAW, 1.0, 8.0, 20.0),
    "wobble": _Course(ROLL, 1.0, 5.0, 12.0),
    "turn_left": _Course(YAW, 1.0, 15.0, 35.0),
    "turn_right": _Course(YAW, -1.0, 15.0, 35.0),
    "tilt_left": _Course(ROLL, -1.0, 8.0, 20.0),
    "tilt_right": _Course(ROLL, 1.0, 8.0, 20.0),
    "bow": _Course(PITCH, 1.0, 10.0, 25.0),
    "raise": _Course(PITCH, -1.0, 10.0, 25.0),
    "lean_forward": _Course(Z, 1.0, 20.0, 50.0),
    "lean_back": _Course(Z, -1.0, 20.0, 50.0),
    "recoil": _Course(Z, -1.0, 15.0, 35.0),
}


def intensity_of(kind: HeadMotionKind, amplitude: float) -> float:
    """The intensity, 0.05 to 1, that a head motion of that size is asked for by.

    Args:
        kind: of it.
        amplitude: degrees, or millimetres of a lean and a recoil.
    """
    course = _COURSES[kind]
    share = (amplitude - course.slight) / (course.extreme - course.slight)
    return min(max(0.3 + 0.7 * share, 0.05), 1.0)


@dataclass(frozen=True)
class Gesture:
    """A head motion as acted: `curve` (T, 6) in degrees and millimetres, and its event."""

    curve: Array
    event: HeadEvent


def gesture(motion: HeadMotion, times: Array, rng: np.random.Generator) -> Gesture | None:
    """Act one head motion; None when the clip ends before it can start.

    Args:
        motion: what, how much, how often, when.
        times: (T,) seconds of the clip's frames.
        rng: varies the size by 6 % and the details of the course.
    """
    course = _COURSES[motion.kind]
    room = float(times[-1]) - motion.onset
    if room < _FASTEST_CYCLE:
        return None
    amplitude = course.amplitude(motion.intensity) * rng.uniform(0.94, 1.06)
    curve = np.zeros((len(times), 6))
    cycles = 1
    if motion.kind in CYCLIC:
        cycles = min(motion.cycles, int(room / _FASTEST_CYCLE))
        seconds = min(max(motion.end - motion.onset, cycles * _FASTEST_CYCLE), room)
        amplitude = min(amplitude, _FASTEST_TURN * seconds / cycles / (2.0 * math.pi))
        curve[:, course.axis] = amplitude * _cycles(motion.kind, times - motion.onset, seconds, cycles, rng)
    else:
        seconds = min(max(motion.end - motion.onset, 0.4), room)
        shape = _there_and_back(motion, times, seconds, amplitude, rng)
        curve[:, course.axis] = course.sign * amplitude * shape
        _couple(curve, motion.kind, amplitude, shape, rng)
    peak = float(np.abs(curve[:, course.axis]).max())
    return Gesture(curve, HeadEvent(motion.kind, peak, cycles, motion.onset, motion.onset + seconds))


def _cycles(kind: HeadMotionKind, since: Array, seconds: float, cycles: int, rng: np.random.Generator) -> Array:
    """(T,) a cyclic motion that starts and ends at rest, largest first; 1 at its largest."""
    turns = np.clip(since / seconds, 0.0, 1.0) * cycles
    position = np.minimum(turns.astype(int), cycles - 1)
    sizes = 1.0 - 0.12 * np.arange(cycles) * rng.uniform(0.6, 1.2)
    sizes = np.maximum(sizes, 0.45)
    if cycles > 1:
        sizes[-1] *= rng.uniform(0.7, 0.85)
    phase = turns - position
    if kind == "nod":
        # Down and up, chin a little above rest on the way back.
        down = 0.5 * (1.0 - np.cos(2.0 * np.pi * phase**0.9))
        rebound = rng.uniform(0.05, 0.18) * np.sin(np.pi * phase**2) ** 2 * (phase > 0.7)
        shape: Array = sizes[position] * (down - rebound * np.clip((phase - 0.7) / 0.3, 0.0, 1.0))
        return shape / max(float(shape.max()), 1e-6)
    # To one side and the other; the size glides so that nothing pops where cycles meet.
    size = np.interp(turns, np.arange(cycles) + 0.25, sizes)
    start = 1.0 if rng.random() < 0.5 else -1.0
    ease = minimum_jerk(turns / 0.35) * minimum_jerk((cycles - turns) / 0.35)
    shape = start * size * ease * np.sin(2.0 * np.pi * turns)
    return shape / max(float(np.abs(shape).max()), 1e-6)


def _there_and_back(
    motion: HeadMotion, times: Array, seconds: float, amplitude: float, rng: np.random.Generator
) -> Array:
    """(T,) in [0, 1]: goes there, stays, comes back more slowly; a recoil goes fast."""
    if motion.kind == "recoil":
        there, back = min(0.16, 0.35 * seconds), 0.5 * seconds
    else:
        # Larger movements take longer; the head rarely exceeds some 150 degrees a second.
        there = min(rng.uniform(0.22, 0.32) + 0.009 * amplitude, 0.42 * seconds)
        back = min(1.25 * there, 0.5 * seconds)
    onset = motion.onset
    return rise_and_release(times, Timing(onset, onset + there, onset + seconds - back, onset + seconds))


def _couple(curve: Array, kind: HeadMotionKind, amplitude: float, shape: Array, rng: np.random.Generator) -> None:
    """Add what goes with a movement: no head turns about one axis alone."""
    if kind == "recoil":
        curve[:, PITCH] -= rng.uniform(3.0, 8.0) * shape
    elif kind in ("lean_forward", "lean_back"):
        curve[:, PITCH] += rng.uniform(-1.5, 1.5) * shape
    elif kind in ("turn_left", "turn_right"):
        curve[:, PITCH] += rng.uniform(-0.06, 0.06) * amplitude * shape
        curve[:, ROLL] += rng.uniform(-0.05, 0.05) * amplitude * shape
    elif kind in ("tilt_left", "tilt_right"):
        curve[:, YAW] += rng.uniform(-0.1, 0.1) * amplitude * shape


def in_si(curve: Array) -> tuple[Array, Array]:
    """Degrees and millimetres (T, 6) as radians (T, 3) and metres (T, 3)."""
    return curve[:, :3] * (math.pi / 180.0), curve[:, 3:] / 1000.0
