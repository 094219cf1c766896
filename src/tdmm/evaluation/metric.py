"""`Measurement`: one figure with everything needed to trust it or to doubt it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from tdmm.reading.statistics import Interval, bootstrap, bootstrap_ratio, wilson

Direction = Literal["up", "down", "none"]
Reduce = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]


class Progress(Protocol):
    """Told how far long work has come."""

    def __call__(self, done: int, total: int, what: str) -> None:
        """`done` of `total` units of `what` are finished."""


def silent(done: int, total: int, what: str) -> None:
    """The `Progress` that shows nothing."""
    del done, total, what


@dataclass(frozen=True)
class Definition:
    """What a figure means.

    Attributes:
        name: dotted, group first: "animate.action".
        unit: "share", "mm", "degrees", ...
        formula: how it is computed, in words.
        of: the independent things it is counted over.
        threshold: what it should reach; None for figures that only inform.
        better: which way is better.
    """

    name: str
    unit: str
    formula: str
    of: str = "clips"
    threshold: float | None = None
    better: Direction = "none"


@dataclass(frozen=True)
class Measurement:
    """One figure.

    Attributes:
        definition: what it means.
        value: None when it could not be measured; `note` says why.
        n: how many independent things it was measured on.
        interval: 95%, Wilson for shares of independent trials, bootstrap over clips otherwise.
        failures: things that raised an error; they are in no figure but this count.
        note: why it was skipped, or what to know.
    """

    definition: Definition
    value: float | None
    n: int
    interval: Interval | None = None
    failures: int = 0
    note: str = ""

    @property
    def passed(self) -> bool | None:
        """Whether the threshold is reached; None without threshold or value. With failures it never is."""
        threshold, better = self.definition.threshold, self.definition.better
        if threshold is None or self.value is None or better == "none":
            return None
        if self.failures:
            return False
        return self.value >= threshold if better == "up" else self.value <= threshold


def skipped(definition: Definition, why: str, failures: int = 0) -> Measurement:
    """A figure that could not be measured, and why."""
    return Measurement(definition, None, 0, failures=failures, note=why)


def exact(definition: Definition, value: float, n: int, note: str = "") -> Measurement:
    """A figure without chance in it, such as a size."""
    return Measurement(definition, value, n, note=note)


def share(definition: Definition, outcomes: Sequence[bool], failures: int = 0, note: str = "") -> Measurement:
    """A share of yes among independent yes-or-no outcomes, with Wilson's interval."""
    if not outcomes:
        return skipped(definition, note or "nothing to measure it on", failures)
    yes = sum(outcomes)
    return Measurement(definition, yes / len(outcomes), len(outcomes), wilson(yes, len(outcomes)), failures, note)


def average(
    definition: Definition,
    values: Sequence[float],
    failures: int = 0,
    reduce: Reduce | None = None,
    note: str = "",
) -> Measurement:
    """The mean of one number a clip, with a bootstrap interval over clips.

    Args:
        reduce: another statistic over the last axis, such as the median.
    """
    if not values:
        return skipped(definition, note or "nothing to measure it on", failures)
    data = np.asarray(values, np.float64)
    value = float(data.mean() if reduce is None else reduce(data))
    return Measurement(definition, value, len(values), bootstrap(values, reduce), failures, note)


def ratio(
    definition: Definition, tops: Sequence[int], bottoms: Sequence[int], failures: int = 0, note: str = ""
) -> Measurement:
    """Share sum(tops) / sum(bottoms) of things of which a clip has several; `n` counts the things.

    The interval resamples whole clips, since what happens inside one clip is not independent. Where every
    clip agrees, resampling would claim certainty, and Wilson's interval over the things is given instead.
    """
    total = sum(bottoms)
    if not total:
        return skipped(definition, note or "nothing to measure it on", failures)
    interval = bootstrap_ratio(tops, bottoms)
    if interval.low == interval.high:
        interval = wilson(sum(tops), total)
    return Measurement(definition, sum(tops) / total, total, interval, failures, note)
