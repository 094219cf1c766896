"""Gaze: scripted looks away, idle saccades, and eyes that lead a turning head."""

from __future__ import annotations

import math

import numpy as np

from tdmm.acting.envelope import Array, minimum_jerk
from tdmm.acting.gesture import YAW
from tdmm.acting.idle import EYE_DEG, IDLE_GAZE, saccade_seconds, saccades
from tdmm.acting.script import Gaze
from tdmm.face.channels import INDEX
from tdmm.motion.events import GazeDirection, GazeEvent, HeadEvent

_HEADINGS: dict[GazeDirection, tuple[float, float]] = {
    "left": (1.0, 0.0), "right": (-1.0, 0.0), "up": (0.0, 1.0), "down": (0.0, -1.0),
    "up_left": (0.85, 0.85), "up_right": (-0.85, 0.85),
    "down_left": (0.85, -0.85), "down_right": (-0.85, -0.85),
}  # fmt: skip

_COUNTER_ROTATION = 0.1
"""Share of a head turn that the eyes take back. The true reflex takes all of it for a fixed target; the
little that is kept here gives life without looking like a gaze shift of its own."""

_LEAD_SECONDS = 0.12


def look(
    gazes: list[Gaze],
    turns: tuple[HeadEvent, ...],
    head: Array,
    times: Array,
    rng: np.random.Generator,
    fixation: float,
) -> tuple[Array, list[GazeEvent]]:
    """Act all that the eyes do.

    Args:
        gazes: scripted looks, none overlapping another.
        turns: head motions as acted, for the eyes to lead.
        head: (T, 6) scripted head motion in degrees and millimetres.
        times: (T,) seconds.
        rng: varies the looks by 5 %.
        fixation: mean seconds between idle saccades.

    Returns:
        (T, 2) eye-look coefficients toward the face's left and up, each within -1 to 1, and the events.
    """
    scripted = np.zeros((len(times), 2))
    busy = np.zeros(len(times))
    events = []
    for gaze in gazes:
        acted = _look_away(gaze, times, rng)
        strength = float(np.abs(acted).max())
        if strength < 2.0 * IDLE_GAZE:
            continue
        scripted += acted
        busy = np.maximum(busy, np.abs(acted).max(axis=1) / strength)
        events.append(GazeEvent(gaze.direction, strength, gaze.onset, min(gaze.end, float(times[-1]))))
    idle = saccades(times, rng, fixation)
    idle[:, 0] -= np.clip(head[:, YAW] * _COUNTER_ROTATION / EYE_DEG, -0.1, 0.1)
    for turn in turns:
        if turn.kind in ("turn_left", "turn_right"):
            heading = 1.0 if turn.kind == "turn_left" else -1.0
            lead = minimum_jerk((times - turn.onset + _LEAD_SECONDS) / 0.08)
            lead *= 1.0 - minimum_jerk((times - turn.onset - 0.1) / 0.25)
            idle[:, 0] += heading * 0.12 * lead
    idle = np.clip(idle, -IDLE_GAZE, IDLE_GAZE) * (1.0 - busy[:, None])
    return np.clip(scripted + idle, -1.0, 1.0), events


def _look_away(gaze: Gaze, times: Array, rng: np.random.Generator) -> Array:
    strength = min((0.3 + 0.6 * gaze.intensity) * rng.uniform(0.95, 1.05), 1.0)
    away = saccade_seconds(strength)
    # Eyes that come back often do it in a slightly slower movement than they left with.
    back = min(away * rng.uniform(1.0, 1.5), max(gaze.end - gaze.onset - away, 0.08))
    course = minimum_jerk((times - gaze.onset) / away)
    course = course * (1.0 - minimum_jerk((times - gaze.end + back) / back))
    held = np.maximum(times - gaze.onset - away, 0.0)
    drift = 1.0 - 0.015 * (1.0 - np.cos(2.0 * math.pi * 0.7 * held))
    across, up = _HEADINGS[gaze.direction]
    size = strength * course * drift
    return np.stack([across * size, up * size], axis=1)


def to_channels(place: Array, coefficients: Array) -> None:
    """Write gaze (T, 2) into the eight eye-look channels of (T, 52) coefficients."""
    left, up = place[:, 0], place[:, 1]
    for names, value in (
        (("eyeLookOutLeft", "eyeLookInRight"), left),
        (("eyeLookInLeft", "eyeLookOutRight"), -left),
        (("eyeLookUpLeft", "eyeLookUpRight"), up),
        (("eyeLookDownLeft", "eyeLookDownRight"), -up),
    ):
        for name in names:
            coefficients[:, INDEX[name]] = np.maximum(value, 0.0)
