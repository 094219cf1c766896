"""Scripts as lines of text, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdmm.acting.answers import answer
from tdmm.acting.casting import cast
from tdmm.acting.script import Blink, Event, Gaze, HeadMotion, Script
from tdmm.acting.timelines import line_of, script_of

SCRIPT = Script(
    seconds=5.0,
    events=(
        Event(descriptor="smirk", intensity=0.8, side="left", onset=0.5, apex=0.9, offset=1.6, end=2.1),
        Event(descriptor="flash_of_surprise", intensity=0.3, onset=2.5, apex=2.6, offset=2.7, end=2.8),
    ),
    head=(
        HeadMotion(kind="shake", intensity=0.6, cycles=2, onset=1.0, end=2.4),
        HeadMotion(kind="turn_left", intensity=0.6, cycles=1, onset=3.0, end=4.4),
    ),
    gaze=(
        Gaze(direction="up_left", intensity=0.6, onset=0.6, end=1.1),
        Gaze(direction="down", intensity=0.6, onset=3.0, end=4.5),
    ),
    blinks=(Blink(time=4.0, count=2), Blink(time=3.2, slow=True)),
)


def told(script: Script) -> list[list[tuple[object, ...]]]:
    """What can be read back: everything but sizes of head motions and looks, and the course of an expression."""
    return [
        [(each.descriptor, each.side, round(each.onset, 1), round(each.end, 1)) for each in script.events],
        [(each.kind, each.cycles, round(each.onset, 1), round(each.end, 1)) for each in script.head],
        [(each.direction, round(each.onset, 1), round(each.end, 1)) for each in script.gaze],
        sorted((round(each.time, 1), each.count, each.slow) for each in script.blinks),
    ]


def test_a_line_is_read_back() -> None:
    line = line_of(SCRIPT)
    assert line.startswith("0.5-2.1 s: smirk (left), strong; ")
    back = script_of(line, 5.0)
    assert told(back) == told(SCRIPT)
    assert [each.intensity for each in back.events] == [0.8, 0.3]
    assert line_of(back) == line


@given(st.integers(0, 400))
def test_every_cast_script_is_read_back(seed: int) -> None:
    script = cast(3, seed)
    back = script_of(answer(script, "timeline", seed), script.seconds)
    assert [sorted(each) for each in told(back)] == [sorted(each) for each in told(script)]


def test_neutral_is_an_empty_script() -> None:
    assert line_of(script_of("0.0-2.0 s: neutral", 2.0)) == "0.0-2.0 s: neutral"


def test_what_is_not_understood_is_left_out() -> None:
    back = script_of("0.5-1.0 s: gloomth, strong; rubbish; 1.0-1.6 s: nods once; 2.0-1.0 s: frown, faint", 3.0)
    assert [each.descriptor for each in back.events] == ["frown"]
    assert back.events[0].end > back.events[0].onset
    assert [each.kind for each in back.head] == ["nod"]


@given(st.text(max_size=60), st.floats(0.1, 30))
def test_no_text_breaks_it(text: str, seconds: float) -> None:
    script_of(text, seconds)
    script_of(f"0.2-99999999.5 s: {text}, strong", seconds)


@pytest.mark.parametrize("end", ["0.1", "40.0"])
def test_moments_lie_within_the_motion(end: str) -> None:
    (event,) = script_of(f"30.0-{end} s: smile, strong", 2.0).events
    assert 0 <= event.onset <= event.apex <= event.offset <= event.end <= 2.0
