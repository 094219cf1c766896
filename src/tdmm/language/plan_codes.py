"""A plan: what will happen in a clip, as a short sequence of codes and as a roll that frames are read from.

The events of a motion (`MotionEvents`) become rows of `FIELDS` codes, one row an event, after a first row
that holds the length of the clip::

    clip | expressions | actions as they start | head motions | looks | blinks | (end)

An expression is a descriptor of the lexicon, what the actions after it are meant to be: once the words are
heard as one, its actions follow as a habit. Nothing is laid out or drawn for it, and a plan may have none.

A *roll*, as of a player piano, lays the events of a plan along the frames: how far each action, head motion
and look should be there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from tdmm.acting.gesture import CYCLIC
from tdmm.acting.lexicon import load
from tdmm.acting.script import Script
from tdmm.face.facs import ACTIONS, Side
from tdmm.motion.clip import FPS, Floats
from tdmm.motion.events import (
    GAZE_DIRECTIONS,
    HEAD_MOTIONS,
    ActionEvent,
    BlinkEvent,
    GazeDirection,
    GazeEvent,
    HeadEvent,
    HeadMotionKind,
    MotionEvents,
)

PlanCodes = npt.NDArray[np.int64]
"""(1 + events, fields) of one clip; the first row is the clip itself."""

VERSION = "3"
"""Of this module, in the key of cached plans; a change to `encode` or `FIELDS` needs another one."""

_EXPRESSIONS = tuple(sorted(load().descriptors))
KINDS: tuple[str, ...] = (
    *ACTIONS, *HEAD_MOTIONS, *(f"gaze_{each}" for each in GAZE_DIRECTIONS), "blink",
    *(f"expression_{each}" for each in _EXPRESSIONS),
)  # fmt: skip
"""What a row can be."""
CLIP, END = len(KINDS), len(KINDS) + 1

_SIDES: tuple[Side, ...] = ("both", "left", "right")
_LONGEST = 10.0
_TOGETHER = 4
_SHORTEST = 0.04
_STRENGTHS, _CYCLES = 32, 10

FIELDS: dict[str, int] = {
    "kind": len(KINDS) + 2, "side": len(_SIDES), "strength": _STRENGTHS, "onset": round(_LONGEST * FPS) + 1,
    "rise": 48, "hold": 128, "fall": 48, "cycles": _CYCLES,
}  # fmt: skip
"""Codes of a row, in the order in which they are predicted, and how many values each has. The `onset` of
the first row is the length of the clip in frames; actions have rise, hold and fall, all else holds only."""

KIND, SIDE, STRENGTH, ONSET, RISE, HOLD, FALL, CYCLES = range(len(FIELDS))

MAX_EVENTS = 40
"""Most events of a plan; of more, the last are left out."""

_ACTION_AT, _HEAD_AT, _GAZE_AT = 0, len(ACTIONS), len(ACTIONS) + len(HEAD_MOTIONS)
_BLINK_AT = _GAZE_AT + len(GAZE_DIRECTIONS)
_EXPRESSION_AT = _BLINK_AT + 1
GROUPS = np.array(
    [1] * len(ACTIONS) + [2] * len(HEAD_MOTIONS) + [3] * len(GAZE_DIRECTIONS) + [4] + [0] * len(_EXPRESSIONS) + [0, 5]
)
"""Of each kind, its place in the order of a plan: a kind never follows one of a later group."""


def _told(kind: str) -> list[bool]:
    """Which fields say something about a kind; `encode` writes 0 for the others."""
    sided = kind in ACTIONS or kind == "blink" or kind.startswith("expression_")
    ramps = kind in ACTIONS or kind.startswith("expression_")
    return [True, sided, True, True, ramps, True, ramps, kind in CYCLIC]


TOLD = np.array([*map(_told, KINDS), [True, False, False, True, *[False] * 4], [True, *[False] * 7]])
"""(kinds, fields) bool: which fields of a row of that kind are anything but 0."""

REACH: dict[HeadMotionKind, float] = {
    "nod": 16.0, "shake": 21.5, "wobble": 13.0, "turn_left": 37.5, "turn_right": 37.5, "tilt_left": 21.5,
    "tilt_right": 21.5, "bow": 27.0, "raise": 27.0, "lean_forward": 53.5, "lean_back": 53.5, "recoil": 37.5,
}  # fmt: skip
"""Degrees, or millimetres, of a head motion of strength 1."""

_DIRECTION: dict[GazeDirection, tuple[float, float]] = {
    "left": (1, 0), "right": (-1, 0), "up": (0, 1), "down": (0, -1),
    "up_left": (0.7, 0.7), "up_right": (-0.7, 0.7), "down_left": (0.7, -0.7), "down_right": (-0.7, -0.7),
}  # fmt: skip
"""Toward the face's own left, and up."""

