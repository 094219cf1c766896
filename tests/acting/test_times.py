from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdmm.acting.times import mentioned, said


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("she smiles at 1.5 s", (1.5,)),
        ("at 1.5s she smiles, after two seconds she nods", (1.5, 2.0)),
        ("from 1 to 2.5 seconds", (1.0, 2.5)),
        ("(0.4-3.1 s)", (0.4, 3.1)),
        ("from 0.4s until 3.1s", (0.4, 3.1)),
        ("at second 2", (2.0,)),
        ("at the 1.2 second mark for half a second", (1.2, 0.5)),
        ("a nod three seconds in", (3.0,)),
        ("blinks twice, raises 2 fingers, one by one", ()),
        ("the second smile", ()),
        ("a .5 s blink", (0.5,)),
    ],
)
def test_seconds_are_found_in_words_and_figures(text: str, amounts: tuple[float, ...]) -> None:
    assert tuple(each.seconds for each in mentioned(text)) == amounts
    for each in mentioned(text):
        assert text[each.start : each.end].strip() == text[each.start : each.end] != ""


@given(start=st.floats(0.1, 4), lasts=st.floats(0.3, 3), seed=st.integers(0, 1000))
def test_what_is_said_is_found_again(start: float, lasts: float, seed: int) -> None:
    found = mentioned(f"a woman smiles {said(start, start + lasts, Random(seed))}")
    assert found
    assert found[0].seconds == pytest.approx(start, abs=0.051)
