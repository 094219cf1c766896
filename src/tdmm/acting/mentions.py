"""Finding descriptors, head motions, looks and blinks in free text, inflected and with words between."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from tdmm.acting.descriptors import Descriptor, DescriptorSide, Phrasing
from tdmm.acting.inflection import adverb, plural, verb_forms
from tdmm.acting.motion_words import motion_words, stem_and_hand
from tdmm.acting.slots import accepted
from tdmm.motion.events import HEAD_MOTIONS, HeadMotionKind

_BETWEEN = (
    "slightly|faintly|barely|lightly|mildly|gently|softly|subtly|clearly|strongly|markedly|firmly|intensely|extremely"
    "|very|ever|so|a|little|bit|just|left|right|both|slowly|quickly|briefly|suddenly|gradually|faint|slight|strong|clear"
    "|intense|extreme|twice|once|wide"
)
_GAP = rf"(?: (?:{_BETWEEN})\b){{0,3}} "
_WORD = re.compile(r"[a-z]+(?:[-'’][a-z]+)*", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:an?|the) ")

_STOP = frozenset(
    re.findall(
        "[a-z]+",
        """
        a about against all an and animal are as at back bad be been being best big by came candle cat child
        coaster come comes coming complete cream did distance do does dog doing done down even ever find finding
        finds floor for found from full gave get gets getting give given gives giving go goes got had half has
        have heavy held hold holding holds in into is it its itself keep keeping keeps kept let lets letting
        light like lion long loss made make makes making move moved moves moving news no not obj of on one only
        or others out over poss put puts putting ran refl roller rotten run running runs set sets setting show
        showed showing shown shows side someone something still subj sun take taken takes taking task that the
        to took tune turn turned turning turns two under up victory was were what who with work worked working
        works worst
        """,
    )
)
"""Words of phrasings that say nothing about a face on their own."""


@dataclass(frozen=True)
class Mention:
    """A descriptor named in a text, at characters `start` to `end`."""

    descriptor: str
    start: int
    end: int


@dataclass(frozen=True)
class Found:
    """Something named in a text. `sort` is descriptor, head, gaze or blink; `name` which one."""

    sort: str
    name: str
    start: int
    end: int


@dataclass(frozen=True)
class Pattern:
    """A phrasing as it may stand in a text.

    Attributes:
        sort, name: what it says.
        firsts: every form its first word may take.
        expression: a regular expression for the whole.
        literals: forms of each literal token after the first; a text without one of each does not match.
        words: every literal word of it, in every form.
    """

    sort: str
    name: str
    firsts: tuple[str, ...]
    expression: str
    literals: tuple[tuple[str, ...], ...]
    words: frozenset[str]


class Finder:
    """Finds patterns in texts: the longest match wins and matches never overlap."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._by_first: dict[str, list[Pattern]] = {}
        self._compiled: dict[str, re.Pattern[str]] = {}
        words: set[str] = set()
        for pattern in patterns:
            words |= pattern.words
            for first in pattern.firsts:
                self._by_first.setdefault(first, []).append(pattern)
        self.words = frozenset(words - _STOP)

    def find(self, text: str) -> list[Found]:
        """Everything named, in the order of the text."""
        candidates, plain = [], text.lower()
        for word in _WORD.finditer(text):
            for pattern in self._by_first.get(word.group().lower(), ()):
                # To compile an expression takes far longer than to match it, and few of them can match.
                if not all(any(form in plain for form in forms) for forms in pattern.literals):
                    continue
                match = self._expression(pattern.expression).match(text, word.start())
                if match is not None:
                    candidates.append(Found(pattern.sort, pattern.name, match.start(), match.end()))
        candidates.sort(key=lambda found: (found.start - found.end, found.start))
        taken: list[Found] = []
        for found in candidates:
            if all(found.end <= other.start or other.end <= found.start for other in taken):
                taken.append(found)
        return sorted(taken, key=lambda found: found.start)

    def _expression(self, expression: str) -> re.Pattern[str]:
        if expression not in self._compiled:
            self._compiled[expression] = re.compile(expression, re.IGNORECASE)
        return self._compiled[expression]


def descriptor_patterns(entries: Sequence[Descriptor]) -> list[Pattern]:
    """Every way to name each descriptor: its phrasings in all forms, and its name."""
    patterns = []
    for entry in entries:
        for phrasing in entry.phrasings:
            patterns += _patterns("descriptor", entry.name, phrasing, entry.side)
        name = Phrasing("noun", "a " + entry.name.replace("_", " "))
        patterns += _patterns("descriptor", entry.name, name, entry.side)
    return patterns


@cache
def motion_patterns() -> tuple[Pattern, ...]:
    """Every way to name the head motions, looks and blinks."""
    words = motion_words().understood
    patterns = []
    for kind in HEAD_MOTIONS:
        stem, hand = stem_and_hand(kind)
        for phrasing in words[stem]:
            patterns += _patterns("head", kind, phrasing, "both", hand)
    for sort, names in (("gaze", ("look", "glance")), ("blink", ("quick", "slow"))):
        for name in names:
            for phrasing in words[name]:
                patterns += _patterns(sort, name, phrasing, "both")
    return tuple(patterns)


def _patterns(sort: str, name: str, phrasing: Phrasing, side: DescriptorSide, hand: str = "") -> list[Pattern]:
    text = _ARTICLE.sub("", phrasing.text) if phrasing.form == "noun" else phrasing.text
    variants = [text]
    if phrasing.form == "noun" and text != phrasing.text:
        variants.append(plural(text))
    elif phrasing.form == "adjective" and re.fullmatch("[a-z]+", text):
        variants.append(adverb(text))
    return [_pattern(sort, name, variant, phrasing.form == "verb", side, hand) for variant in variants]


def _pattern(sort: str, name: str, text: str, verb: bool, side: DescriptorSide, hand: str) -> Pattern:
    expression = ""
    words: set[str] = set()
    firsts: tuple[str, ...] = ()
    literals: list[tuple[str, ...]] = []
    for index, token in enumerate(text.split(" ")):
        slot = re.fullmatch(r"{([a-z_]+)}", token)
        optional = False
        if slot:
            piece, optional = accepted(slot.group(1), side, hand)
        else:
            inflects = verb and (index == 0 or token.startswith("*"))
            forms = verb_forms(token.lstrip("*")) if inflects else (token,)
            words.update(part for form in forms for part in re.findall("[a-z]+", form))
            if firsts:
                literals.append(tuple(form.lower() for form in forms))
            firsts = firsts or forms
            piece = "(?:" + "|".join(re.escape(form) for form in forms) + ")"
        if index == 0:
            expression = piece
        else:
            expression += f"(?:{_GAP}{piece})?" if optional else f"{_GAP}{piece}"
    return Pattern(sort, name, firsts, expression + r"(?![\w])", tuple(literals), frozenset(words))


def head_motions_in(found: Iterable[Found]) -> list[HeadMotionKind]:
    """The head motions among what was found, each once, in the order of the text."""
    named = [each.name for each in found if each.sort == "head"]
    kinds: list[HeadMotionKind] = [kind for kind in HEAD_MOTIONS if kind in named]
    return sorted(kinds, key=named.index)
