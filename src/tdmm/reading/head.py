"""Head motions, read from the head's rotation and translation.

A rotation about one axis is taken apart into what goes to and fro without stopping (a nod, a shake, a
wobble) and what goes somewhere and stays (a turn, a tilt, a bow, a raise). They differ by the time spent at
the turning points: a cosine dwells there for 30% of its period, a hold for much longer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tdmm.motion.clip import FPS
from tdmm.motion.events import HeadEvent, HeadMotionKind
from tdmm.reading.settings import ReaderSettings
from tdmm.reading.signals import Signal, Span, smoothed, spans_above, turning_points


@dataclass(frozen=True)
class _Axis:
    """What a rotation about one axis is called."""

    cyclic: HeadMotionKind
    positive: HeadMotionKind
    negative: HeadMotionKind
    single: int
    """Sign of the single quick excursion that is one cycle of the cyclic motion; 0 if it is none."""


_AXES = (
    _Axis(cyclic="nod", positive="bow", negative="raise", single=1),
    _Axis(cyclic="shake", positive="turn_left", negative="turn_right", single=0),
    _Axis(cyclic="wobble", positive="tilt_right", negative="tilt_left", single=0),
)
"""Pitch, yaw and roll, in the order of `FaceMotion.head`."""


def read_head(
    rotation: npt.NDArray[np.float64], translation: npt.NDArray[np.float64], settings: ReaderSettings
) -> list[HeadEvent]:
    """All head motions.

    Args:
        rotation: (T, 3) pitch, yaw, roll in degrees from rest, at 25 fps.
        translation: (T, 3) millimetres from rest.
    """
    depth = _read_depth(smoothed(translation[:, 2]), settings)
    found = list(depth)
    for column, axis in enumerate(_AXES):
        found += _read_axis(smoothed(rotation[:, column]), axis, settings)
    recoils = [event for event in depth if event.kind == "recoil"]
    return [event for event in found if not _belongs(event, recoils, settings)]


def _belongs(event: HeadEvent, recoils: list[HeadEvent], settings: ReaderSettings) -> bool:
    """Whether a small pitching is part of a recoil: who starts back also lifts the chin."""
    if event.kind not in ("raise", "nod") or event.amplitude >= settings.recoil_pitch_deg:
        return False
    shared = (min(event.end, recoil.end) - max(event.onset, recoil.onset) for recoil in recoils)
    return max(shared, default=0.0) > 0.5 * (event.end - event.onset)


def _read_axis(angle: Signal, axis: _Axis, settings: ReaderSettings) -> list[HeadEvent]:
    found: list[HeadEvent] = []
    held = angle.copy()
    for run in _runs(angle, settings):
        if len(run.turns) == 1 and np.sign(run.reach(angle)) != axis.single:
            continue
        onset, end = run.span.start, run.span.stop - 1
        line = np.linspace(angle[onset], angle[end], run.span.frames)
        excursion = angle[onset : end + 1] - line
        held[onset : end + 1] = line
        amplitude = float(np.abs(excursion).max())
        cycles = (len(run.turns) + 1) // 2
        found.append(HeadEvent(axis.cyclic, amplitude, cycles, onset / FPS, (end + 1) / FPS))
    for sign, kind in ((1, axis.positive), (-1, axis.negative)):
        for span in spans_above(sign * held, settings.turn_high_deg, settings.turn_low_deg, gap=3):
            if span.frames < settings.shortest_turn * FPS:
                continue
            amplitude = float((sign * held[span.start : span.stop]).max())
            found.append(HeadEvent(kind, amplitude, 1, span.start / FPS, span.stop / FPS))
    return found


@dataclass(frozen=True)
class _Run:
    """Consecutive turning points at which the head does not stop, with the swings before and after them."""

    turns: tuple[int, ...]
    span: Span

    def reach(self, angle: Signal) -> float:
        """The angle furthest from where the run begins, relative to it."""
        turned = angle[list(self.turns)] - angle[self.span.start]
        return float(turned[np.argmax(np.abs(turned))])


def _runs(angle: Signal, settings: ReaderSettings) -> list[_Run]:
    points = turning_points(angle, settings.swing_deg)
    runs: list[_Run] = []
    current: list[int] = []
    for index in range(1, len(points) - 1):
        passes = _passes(angle, points, index, settings)
        if current and not (passes and _flows(angle, points, index, settings)):
            runs += _closed(angle, points, current, settings)
            current = []
        if passes:
            current.append(index)
    return runs + _closed(angle, points, current, settings)


def _closed(angle: Signal, points: list[int], indices: list[int], settings: ReaderSettings) -> list[_Run]:
    """The run over these turning points, if it is one."""
    if not indices:
        return []
    swings = np.abs(np.diff(angle[points]))
    largest = float(swings[indices[0] - 1 : indices[-1] + 1].max())
    strong = _without_weak_ends(swings, indices, settings.weakest_swing * largest)
    if not strong:
        return []
    # Weak swings at the ends are no cycles of their own, but neither are they something else.
    start = _edge(angle, points[indices[0]], points[indices[0] - 1], settings)
    stop = _edge(angle, points[indices[-1]], points[indices[-1] + 1], settings)
    run = _Run(tuple(points[index] for index in strong), Span(start, stop + 1))
    reach = abs(run.reach(angle))
    if reach < settings.cyclic_high_deg:
        return []
    if len(strong) == 1:
        # Alone, a turning point must be that of a cosine, and the head must come back to where it was.
        holds = _stay_share(angle, points, strong[0]) > settings.largest_stay_once
        if holds or abs(angle[stop] - angle[start]) > 0.5 * reach:
            return []
    return [run]


def _without_weak_ends(swings: Signal, indices: list[int], least: float) -> list[int]:
    """Drop turning points at either end beyond which the head moves less than `least` degrees."""
    first, last = 0, len(indices)
    while first < last and swings[indices[first] - 1] < least:
        first += 1
    while last > first and swings[indices[last - 1]] < least:
        last -= 1
    return indices[first:last]


def _passes(angle: Signal, points: list[int], index: int, settings: ReaderSettings) -> bool:
    """Whether the head only passes through a turning point, and does not stay there."""
    if min(abs(np.diff(angle[points[index - 1 : index + 2]]))) < settings.swing_deg:
        return False
    short = _near(angle, points, index, 0.2) <= settings.longest_stay * FPS
    return short and _stay_share(angle, points, index) <= settings.largest_stay


def _stay_share(angle: Signal, points: list[int], index: int) -> float:
    """Time within 1/5 of the lesser swing over that within 3/5: 0.52 for a cosine, 1 for a hold."""
    return _near(angle, points, index, 0.2) / _near(angle, points, index, 0.6)


def _flows(angle: Signal, points: list[int], index: int, settings: ReaderSettings) -> bool:
    """Whether the head comes from the turning point before without resting on the way."""
    before, point = points[index - 1], points[index]
    way = np.abs(angle[before : point + 1] - angle[before]) / abs(angle[point] - angle[before])
    transit = int(np.argmax(way >= 0.8)) - int(np.argmax(way >= 0.2))
    stay = 0.5 * (_near(angle, points, index - 1, 0.2) + _near(angle, points, index, 0.2))
    return transit <= settings.longest_transit * stay + 2


def _near(angle: Signal, points: list[int], index: int, depth: float) -> float:
    """Frames around a turning point in which the head is within `depth` times the lesser swing of it."""
    before, point, after = points[index - 1 : index + 2]
    limit = depth * min(abs(angle[point] - angle[before]), abs(angle[point] - angle[after]))
    away = np.abs(angle - angle[point])
    return _crossing(away[point : after + 1], limit) + _crossing(away[before : point + 1][::-1], limit)


def _crossing(away: Signal, limit: float) -> float:
    """Frames until the distance reaches the limit, in fractions of a frame: fast nods have few frames."""
    far = np.flatnonzero(away >= limit)
    if far.size == 0:
        return float(away.size)
    first = int(far[0])
    if first == 0:
        return 0.0
    step = away[first] - away[first - 1]
    return first - 1 + float((limit - away[first - 1]) / step)


def _edge(angle: Signal, point: int, neighbour: int, settings: ReaderSettings) -> int:
    """Where the movement from a turning point to its outer neighbour ends: at rest, or near it."""
    step = 1 if neighbour > point else -1
    swing = abs(angle[neighbour] - angle[point])
    frame = point
    while frame != neighbour and abs(angle[frame] - angle[neighbour]) > 0.05 * swing:
        slow = abs(angle[frame + step] - angle[frame]) < settings.resting_deg_per_second / FPS
        if slow and abs(angle[frame] - angle[point]) >= settings.swing_deg:
            break
        frame += step
    return frame


def _read_depth(depth: Signal, settings: ReaderSettings) -> list[HeadEvent]:
    found: list[HeadEvent] = []
    for sign in (1, -1):
        for span in spans_above(sign * depth, settings.lean_high_mm, settings.lean_low_mm, gap=3):
            inside = sign * depth[span.start : span.stop]
            amplitude = float(inside.max())
            rise = int(np.argmax(inside >= 0.9 * amplitude)) / FPS
            kind: HeadMotionKind = "lean_forward" if sign > 0 else "lean_back"
            if sign < 0 and rise <= settings.recoil_rise:
                kind = "recoil"
            found.append(HeadEvent(kind, amplitude, 1, span.start / FPS, span.stop / FPS))
    return found
