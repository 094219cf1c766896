"""What a question to a script may rest on, and what its answers are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random

from tdmm.acting import asking
from tdmm.acting.brief import names_of
from tdmm.acting.clauses import Item
from tdmm.acting.descriptors import Descriptor, Phrasing
from tdmm.acting.lexicon import load
from tdmm.acting.motion_words import motion_words, stem_and_hand
from tdmm.acting.script import Event, HeadMotion, Script
from tdmm.acting.wordings import phrasings
from tdmm.motion.events import MotionEvents

_WHOLE = 0.5  # closure of the lids from which on everybody would call it a blink
_LONGEST = 7  # words of a phrasing in a question


@dataclass(frozen=True)
class Known:
    """What an answer may rest on.

    Attributes:
        script: what was asked of the actor.
        blinks: how often both lids really closed, unasked blinks included; None where nobody knows.
    """

    script: Script
    blinks: int | None = None


@dataclass(frozen=True)
class Asked:
    """A question and its true answer.

    Attributes:
        question: in small letters, with its question mark.
        answer: "yes" or "no" and a few words of what was seen; or that it cannot be told.
        truth: None where it cannot be told.
    """

    question: str
    answer: str
    truth: bool | None


Kind = Callable[[Known, bool, Random], Asked | None]
"""What is known, which answer is wanted and a source of chance; None where the script allows no such question."""


def certain_blinks(events: MotionEvents) -> int | None:
    """How often both lids really close; None where once it was so little that people would not agree."""
    both = [blink for blink in events.blinks if blink.side == "both"]
    return len(both) if all(blink.strength >= _WHOLE for blink in both) else None


def answered(question: str, truth: bool, seen: str) -> Asked:
    """With yes or no and what was seen."""
    return Asked(question, f"{'yes' if truth else 'no'}, {seen}", truth)


def expressions_seen(script: Script) -> str:
    """The expressions by name, or that there are none."""
    return names_of(script) if script.events else "the face is neutral"


def short_phrasings(entry: Descriptor) -> list[Phrasing]:
    """Wordings of a descriptor that fit into a question; always some."""
    return _short(entry.name)


@cache
def _short(name: str) -> list[Phrasing]:
    entry = load().get(name)
    said = [each for each in phrasings(entry, "trained") if each.style in ("plain", "direct")]
    fit = [each for each in said if each.text.count(" ") < _LONGEST and not each.text.startswith("with ")]
    return fit or list(entry.phrasings)


def unmistakable(script: Script) -> list[Event]:
    """Events that no other one could be taken for."""
    families = [load().get(event.descriptor).family for event in script.events]
    return [event for event, family in zip(script.events, families, strict=True) if families.count(family) == 1]


def noun_of(item: Item, rng: Random) -> str:
    """Any short noun for a thing with its article; nothing where it has none."""
    if isinstance(item, Event):
        entry = load().get(item.descriptor)
        nouns = [each for each in short_phrasings(entry) if each.form == "noun" and each.text.startswith(("a ", "an "))]
        return asking.named(rng.choice(nouns).text, one_sided=entry.side == "one") if nouns else ""
    if isinstance(item, HeadMotion):
        stem, hand = stem_and_hand(item.kind)
        nouns = [each for each in motion_words().said[stem] if each.form == "noun"]
        return asking.named(rng.choice(nouns).text, place=f"to the {hand}")
    return ""
