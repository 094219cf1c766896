from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdmm.reading.statistics import bootstrap, bootstrap_ratio, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # Published values: Newcombe 1998, Statistics in Medicine 17:857, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(successes: int, trials: int, low: float, high: float) -> None:
    interval = wilson(successes, trials)
    assert interval.low == pytest.approx(low, abs=5e-5)
    assert interval.high == pytest.approx(high, abs=5e-5)


@given(st.integers(0, 500), st.integers(0, 500))
def test_wilson_holds_the_share_and_mirrors(first: int, second: int) -> None:
    successes, trials = min(first, second), max(first, second)
    interval, mirror = wilson(successes, trials), wilson(trials - successes, trials)
    assert 0 <= interval.low <= interval.high <= 1
    if trials:
        assert interval.low <= successes / trials <= interval.high
        assert interval.low == pytest.approx(1 - mirror.high)


def test_no_trials_say_nothing() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0, 1)
    with pytest.raises(ValueError, match="3 successes in 2 trials"):
        wilson(3, 2)


def test_bootstrap_of_a_mean_is_about_two_standard_errors_wide() -> None:
    values = np.random.default_rng(1).normal(3, 1, 400)
    interval = bootstrap(list(values))
    assert interval.high - interval.low == pytest.approx(2 * 1.96 / 20, rel=0.15)
    assert interval == bootstrap(list(values))


def test_bootstrap_of_a_median_and_of_a_ratio() -> None:
    interval = bootstrap([1.0, 2.0, 3.0, 100.0, 2.5] * 9, lambda drawn: np.median(drawn, axis=-1))
    assert interval.high <= 3
    interval = bootstrap_ratio([1.0, 0.0] * 50, [2.0, 2.0] * 50)
    assert interval.low < 0.25 < interval.high
    with pytest.raises(ValueError, match="no values"):
        bootstrap([])
