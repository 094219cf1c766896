"""What can be done to a plan before it is written out: shift, squeeze, join, scale, edit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

from tdmm.acting.degrees import face_and_head, level_of
from tdmm.acting.intensity_words import MIDDLES, Level
from tdmm.acting.intensity_words import level_of as of_strength
from tdmm.acting.lexicon import load, mentioned_head_motions
from tdmm.acting.paces import Pace, pace_of
from tdmm.errors import InvalidPrompt
from tdmm.language.plan_codes import REACH, Expression, Plan
from tdmm.language.steps import Step
from tdmm.motion.clip import FPS
from tdmm.motion.events import ActionEvent, BlinkEvent, GazeEvent, HeadEvent, MotionEvents

_TOGETHER = 0.16
"""Seconds: actions that start this close belong to one expression."""
_LONGEST_WINK = 0.8
"""Seconds that an eye is shut in one; what is longer is a closed eye."""
_WHOLE = {"eye_closure": 0.85, "tongue_show": 0.8}
"""What is not seen by half, in expressions that give it this peak or more: an eye that winks, a tongue put out."""
_VISIBLE = 0.22
"""Least strength of an action that an expression cannot do without: less is hardly seen."""
_UNSEEN = 0.1
"""Seconds at most of a rise that are too faint to be seen."""
_ANOTHER_DEGREE = 0.15
"""A strength that differs by more than this was meant to."""


def retimed(plan: Plan, when: Callable[[float], float], frames: int) -> Plan:
    """A plan whose every moment (seconds) is moved by `when`, which must not run backwards. Blinks keep their speed."""
    events = plan.events
    return Plan(
        MotionEvents(
            tuple(
                replace(
                    each, onset=when(each.onset), apex=when(each.apex), offset=when(each.offset), end=when(each.end)
                )
                for each in events.actions
            ),
            tuple(replace(each, onset=when(each.onset), end=when(each.end)) for each in events.head),
            tuple(replace(each, onset=when(each.onset), end=when(each.end)) for each in events.gaze),
            tuple(replace(each, time=when(each.time)) for each in events.blinks),
        ),
        frames,
        tuple(
            replace(each, onset=when(each.onset), apex=when(each.apex), offset=when(each.offset), end=when(each.end))
            for each in plan.expressions
        ),
    )


def fitted(plan: Plan, start: float, end: float) -> Plan:
    """A plan moved into a span of seconds: what it is about begins at `start` and is over by `end`.

    What is too long is squeezed, what is short is held. Blinks that would lie outside are left out.
    """
    moved = replace(_moved(plan, start, end), frames=round(end * FPS))
    events = moved.events
    blinks = tuple(each for each in events.blinks if start <= each.time and each.time + each.duration <= end)
    return replace(moved, events=replace(events, blinks=blinks))


def in_turn(plans: Sequence[Plan], steps: Sequence[Step], seconds: float | None = None) -> list[Plan]:
    """Plans moved so that one follows the other, each at its moment where it has one.

    What has no moment begins when the one before is over, and is squeezed where the next one's moment comes earlier.
    With `seconds`, what would be too long is squeezed and what is short is spread; moments that are named stay.

    Args:
        plans: each as if it were alone.
        steps: what each is.
        seconds: length of the whole, None is as long as it takes.

    Raises:
        InvalidPrompt: a moment lies at or after the end of the whole.
    """
    starts, ends = list[float](), list[float]()
    for plan, step in zip(plans, steps, strict=True):
        begun, over = min(_starts(plan.events), default=_LEAD), max(_ends(plan.events), default=_LEAD + 1.0)
        if step.at is not None:
            start = step.at
        elif step.later is not None and starts:
            start = starts[-1] + step.later
        else:
            start = ends[-1] + _PAUSE if ends else min(begun, _MOST_LEAD)
        starts.append(start)
        ends.append(start + (over - begun if step.lasts is None else step.lasts))
    fixed = [step.at is not None or (step.later is not None and place > 0) for place, step in enumerate(steps)]
    length = ends[-1] + _TAIL if seconds is None else seconds
    late = [start for start, kept in zip(starts, fixed, strict=True) if kept and start + _LEAST > length]
    if late:
        raise InvalidPrompt(
            f"Something is to begin at {late[0]:g} s, but the clip ends at {length:g} s. Ask for a longer one."
        )
    held = [step.lasts is not None for step in steps]
    _make_room(starts, ends, fixed, held, length, spread=seconds is not None)
    return [
        replace(_moved(plan, start, end), frames=round(length * FPS))
        for plan, start, end in zip(plans, starts, ends, strict=True)
    ]


def _make_room(
    starts: list[float], ends: list[float], fixed: Sequence[bool], held: Sequence[bool],
    length: float, spread: bool,
) -> None:  # fmt: skip
    """Fit what lies between two moments that are fixed into the time between them, in place."""
    places = [place for place, kept in enumerate(fixed) if kept]
    for first, last in pairwise([-1, *places, len(starts)]):
        # `first` keeps its start; those after it, up to `last`, may move.
        floor = starts[first] if first >= 0 else 0.0
        open_end = last == len(starts)
        ceiling = length - _TAIL / 2 if open_end else starts[last]
        span = range(max(first, 0), last)
        if not span or (len(span) == 1 and held[span[0]]):
            continue  # it was told how long to last, even into the next one
        taken = max(ends[place] for place in span) - floor
        room = max(ceiling - floor, _LEAST * len(span))
        if taken > room + 1e-6:
            for place in span:
                starts[place] = floor + (starts[place] - floor) * room / taken
                ends[place] = floor + (ends[place] - floor) * room / taken
        elif spread and open_end and len(span) > 1:
            slack = (room - taken) / len(span)
            for shift, place in enumerate(span):
                starts[place] += slack * shift
                ends[place] += slack * shift


def trimmed(plan: Plan) -> Plan:
    """A plan without the blinks and looks from before and after what it is about."""
    events = plan.events
    begun, over = min(_starts(events), default=0.0) - _LEAD, max(_ends(events), default=1.0) + _TAIL / 2
    blinks = tuple(each for each in events.blinks if begun <= each.time <= over)
    gaze = tuple(each for each in events.gaze if begun <= each.onset <= over)
    return replace(plan, events=replace(events, blinks=blinks, gaze=gaze))


def _moved(plan: Plan, start: float, end: float) -> Plan:
    """A plan from one second to another: squeezed when it is too long, and held for longer when it is short."""
    events = plan.events
    begun, over = min(_starts(events), default=0.0), max(_ends(events), default=1.0)
    pace = min(1.0, (end - start) / max(over - begun, 1e-3))
    longer = max(0.0, (end - start) - (over - begun))
    middles = sorted((each.apex + each.offset) / 2 for each in events.actions)
    middle = middles[len(middles) // 2] if middles else (begun + over) / 2

    def when(seconds: float) -> float:
        return max(0.0, start + (seconds - begun) * pace + (longer if seconds > middle else 0.0))

    return retimed(plan, when, plan.frames)


_LEAD, _MOST_LEAD, _PAUSE, _TAIL, _LEAST = 0.3, 1.0, 0.2, 0.6, 0.3
"""Seconds: before the first thing, between two, after the last; and what anything takes at least."""


def joined(plans: Sequence[Plan]) -> Plan:
    """All events of some plans, as long as the longest."""
    return Plan(
        MotionEvents(
            tuple(each for plan in plans for each in plan.events.actions),
            tuple(each for plan in plans for each in plan.events.head),
            tuple(each for plan in plans for each in plan.events.gaze),
            tuple(each for plan in plans for each in plan.events.blinks),
        ),
        max(plan.frames for plan in plans),
        tuple(each for plan in plans for each in plan.expressions),
    )


def scaled(plan: Plan, strength: float | Callable[[ActionEvent | HeadEvent | GazeEvent], float]) -> Plan:
    """A plan whose actions, head motions and looks are that many times as strong; coefficients stay below 1."""

    def times(event: ActionEvent | HeadEvent | GazeEvent) -> float:
        return strength if isinstance(strength, float | int) else strength(event)

    events = plan.events
    return replace(
        plan,
        events=MotionEvents(
            tuple(
                replace(each, strength=min(1.0, each.strength * times(each))) for each in events.actions if times(each)
            ),
            tuple(replace(each, amplitude=each.amplitude * times(each)) for each in events.head if times(each)),
            tuple(replace(each, strength=min(1.0, each.strength * times(each))) for each in events.gaze if times(each)),
            events.blinks,
        ),
    )


def completed(plan: Plan) -> Plan:
    """A plan whose expressions have all of their core actions, none weaker than the lexicon has it.

    A forgotten one is added. A wink may stand among the blinks.
    """
    actions, blinks = list(plan.events.actions), list(plan.events.blinks)
    for meant in plan.expressions:
        for recipe in load().get(meant.descriptor).actions:
            if recipe.probability < 1.0:
                continue
            least, most = (min(1.0, max(_VISIBLE, meant.strength * peak)) for peak in recipe.peak)
            if recipe.peak[0] >= _WHOLE.get(recipe.action, math.inf):
                least = most = max(least, 1.0 - (1.0 - meant.strength) ** 2)
            near = [
                place
                for place, each in enumerate(actions)
                if each.action == recipe.action and each.onset < meant.end and meant.onset < each.end
            ]
            winks = [
                place
                for place, each in enumerate(blinks)
                if recipe.action == "eye_closure"
                and each.side == meant.side
                and meant.onset - _TOGETHER <= each.time <= meant.end
                and meant.end - meant.onset < _LONGEST_WINK
            ]
            if winks and not near:
                blinks[winks[0]] = replace(blinks[winks[0]], strength=max(least, blinks[winks[0]].strength))
            elif near:
                strongest = max(near, key=lambda place: actions[place].strength)
                actions[strongest] = replace(actions[strongest], strength=max(least, actions[strongest].strength))
            else:
                moments = (meant.onset, meant.apex, meant.offset, meant.end)
                side = recipe.side_for(meant.side)
                actions.append(ActionEvent(recipe.action, side, (least + most) / 2, *moments))
    return replace(plan, events=replace(plan.events, actions=tuple(actions), blinks=tuple(blinks)))


def at_levels(plan: Plan, text: str) -> Plan:
    """A plan as strong as its words say, where grammar can tell: one expression, one head motion, or one of each.

    A planner hears degrees less surely than it hears what is meant. Words without a degree mean a plain one.
    """
    expressions = plan.expressions
    # The chin that goes up with a haughty look is no second thing.
    own = {load().get(each.descriptor).head for each in expressions} if not mentioned_head_motions(text) else set()
    motions = [each for each in plan.events.head if each.kind not in own]
    face: Level | None = None
    head: Level | None = None
    if len(expressions) == 1 and not motions:
        face = level_of(text)
    elif not expressions and len(motions) == 1:
        head = level_of(text)
    elif len(expressions) == len(motions) == 1:
        face, head = face_and_head(text)
    # What already is of the right level keeps its own shade of it.
    if face is not None and of_strength(expressions[0].strength) != face:
        (meant,), target = expressions, MIDDLES[face]
        plan = scaled(plan, lambda event: target / meant.strength if isinstance(event, ActionEvent) else 1.0)
        plan = replace(plan, expressions=(replace(meant, strength=target),))
    if head is not None and of_strength(motions[0].amplitude / REACH[motions[0].kind]) != head:
        (motion,) = motions
        moved = replace(motion, amplitude=MIDDLES[head] * REACH[motion.kind])
        plan = replace(plan, events=replace(plan.events, head=(moved,)))
    return plan


def at_pace(plan: Plan, text: str) -> Plan:
    """A plan as fast as its words say, where they do: "slowly", "suddenly".

    A planner hears a pace no more surely than a degree. Rises, releases and movements of the head are stretched or
    pressed together, within what a face can do; a plan that grows longer gets more frames.
    """
    pace = pace_of(text)
    if pace is None:
        return plan
    factor, (shortest, longest), cycle = _PACES[pace]

    def paced(seconds: float) -> float:
        return min(max(factor * seconds, shortest), longest)

    def course(event: Course) -> Course:
        apex = event.onset + paced(event.apex - event.onset)
        offset = apex + (event.offset - event.apex)
        return replace(event, apex=apex, offset=offset, end=offset + paced(event.end - event.offset))

    def head(event: HeadEvent) -> HeadEvent:
        return replace(event, end=event.onset + max(factor * (event.end - event.onset), cycle * event.cycles))

    events = plan.events
    changed = replace(events, actions=tuple(map(course, events.actions)), head=tuple(map(head, events.head)))
    longer = max(_ends(changed), default=0.0) - max(_ends(events), default=0.0)
    return Plan(changed, plan.frames + max(0, round(longer * FPS)), tuple(map(course, plan.expressions)))


def squeezed(plan: Plan, frames: int) -> Plan:
    """A plan that is over within so many frames; a shorter one stays as it is."""
    return plan if plan.frames <= frames else retimed(plan, lambda seconds: seconds * frames / plan.frames, frames)


_PACES: dict[Pace, tuple[float, tuple[float, float], float]] = {
    "slow": (1.8, (0.8, 1.6), 0.9),
    "quick": (0.5, (0.12, 0.3), 0.32),
}
"""Of each pace: factor, shortest and longest rise in seconds, and the shortest cycle of a head motion."""


def edited(old: Plan, new: Plan) -> Plan:
    """The new plan as far as it says something else than the old one, and the old one for the rest.

    An action that both have keeps its timing, and its strength unless the new one is clearly another. Expressions
    that only the new one has take the moments of those that only the old one had, in turn. Head motions, looks
    and blinks stay as they were unless there are others now.
    """
    kept: list[ActionEvent] = []
    fresh: list[ActionEvent] = []
    left = list(old.events.actions)
    for action in new.events.actions:
        same = [each for each in left if (each.action, each.side) == (action.action, action.side)]
        if not same:
            fresh.append(action)
            continue
        nearest = min(same, key=lambda each: abs(each.onset - action.onset))
        left.remove(nearest)
        other = abs(nearest.strength - action.strength) > _ANOTHER_DEGREE
        kept.append(replace(nearest, strength=action.strength) if other else nearest)
    gone, come = _expressions(left), _expressions(fresh)
    for place, expression in enumerate(come):
        shift = 0.0
        if kept and not gone:
            # It joins what stays: as long after it as the new plan has it.
            anchor = min(kept, key=lambda each: abs(each.onset - expression[0].onset))
            planned = [each for each in new.events.actions if each.action == anchor.action]
            shift = anchor.onset - planned[0].onset if planned else 0.0
        elif gone:
            shift = gone[min(place, len(gone) - 1)][0].onset - expression[0].onset
        kept += [_shifted(each, shift) for each in expression]
    head = _kept(old.events.head, new.events.head, lambda each: (each.kind, each.cycles))
    gaze = _kept(old.events.gaze, new.events.gaze, lambda each: each.direction)
    blinks = _kept(old.events.blinks, new.events.blinks, lambda each: each.side)
    # What is new may need more time than there was.
    ends = [each.end for each in kept if each not in old.events.actions]
    ends += [each.end for each in head if each not in old.events.head]
    frames = max(old.frames, round((max(ends) + 0.2) * FPS) if ends else 0)
    events = MotionEvents(tuple(sorted(kept, key=lambda each: each.onset)), head, gaze, blinks)
    return Plan(events, frames, new.expressions)


def _starts(events: MotionEvents) -> list[float]:
    """When something is seen to begin: not with the faint actions that go along, nor at the first hint of a rise."""
    strongest = max((each.strength for each in events.actions), default=0.0)
    starts = [
        each.onset + min(_UNSEEN, (each.apex - each.onset) / 4)
        for each in events.actions
        if each.strength >= strongest / 2
    ]
    starts += [each.onset for each in events.head]
    return starts or [each.onset for each in events.gaze] or [each.time for each in events.blinks]


def _ends(events: MotionEvents) -> list[float]:
    ends = [each.end for each in events.actions] + [each.end for each in events.head]
    return ends or [each.end for each in events.gaze] or [each.time + each.duration for each in events.blinks]


def _expressions(actions: Sequence[ActionEvent]) -> list[list[ActionEvent]]:
    """Actions that start together, by when they start."""
    groups: list[list[ActionEvent]] = []
    for action in sorted(actions, key=lambda each: each.onset):
        if groups and action.onset - groups[-1][-1].onset <= _TOGETHER:
            groups[-1].append(action)
        else:
            groups.append([action])
    return groups


def _shifted(action: ActionEvent, by: float) -> ActionEvent:
    by = max(by, -action.onset)
    return replace(
        action, onset=action.onset + by, apex=action.apex + by, offset=action.offset + by, end=action.end + by
    )


Course = TypeVar("Course", ActionEvent, Expression)
Happening = TypeVar("Happening", HeadEvent, GazeEvent, BlinkEvent)


def _kept(
    old: tuple[Happening, ...], new: tuple[Happening, ...], name: Callable[[Happening], object]
) -> tuple[Happening, ...]:
    """The old ones, where the new ones are of the same sorts."""
    return old if sorted(map(str, map(name, old))) == sorted(map(str, map(name, new))) else new
