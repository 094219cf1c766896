"""The things of a script in the order in which they start, those that start together in one beat."""

from __future__ import annotations

from tdmm.acting.clauses import Item
from tdmm.acting.script import Blink, Script

TOGETHER = 0.25
"""Seconds: things that start this close together are told as simultaneous."""

_BLINK_SECONDS = {False: 0.35, True: 0.7}


def onset_of(item: Item) -> float:
    """When a thing starts."""
    return item.time if isinstance(item, Blink) else item.onset


def end_of(item: Item) -> float:
    """When a thing is over."""
    return item.time + item.count * _BLINK_SECONDS[item.slow] if isinstance(item, Blink) else item.end


def items_of(script: Script) -> list[Item]:
    """Everything of a script by onset; of things that start at once, the face comes first."""
    items: list[Item] = [*script.events, *script.head, *script.gaze, *script.blinks]
    return sorted(items, key=onset_of)  # a stable sort keeps the face first


def beats_of(script: Script) -> list[list[Item]]:
    """Items in beats; at most three a beat."""
    beats: list[list[Item]] = []
    for item in items_of(script):
        if beats and len(beats[-1]) < 3 and _together(beats[-1][0], item):
            beats[-1].append(item)
        else:
            beats.append([item])
    return beats


def overlapping(first: list[Item], second: list[Item]) -> bool:
    """Whether the second beat starts well before the first is over."""
    end = max(end_of(item) for item in first)
    return onset_of(second[0]) < end - 0.3 * (end - onset_of(first[0]))


def _together(first: Item, second: Item) -> bool:
    return onset_of(second) - onset_of(first) <= TOGETHER and onset_of(second) < end_of(first)
