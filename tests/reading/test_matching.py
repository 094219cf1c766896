from __future__ import annotations

from tdmm.face.facs import Side
from tdmm.motion.events import ActionEvent, BlinkEvent, HeadEvent, MotionEvents
from tdmm.reading.matching import Matching, match


def smile(side: Side = "both", strength: float = 0.7, onset: float = 1.0, end: float = 2.0) -> ActionEvent:
    return ActionEvent("lip_corner_puller", side, strength, onset, onset, end, end)


def test_the_same_action_at_the_same_time_is_a_hit() -> None:
    found = match(MotionEvents((smile(),)), MotionEvents((smile(onset=1.4, end=2.6),)))
    assert (found.recall, found.false_rate, found.asked, found.found) == (1, 0, 1, 1)


def test_another_side_is_a_miss_and_false() -> None:
    found = match(MotionEvents((smile("left"),)), MotionEvents((smile("both"),)))
    assert [miss.reason for miss in found.misses] == ["side is both, not left"]
    assert [false.reason for false in found.false] == ["side is left, not both"]


def test_another_time_or_nothing_at_all() -> None:
    found = match(MotionEvents((smile(),)), MotionEvents((smile(onset=3, end=4),)))
    assert found.misses[0].reason == "at another time"
    assert match(MotionEvents((smile(),)), MotionEvents()).misses[0].reason == "nothing there"


def test_faint_events_need_not_be_found_but_are_no_falsehood() -> None:
    faint = MotionEvents((smile(strength=0.2),))
    assert match(faint, MotionEvents()).asked == 0
    assert match(faint, faint).false_rate == 0


def test_one_finding_may_cover_two_performances_that_touch() -> None:
    truth = MotionEvents((smile(end=1.5), smile(onset=1.4, end=2.2)))
    assert match(truth, MotionEvents((smile(end=2.2),))).recall == 1


def test_head_motions_match_by_kind() -> None:
    truth = MotionEvents(head=(HeadEvent("nod", 9, 2, 1, 2),))
    found = match(truth, MotionEvents(head=(HeadEvent("bow", 9, 1, 1, 2),)))
    assert found.misses[0].reason == "is bow there"
    assert found.false_rate == 1


def test_a_blink_may_stand_for_a_short_closure_and_is_never_false() -> None:
    closed = ActionEvent("eye_closure", "both", 1, 1.0, 1.1, 1.4, 1.52)
    blink = BlinkEvent(1.02, 0.46, 1.0)
    assert match(MotionEvents((closed,)), MotionEvents(blinks=(blink,))).recall == 1
    assert match(MotionEvents(blinks=(blink,)), MotionEvents((closed,))).false_rate == 0
    assert match(MotionEvents(), MotionEvents(blinks=(blink,))).false_rate == 0


def test_matchings_add_up() -> None:
    one = match(MotionEvents((smile(),)), MotionEvents((smile(),)))
    two = match(MotionEvents((smile(),)), MotionEvents())
    assert (one + two).recall == 0.5
    assert (one + two).recall_interval.low < 0.5
    assert Matching().recall == 1
    assert Matching().false_rate == 0