_HEAD_ROW = 2 * len(ACTIONS)
_PHASE_ROW = _HEAD_ROW + len(HEAD_MOTIONS)
_GAZE_ROW = _PHASE_ROW + 2 * len(CYCLIC)
_BLINK_ROW = _GAZE_ROW + 2
ROLL = _BLINK_ROW + 2
"""Numbers of a frame of a roll: each action left and right, each head motion, sine and cosine of the three
cyclic ones, where the eyes look (left, up), and the blink of either eye."""


@dataclass(frozen=True)
class Expression:
    """A descriptor that actions are to show. `strength` is its intensity; seconds as in `ActionEvent`."""

    descriptor: str
    side: Side
    strength: float
    onset: float
    apex: float
    offset: float
    end: float


@dataclass(frozen=True)
class Plan:
    """What will happen in a clip of that many frames (25 a second), and what it is meant to be."""

    events: MotionEvents
    frames: int
    expressions: tuple[Expression, ...] = ()


def expressions_of(script: Script) -> tuple[Expression, ...]:
    """What a script asks for."""
    return tuple(
        Expression(each.descriptor, each.side, each.intensity, each.onset, each.apex, each.offset, each.end)
        for each in script.events
    )


def encode(plan: Plan) -> PlanCodes:
    """A plan as codes. What lies beyond ten seconds is moved to their end: longer plans are not coded."""
    events, frames = plan.events, plan.frames
    rows = [_row(CLIP, "both", 0.0, frames / FPS)]
    for meant in sorted(plan.expressions, key=lambda each: each.onset):
        kind = _EXPRESSION_AT + _EXPRESSIONS.index(meant.descriptor)
        rise, hold, fall = meant.apex - meant.onset, meant.offset - meant.apex, meant.end - meant.offset
        rows.append(_row(kind, meant.side, meant.strength, meant.onset, rise, hold, fall))
    actions = []
    for action in events.actions:
        rise, hold, fall = action.apex - action.onset, action.offset - action.apex, action.end - action.offset
        kind = _ACTION_AT + list(ACTIONS).index(action.action)
        actions.append(_row(kind, action.side, action.strength, action.onset, rise, hold, fall))
    rows += _by_outset(actions)
    for motion in sorted(events.head, key=lambda each: each.onset):
        kind, strength = _HEAD_AT + HEAD_MOTIONS.index(motion.kind), motion.amplitude / REACH[motion.kind]
        length = motion.end - motion.onset
        rows.append(_row(kind, "both", strength, motion.onset, 0.0, length, 0.0, motion.cycles))
    for look in sorted(events.gaze, key=lambda each: each.onset):
        kind = _GAZE_AT + GAZE_DIRECTIONS.index(look.direction)
        rows.append(_row(kind, "both", look.strength, look.onset, 0.0, look.end - look.onset))
    for blink in sorted(events.blinks, key=lambda each: each.time):
        rows.append(_row(_BLINK_AT, blink.side, blink.strength, blink.time, 0.0, blink.duration))
    return np.array(rows[: 1 + MAX_EVENTS], np.int64)


def decode(codes: PlanCodes) -> Plan:
    """The inverse of `encode`, to the width of a code."""
    actions, head, gaze, blinks, meant = [], [], [], [], []
    for row in codes[1:]:
        kind, side = int(row[KIND]), _SIDES[row[SIDE]]
        strength, onset = (float(row[STRENGTH]) + 0.5) / _STRENGTHS, float(row[ONSET]) / FPS
        rise, hold, fall = (_seconds(int(row[field]), name) for field, name in _DURATIONS)
        apex = onset + rise
        offset = apex + hold
        if kind < _HEAD_AT:
            actions.append(ActionEvent(KINDS[kind], side, strength, onset, apex, offset, offset + fall))
        elif kind < _GAZE_AT:
            moved = HEAD_MOTIONS[kind - _HEAD_AT]
            head.append(HeadEvent(moved, strength * REACH[moved], int(row[CYCLES]) + 1, onset, onset + hold))
        elif kind < _BLINK_AT:
            gaze.append(GazeEvent(GAZE_DIRECTIONS[kind - _GAZE_AT], strength, onset, onset + hold))
        elif kind == _BLINK_AT:
            blinks.append(BlinkEvent(onset, hold, strength, side))
        else:
            meant.append(
                Expression(_EXPRESSIONS[kind - _EXPRESSION_AT], side, strength, onset, apex, offset, offset + fall)
            )
    events = MotionEvents(tuple(actions), tuple(head), tuple(gaze), tuple(blinks))
    return Plan(events, int(codes[0, ONSET]), tuple(meant))


