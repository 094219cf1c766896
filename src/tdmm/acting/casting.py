"""Casting: random scripts by the thousand, balanced by construction.

Every quantity is dealt, not drawn: descriptors come from shuffled packs of the whole lexicon, and so do
the kinds of head motion and gaze, so over any run of clips counts differ by a few at most. A clip's
script depends on (seed, index) alone; clips can be cast in any order and on any machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tdmm.acting.gesture import CYCLIC
from tdmm.acting.lexicon import Descriptor, load
from tdmm.acting.pronouns import subjects
from tdmm.acting.script import Blink, Energy, Event, Gaze, HeadMotion, Script
from tdmm.acting.timetable import Span, free_span, in_turn, timetable
from tdmm.face.facs import Side
from tdmm.motion.clip import FPS
from tdmm.motion.events import GAZE_DIRECTIONS, HEAD_MOTIONS, GazeDirection, HeadMotionKind

SHORTEST, LONGEST = 2.0, 6.0
"""Seconds of a clip."""

BLOCK = 100
"""Clips in a block: the shares below are exact over each block."""

# 5 clips without a descriptor (2 of them with nothing at all), 44 with one, 39 with two, 12 with three.
_EVENT_COUNTS = (0,) * 5 + (1,) * 44 + (2,) * 39 + (3,) * 12
_HEAD_COUNTS = (0,) * 45 + (1,) * 47 + (2,) * 8
_GAZE_COUNTS = (0,) * 70 + (1,) * 30
_BLINK_COUNTS = (0,) * 80 + (1,) * 20
_ENERGIES: tuple[Energy, ...] = ("low",) * 25 + ("normal",) * 50 + ("high",) * 25
_NEUTRAL_IN_BLOCK = 2

_INTENSITIES = (0.3, 0.4, 0.6, 0.8, 1.0)  # the middles of the narrator's words
_CYCLES: dict[HeadMotionKind, tuple[float, ...]] = {
    "nod": (0.2, 0.35, 0.3, 0.15), "shake": (0.25, 0.4, 0.25, 0.1), "wobble": (0.35, 0.4, 0.25)
}  # fmt: skip
_PERIODS: dict[HeadMotionKind, tuple[float, float]] = {
    "nod": (0.38, 0.7), "shake": (0.5, 0.85), "wobble": (0.6, 1.05), "recoil": (0.5, 0.9)
}  # fmt: skip
_STAY = (1.0, 2.4)  # seconds of a turn, tilt, bow, raise or lean
_PACE: dict[Energy, float] = {"low": 1.2, "normal": 1.0, "high": 0.82}

_BLOCKS, _DESCRIPTORS, _MOTIONS, _GAZES, _CLIPS = range(5)  # streams of chance


Name = TypeVar("Name", bound=str)


@dataclass(frozen=True)
class _Block:
    """What the clips of one block get, each array by the clip's place in it."""

    events: npt.NDArray[np.int64]
    heads: npt.NDArray[np.int64]
    gazes: npt.NDArray[np.int64]
    blinks: npt.NDArray[np.int64]
    energies: tuple[Energy, ...]
    neutral: frozenset[int]


def cast(seed: int, index: int) -> Script:
    """The script of clip `index` of the corpus of that seed.

    Args:
        seed: of the corpus.
        index: of the clip, from 0.

    Raises:
        ValueError: `index` is negative.
    """
    if index < 0:
        raise ValueError(f"index must be 0 or more, not {index}")
    number, place = divmod(index, BLOCK)
    block = _block(seed, number)
    lexicon = load()
    energy, plain = block.energies[place], place in block.neutral
    names = _dealt(seed, _DESCRIPTORS, number, block.events, place, tuple(lexicon.descriptors))
    descriptors = tuple(lexicon.get(name) for name in names)
    # A descriptor that means a head motion or a look leaves the head or the eyes to itself.
    no_head = plain or any(each.head for each in descriptors)
    no_gaze = plain or any(each.gaze for each in descriptors)
    cues = Cues(
        descriptors=descriptors,
        energy=energy,
        head=() if no_head else tuple(_dealt(seed, _MOTIONS, number, block.heads, place, HEAD_MOTIONS)),
        gaze=() if no_gaze else tuple(_dealt(seed, _GAZES, number, block.gazes, place, GAZE_DIRECTIONS)),
        blinks=0 if plain else int(block.blinks[place]),
    )
    return stage(cues, _stream(seed, _CLIPS, index))


