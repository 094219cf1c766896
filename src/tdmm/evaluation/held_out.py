"""Clips and prompts that nothing was trained on: other seeds than any recipe's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from tdmm.acting.actor import Performance, perform
from tdmm.acting.casting import cast
from tdmm.acting.denials import Deniable, denied, undone
from tdmm.acting.descriptors import Descriptor
from tdmm.acting.lexicon import load
from tdmm.acting.narrator import PLAIN, Narration, narrate
from tdmm.acting.pronouns import pronouns_for
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


def prompts(count: int, seed: int = SEED, narration: Narration = PLAIN) -> list[Prompt]:
    """Narrate one-descriptor scripts, one for each descriptor in turn, every other one with a head motion."""
    return [_prompt(_one_event(entry, seed, index), seed, index, narration) for index, entry in _in_turn(count)]


def ordered_prompts(count: int, seed: int = SEED) -> list[Prompt]:
    """Narrate scripts of two or three descriptors, one after the other, that share no action."""
    return [_prompt(_several_events(2 + index % 2, seed, index), seed + 500_000, index) for index in range(count)]


def timed_prompts(count: int, seed: int = SEED) -> list[Prompt]:
    """Narrate scripts of one descriptor with its second."""
    made = []
    for index, entry in _in_turn(count):
        rng = np.random.default_rng([seed, index, 3])
        event = _event(entry, rng, at=round(float(rng.uniform(0.5, 3.0)), 1))
        script = _script(seed, index, (event,), (), event.end + float(rng.uniform(0.4, 1.0)))
        made.append(_prompt(script, seed + 600_000, index, _TIMED))
    return made


def contrasted_prompts(count: int, seed: int = SEED) -> list[tuple[Prompt, Prompt]]:
    """Pairs of prompts that differ in the intensity of their one descriptor alone: faint or slight, and extreme."""
    pairs = []
    for index, entry in _in_turn(count):
        rng = np.random.default_rng([seed, index, 4])
        event = _event(entry, rng, at=float(rng.uniform(0.3, 1.0)))
        script = _script(seed, index, (event,), (), event.end + 0.5)
        low, high = (
            script.model_copy(update={"events": (event.model_copy(update={"intensity": level}),)})
            for level in (_LOW[index % 2], _HIGH)
        )
        pairs.append((_prompt(low, seed + 700_000, index), _prompt(high, seed + 700_000, index)))
    return pairs


def denied_prompts(count: int, seed: int = SEED) -> list[tuple[Prompt, Deniable]]:
    """Prompts of one descriptor that end in what the face does not do, and what that is."""
    made = []
    for index, entry in _in_turn(count):
        rng = np.random.default_rng([seed, index, 5])
        event = _event(entry, rng, at=float(rng.uniform(0.3, 1.0)))
        script = _script(seed, index, (event,), (), event.end + 0.5)
        options = undone(script)
        what = options[int(rng.integers(len(options)))]
        prompt = _prompt(script, seed + 800_000, index)
        words = denied(what, pronouns_for(script.subject), Random(seed + index))
        made.append((replace(prompt, text=prompt.text.rstrip(".") + words + "."), what))
    return made


_TIMED = Narration(times=1.0)
_LOW, _HIGH = (0.3, 0.4), 1.0


def _in_turn(count: int) -> Iterator[tuple[int, Descriptor]]:
    """Descriptors in a mixed order, each before any comes again."""
    entries = tuple(load().descriptors.values())
    # A stride that shares no factor with the count mixes the families when only some prompts are asked for.
    stride = next(step for step in (67, 71, 73, 1) if np.gcd(step, len(entries)) == 1)
    return ((index, entries[index * stride % len(entries)]) for index in range(count))


def _prompt(script: Script, seed: int, index: int, narration: Narration = PLAIN) -> Prompt:
    return Prompt(narrate(script, seed + index, "medium", narration), script, seed + index)


def _one_event(descriptor: Descriptor, seed: int, index: int) -> Script:
    rng = np.random.default_rng([seed, index, 1])
    event = _event(descriptor, rng, at=float(rng.uniform(0.3, 1.0)))
    head: tuple[HeadMotion, ...] = ()
    if index % 2 == 0:
        head = (_head_motion(rng, index),)
    end = max([event.end] + [motion.end for motion in head])
    return _script(seed, index, (event,), head, end + float(rng.uniform(0.4, 1.0)))


def _several_events(count: int, seed: int, index: int) -> Script:
    rng = np.random.default_rng([seed, index, 2])
    entries = tuple(load().descriptors.values())
    chosen: list[Descriptor] = []
    for _ in range(count):
        # Not even an optional action may be another's core, or the first of it would be taken for the other.
        taken = {recipe.action for entry in chosen for recipe in entry.actions}
        others = [entry for entry in entries if not {recipe.action for recipe in entry.actions} & taken]
        chosen.append(others[int(rng.integers(len(others)))])
    events: list[Event] = []
    at = float(rng.uniform(0.3, 0.6))
    for entry in chosen:
        events.append(_event(entry, rng, at))
        at = events[-1].end + float(rng.uniform(0.1, 0.4))
    return _script(seed, index, tuple(events), (), events[-1].end + 0.5)


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
