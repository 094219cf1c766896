from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdmm.acting.actor import perform
from tdmm.acting.casting import cast
from tdmm.acting.lexicon import load, mentioned_head_motions
from tdmm.acting.script import Event, HeadMotion, Script
from tdmm.corpus.captions.from_events import script_of, sentence_of
from tdmm.face.facs import ACTIONS
from tdmm.motion.events import ActionEvent, BlinkEvent, HeadEvent, MotionEvents
from tdmm.reading.reader import read


def action(name: str, side: str = "both", onset: float = 0.5, strength: float = 0.6) -> ActionEvent:
    return ActionEvent(name, side, strength, onset, onset + 0.3, onset + 0.8, onset + 1.0)  # type: ignore[arg-type]


def names(*actions: ActionEvent) -> list[tuple[str, str]]:
    return [(each.descriptor, each.side) for each in script_of(MotionEvents(actions), 5.0).events]


def test_what_goes_on_together_has_one_name() -> None:
    assert names(action("lip_corner_puller"), action("cheek_raiser", onset=0.6)) == [("smile", "both")]
    assert names(action("inner_brow_raiser"), action("outer_brow_raiser")) == [("raise_brows", "both")]
    later = names(action("lip_corner_puller"), action("brow_lowerer", onset=2.5))
    assert later == [("polite_smile", "both"), ("lower_brows", "both")]


def test_sides_stay() -> None:
    assert names(action("eye_closure", "left"), action("cheek_raiser", "left")) == [("wink", "left")]
    assert names(action("outer_brow_raiser", "right")) == [("raise_one_brow", "right")]
    assert names(action("eye_closure"), action("cheek_raiser"))[0][0] != "wink"


def test_what_is_faint_is_not_told() -> None:
    assert names(action("dimpler", strength=0.2)) == []


def test_a_blink_is_nobodys_doing_two_in_a_row_are() -> None:
    one = MotionEvents(blinks=(BlinkEvent(1.0, 0.2, 0.9),))
    two = MotionEvents(blinks=(BlinkEvent(1.0, 0.2, 0.9), BlinkEvent(1.4, 0.2, 0.9)))
    assert script_of(one, 3.0).blinks == ()
    assert [each.count for each in script_of(two, 3.0).blinks] == [2]


def test_the_sentence_says_order_side_strength_and_count() -> None:
    events = MotionEvents(
        actions=(action("outer_brow_raiser", "left", 0.3, 0.9),), head=(HeadEvent("nod", 8.0, 2, 2.0, 3.2),)
    )
    text = sentence_of(events, 4.0, "a young woman")
    assert text == sentence_of(events, 4.0, "a young woman")
    assert "left" in text
    assert "twice" in text or "two" in text
    assert text.lower().index("brow") < text.index(next(word for word in ("nod", "bob") if word in text))
    assert mentioned_head_motions(text) == ["nod"]
    assert [mention.descriptor for mention in load().mentions(text)]


def test_a_still_face_is_neutral() -> None:
    assert "neutral" in sentence_of(MotionEvents(), 3.0) or "nothing" in sentence_of(MotionEvents(), 3.0).lower()


def test_what_was_acted_is_what_is_read_and_told() -> None:
    script = Script(
        seconds=4.0,
        events=(Event(descriptor="smile", intensity=0.8, onset=0.3, apex=0.7, offset=1.5, end=1.9),),
        head=(HeadMotion(kind="turn_left", intensity=0.8, onset=2.2, end=3.6),),
    )
    performed = perform(script, 3)
    found = script_of(read(performed.motion), 4.0)
    assert "smile" in [each.descriptor for each in found.events]
    assert [each.kind for each in found.head] == ["turn_left"]
    assert found.head[0].intensity == pytest.approx(0.8, abs=0.2)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(ACTIONS)), st.sampled_from(["both", "left", "right"]),
                          st.floats(0, 3), st.floats(0, 1)), max_size=8))  # fmt: skip
def test_any_events_can_be_told(found: list[tuple[str, str, float, float]]) -> None:
    events = MotionEvents(tuple(action(*each[:3], each[3]) for each in found))
    assert sentence_of(events, 5.0).endswith(".")


def test_every_action_can_be_told_on_either_side() -> None:
    for name in ACTIONS:
        for side in ("both", "left", "right"):
            (event,) = script_of(MotionEvents((action(name, side),)), 3.0).events
            assert name in load().get(event.descriptor).core


def test_casting_can_be_told_again() -> None:
    for index in range(3):
        script = cast(11, index)
        performed = perform(script, index)
        assert sentence_of(performed.events, script.seconds, script.subject)
