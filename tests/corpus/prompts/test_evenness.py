"""Imbalance is counted from the prompts, whoever made them."""

from __future__ import annotations

import pytest

from tdmm.corpus.prompts.evenness import Evenness, imbalance
from tdmm.corpus.prompts.suite import suite


@pytest.mark.parametrize(
    ("mean", "lowest", "highest", "even"),
    [(100.0, 95, 105, True), (100.0, 94, 100, False), (3.0, 2, 4, True), (3.0, 1, 4, False), (0.0, 0, 0, True)],
)
def test_five_percent_or_one_clip_is_even(mean: float, lowest: int, highest: int, even: bool) -> None:
    assert Evenness(10, mean, lowest, highest).even is even


def test_a_suite_that_lost_clips_is_found_uneven() -> None:
    prompts = list(suite(260, 5))
    assert imbalance(prompts)["descriptor"].even
    name = prompts[0].script.events[0].descriptor
    kept = [prompt for prompt in prompts if name not in [event.descriptor for event in prompt.script.events]]
    report = imbalance(kept)["descriptor"]
    assert not report.even
    assert (report.levels, report.lowest) == (200, 0)


def test_repeated_clips_show_in_every_factor() -> None:
    prompt = next(prompt for prompt in suite(200, 5) if prompt.script.head and len(prompt.script.events) == 2)
    report = imbalance([prompt] * 30)
    assert (report["descriptor"].mean, report["descriptor"].highest) == (60 / 200, 30)
    assert report["descriptor x person"].highest == 30
    assert (report["head motion"].levels, report["head motion"].highest) == (12, 30)
    assert report["lighting"].even  # the only one there is
    assert not report["head motion"].even


def test_nothing_is_even() -> None:
    assert all(each.even and each.deviation == 0 for each in imbalance([]).values())
