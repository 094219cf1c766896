"""What is read from a motion can be acted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tdmm.acting.actor import perform
from tdmm.acting.coherence import check_coherence, coherent
from tdmm.acting.script import Blink, Event, Gaze, HeadMotion, Script
from tdmm.face.facs import Side
from tdmm.motion.events import GAZE_DIRECTIONS, HEAD_MOTIONS

times = st.floats(0.0, 6.0).map(lambda value: round(value, 2))


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """What a model may take a motion for: anything at any time, in two names, on any side."""

    def moments(count: int) -> list[float]:
        return sorted(draw(st.lists(times, min_size=count, max_size=count)))

    events = []
    for name in draw(st.lists(st.sampled_from(["smile", "smirk"]), max_size=5)):
        onset, apex, offset, end = moments(4)
        side = draw(st.sampled_from(["both", "left", "right"]))
        events.append(Event(descriptor=name, intensity=0.6, side=side, onset=onset, apex=apex, offset=offset, end=end))
    head = []
    for kind in draw(st.lists(st.sampled_from(HEAD_MOTIONS), max_size=5)):
        onset, end = moments(2)
        head.append(HeadMotion(kind=kind, onset=onset, end=end))
    gaze = []
    for direction in draw(st.lists(st.sampled_from(GAZE_DIRECTIONS), max_size=4)):
        onset, end = moments(2)
        gaze.append(Gaze(direction=direction, onset=onset, end=end))
    blinks = tuple(Blink(time=time) for time in draw(st.lists(times, max_size=3)))
    seconds = draw(st.sampled_from([0.04, 0.2, 3.0, 6.0]))
    return Script(seconds=seconds, events=tuple(events), head=tuple(head), gaze=tuple(gaze), blinks=blinks)


@given(scripts())
def test_whatever_is_read_can_be_acted(script: Script) -> None:
    made = coherent(script)
    check_coherence(made)
    assert {event.descriptor for event in made.events} == {event.descriptor for event in script.events}
    assert coherent(made) == made


def test_what_can_be_acted_stays_as_it_is() -> None:
    smile = Event(descriptor="smile", intensity=0.5, onset=0.2, apex=0.5, offset=1.0, end=1.5)
    again = smile.model_copy(update={"onset": 1.5, "apex": 1.8, "offset": 2.0, "end": 2.5})
    nod, bow = HeadMotion(kind="nod", onset=0.3, end=1.0), HeadMotion(kind="bow", onset=0.5, end=2.0)
    script = Script(
        seconds=3.0, events=(smile, again), head=(nod, bow), gaze=(Gaze(direction="up", onset=0.0, end=1.0),)
    )
    assert coherent(script) == script


def test_what_cannot_be_at_once_follows() -> None:
    left, right = HeadMotion(kind="turn_left", onset=0.5, end=2.0), HeadMotion(kind="turn_right", onset=1.5, end=2.5)
    up, down = Gaze(direction="up", onset=1.0, end=2.0), Gaze(direction="down", onset=1.0, end=1.5)
    smile = Event(descriptor="smile", intensity=0.5, onset=0.2, apex=0.5, offset=1.0, end=1.5)
    later = smile.model_copy(update={"intensity": 0.8, "onset": 1.0, "apex": 1.2, "offset": 2.0, "end": 2.2})
    moment = smile.model_copy(update=dict.fromkeys(("onset", "apex", "offset", "end"), 3.0))
    made = coherent(Script(seconds=3.0, events=(later, moment, smile), head=(left, right), gaze=(up, down)))
    assert [(motion.kind, motion.onset, motion.end) for motion in made.head] == [
        ("turn_left", 0.5, 1.5),
        ("turn_right", 1.5, 2.5),
    ]
    assert [look.direction for look in made.gaze] == ["down"]
    assert [(event.onset, event.offset, event.end, event.intensity) for event in made.events] == [
        (0.2, 2.0, 2.2, 0.8),
        (2.9, 3.0, 3.0, 0.5),
    ]
    assert perform(made, 1).motion.seconds == 3.0


def smirk(side: Side, onset: float, end: float) -> Event:
    return Event(descriptor="smirk", side=side, intensity=0.5, onset=onset, apex=onset + 0.1, offset=end - 0.1, end=end)


def test_an_expression_that_joins_others_lasts_as_long_as_all() -> None:
    meets_two = (smirk("left", 0.0, 2.0), smirk("right", 1.0, 3.0), smirk("both", 1.5, 4.0))
    meets_one_later = (smirk("left", 0.0, 3.0), smirk("right", 1.0, 2.0), smirk("both", 2.5, 4.0))
    for events in (meets_two, meets_one_later):
        made = coherent(Script(seconds=5.0, events=events))
        check_coherence(made)
        assert made.events == (smirk("both", 0.0, 4.0),)
