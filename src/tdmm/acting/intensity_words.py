"""Intensities in words: five bins, each with its own words, so that a word always means the same."""

from __future__ import annotations

from random import Random
from typing import Literal

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


def level_of(intensity: float) -> Level:
    """The level of an intensity: about 0.3 faint, 0.4 slight, 0.6 plain, 0.8 strong, 1.0 extreme."""
    return next((level for limit, level in _LIMITS if intensity < limit), "extreme")


def before_verb(level: Level, rng: Random) -> str:
    """An adverb to stand before a verb; nothing for `plain`."""
    return rng.choice(_BEFORE[level]) if level in _BEFORE else ""


def after_verb(level: Level, rng: Random) -> str:
    """Words to stand after a verb phrase, perhaps with `{subj}`; nothing for `plain`."""
    return rng.choice(_AFTER[level]) if level in _AFTER else ""


def of_motion(level: Level, rng: Random) -> str:
    """Words to stand after a head motion or a look, perhaps with `{subj}`; nothing for `plain`."""
    return rng.choice(_HEAD[level]) if level in _HEAD else ""


def of_noun(level: Level, rng: Random) -> str:
    """An adjective for a noun ("a faint smile"); nothing for `plain`."""
    return rng.choice(_NOUN[level]) if level in _NOUN else ""


def of_adjective(level: Level, rng: Random) -> str:
    """An adverb for an adjective ("very sad"); nothing for `plain`."""
    return rng.choice(_ADJECTIVE[level]) if level in _ADJECTIVE else ""


def of_participle(level: Level, rng: Random) -> str:
    """An adverb for the participle of a plural ("slightly raised eyebrows"); nothing for `plain`."""
    return rng.choice(_PARTICIPLE[level]) if level in _PARTICIPLE else ""
