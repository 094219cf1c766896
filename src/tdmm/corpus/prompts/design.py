"""The design of a prompt suite: who shows what, balanced by construction.

Descriptors against persons: a cyclic Latin square of blocks. The descriptors are shuffled and cut into as many
blocks as there are persons. In one *sweep* each person is given one block, each block to another person; over as
many sweeps as there are persons (a *deck*) each person is given each block, and for the next deck the blocks are cut
anew. In a sweep everybody shows the same number of clips, in turn. It follows, after any number of clips:

- counts of descriptors differ by one at most: a sweep asks for each descriptor once;
- counts of clips by person differ by one at most;
- counts of a person with a descriptor differ by one at most: a deck asks for each pair once.

All else (intensities, sides, head motions, light) is dealt by minimisation, as patients are to treatments in a trial
(Pocock & Simon 1975): the level that is furthest below its share together with this descriptor, and among several such
the one that is so in all and together with this person.

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
    clips = 0.0
    while True:
        blocks = np.array_split(rng.permutation(descriptors), persons)
        rows, columns = rng.permutation(persons), rng.permutation(persons)
        fewest, most = (len(blocks[0]) + 1) // 2, len(blocks[-1])
        for row in rows:
            clips += descriptors / persons / EVENTS_A_CLIP
            rounds = min(max(round(clips), fewest), most)
            clips -= rounds
            hands = [_hand(blocks[(row + column) % persons], rounds, alike, rng) for column in columns]
            for number in range(rounds):
                for person in rng.permutation(persons):
                    yield Deal(int(person), hands[person][number])


def _hand(
    block: Sequence[int], clips: int, alike: Callable[[int, int], bool], rng: np.random.Generator
) -> list[tuple[int, ...]]:
    """A block as that many clips of one or two descriptors."""
    lengths = rng.permutation([2] * (len(block) - clips) + [1] * (2 * clips - len(block)))
    ends = np.cumsum([0, *lengths])
    best: list[tuple[int, ...]] = []
    fewest = len(block) + 1
    for _ in range(_ORDERS):
        order = [int(each) for each in rng.permutation(block)]
        hand = [tuple(order[first:last]) for first, last in pairwise(ends)]
        like = sum(len(clip) == 2 and alike(*clip) for clip in hand)
        if like < fewest:
            best, fewest = hand, like
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

    def deal(self, first: Hashable, *further: Hashable) -> Level:
        """The next level: the one that is furthest below its share.

        Args:
            first: the stratum in which this holds exactly. Between levels that are equally rare in it, those count
                that are rarest in all and in the further strata together.
            further: other strata that the clip belongs to.
        """
        leading, *others = (
            self._counts.setdefault(name, np.zeros(len(self._shares))) for name in (first, None, *further)
        )
        open_ = _rarest(self._below(leading))
        chosen = open_[_rarest(np.sum([self._below(count) for count in others], axis=0)[open_])]
        level = int(chosen[self._rng.integers(len(chosen))])
        for count in (leading, *others):
            count[level] += 1
        return self._levels[level]

    def _below(self, counts: Counts) -> Counts:
        """Half a clip more, as Sainte-Lague apportions seats: of levels that all miss, the common ones come first."""
        return (counts + 0.5) / self._shares


def _rarest(scores: Counts) -> npt.NDArray[np.int64]:
    return np.flatnonzero(scores <= scores.min() + 1e-9)
