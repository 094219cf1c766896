"""Takes: the same prompt again, under a name and a seed of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdmm.corpus.prompts.suite import suite
from tdmm.corpus.prompts.takes import take, take_of, takes_due


def test_another_take_asks_for_the_same_by_another_seed() -> None:
    (prompt,) = suite(1, 5)
    takes = [take(prompt, number) for number in (1, 2, 3)]
    assert takes[0] == prompt
    assert len({each.seed for each in takes}) == len({each.clip_id for each in takes}) == 3
    assert all(
        (each.script, each.person, each.scene, each.face) == (prompt.script, prompt.person, prompt.scene, prompt.face)
        for each in takes
    )
    assert take(prompt, 2) == takes[1]
    with pytest.raises(ValueError, match="from 1"):
        take(prompt, 0)


@given(st.integers(1, 500), st.integers(2, 40))
def test_a_name_tells_its_take(index: int, number: int) -> None:
    (prompt,) = suite(1, index)
    assert take_of(take(prompt, number).clip_id) == (prompt.clip_id, number)
    assert take_of(prompt.clip_id) == (prompt.clip_id, 1)


def test_what_was_rejected_is_due_again_until_it_passes_or_enough_is_enough() -> None:
    fates = [("a", False), ("b", True), ("c", True), ("c-take-2", True), ("d", True), ("d-take-2", False)]
    assert takes_due(fates, 3) == {"b": 2, "c": 3, "d": 2}
    assert takes_due(fates, 2) == {"b": 2, "c": 2, "d": 2}
    assert takes_due(fates, 1) == {}
