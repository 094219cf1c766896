"""Intervals that say how far a figure can be trusted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Z95 = 1.959963984540054
"""The 97.5th percentile of the standard normal distribution."""


@dataclass(frozen=True)
class Interval:
    """A 95% interval, both ends included."""

    low: float
    high: float


def wilson(successes: int, trials: int) -> Interval:
    """Wilson's score interval for a share (Wilson 1927, JASA 22:209), 95%.

    It stays inside [0, 1] and is right for shares near 1 and few trials, where the usual plus-minus is not.

    Raises:
        ValueError: `successes` is not between 0 and `trials`.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials")
    if trials == 0:
        return Interval(0.0, 1.0)
    share, square = successes / trials, Z95 * Z95
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    reach = Z95 * math.sqrt(share * (1 - share) / trials + square / (4 * trials * trials)) / (1 + square / trials)
    # At the ends the formula is exact, its floating point is not.
    low = 0.0 if successes == 0 else max(0.0, middle - reach)
    high = 1.0 if successes == trials else min(1.0, middle + reach)
    return Interval(low, high)


def bootstrap(
    values: Sequence[float],
    statistic: Callable[[np.ndarray], np.ndarray] | None = None,
    seed: int = 0,
    rounds: int = 2000,
) -> Interval:
    """Percentile bootstrap interval, 95%, over independent values (clips, not frames).

    Args:
        statistic: reduces the last axis of (rounds, N); None is the mean.
        seed: of the resampling; the same values and seed give the same interval.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values to resample")
    data = np.asarray(values, np.float64)
    picks = np.random.default_rng(seed).integers(0, data.size, (rounds, data.size))
    drawn = data[picks]
    estimates = drawn.mean(axis=-1) if statistic is None else statistic(drawn)
    low, high = np.percentile(estimates, [2.5, 97.5])
    return Interval(float(low), float(high))


def bootstrap_ratio(tops: Sequence[float], bottoms: Sequence[float], seed: int = 0, rounds: int = 2000) -> Interval:
    """Percentile bootstrap interval, 95%, of sum(tops) / sum(bottoms), resampling clips with both numbers.

    For shares of things that come several to a clip and are not independent inside it.

    Raises:
        ValueError: there are no clips, or the lengths differ.
    """
    if not tops or len(tops) != len(bottoms):
        raise ValueError(f"{len(tops)} numerators for {len(bottoms)} denominators")
    top, bottom = np.asarray(tops, np.float64), np.asarray(bottoms, np.float64)
    picks = np.random.default_rng(seed).integers(0, top.size, (rounds, top.size))
    sums = bottom[picks].sum(axis=1)
    ratios = np.divide(top[picks].sum(axis=1), sums, out=np.zeros(rounds), where=sums > 0)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return Interval(float(low), float(high))
