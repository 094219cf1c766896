"""`suite`: the prompts of a corpus, balanced by design."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator, Mapping
from itertools import islice

import numpy as np

from tdmm.acting.beats import end_of, items_of
from tdmm.acting.casting import LONGEST, Cues, stage
from tdmm.acting.clauses import Item
from tdmm.acting.coherence import check_coherence
from tdmm.acting.descriptors import Descriptor
from tdmm.acting.intensity_words import MIDDLES, Level
from tdmm.acting.lexicon import load
from tdmm.acting.script import Energy, Script
from tdmm.corpus.prompts.control import asks_of_face
from tdmm.corpus.prompts.design import Deal, Minimiser, deals
from tdmm.corpus.prompts.prompt import ClipPrompt, Scene
from tdmm.corpus.prompts.scenes import negative_for, scenery, words_for
from tdmm.corpus.prompts.scenes import persons as built_in_persons
from tdmm.corpus.prompts.telling import told
from tdmm.corpus.splits import family_of
from tdmm.errors import InvalidInput
from tdmm.face.facs import Side
from tdmm.motion.events import GAZE_DIRECTIONS, HEAD_MOTIONS, GazeDirection, HeadMotionKind

SHORTEST = 4.0
"""Seconds that a clip lasts at least; `casting.LONGEST` at most."""

_JITTER = 0.03  # about the middle of a level; small enough to stay within it
_HEAD: dict[HeadMotionKind | None, float] = {None: 0.5, **dict.fromkeys(HEAD_MOTIONS, 0.5 / len(HEAD_MOTIONS))}
_GAZE: dict[GazeDirection | None, float] = {None: 0.85, **dict.fromkeys(GAZE_DIRECTIONS, 0.15 / len(GAZE_DIRECTIONS))}
_BLINKS = {0: 0.8, 1: 0.2}
_ENERGIES: dict[Energy, float] = {"low": 0.25, "normal": 0.5, "high": 0.25}


def suite(count: int, seed: int = 7, persons: Mapping[str, str] | None = None) -> Iterator[ClipPrompt]:
    """The prompts of a corpus, one a clip, in the order in which they are to be made.

    Deterministic, and growing: the first clips of a seed do not depend on `count`. Balanced after any number of clips,
    as `tdmm.corpus.prompts.design` says: each descriptor, each person, and each descriptor with each person within one
    of the mean. A clip has one expression, or in two clips of five a transition from one to another; the lexicon's
    micro-expressions are dealt like all its descriptors, asked blinks beside them.

    Args:
        count: clips.
        seed: of the whole suite.
        persons: id to words with an article; None takes those of `scenes.persons`.

    Raises:
        InvalidInput: a number or the persons make no sense.
    """
    people = dict(built_in_persons() if persons is None else persons)
    most = len(load()) // 2
    if count < 0:
        raise InvalidInput(f"count must be 0 or more, not {count}.")
    if not 0 <= seed < 2**63:
        raise InvalidInput(f"seed must lie between 0 and 2**63 - 1, not {seed}.")
    if not 1 <= len(people) <= most:
        raise InvalidInput(f"There are {len(people)} persons; a suite needs from 1 to {most} of them.")
    for name, words in people.items():
        if " " not in words.strip() or asks_of_face(words):
            raise InvalidInput(
                f"Person '{name}' is '{words}'. Give an article and a noun with age and looks, and nothing that reads "
                "as an expression, a degree or a side ('a smiling man', 'light hair')."
            )
    return islice(_endless(seed, people), count)


def preview(count: int, style: str, seed: int = 7) -> Iterator[tuple[str, str, str]]:
    """The first prompts of a suite as a generator is told them: clip id, words, negative prompt.

    Raises:
        InvalidInput: `count` or `seed` makes no sense.
        UnknownName: there is no such style.
    """
    negative = negative_for(style)
    return ((prompt.clip_id, words_for(style, prompt), negative) for prompt in suite(count, seed))


def _endless(seed: int, people: Mapping[str, str]) -> Iterator[ClipPrompt]:
    entries, names = load().entries, tuple(people)

    def alike(first: int, second: int) -> bool:
        return entries[first].family == entries[second].family

    factors = _Factors(np.random.default_rng([seed, 1]))
    for index, deal in enumerate(deals(len(entries), len(names), seed, alike)):
        descriptors = tuple(entries[number] for number in deal.descriptors)
        person = names[deal.person]
        script = _script(descriptors, people[person], factors, deal, np.random.default_rng([seed, 2, index]))
        check_coherence(script, f"clip {index}")
        prompt_id = f"prompt-{seed}-{index:07d}"
        yield ClipPrompt(
            clip_id=prompt_id,
            script=script,
            face=told(script, _digest(f"words/{seed}/{index}"))[0],
            scene=factors.scene(deal),
            family=family_of(script) or prompt_id,
            person=person,
            seed=_digest(f"video/{seed}/{index}"),
        )


class _Factors:
    """Everything that is dealt by minimisation."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.intensity = Minimiser[Level](dict.fromkeys(MIDDLES, 1.0), rng)
        self.sided = Minimiser[bool](dict.fromkeys((True, False), 0.5), rng)
        self.hand = Minimiser[Side](dict.fromkeys(("left", "right"), 0.5), rng)
        self.head = Minimiser[HeadMotionKind | None](_HEAD, rng)
        self.head_intensity = Minimiser[Level](dict.fromkeys(MIDDLES, 1.0), rng)
        self.gaze = Minimiser[GazeDirection | None](_GAZE, rng)
        self.blinks = Minimiser[int](_BLINKS, rng)
        self.energy = Minimiser[Energy](_ENERGIES, rng)
        phrases = scenery()
        self._framing = Minimiser[str](dict.fromkeys(phrases.framing, 1.0), rng)
        self._lighting = Minimiser[str](dict.fromkeys(phrases.lighting, 1.0), rng)
        self._background = Minimiser[str](dict.fromkeys(phrases.background, 1.0), rng)

    def side(self, entry: Descriptor, person: Hashable) -> Side:
        """Left and right as often; of what may be done on one side or both, half."""
        if entry.side == "both" or (entry.side == "either" and not self.sided.deal(person, exactly=entry.name)):
            return "both"
        return self.hand.deal(person, exactly=entry.name)

    def scene(self, deal: Deal) -> Scene:
        strata = _strata(deal)
        return Scene(
            framing=self._framing.deal(*strata),
            lighting=self._lighting.deal(*strata),
            background=self._background.deal(*strata),
        )


