from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdmm.errors import InvalidPrompt
from tdmm.language.plan_codes import REACH, Expression, Plan
from tdmm.language.staging import (
    at_levels,
    at_pace,
    completed,
    edited,
    fitted,
    in_turn,
    joined,
    retimed,
    scaled,
    squeezed,
    trimmed,
)
from tdmm.language.steps import Step
from tdmm.motion.events import ActionEvent, BlinkEvent, GazeEvent, HeadEvent, MotionEvents

SMILE = ActionEvent("lip_corner_puller", "both", 0.6, 0.5, 0.9, 1.5, 2.0)
CHEEKS = ActionEvent("cheek_raiser", "both", 0.5, 0.55, 0.9, 1.5, 2.0)
FROWN = ActionEvent("brow_lowerer", "both", 0.7, 1.0, 1.3, 2.5, 2.9)
TURN = HeadEvent("turn_left", 20.0, 1, 1.0, 2.2)
NOD = HeadEvent("nod", 10.0, 2, 0.3, 1.1)
BLINK = BlinkEvent(1.2, 0.2, 1.0)
OLD = Plan(MotionEvents((SMILE, CHEEKS), (TURN,), (), (BLINK,)), 80)


def test_what_both_plans_have_keeps_its_timing() -> None:
    late = replace(SMILE, onset=1.0, apex=1.4, offset=2.0, end=2.5)
    new = Plan(MotionEvents((late,), (replace(TURN, onset=0.2, end=1.0),), (), (BLINK,)), 90)
    result = edited(OLD, new)
    assert result.events.actions == (SMILE,)
    assert result.events.head == (TURN,)
    assert result.frames == OLD.frames


def test_another_degree_is_taken_over_and_nothing_else() -> None:
    strong = replace(SMILE, strength=0.95, onset=0.8)
    result = edited(OLD, Plan(MotionEvents((strong, CHEEKS), (TURN,), (), (BLINK,)), 80))
    assert result.events.actions == (replace(SMILE, strength=0.95), CHEEKS)


def test_a_new_expression_takes_the_moment_of_the_one_that_went() -> None:
    result = edited(OLD, Plan(MotionEvents((FROWN,), (TURN,), (), (BLINK,)), 80))
    (frown,) = result.events.actions
    assert frown.action == "brow_lowerer"
    assert frown.onset == pytest.approx(SMILE.onset)
    assert frown.end - frown.onset == pytest.approx(FROWN.end - FROWN.onset)


def test_what_is_added_comes_as_long_after_as_planned() -> None:
    shifted = replace(SMILE, onset=0.2, apex=0.6, offset=1.2, end=1.7)
    result = edited(OLD, Plan(MotionEvents((shifted, CHEEKS, FROWN), (TURN,), (), (BLINK,)), 100))
    frown = next(each for each in result.events.actions if each.action == "brow_lowerer")
    assert frown.onset == pytest.approx(FROWN.onset + 0.0, abs=0.31)
    assert result.events.actions[0] == SMILE


def test_another_head_motion_replaces_the_old_one() -> None:
    result = edited(OLD, Plan(MotionEvents((SMILE, CHEEKS), (NOD,), (), (BLINK,)), 80))
    assert result.events.head == (NOD,)


UNSEEN = 0.1001
"""Seconds that a rise may begin before its moment, for its first hint is not seen."""


@given(st.floats(0, 5), st.floats(0.4, 6))
def test_fitted_plans_lie_in_their_row(start: float, seconds: float) -> None:
    plan = Plan(MotionEvents((SMILE, FROWN), (TURN,), (GazeEvent("up", 0.5, 0.1, 1.0),), (BLINK,)), 80)
    events = fitted(plan, start, start + seconds).events
    assert start - UNSEEN <= min(each.onset for each in (*events.actions, *events.head)) <= start + 1e-6
    assert max(each.end for each in (*events.actions, *events.head)) <= start + seconds + 1e-6
    for each in events.blinks:
        assert start <= each.time <= start + seconds


def test_short_plans_keep_their_pace_and_hold() -> None:
    smile = fitted(OLD, 2.0, 9.0).events.actions[0]
    assert smile.apex - smile.onset == pytest.approx(SMILE.apex - SMILE.onset)
    assert 8.5 < smile.end <= 9.0


def test_faint_actions_do_not_make_an_expression_late() -> None:
    early = replace(SMILE, action="cheek_raiser", strength=0.1, onset=SMILE.onset - 0.3)
    plan = Plan(MotionEvents((early, SMILE)), 80)
    assert fitted(plan, 2.0, 4.0).events.actions[1].onset == pytest.approx(2.0, abs=UNSEEN)