@dataclass(frozen=True)
class Cues:
    """What happens in a clip, before anybody knows when.

    Attributes:
        descriptors: in the order in which they start.
        energy: of the whole.
        head: kinds of head motion, in turn.
        gaze: where the eyes go, in turn.
        blinks: groups of blinks.
    """

    descriptors: tuple[Descriptor, ...] = ()
    energy: Energy = "normal"
    head: tuple[HeadMotionKind, ...] = ()
    gaze: tuple[GazeDirection, ...] = ()
    blinks: int = 0


def stage(cues: Cues, rng: np.random.Generator, shortest: float = SHORTEST) -> Script:
    """Lay out in time what happens; intensities, sides and the subject are drawn.

    Args:
        cues: what happens. Looks and blinks that find no moment while the lids are free are left out.
        rng: draws.
        shortest: seconds that the clip lasts at least; `LONGEST` is the most.
    """
    descriptors, energy = list(cues.descriptors), cues.energy
    events = _events(descriptors, energy, rng)
    heads = [_head_length(kind, _PACE[energy], len(cues.head), rng) for kind in cues.head]
    groups = [_blink_group(rng) for _ in range(cues.blinks)]

    lids = _lid_spans(events, descriptors)
    needed = max((event.end for event in events), default=0.0)
    if lids:
        # Blinks wait until the lids are free.
        needed += sum(0.3 + _blink_seconds(group) for group in groups)
    needed = max(needed, 0.3 + sum(length + 0.12 for _, length in heads))
    seconds = float(np.clip(needed + rng.uniform(0.15, 0.7), shortest, LONGEST))
    if not events:
        seconds = float(rng.uniform(max(seconds, shortest), max(seconds, 4.0)))
    seconds = round(seconds * FPS) / FPS
    gazes = _gazes(cues.gaze, lids, seconds, rng)
    return Script(
        seconds=seconds,
        subject=subjects()[int(rng.integers(len(subjects())))],
        energy=energy,
        events=tuple(events),
        head=tuple(_heads(cues.head, heads, events, seconds, rng)),
        gaze=tuple(gazes),
        blinks=tuple(_blinks(groups, lids, seconds, rng)),
    )


def _stream(seed: int, *place: int) -> np.random.Generator:
    return np.random.default_rng([abs(seed), int(seed < 0), *place])


@lru_cache(maxsize=64)
def _block(seed: int, number: int) -> _Block:
    rng = _stream(seed, _BLOCKS, number)
    events = rng.permutation(_EVENT_COUNTS)
    energies = [_ENERGIES[place] for place in rng.permutation(BLOCK)]
    empty = np.flatnonzero(events == 0)
    return _Block(
        events=events,
        heads=rng.permutation(_HEAD_COUNTS),
        gazes=rng.permutation(_GAZE_COUNTS),
        blinks=rng.permutation(_BLINK_COUNTS),
        energies=tuple(energies),
        neutral=frozenset(int(place) for place in empty[:_NEUTRAL_IN_BLOCK]),
    )


def _dealt(
    seed: int, stream: int, number: int, counts: npt.NDArray[np.int64], place: int, names: tuple[Name, ...]
) -> list[Name]:
    """The cards of one clip: packs of all `names`, each shuffled, are dealt along the clips in turn."""
    first = number * int(counts.sum()) + int(counts[:place].sum())
    dealt = []
    for card in range(first, first + int(counts[place])):
        pack, position = divmod(card, len(names))
        dealt.append(names[_pack(seed, stream, pack, len(names))[position]])
    return dealt


@lru_cache(maxsize=64)
def _pack(seed: int, stream: int, number: int, size: int) -> tuple[int, ...]:
    return tuple(int(place) for place in _stream(seed, stream, number).permutation(size))


def _round(seconds: float) -> float:
    return round(seconds, 2)


def _intensity(rng: np.random.Generator) -> float:
    level = _INTENSITIES[int(rng.integers(len(_INTENSITIES)))] + rng.uniform(-0.05, 0.05)
    return round(float(np.clip(level, 0.3, 1.0)), 2)


