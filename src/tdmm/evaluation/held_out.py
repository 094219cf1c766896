"""Clips and prompts that nothing was trained on: other seeds than any recipe's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tdmm.acting.actor import Performance, perform
from tdmm.acting.casting import cast
from tdmm.acting.descriptors import Descriptor
from tdmm.acting.lexicon import load
from tdmm.acting.narrator import narrate
from tdmm.acting.script import Event, HeadMotion, Script
from tdmm.face.facs import Side
from tdmm.motion.events import HEAD_MOTIONS

SEED = 1_000_003
"""Seed of everything held out. No recipe may use it."""

_CYCLIC = ("nod", "shake", "wobble")
_INTENSITIES = (0.4, 0.6, 0.8, 1.0)
"""What words can tell apart, give or take 0.05; slighter ones leave core actions that no reader could demand."""


@dataclass(frozen=True)
class ActedClip:
    """A held-out script and its performance."""

    script: Script
    performance: Performance


@dataclass(frozen=True)
class Prompt:
    """A sentence and the script it was narrated from."""

    text: str
    script: Script
    seed: int


def clips(count: int, seed: int = SEED) -> Iterator[ActedClip]:
    """Cast and act clips, one at a time; the same seed gives the same clips."""
    for index in range(count):
        script = cast(seed, index)
        yield ActedClip(script, perform(script, seed + index))


def prompts(count: int, seed: int = SEED) -> list[Prompt]:
    """Narrate one-descriptor scripts, one for each descriptor in turn, every other one with a head motion."""
    entries = tuple(load().descriptors.values())
    # A stride that shares no factor with the count mixes the families when only some prompts are asked for.
    stride = next(step for step in (67, 71, 73, 1) if np.gcd(step, len(entries)) == 1)
    return [
        _prompt(_one_event(entries[index * stride % len(entries)], seed, index), seed, index) for index in range(count)
    ]


def ordered_prompts(count: int, seed: int = SEED) -> list[Prompt]:
    """Narrate scripts of two descriptors, one after the other, that share no core action."""
    return [_prompt(_two_events(seed, index), seed + 500_000, index) for index in range(count)]


def _prompt(script: Script, seed: int, index: int) -> Prompt:
    return Prompt(narrate(script, seed + index, "medium"), script, seed + index)


def _one_event(descriptor: Descriptor, seed: int, index: int) -> Script:
    rng = np.random.default_rng([seed, index, 1])
    event = _event(descriptor, rng, at=float(rng.uniform(0.3, 1.0)))
    head: tuple[HeadMotion, ...] = ()
    if index % 2 == 0:
        head = (_head_motion(rng, index),)
    end = max([event.end] + [motion.end for motion in head])
    return _script(seed, index, (event,), head, end + float(rng.uniform(0.4, 1.0)))


def _two_events(seed: int, index: int) -> Script:
    rng = np.random.default_rng([seed, index, 2])
    entries = tuple(load().descriptors.values())
    first = entries[int(rng.integers(len(entries)))]
    others = [entry for entry in entries if not set(entry.core) & set(first.core)]
    second = others[int(rng.integers(len(others)))]
    one = _event(first, rng, at=float(rng.uniform(0.3, 0.6)))
    two = _event(second, rng, at=one.end + float(rng.uniform(0.1, 0.4)))
    return _script(seed, index, (one, two), (), two.end + 0.5)


def _script(seed: int, index: int, events: tuple[Event, ...], head: tuple[HeadMotion, ...], seconds: float) -> Script:
    # Who it is and how lively come from the same casting as the corpus.
    like = cast(seed, index)
    return Script(
        seconds=round(float(np.clip(seconds, 2.0, 12.0)), 2),
        subject=like.subject,
        energy=like.energy,
        events=events,
        head=head,
    )


def _event(descriptor: Descriptor, rng: np.random.Generator, at: float) -> Event:
    apex = at + float(rng.uniform(*descriptor.onset))
    offset = apex + float(rng.uniform(*descriptor.hold))
    end = offset + float(rng.uniform(*descriptor.offset))
    sides: tuple[Side, ...] = ("left", "right")
    one_sided = descriptor.side == "one" or (descriptor.side == "either" and rng.random() < 0.4)
    return Event(
        descriptor=descriptor.name,
        intensity=_intensity(rng),
        side=sides[int(rng.integers(2))] if one_sided else "both",
        onset=round(at, 3),
        apex=round(apex, 3),
        offset=round(offset, 3),
        end=round(end, 3),
    )


def _head_motion(rng: np.random.Generator, index: int) -> HeadMotion:
    # Every kind in turn: rare ones count as much as common ones.
    kind = HEAD_MOTIONS[index // 2 % len(HEAD_MOTIONS)]
    onset = float(rng.uniform(0.2, 1.2))
    cycles = int(rng.integers(2, 5)) if kind in _CYCLIC else 1
    if kind in _CYCLIC:
        seconds = cycles * float(rng.uniform(0.4, 0.7))
    else:
        seconds = float(rng.uniform(0.8, 1.4)) if kind == "recoil" else float(rng.uniform(1.4, 2.4))
    return HeadMotion(
        kind=kind,
        intensity=_intensity(rng),
        cycles=cycles,
        onset=round(onset, 3),
        end=round(onset + seconds, 3),
    )


def _intensity(rng: np.random.Generator) -> float:
    level = _INTENSITIES[int(rng.integers(len(_INTENSITIES)))]
    return round(min(1.0, level + float(rng.uniform(-0.05, 0.05))), 2)