def roll(events: MotionEvents, frames: int) -> Floats:
    """(T, ROLL) float32 of the first `frames` frames: what should be there, frame by frame."""
    laid = np.zeros((frames, ROLL), np.float32)
    times = np.arange(frames) / FPS
    for action in events.actions:
        shape = action.strength * _ramp(times, action.onset, action.apex, action.offset, action.end)
        index = 2 * list(ACTIONS).index(action.action)
        for column in _columns(index, action.side):
            laid[:, column] = np.maximum(laid[:, column], shape)
    for motion in events.head:
        strength, length = motion.amplitude / REACH[motion.kind], motion.end - motion.onset
        there = min(0.35, 0.4 * length)
        shape = strength * _ramp(times, motion.onset, motion.onset + there, motion.end - there, motion.end)
        column = _HEAD_ROW + HEAD_MOTIONS.index(motion.kind)
        laid[:, column] = np.maximum(laid[:, column], shape)
        if motion.kind in CYCLIC:
            turns = 2 * math.pi * motion.cycles * np.clip((times - motion.onset) / max(length, _SHORTEST), 0, 1)
            during = (times >= motion.onset) & (times <= motion.end)
            place = _PHASE_ROW + 2 * CYCLIC.index(motion.kind)
            laid[:, place] += during * strength * np.sin(turns)
            laid[:, place + 1] += during * strength * np.cos(turns)
    for look in events.gaze:
        shape = look.strength * _ramp(times, look.onset, look.onset + 0.06, look.end, look.end + 0.06)
        laid[:, _GAZE_ROW : _GAZE_ROW + 2] += shape[:, None] * np.array(_DIRECTION[look.direction])
    for blink in events.blinks:
        peak, end = blink.time + 0.4 * blink.duration, blink.time + blink.duration
        shape = blink.strength * _ramp(times, blink.time, peak, peak, end)
        for column in _columns(_BLINK_ROW, blink.side):
            laid[:, column] = np.maximum(laid[:, column], shape)
    return laid


def _by_outset(rows: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Rows in the order in which they start; those that start together in the order of their kinds.

    What starts within `_TOGETHER` frames of the one before belongs together: which of the actions of one
    expression is first by a frame is chance, and nothing to learn.
    """
    ordered, outset, before = [], 0, -_TOGETHER
    for row in sorted(rows, key=lambda row: row[ONSET]):
        outset = row[ONSET] if row[ONSET] - before >= _TOGETHER else outset
        before = row[ONSET]
        ordered.append((outset, row[KIND], row))
    return [row for *_, row in sorted(ordered)]


_DURATIONS = ((RISE, "rise"), (HOLD, "hold"), (FALL, "fall"))


def direction_of(gaze: GazeDirection) -> tuple[float, float]:
    """Where a look goes: toward the face's own left, and up."""
    return _DIRECTION[gaze]


def _row(
    kind: int, side: Side, strength: float, onset: float,
    rise: float = 0.0, hold: float = 0.0, fall: float = 0.0, cycles: int = 1,
) -> tuple[int, ...]:  # fmt: skip
    return (
        kind,
        _SIDES.index(side),
        min(max(int(strength * _STRENGTHS), 0), _STRENGTHS - 1),
        min(max(round(onset * FPS), 0), FIELDS["onset"] - 1),
        _length(rise, "rise"),
        _length(hold, "hold"),
        _length(fall, "fall"),
        min(cycles, _CYCLES) - 1,
    )


def _length(seconds: float, field: str) -> int:
    """Durations in steps of equal ratio from a frame to ten seconds; 0 is nothing."""
    if seconds < 0.5 * _SHORTEST:
        return 0
    ratio = math.log(max(seconds, _SHORTEST) / _SHORTEST) / math.log(_LONGEST / _SHORTEST)
    return 1 + min(round(ratio * (FIELDS[field] - 2)), FIELDS[field] - 2)


def _seconds(code: int, field: str) -> float:
    if code == 0:
        return 0.0
    return float(_SHORTEST * (_LONGEST / _SHORTEST) ** ((code - 1) / (FIELDS[field] - 2)))


def _columns(first: int, side: Side) -> tuple[int, ...]:
    return {"both": (first, first + 1), "left": (first,), "right": (first + 1,)}[side]


def _ramp(times: npt.NDArray[np.float64], onset: float, apex: float, offset: float, end: float) -> Floats:
    """(T,) from 0 at `onset` to 1 at `apex`, from 1 at `offset` to 0 at `end`."""
    rise = np.clip((times - onset) / max(apex - onset, 1e-3), 0.0, 1.0)
    fall = np.clip((times - offset) / max(end - offset, 1e-3), 0.0, 1.0)
    return cast(Floats, np.minimum(rise, 1.0 - fall))