def _side(descriptor: Descriptor, rng: np.random.Generator) -> Side:
    chance = rng.random()
    unsaid = {"both": 1.0, "one": 0.2, "either": 0.5}[descriptor.side]
    if chance < unsaid:
        return "both"
    return "left" if chance < unsaid + 0.5 * (1.0 - unsaid) else "right"


def _events(descriptors: list[Descriptor], energy: Energy, rng: np.random.Generator) -> list[Event]:
    slots = timetable(descriptors, _PACE[energy], LONGEST - 0.2, rng)
    return [
        Event(
            descriptor=descriptor.name,
            intensity=_intensity(rng),
            side=_side(descriptor, rng),
            onset=_round(slot.start),
            apex=_round(slot.start + slot.onset),
            offset=_round(slot.start + slot.onset + slot.hold),
            end=_round(slot.end),
        )
        for descriptor, slot in zip(descriptors, slots, strict=True)
    ]


def _head_length(kind: HeadMotionKind, pace: float, company: int, rng: np.random.Generator) -> tuple[int, float]:
    """Cycles and seconds of one head motion; shorter when it shares the clip with another."""
    low, high = _PERIODS.get(kind, _STAY)
    period = float(rng.uniform(low, high)) * pace
    if kind not in CYCLIC:
        return 1, period
    cycles = 1 + int(rng.choice(len(_CYCLES[kind]), p=_CYCLES[kind]))
    cycles = min(cycles, 2) if company > 1 else cycles
    return cycles, cycles * period


def _heads(
    kinds: Sequence[HeadMotionKind],
    lengths: list[tuple[int, float]],
    events: list[Event],
    seconds: float,
    rng: np.random.Generator,
) -> list[HeadMotion]:
    spans = in_turn([length for _, length in lengths], seconds, rng)
    if len(spans) == 1 and events and rng.random() < 0.4:
        # Often the head moves as the face does.
        event = events[int(rng.integers(len(events)))]
        length = spans[0][1] - spans[0][0]
        latest = max(seconds - 0.1 - length, 0.1)
        start = float(np.clip(event.onset + rng.uniform(-0.15, 0.25), 0.1, latest))
        spans = [(start, start + length)]
    return [
        HeadMotion(kind=kind, intensity=_intensity(rng), cycles=cycles, onset=_round(start), end=_round(end))
        for kind, (cycles, _), (start, end) in zip(kinds, lengths, spans, strict=True)
    ]


def _lid_spans(events: list[Event], descriptors: list[Descriptor]) -> list[Span]:
    """When the lids are busy, so that neither a look nor a blink would be seen for what it is."""
    return [
        (event.onset - 0.1, event.end + 0.1)
        for event, descriptor in zip(events, descriptors, strict=True)
        if descriptor.blinks
        or any(
            recipe.action in ("eye_closure", "upper_lid_raiser") and recipe.probability >= 0.4
            for recipe in descriptor.actions
        )
    ]


def _gazes(
    directions: Sequence[GazeDirection], lids: list[Span], seconds: float, rng: np.random.Generator
) -> list[Gaze]:
    gazes = []
    for direction in directions:
        length = float(rng.uniform(0.5, min(1.8, seconds - 0.4)))
        span = free_span(length, seconds, lids, rng) or free_span(length, seconds, [], rng)
        if span is not None:
            gazes.append(
                Gaze(direction=direction, intensity=_intensity(rng), onset=_round(span[0]), end=_round(span[1]))
            )
    return gazes


def _blink_group(rng: np.random.Generator) -> Blink:
    slow = rng.random() < 0.2
    count = int(rng.choice((1, 2, 3), p=(0.45, 0.35, 0.2)))
    return Blink(time=0.0, count=min(count, 2) if slow else count, slow=slow)


def _blink_seconds(group: Blink) -> float:
    return group.count * (0.7 if group.slow else 0.46)


def _blinks(groups: list[Blink], lids: list[Span], seconds: float, rng: np.random.Generator) -> list[Blink]:
    """Groups at free moments; one that finds none is left out."""
    placed = ((group, free_span(_blink_seconds(group), seconds, lids, rng)) for group in groups)
    return [group.model_copy(update={"time": _round(span[0])}) for group, span in placed if span]
