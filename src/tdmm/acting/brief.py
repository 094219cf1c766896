"""What a script shows, in a few words: the pieces that answers are made of."""

from __future__ import annotations

import re
from random import Random

from tdmm.acting.clauses import Item, Manner, clause_of
from tdmm.acting.inflection import adverb, inflected, with_article
from tdmm.acting.intensity_words import Level, level_of
from tdmm.acting.lexicon import load
from tdmm.acting.pronouns import NOBODY, THEY
from tdmm.acting.script import Event, Script
from tdmm.acting.slots import filled

DEGREES: dict[Level, str] = {
    "faint": "faint", "slight": "slight", "plain": "moderate", "strong": "strong", "extreme": "extreme"
}  # fmt: skip
"""The word for each level of intensity."""

ADVERBS = {degree: "extremely" if degree == "extreme" else adverb(degree) for degree in DEGREES.values()}
"""The same words beside a verb."""

_LEVELS = {said: level for level, word in DEGREES.items() for said in (word, ADVERBS[word])}
_DEGREE = re.compile(rf"\b(?:{'|'.join(_LEVELS)})\b")

THEN = ", then "
NO_EXPRESSION = "neutral"
STILL = "the head stays still"


def in_turn(script: Script) -> list[Event]:
    """The events of a script as they start."""
    return sorted(script.events, key=lambda event: event.onset)


def is_empty(script: Script) -> bool:
    """Whether the script asks for nothing at all."""
    return not (script.events or script.head or script.gaze or script.blinks)


def is_micro(event: Event) -> bool:
    """Whether an event is a micro-expression."""
    return load().get(event.descriptor).kind == "micro"


def name_of(event: Event) -> str:
    """`raise_one_brow` as "raise one brow"."""
    return event.descriptor.replace("_", " ")


def names_of(script: Script) -> str:
    """All expressions by name, in turn; "neutral" where there is none."""
    return THEN.join(name_of(event) for event in in_turn(script)) or NO_EXPRESSION


def degree_of(event: Event) -> str:
    """The word for how strong it is."""
    return DEGREES[level_of(event.intensity)]


def with_degree(event: Event) -> str:
    """`a strong frown`, or where the lexicon has no such noun `strongly raising an eyebrow`."""
    degree = degree_of(event)
    entry = load().get(event.descriptor)
    nouns = [each for each in entry.phrasings_of("noun") if each.text.startswith(("a ", "an "))]
    if nouns:
        text = filled(nouns[0].text, NOBODY, event.side)
        return with_article(f"{degree} {text.partition(' ')[2]}")
    verb = filled(entry.phrasings_of("verb")[0].text, NOBODY, event.side, entry.side == "one")
    return f"{ADVERBS[degree]} {inflected(verb, 'gerund')}"


def level_in(text: str) -> Level | None:
    """The level that `with_degree` told; None where a text tells none."""
    found = _DEGREE.search(text)
    return None if found is None else _LEVELS[found.group()]


def heads_of(script: Script, rng: Random) -> str:
    """What the head does, in turn: "nods twice, then turns to the left"; that it stays still where it does."""
    motions = sorted(script.head, key=lambda motion: motion.onset)
    return THEN.join(done(motion, rng) for motion in motions) or STILL


def done(item: Item, rng: Random) -> str:
    """`nods twice`."""
    return clause_of(item, Manner(pronouns=THEY, phrasings=1), rng).finite(plural_subject=False)
