"""The design: whatever the numbers, counts after any number of clips differ by one at most."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdmm.corpus.prompts.design import Deal, Minimiser, deals


def dealt(descriptors: int, persons: int, seed: int, count: int) -> list[Deal]:
    return list(islice(deals(descriptors, persons, seed, lambda one, other: one % 7 == other % 7), count))


def spread(counts: Counter[object], levels: int) -> int:
    return max(counts.values(), default=0) - (min(counts.values()) if len(counts) == levels else 0)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 25), st.integers(0, 2**63 - 1), st.integers(0, 700))
def test_counts_differ_by_one_at_most(data: st.DataObject, persons: int, seed: int, count: int) -> None:
    descriptors = data.draw(st.integers(2 * persons, 90))
    clips = dealt(descriptors, persons, seed, count)
    asked = [(clip.person, descriptor) for clip in clips for descriptor in clip.descriptors]
    assert spread(Counter(descriptor for _, descriptor in asked), descriptors) <= 1
    assert spread(Counter(clip.person for clip in clips), persons) <= 1
    assert spread(Counter(asked), descriptors * persons) <= 1
    assert all(1 <= len(set(clip.descriptors)) == len(clip.descriptors) <= 2 for clip in clips)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 300))
def test_first_clips_do_not_depend_on_how_many_follow(seed: int, count: int) -> None:
    assert dealt(40, 8, seed, count) == dealt(40, 8, seed, 301)[:count]


def test_two_clips_of_five_are_transitions_and_few_from_like_to_like() -> None:
    clips = [clip.descriptors for clip in dealt(200, 40, 3, 4000)]
    pairs = [pair for pair in clips if len(pair) == 2]
    assert 0.38 <= len(pairs) / len(clips) <= 0.42
    assert sum(one % 7 == other % 7 for one, other in pairs) <= 0.01 * len(pairs)
    assert len(set(pairs)) > 0.5 * len(pairs)


def test_seeds_make_other_suites() -> None:
    assert dealt(40, 8, 1, 100) != dealt(40, 8, 2, 100)


@pytest.mark.parametrize("persons", [0, 21])
def test_persons_must_be_few_enough_for_the_design(persons: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 20"):
        dealt(40, persons, 1, 1)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 400))
def test_shares_are_kept_in_all_and_in_strata(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    minimiser = Minimiser({"none": 0.5, "nod": 0.25, "shake": 0.25}, rng)
    clips = [(int(rng.integers(4)), "") for _ in range(count)]
    clips = [(person, minimiser.deal(("person", person))) for person, _ in clips]
    counts = Counter(level for _, level in clips)
    assert counts["none"] == pytest.approx(0.5 * count, abs=3)
    assert counts["nod"] == pytest.approx(0.25 * count, abs=3)
    for person in range(4):
        mine = [level for each, level in clips if each == person]
        assert mine.count("none") == pytest.approx(0.5 * len(mine), abs=4)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 300))
def test_one_stratum_can_be_kept_exactly(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    minimiser = Minimiser(dict.fromkeys("abcde", 1.0), rng)
    cells = Counter((name, minimiser.deal(exactly=name)) for name in rng.integers(6, size=count).tolist())
    for name in range(6):
        mine = [cells[name, level] for level in "abcde"]
        assert max(mine) - min(mine) <= 1
