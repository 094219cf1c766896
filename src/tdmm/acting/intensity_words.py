"""Intensities in words: five bins, each with its own words, so that a word always means the same."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Literal

from tdmm.acting.manner_words import manner_words

Level = Literal["faint", "slight", "plain", "strong", "extreme"]

_LIMITS: tuple[tuple[float, Level], ...] = ((0.355, "faint"), (0.5, "slight"), (0.725, "plain"), (0.9, "strong"))

MIDDLES: dict[Level, float] = {"faint": 0.3, "slight": 0.4, "plain": 0.6, "strong": 0.8, "extreme": 1.0}
"""The intensity each level stands for when a script uses a word in place of a number."""

# Before a verb ("slightly raises her eyebrows") and after it ("smirks a little").
_BEFORE: dict[Level, tuple[str, ...]] = {
    "faint": ("faintly", "barely", "ever so slightly"),
    "slight": ("slightly",),
    "strong": ("clearly", "strongly", "markedly"),
    "extreme": ("intensely",),
}
_AFTER: dict[Level, tuple[str, ...]] = {
    "faint": ("faintly", "just barely", "ever so slightly"),
    "slight": ("slightly", "a little", "a bit"),
    "strong": ("strongly", "clearly", "markedly"),
    "extreme": ("intensely", "to the extreme", "as much as {subj} can", "extremely hard"),
}
_HEAD: dict[Level, tuple[str, ...]] = {
    "faint": ("faintly", "just barely", "ever so slightly"),
    "slight": ("slightly", "a little", "a bit"),
    "strong": ("strongly", "clearly", "markedly"),
    "extreme": ("intensely", "to the extreme", "as far as {subj} can", "extremely far"),
}
_NOUN: dict[Level, tuple[str, ...]] = {
    "faint": ("faint", "barely visible", "very faint"),
    "slight": ("slight", "slight", "mild"),
    "strong": ("strong", "clear", "marked"),
    "extreme": ("extreme", "intense", "very strong"),
}
_ADJECTIVE: dict[Level, tuple[str, ...]] = {
    "faint": ("faintly", "barely", "ever so slightly"),
    "slight": ("slightly", "a little", "a bit", "mildly"),
    "strong": ("clearly", "very", "markedly"),
    "extreme": ("extremely", "intensely", "utterly"),
}
_PARTICIPLE: dict[Level, tuple[str, ...]] = {
    "faint": ("faintly", "barely", "ever so slightly"),
    "slight": ("slightly", "mildly"),
    "strong": ("clearly", "strongly", "markedly"),
    "extreme": ("extremely", "intensely"),
}
_TRAILING: dict[Level, tuple[str, ...]] = {
    "faint": ("though only faintly", "barely visibly", "just barely", "no more than a trace of it"),
    "slight": ("but only slightly", "just a little", "mildly", "only a bit"),
    "strong": ("strongly", "markedly so", "clearly"),
    "extreme": ("to the extreme", "as intensely as {subj} can", "with everything {subj} had"),
}


def level_of(intensity: float) -> Level:
    """The level of an intensity: about 0.3 faint, 0.4 slight, 0.6 plain, 0.8 strong, 1.0 extreme."""
    return next((level for limit, level in _LIMITS if intensity < limit), "extreme")


def all_words() -> Iterator[tuple[str, Level, str]]:
    """Every word and phrase of degree: where it stands, its level, and itself."""
    tables = {
        "before_verb": (_BEFORE,), "after_verb": (_AFTER, _HEAD), "of_noun": (_NOUN,), "of_adjective": (_ADJECTIVE,),
        "of_participle": (_PARTICIPLE,), "trailing": (_TRAILING,),
    }  # fmt: skip
    for position, own in tables.items():
        for level in MIDDLES:
            more = getattr(manner_words().intensity[level], position)
            for phrase in (*(each for table in own for each in table.get(level, ())), *more):
                yield position, level, phrase


def before_verb(level: Level, rng: Random, rich: bool = False) -> str:
    """An adverb to stand before a verb; nothing for `plain`. `rich` adds the words of the phrase bank."""
    return _one(_BEFORE, "before_verb", level, rng, rich)


def after_verb(level: Level, rng: Random, rich: bool = False) -> str:
    """Words to stand after a verb phrase, perhaps with slots; nothing for `plain`."""
    return _one(_AFTER, "after_verb", level, rng, rich)


def of_motion(level: Level, rng: Random, rich: bool = False) -> str:
    """Words to stand after a head motion or a look, perhaps with slots; nothing for `plain`."""
    return _one(_HEAD, "after_verb", level, rng, rich)


def of_noun(level: Level, rng: Random, rich: bool = False) -> str:
    """An adjective for a noun ("faint"), or with `~` words before its article ("~a trace of"); nothing for `plain`."""
    return _one(_NOUN, "of_noun", level, rng, rich)


def of_adjective(level: Level, rng: Random, rich: bool = False) -> str:
    """An adverb for an adjective ("very sad"); nothing for `plain`."""
    return _one(_ADJECTIVE, "of_adjective", level, rng, rich)


def of_participle(level: Level, rng: Random, rich: bool = False) -> str:
    """An adverb for the participle of a plural ("slightly raised eyebrows"); nothing for `plain`."""
    return _one(_PARTICIPLE, "of_participle", level, rng, rich)


def trailing(level: Level, rng: Random, rich: bool = False) -> str:
    """Words to stand behind a long phrase, with their comma and perhaps slots; nothing for `plain`."""
    words = _one(_TRAILING, "trailing", level, rng, rich)
    return f", {words}" if words else ""


def _one(table: dict[Level, tuple[str, ...]], position: str, level: Level, rng: Random, rich: bool) -> str:
    options = table.get(level, ())
    if rich and options:
        options = (*options, *getattr(manner_words().intensity[level], position))
    return rng.choice(options) if options else ""
