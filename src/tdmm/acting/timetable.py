"""Timetables: fitting events, head motions, looks and blinks into one clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tdmm.acting.descriptors import Descriptor, Range
from tdmm.face.facs import ACTIONS

Span = tuple[float, float]

_OVERLAP = 0.3  # how often an event starts within the one before, where their regions differ
_TRIES = 12


@dataclass(frozen=True)
class Slot:
    """When one event happens. Seconds; `start` is where its rise begins."""

    start: float
    onset: float
    hold: float
    offset: float

    @property
    def end(self) -> float:
        """When it is over."""
        return self.start + self.onset + self.hold + self.offset


@dataclass(frozen=True)
class _Link:
    """Where an event starts: `overlap` of the length of the one before, or `gap` seconds after all."""

    gap: float
    overlap: float | None = None


def timetable(descriptors: Sequence[Descriptor], pace: float, longest: float, rng: np.random.Generator) -> list[Slot]:
    """Lay events out one after another, sometimes overlapping where they use different regions.

    Args:
        descriptors: in the order in which they start.
        pace: above 1 everything takes longer.
        longest: seconds that must not be exceeded; holds give way first, then everything.
        rng: draws durations and gaps.
    """
    lengths = [
        Slot(0.0, _draw(each.onset, pace, rng), _draw(each.hold, pace, rng), _draw(each.offset, pace, rng))
        for each in descriptors
    ]
    links: list[_Link] = []
    for index in range(len(descriptors)):
        links.append(_link(descriptors, index, links, rng))
    slots = _positions(lengths, links)
    for _ in range(6):
        if not slots or max(slot.end for slot in slots) <= longest:
            return slots
        lengths = [replace(slot, hold=0.75 * slot.hold) for slot in lengths]
        slots = _positions(lengths, links)
    scale = min(1.0, longest / max(slot.end for slot in slots))
    return [Slot(slot.start * scale, slot.onset * scale, slot.hold * scale, slot.offset * scale) for slot in slots]


def _draw(limits: Range, pace: float, rng: np.random.Generator) -> float:
    return float(rng.uniform(*limits)) * pace


def _link(descriptors: Sequence[Descriptor], index: int, links: list[_Link], rng: np.random.Generator) -> _Link:
    if index == 0:
        return _Link(gap=float(rng.uniform(0.15, 0.6)))
    here, before = descriptors[index], descriptors[index - 1]
    may_overlap = not regions(here) & regions(before) and links[index - 1].overlap is None
    if may_overlap and rng.random() < _OVERLAP:
        return _Link(gap=0.0, overlap=float(rng.uniform(0.25, 0.75)))
    # The same action again needs a moment of rest between, or the two would be one.
    shared = {recipe.action for recipe in here.actions} & {recipe.action for recipe in before.actions}
    return _Link(gap=float(rng.uniform(0.2, 0.55) if shared else rng.uniform(-0.08, 0.45)))


def _positions(lengths: list[Slot], links: list[_Link]) -> list[Slot]:
    slots: list[Slot] = []
    for length, link in zip(lengths, links, strict=True):
        if link.overlap is not None:
            start = slots[-1].start + link.overlap * (slots[-1].end - slots[-1].start)
        else:
            start = max((slot.end for slot in slots), default=0.0) + link.gap
        slots.append(replace(length, start=start))
    return slots


def regions(descriptor: Descriptor) -> frozenset[str]:
    """Regions of the face that a descriptor may use."""
    return frozenset(ACTIONS[recipe.action].region for recipe in descriptor.actions)


def in_turn(lengths: Sequence[float], seconds: float, rng: np.random.Generator) -> list[Span]:
    """Spans of those lengths, one after another, at random places of the clip; shortened to fit."""
    margin, gap = 0.1, 0.12
    room = seconds - 2.0 * margin - gap * max(len(lengths) - 1, 0)
    scale = min(1.0, room / sum(lengths)) if lengths else 1.0
    scaled = [length * scale for length in lengths]
    spare = max(room - sum(scaled), 0.0)
    starts = np.sort(rng.uniform(0.0, spare, len(scaled)))
    spans = []
    passed = margin
    for free, length in zip(starts, scaled, strict=True):
        start = passed + float(free)
        spans.append((start, start + length))
        passed += length + gap
    return spans


def free_span(length: float, seconds: float, taken: Sequence[Span], rng: np.random.Generator) -> Span | None:
    """A span that meets none of `taken`; None where a dozen draws find no room."""
    latest = seconds - 0.15 - length
    for _ in range(_TRIES):
        start = float(rng.uniform(0.15, max(latest, 0.16)))
        if latest >= 0.15 and not any(start < end and first < start + length for first, end in taken):
            return start, start + length
    return None