def _strata(deal: Deal) -> tuple[tuple[str, int], ...]:
    """A clip counts towards its descriptors and, last, towards its person."""
    return *(("descriptor", number) for number in deal.descriptors), ("person", deal.person)


def _script(
    descriptors: tuple[Descriptor, ...], subject: str, factors: _Factors, deal: Deal, rng: np.random.Generator
) -> Script:
    strata = _strata(deal)
    # A descriptor that means a head motion or a look leaves the head or the eyes to itself.
    head = None if any(each.head for each in descriptors) else factors.head.deal(*strata)
    gaze = None if any(each.gaze for each in descriptors) else factors.gaze.deal(*strata)
    blinks = 0 if any(each.blinks for each in descriptors) else factors.blinks.deal(*strata)
    energy = factors.energy.deal(*strata)
    cues = Cues(descriptors, energy, (head,) if head else (), (gaze,) if gaze else (), blinks)
    laid = stage(cues, rng, float(rng.uniform(SHORTEST, LONGEST)))
    events = []
    for event, entry in zip(laid.events, descriptors, strict=True):
        level = factors.intensity.deal(strata[-1], exactly=entry.name)
        side = factors.side(entry, strata[-1])
        events.append(event.model_copy(update={"intensity": _intensity(level, rng), "side": side}))
    heads = [
        motion.model_copy(
            update={"intensity": _intensity(factors.head_intensity.deal(strata[-1], exactly=motion.kind), rng)}
        )
        for motion in laid.head
    ]
    return _later(laid.model_copy(update={"subject": subject, "events": tuple(events), "head": tuple(heads)}), rng)


def _intensity(level: Level, rng: np.random.Generator) -> float:
    return round(float(np.clip(MIDDLES[level] + rng.uniform(-_JITTER, _JITTER), 0.3, 1.0)), 2)


def _later(script: Script, rng: np.random.Generator) -> Script:
    """The same some moments later, where the clip is longer than what happens in it."""
    items = items_of(script)
    spare = script.seconds - 0.15 - max(map(end_of, items))
    shift = round(max(0.0, spare) * float(rng.uniform(0.0, 0.5)), 2)

    def moved(item: Item) -> Item:
        moments = [name for name in ("onset", "apex", "offset", "end", "time") if hasattr(item, name)]
        return item.model_copy(update={name: round(getattr(item, name) + shift, 2) for name in moments})

    return script.model_copy(
        update={name: tuple(map(moved, getattr(script, name))) for name in ("events", "head", "gaze", "blinks")}
    )


def _digest(text: str) -> int:
    """31 bits, which every generator takes as a seed."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") >> 1
