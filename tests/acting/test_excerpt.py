from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdmm.acting.actor import perform
from tdmm.acting.casting import cast
from tdmm.acting.excerpt import drawn_excerpt, drawn_hold, excerpt
from tdmm.acting.lexicon import load
from tdmm.acting.script import Blink, Event, Gaze, HeadMotion, Script
from tdmm.acting.timelines import line_of
from tdmm.motion.features import from_features, to_features
from tdmm.reading.reader import read

SMILE = Event(descriptor="smile", onset=1.0, apex=1.4, offset=3.0, end=3.5)


def script(*parts: Event | HeadMotion | Gaze | Blink) -> Script:
    kinds = {"events": Event, "head": HeadMotion, "gaze": Gaze, "blinks": Blink}
    return Script(seconds=5, **{name: tuple(x for x in parts if isinstance(x, kind)) for name, kind in kinds.items()})


def told(start: float, end: float, *parts: Event | HeadMotion | Gaze | Blink) -> str | None:
    left = excerpt(script(*parts), start, end)
    return None if left is None else line_of(left)


def test_an_expression_that_is_held_may_be_cut_at_either_end() -> None:
    whole = script(SMILE)
    assert excerpt(whole, 0, 5) == whole
    left = excerpt(whole, 2.0, 5)
    assert left is not None
    (smile,) = left.events
    assert (left.seconds, smile.onset, smile.apex, smile.offset, smile.end) == (3, 0, 0, 1, 1.5)
    left = excerpt(whole, 0.5, 2.5)
    assert left is not None
    (smile,) = left.events
    assert [round(x, 9) for x in (smile.onset, smile.apex, smile.offset, smile.end)] == [0.5, 0.9, 2, 2]


def test_a_rise_a_fall_or_a_glimpse_cannot_be_told() -> None:
    assert told(1.2, 5, SMILE) is None  # begins while it rises
    assert told(3.2, 5, SMILE) is None  # begins while it fades
    assert told(2.7, 5, SMILE) is None  # shows it for .3 s
    assert told(0, 1.7, SMILE) is None
    assert told(0, 1.2, SMILE) is None


def test_what_is_over_or_has_not_begun_is_left_out() -> None:
    assert told(3.5, 5, SMILE) == "0.0-1.5 s: neutral"
    assert told(0, 1, SMILE) == "0.0-1.0 s: neutral"
    nod, blink = HeadMotion(kind="nod", onset=0.2, end=0.9), Blink(time=0.4)
    assert told(1.0, 5, SMILE, nod, blink) == told(1.0, 5, SMILE)


def test_a_head_motion_or_a_blink_is_there_as_a_whole_or_not_at_all() -> None:
    assert told(2, 5, HeadMotion(kind="bow", onset=1, end=4)) is None
    assert told(2, 5, Blink(time=1.9)) is None
    assert told(1, 5, Blink(time=1.9)) is not None


def test_an_expression_that_moves_the_head_is_not_cut() -> None:
    ashamed = Event(descriptor="shame", onset=1.0, apex=1.4, offset=3.0, end=3.5)
    assert told(2.0, 5, ashamed) is None
    assert told(0.5, 4, ashamed) is not None


def test_a_look_is_told_while_it_lasts() -> None:
    look = Gaze(direction="up", onset=1, end=3)
    assert told(2, 5, look) == "0.0-1.0 s: looks up"
    assert told(2.8, 5, look) is None
    assert told(0, 1.5, look) is None


def test_moments_outside_of_the_clip_are_refused() -> None:
    with pytest.raises(ValueError, match="no part of a clip"):
        excerpt(script(SMILE), 2, 6)


@given(st.integers(0, 2000))
def test_parts_that_are_drawn_are_cut_in_the_midst_and_fit(index: int) -> None:
    whole = cast(3, index)
    cut = drawn_excerpt(whole, np.random.default_rng(index))
    if cut is None:
        return
    assert 1.2 <= cut.end - cut.start == cut.script.seconds
    assert (cut.start, cut.end) != (0, whole.seconds)
    assert cut.script.events
    for part in (*cut.script.events, *cut.script.head, *cut.script.gaze):
        assert 0 <= part.onset < part.end <= cut.script.seconds
    begun = [event for event in cut.script.events if event.onset == 0]
    assert bool(begun) == (cut.start > 0)


def test_what_is_left_is_what_the_face_does_then() -> None:
    found = wanted = 0
    for index in range(60):
        whole = cast(5, index)
        cut = drawn_excerpt(whole, np.random.default_rng(index))
        if cut is None:
            continue
        features = to_features(perform(whole, index).motion)[cut.frames]
        seen = {each.action for each in read(from_features(features)).actions}
        for event in cut.script.events:
            if event.intensity >= 0.5:
                wanted += 1
                found += bool(seen & {*load().get(event.descriptor).core})
    assert wanted > 15
    assert found >= 0.9 * wanted


def test_an_expression_alone_is_held_for_longer() -> None:
    draw = np.random.default_rng(0)
    hold = drawn_hold(script(SMILE), draw)
    assert hold is not None
    (smile,) = hold.script.events
    assert (hold.start, hold.end) == (1.4, 3.0)
    assert 2 <= hold.script.seconds <= 6
    assert (smile.onset, smile.apex, smile.offset, smile.end) == (0, 0, hold.script.seconds, hold.script.seconds)
    assert drawn_hold(script(SMILE, Blink(time=2.0)), draw) is None
    assert drawn_hold(script(SMILE, HeadMotion(kind="nod", onset=0.5, end=2.5)), draw) is None
    assert drawn_hold(script(SMILE.model_copy(update={"offset": 2.0})), draw) is None  # .6 s show too little


def test_what_is_held_for_longer_goes_forth_and_back_and_never_jumps() -> None:
    hold = drawn_hold(script(SMILE), np.random.default_rng(1))
    assert hold is not None
    assert len(hold.frames) == round(hold.script.seconds * 25)
    assert (hold.frames.min(), hold.frames.max()) == (35, 74)
    assert set(np.abs(np.diff(hold.frames))) == {1}