def test_joined_plans_hold_everything() -> None:
    both = joined([OLD, retimed(Plan(MotionEvents((FROWN,), (NOD,)), 80), lambda seconds: seconds + 3, 155)])
    assert len(both.events.actions) == 3
    assert both.events.head == (TURN, replace(NOD, onset=3.3, end=4.1))
    assert both.frames == 155


def test_scaling_is_bounded_and_zero_removes() -> None:
    assert scaled(OLD, 3.0).events.actions[0].strength == 1.0
    assert scaled(OLD, 0.5).events.head[0].amplitude == 10.0
    assert scaled(OLD, 0.0).events.actions == ()
    assert scaled(OLD, 0.0).events.blinks == OLD.events.blinks


def _begun(plan: Plan) -> float:
    return min(each.onset for each in (*plan.events.actions, *plan.events.head))


def _over(plan: Plan) -> float:
    return max(each.end for each in (*plan.events.actions, *plan.events.head))


WORDS = ((0, 1),)


def test_steps_follow_each_other() -> None:
    first, second = in_turn([OLD, Plan(MotionEvents((FROWN,)), 80)], [Step(WORDS), Step(WORDS)])
    assert first.events == OLD.events
    assert _over(first) < _begun(second) < _over(first) + 0.5
    assert first.frames == second.frames == pytest.approx((_over(second) + 0.6) * 25, abs=1)


def test_a_step_begins_at_its_moment_and_lasts_as_long_as_it_was_told() -> None:
    frown = Plan(MotionEvents((FROWN,)), 80)
    (moved,) = in_turn([frown], [Step(WORDS, at=3.0, lasts=4.0)])
    (action,) = moved.events.actions
    assert (action.onset, action.end) == pytest.approx((3.0, 7.0), abs=UNSEEN)
    assert action.apex - action.onset == pytest.approx(FROWN.apex - FROWN.onset)
    assert action.end - action.offset == pytest.approx(FROWN.end - FROWN.offset)
    (short,) = in_turn([frown], [Step(WORDS, at=0.5, lasts=0.5)])
    assert (_begun(short), _over(short)) == pytest.approx((0.5, 1.0), abs=UNSEEN)


def test_what_comes_before_a_moment_is_over_by_then() -> None:
    long = Plan(MotionEvents((replace(SMILE, offset=6.0, end=6.5),)), 200)
    steps = [Step(WORDS, at=1.0), Step(WORDS), Step(WORDS, at=3.0), Step(WORDS, later=1.0)]
    moved = in_turn([long] * 4, steps)
    assert [_begun(plan) for plan in (moved[0], moved[2], moved[3])] == pytest.approx([1.0, 3.0, 4.0], abs=UNSEEN)
    assert 1.0 < _over(moved[0]) <= _begun(moved[1]) < _over(moved[1]) <= 3.0
    assert _over(moved[2]) <= 4.0


def test_steps_are_squeezed_or_spread_over_the_seconds_asked_for() -> None:
    plans, steps = [OLD] * 3, [Step(WORDS)] * 3
    natural = _over(in_turn(plans, steps)[-1])
    for seconds in (3.0, natural + 6.0):
        moved = in_turn(plans, steps, seconds)
        assert all(plan.frames == round(seconds * 25) for plan in moved)
        assert _over(moved[-1]) <= seconds
        for before, after in pairwise(moved):
            assert _over(before) <= _begun(after)
    assert _begun(moved[-1]) - _over(moved[-2]) > 1.5


def test_a_moment_after_the_end_is_refused() -> None:
    with pytest.raises(InvalidPrompt, match="at 4 s, but the clip ends at 3 s"):
        in_turn([OLD], [Step(WORDS, at=4.0)], 3.0)


def test_trimming_leaves_out_what_belongs_to_nothing() -> None:
    early, late = replace(BLINK, time=0.0), replace(BLINK, time=9.0)
    far = GazeEvent("left", 0.5, 8.0, 9.0)
    plan = Plan(MotionEvents((SMILE,), (), (far,), (early, BLINK, late)), 250)
    assert trimmed(plan).events == MotionEvents((SMILE,), (), (), (BLINK,))


