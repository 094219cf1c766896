"""The design of a prompt suite: who shows what, balanced by construction.

Descriptors against persons: Latin squares, one upon another. The descriptors are shuffled and cut into classes of as
many as there are persons (blanks fill the last). Each class has a cyclic Latin square of its own, rows and columns
shuffled: in one *sweep* each person is given one descriptor of each class, each descriptor to another person; over as
many sweeps as there are persons (a *deck*) each person is given every descriptor once. Then all is shuffled anew. In a
sweep everybody shows the same number of clips, in turn. It follows, after any number of clips:

- counts of descriptors differ by one at most: a sweep asks for each descriptor once;
- counts of clips by person differ by one at most;
- counts of a person with a descriptor differ by one at most: a deck asks for each pair once.

All else (intensities, sides, head motions, light) is dealt by minimisation, as patients are to treatments in a trial
(Pocock & Simon 1975): the level that is furthest below its share, in all and together with these descriptors and this
person. The intensities of each descriptor differ by one at most.

The first clips of a suite do not depend on how many follow, so a suite can be grown.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

EVENTS_A_CLIP = 1.4
"""Expressions in a clip, on average; a clip has one or, with a transition, two."""

_BLANK = -1
_EQUAL = 1e-9
_ORDERS = 8  # how often a block is shuffled in search of an order that keeps like from like


@dataclass(frozen=True)
class Deal:
    """Who shows what in one clip: numbers of a person and of one or two descriptors, in turn."""

    person: int
    descriptors: tuple[int, ...]


def deals(descriptors: int, persons: int, seed: int, alike: Callable[[int, int], bool]) -> Iterator[Deal]:
    """Clips without end, balanced as the head of this module says.

    Args:
        descriptors: how many there are.
        persons: how many there are, at most half as many as descriptors.
        seed: of all shuffles.
        alike: whether a transition from one descriptor to another would not be seen; such are avoided.

    Raises:
        ValueError: too few or too many persons.
    """
    if not 1 <= persons <= descriptors // 2:
        raise ValueError(f"persons must lie between 1 and {descriptors // 2}, not {persons}")
    rng = np.random.default_rng([seed, 0])
    fewest, most = (-(-descriptors // persons) + 1) // 2, descriptors // persons
    clips = 0.0
    while True:
        for hands in _deck(descriptors, persons, rng):
            clips += descriptors / persons / EVENTS_A_CLIP
            rounds = min(max(round(clips), fewest), most)
            clips -= rounds
            split = [_split(hand, rounds, alike, rng) for hand in hands]
            for number in range(rounds):
                for person in rng.permutation(persons):
                    yield Deal(int(person), split[person][number])


def _deck(descriptors: int, persons: int, rng: np.random.Generator) -> Iterator[list[list[int]]]:
    """Sweeps: for each person the descriptors of one; over all of them everybody has had every descriptor once."""
    blanks = -descriptors % persons
    shuffled = np.concatenate([rng.permutation(descriptors), np.full(blanks, _BLANK)])
    classes = shuffled.reshape(-1, persons)
    rows = rng.permuted(np.tile(np.arange(persons), (len(classes), 1)), axis=1)
    columns = rng.permuted(np.tile(np.arange(persons), (len(classes), 1)), axis=1)
    for sweep in range(persons):
        cells = [each[(rows[one, sweep] + columns[one]) % persons] for one, each in enumerate(classes)]
        yield [[int(each) for each in hand if each != _BLANK] for hand in zip(*cells, strict=True)]


def _split(
    hand: Sequence[int], clips: int, alike: Callable[[int, int], bool], rng: np.random.Generator
) -> list[tuple[int, ...]]:
    """Descriptors as that many clips of one or two."""
    lengths = rng.permutation([2] * (len(hand) - clips) + [1] * (2 * clips - len(hand)))
    ends = np.cumsum([0, *lengths])
    best: list[tuple[int, ...]] = []
    fewest = len(hand) + 1
    for _ in range(_ORDERS):
        order = [int(each) for each in rng.permutation(hand)]
        split = [tuple(order[first:last]) for first, last in pairwise(ends)]
        like = sum(len(clip) == 2 and alike(*clip) for clip in split)
        if like < fewest:
            best, fewest = split, like
        if not like:
            break
    return best


Counts = npt.NDArray[np.float64]
Level = TypeVar("Level", bound=Hashable)


class Minimiser(Generic[Level]):
    """Deals the levels of one factor so that each keeps its share.

    Args:
        shares: of each level; they need not add up to one.
        rng: decides between levels that are equally rare.
    """

    def __init__(self, shares: Mapping[Level, float], rng: np.random.Generator) -> None:
        self._levels = tuple(shares)
        self._shares = np.array(list(shares.values()), np.float64)
        self._counts: dict[Hashable, Counts] = {}
        self._rng = rng

    def deal(self, *strata: Hashable, exactly: Hashable = None) -> Level:
        """The next level: the one that is furthest below its share, in all and in the strata of a clip together.

        Args:
            strata: what else is known of the clip ("person 3"), each counted by itself.
            exactly: a stratum that goes before all others: there shares are kept within one.
        """
        counts = [self._counts.setdefault(name, np.zeros(len(self._shares))) for name in ("all", *strata)]
        scores = np.sum([self._below(count) for count in counts], axis=0)
        if exactly is not None:
            counts.append(self._counts.setdefault(("exactly", exactly), np.zeros(len(self._shares))))
            leading = self._below(counts[-1])
            scores[leading > leading.min() + _EQUAL] = np.inf
        rarest = np.flatnonzero(scores <= scores.min() + _EQUAL)
        level = int(rarest[self._rng.integers(len(rarest))])
        for count in counts:
            count[level] += 1
        return self._levels[level]

    def _below(self, counts: Counts) -> Counts:
        """Half a clip more, as Sainte-Lague apportions seats: of levels that all miss, the common ones come first."""
        return (counts + 0.5) / self._shares
