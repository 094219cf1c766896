from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdmm.acting.actor import perform
from tdmm.acting.casting import cast
from tdmm.face.facs import ACTIONS
from tdmm.language import plan_codes
from tdmm.language.plan_codes import FIELDS, GROUPS, KIND, KINDS, MAX_EVENTS, ROLL, TOLD, Expression, Plan
from tdmm.motion.events import (
    GAZE_DIRECTIONS,
    HEAD_MOTIONS,
    ActionEvent,
    BlinkEvent,
    GazeEvent,
    HeadEvent,
    MotionEvents,
)
from tdmm.motion.features import FEATURES

SMILE = ActionEvent("lip_corner_puller", "left", 0.8, 1.0, 1.4, 2.4, 3.0)


@st.composite
def happenings(draw: st.DrawFn) -> MotionEvents:
    moment = st.floats(0, 4)

    def lengths(count: int) -> list[float]:
        return [draw(st.floats(0.04, 1.5)) for _ in range(count)]

    actions = []
    for action in draw(st.lists(st.sampled_from(sorted(ACTIONS)), max_size=5, unique=True)):
        times = np.cumsum([draw(moment), *lengths(3)])
        side = draw(st.sampled_from(["both", "left", "right"]))
        actions.append(ActionEvent(action, side, draw(st.floats(0.05, 1)), *map(float, times)))
    heads = [
        HeadEvent(kind, draw(st.floats(5, 12)), draw(st.integers(1, 5)), start, start + lengths(1)[0])
        for kind in draw(st.lists(st.sampled_from(HEAD_MOTIONS), max_size=2))
        for start in [draw(moment)]
    ]
    gazes = [
        GazeEvent(direction, draw(st.floats(0.05, 1)), start, start + lengths(1)[0])
        for direction in draw(st.lists(st.sampled_from(GAZE_DIRECTIONS), max_size=2))
        for start in [draw(moment)]
    ]
    blinks = [BlinkEvent(draw(moment), draw(st.floats(0.1, 0.45)), draw(st.floats(0.3, 1)))]
    return MotionEvents(tuple(actions), tuple(heads), tuple(gazes), tuple(blinks))


@settings(max_examples=60, deadline=None)
@given(happenings(), st.integers(13, 250))
def test_a_plan_says_the_events_to_the_width_of_a_code(events: MotionEvents, frames: int) -> None:
    codes = plan_codes.encode(Plan(events, frames))
    assert (codes >= 0).all()
    assert (codes < np.array(list(FIELDS.values()))).all()
    plan = plan_codes.decode(codes)
    again = plan.events
    assert plan.frames == frames
    assert len(again.actions) == len(events.actions)
    for before in events.actions:
        alike = [each for each in again.actions if (each.action, each.side) == (before.action, before.side)]
        after = min(alike, key=lambda each: abs(each.onset - before.onset) + abs(each.strength - before.strength))
        assert after.strength == pytest.approx(before.strength, abs=0.02)
        assert after.onset == pytest.approx(before.onset, abs=0.021)
        assert after.end == pytest.approx(before.end, abs=0.08 + 0.07 * (before.end - before.onset))
    for motion, moved in zip(sorted(events.head, key=lambda each: each.onset), again.head, strict=True):
        assert (moved.kind, moved.cycles) == (motion.kind, motion.cycles)
        assert moved.amplitude == pytest.approx(motion.amplitude, abs=1.0)
    assert [each.direction for each in again.gaze] == [
        each.direction for each in sorted(events.gaze, key=lambda each: each.onset)
    ]
    assert np.array_equal(plan_codes.encode(plan), codes)


@settings(max_examples=60, deadline=None)
@given(happenings())
def test_plans_list_actions_head_gaze_and_blinks_in_this_order(events: MotionEvents) -> None:
    groups = GROUPS[plan_codes.encode(Plan(events, 100))[1:, KIND]]
    assert (np.diff(groups) >= 0).all()


@settings(max_examples=60, deadline=None)
@given(happenings(), st.integers(1, 200))
def test_rolls_are_bounded_and_still_outside_events(events: MotionEvents, frames: int) -> None:
    laid = plan_codes.roll(events, frames)
    assert laid.shape == (frames, ROLL)
    assert np.isfinite(laid).all()
    assert laid[:, : 2 * len(ACTIONS)].min() >= 0
    assert laid[:, : 2 * len(ACTIONS)].max() <= 1
    ends = [each.end for each in (*events.actions, *events.head)] + [each.end + 0.1 for each in events.gaze]
    ends += [each.time + each.duration for each in events.blinks]
    assert not laid[int(max(ends) * 25) + 2 :].any()


def test_a_roll_shows_what_side_when_and_how_strongly() -> None:
    laid = plan_codes.roll(MotionEvents((SMILE,)), 100)
    left = 2 * list(ACTIONS).index("lip_corner_puller")
    assert laid[:, left + 1].max() == 0
    assert laid[[24, 35, 50, 80], left] == pytest.approx([0, 0.8, 0.8, 0], abs=0.01)
    assert 0.3 < laid[30, left] < 0.5


def test_a_roll_follows_what_the_actor_does() -> None:
    for index in range(6):
        script = cast(3, index)
        performance = perform(script, index)
        laid = plan_codes.roll(performance.events, performance.motion.frames)
        for number, action in enumerate(ACTIONS.values()):
            acted = performance.motion.expression[:, FEATURES.index(action.left)]
            planned = laid[:, 2 * number]
            if planned.max() > 0.4 and action.name != "eye_closure":
                assert np.corrcoef(acted, planned)[0, 1] > 0.8


def test_actions_stand_as_they_start_and_together_in_one_order() -> None:
    late, early = (
        replace(SMILE, onset=2.0),
        [
            replace(SMILE, action=action, onset=onset)
            for action, onset in (("cheek_raiser", 0.5), ("inner_brow_raiser", 0.58), ("jaw_drop", 0.62))
        ],
    )
    ordered = plan_codes.decode(plan_codes.encode(Plan(MotionEvents((late, *early)), 100))).events.actions
    assert [each.action for each in ordered] == ["inner_brow_raiser", "cheek_raiser", "jaw_drop", SMILE.action]


def test_what_is_meant_stands_before_what_happens() -> None:
    meant = Expression("grin", "left", 0.6, 0.4, 0.8, 1.6, 2.0)
    codes = plan_codes.encode(Plan(MotionEvents((SMILE,)), 100, (meant,)))
    assert [KINDS[kind] for kind in codes[1:, KIND]] == ["expression_grin", "lip_corner_puller"]
    (again,) = plan_codes.decode(codes).expressions
    assert (again.descriptor, again.side) == ("grin", "left")
    assert again.strength == pytest.approx(0.6, abs=0.02)
    assert not plan_codes.roll(MotionEvents(), 50).any()


def test_only_fields_that_are_told_are_written() -> None:
    for index in range(30):
        script = cast(7, index)
        plan = Plan(perform(script, index).events, 150, plan_codes.expressions_of(script))
        codes = plan_codes.encode(plan)
        assert not codes[~TOLD[codes[:, KIND]]].any()


def test_too_many_events_are_cut() -> None:
    codes = plan_codes.encode(Plan(MotionEvents((SMILE,) * 60), 100))
    assert len(codes) == 1 + MAX_EVENTS


def test_no_kind_is_listed_twice() -> None:
    assert len(set(KINDS)) == len(KINDS) == FIELDS["kind"] - 2
    assert len(GROUPS) == FIELDS["kind"]