@given(
    st.lists(st.tuples(st.none() | st.floats(0, 20), st.none() | st.floats(0.3, 5)), min_size=1, max_size=5),
    st.none() | st.floats(1, 30),
)
def test_no_order_of_moments_breaks_a_plan(
    told: list[tuple[float | None, float | None]], seconds: float | None
) -> None:
    steps = [Step(WORDS, at=at, lasts=lasts) for at, lasts in told]
    try:
        moved = in_turn([OLD] * len(steps), steps, seconds)
    except InvalidPrompt:
        return
    for plan, step in zip(moved, steps, strict=True):
        assert step.at is None or _begun(plan) == pytest.approx(step.at, abs=UNSEEN)
        for action in plan.events.actions:
            assert 0 <= action.onset <= action.apex <= action.offset <= action.end


MEANT = Expression("happiness", "both", 0.3, 0.5, 0.9, 1.5, 2.0)


def test_a_plan_becomes_as_strong_as_its_words() -> None:
    plan = Plan(MotionEvents((replace(SMILE, strength=0.27),)), 80, (MEANT,))
    strong = at_levels(plan, "a strong smile")
    assert strong.expressions[0].strength == 0.8
    assert strong.events.actions[0].strength == pytest.approx(0.27 * 0.8 / 0.3)
    assert at_levels(plan, "she smiles").expressions[0].strength == 0.6
    assert at_levels(plan, "a faint smile") == plan  # it is of that level already
    assert at_levels(plan, "she smiles slightly, then strongly") == plan  # which of the two?


def test_head_and_face_have_degrees_of_their_own() -> None:
    plan = Plan(MotionEvents((SMILE,), (NOD,)), 80, (replace(MEANT, strength=0.6),))
    told = at_levels(plan, "she smiles faintly while strongly nodding twice")
    assert told.expressions[0].strength == 0.3
    assert told.events.head[0].amplitude == pytest.approx(0.8 * REACH["nod"])
    alone = at_levels(Plan(MotionEvents((), (NOD,)), 80), "nod as hard as you can")
    assert alone.events.head[0].amplitude == pytest.approx(REACH["nod"])


def test_a_chin_raised_out_of_pride_is_no_second_thing() -> None:
    raised = replace(NOD, kind="raise")
    plan = Plan(MotionEvents((SMILE,), (raised,)), 80, (replace(MEANT, descriptor="haughty"),))
    assert at_levels(plan, "she intensely puts on airs").expressions[0].strength > MEANT.strength


def test_a_plan_is_as_fast_as_its_words() -> None:
    plan = Plan(MotionEvents((SMILE,), (NOD,)), 80, (MEANT,))
    assert at_pace(plan, "she smiles") == plan
    slow, quick = at_pace(plan, "she slowly smiles"), at_pace(plan, "a sudden smile")
    rises = [each.events.actions[0].apex - each.events.actions[0].onset for each in (quick, plan, slow)]
    nods = [each.events.head[0].end - each.events.head[0].onset for each in (quick, plan, slow)]
    assert rises == sorted(set(rises))
    assert nods == sorted(set(nods))
    assert rises[2] >= 0.8
    assert slow.frames > plan.frames == quick.frames
    for each in (*slow.events.actions, *slow.expressions, *quick.events.actions):
        assert each.onset < each.apex <= each.offset < each.end <= slow.frames / 25
    assert squeezed(slow, plan.frames).events.actions[0].end <= plan.frames / 25
    assert squeezed(plan, 200) == plan


def test_several_expressions_are_left_as_they_were_heard() -> None:
    plan = Plan(MotionEvents((SMILE, FROWN)), 80, (MEANT, replace(MEANT, descriptor="frown")))
    assert at_levels(plan, "an extreme smile and a frown") == plan


def test_an_expression_has_its_core_actions() -> None:
    wink = Expression("wink", "left", 0.8, 0.4, 0.5, 0.7, 0.9)
    cheek = ActionEvent("cheek_raiser", "left", 0.5, 0.4, 0.5, 0.7, 0.9)
    whole = completed(Plan(MotionEvents((cheek,)), 50, (wink,)))
    assert {(each.action, each.side) for each in whole.events.actions} == {
        ("cheek_raiser", "left"), ("eye_closure", "left"),
    }  # fmt: skip
    assert completed(whole) == whole
    shut = Plan(MotionEvents((cheek,), (), (), (replace(BLINK, time=0.4, side="left"),)), 50, (wink,))
    assert completed(shut) == shut
    weak = replace(
        whole, events=replace(whole.events, actions=(replace(cheek, strength=0.1), *whole.events.actions[1:]))
    )
    assert completed(weak).events.actions[0].strength == pytest.approx(0.8 * 0.6)
    blinked = replace(shut, events=replace(shut.events, blinks=(replace(BLINK, time=0.4),)))
    assert len(completed(blinked).events.actions) == 2
