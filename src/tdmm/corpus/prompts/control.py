"""Control: whether a text still asks for what its script asks for.

Descriptors are read by family, in their order; with each its side and its degree; head motions, looks and blinks. The
readers are those that the rest of the package reads prompts with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tdmm.acting import degrees
from tdmm.acting.beats import items_of
from tdmm.acting.brief import DEGREES
from tdmm.acting.clauses import Item
from tdmm.acting.intensity_words import Level, level_of
from tdmm.acting.lexicon import Found, load
from tdmm.acting.motion_words import motion_words, stem_and_hand
from tdmm.acting.pronouns import Pronouns, pronouns_for
from tdmm.acting.script import Blink, Event, HeadMotion, Script
from tdmm.acting.sentences import said_of_all
from tdmm.acting.slots import filled

_HAND = re.compile(r"\b(left|right)\b", re.IGNORECASE)
# An eyebrow that goes down leaves the other one up, which is the side of a puzzled look.
_LOWERED = re.compile(r"\s+(?:eye)?brow\s+(?:is\s+)?(?:down|lower)", re.IGNORECASE)
_NEXT = re.compile(
    r"[.;]|,? (?:and )?(?:then|finally|next|after|afterwards)\b|\b(?:while|before|followed by|as (?=he|she|they|it)"
    r"|together with)\b|, (?:and|in the end)\b| and | with (?=an? )",
    re.IGNORECASE,
)
# Seconds, paces and energies hold words that elsewhere are degrees: "half", "a lot".
_ASIDE = re.compile(
    r"\bfor (?:about |around )?(?:an?|one|two|three|four|five|six|half)(?: [a-z]+)? ?"
    r"(?:seconds?(?: and a half)?|moments?|instant)\b|\bfor an instant\b|\bat a (?:slow|quick) pace\b|"
    + "|".join(re.escape(phrase) for phrases in said_of_all() for phrase in sorted(phrases, key=len, reverse=True)),
    re.IGNORECASE,
)
_COUNTED = re.compile(r"\b(?:two|three|four|five|six)\b(?= )", re.IGNORECASE)
_HINT = re.compile(r"\ba hint of\b", re.IGNORECASE)
_FURTHER = re.compile(r"(?: and)? to (?:the|her|his|their) (?:left|right)\b", re.IGNORECASE)
_DEGREE_WORDS: dict[Level, str] = {
    "faint": "such as 'faintly', 'barely' or 'a hint of'",
    "slight": "such as 'slightly', 'a little' or 'a slight ...'",
    "plain": "which is told by no word of degree at all",
    "strong": "such as 'strongly', 'clearly' or 'a strong ...'",
    "extreme": "such as 'intensely', 'extremely' or 'an extreme ...'",
}
_FAR = 1000  # characters that a border between two clauses counts for
_DIRECTIONS = {
    "up": re.compile(r"\b(?:up|upper|upwards?)\b", re.IGNORECASE),
    "down": re.compile(r"\b(?:down|lower|downwards?)\b", re.IGNORECASE),
    "left": re.compile(r"\bleft(?:wards?)?\b", re.IGNORECASE),
    "right": re.compile(r"\bright(?:wards?)?\b", re.IGNORECASE),
}


@dataclass(frozen=True)
class _Asked:
    """One thing of a script as it is looked for in a text: `key` is what `_key` gives of a finding of it."""

    sort: str
    key: str
    said: str
    level: Level = "plain"
    hand: str | None = None
    toward: frozenset[str] = frozenset()


def lost(script: Script, text: str) -> tuple[str, ...]:
    """What of a script a text does not ask for, or asks for beside it: one sentence each, none where control is kept.

    Args:
        script: what is asked.
        text: the same in words, in the third person, with the subject by name.
    """
    if script.subject.partition(" ")[2].lower() not in text.lower():
        return (f"Name the person, word for word: {script.subject}.",)
    asked = [_asked(item, pronouns_for(script.subject)) for item in items_of(script)]
    found = [_with_corner(each, text) for each in load().find(text)]
    problems = _named(asked, found)
    return tuple(problems or _said_of_each(asked, found, text))


def asks_of_face(words: str) -> bool:
    """Whether words about something else (a person, a scene) would be read as asking the face for something."""
    return bool(load().find(words) or degrees.heard(words) or _HAND.search(words))


def _with_corner(found: Found, text: str) -> Found:
    """A look "up to the left" to its end."""
    further = _FURTHER.match(text, found.end) if found.sort == "gaze" else None
    return found if further is None else replace(found, end=further.end())


def _named(asked: Sequence[_Asked], found: Sequence[Found]) -> list[str]:
    """What is named, and in which order."""
    wanted = list(dict.fromkeys((each.sort, each.key) for each in asked))
    named = list(dict.fromkeys((each.sort, _key(each)) for each in found))
    problems = [f"Say this too: {each.said}." for each in asked if (each.sort, each.key) not in named]
    problems += [
        f"Leave out {text}: it was not asked for."
        for text in dict.fromkeys(
            each.name.replace("_", " ") for each in found if (each.sort, _key(each)) not in wanted
        )
    ]
    if not problems and named != wanted:
        problems.append(f"Keep this order: {', then '.join(each.said for each in asked)}.")
    return problems


def _said_of_each(asked: Sequence[_Asked], found: Sequence[Found], text: str) -> list[str]:
    """How strongly, on which side and where to. What is asked twice is looked at together."""
    heard, hands = _degrees(found, text), _hands(found, text)
    problems = []
    for each in asked:
        like = [other for other in asked if (other.sort, other.key) == (each.sort, each.key)]
        mine = [one for one in found if (one.sort, _key(one)) == (each.sort, each.key)]
        levels = {other.level for other in like} - {"plain"}
        if each.sort != "blink" and {level for of, level in heard if of in mine} != levels:
            problems.append(_degree_problem(each))
        sides = {other.hand for other in like} - {None}
        if each.sort == "descriptor" and {side for of, side in hands if of in mine} != sides:
            problems.append(_side_problem(each))
        if each.sort == "gaze" and _toward(mine, text) != frozenset().union(*(other.toward for other in like)):
            problems.append(f"Say where the eyes go: {each.said}.")
    return problems


def asks(script: Script) -> tuple[str, ...]:
    """What a text must say to keep control of a script, one line each, in the order in which it must be said."""
    lines = []
    for each in (_asked(item, pronouns_for(script.subject)) for item in items_of(script)):
        line = each.said
        if each.sort != "blink":
            line += f"; degree: {DEGREES[each.level]}, {_DEGREE_WORDS[each.level]}"
        if each.sort == "descriptor":
            line += f"; side: {each.hand or 'none, name neither left nor right'}"
        lines.append(line)
    return tuple(lines)


def _asked(item: Item, pronouns: Pronouns) -> _Asked:
    if isinstance(item, Event):
        entry = load().get(item.descriptor)
        texts = [
            filled(each.text.replace("*", ""), pronouns, item.side, entry.side == "one") for each in entry.phrasings[:5]
        ]
        hand = None if item.side == "both" else item.side
        said = " or ".join(f"'{text}'" for text in texts)
        return _Asked("descriptor", entry.family, said, level_of(item.intensity), hand)
    if isinstance(item, HeadMotion):
        stem, way = stem_and_hand(item.kind)
        words = [each.text for each in motion_words().said[stem] if each.form == "verb"][:3]
        texts = [filled(text, pronouns, place=f"to the {way}") for text in words if "{shoulder}" not in text]
        said = "the head: " + " or ".join(f"'{text}'" for text in texts)
        return _Asked("head", item.kind, said, level_of(item.intensity))
    if isinstance(item, Blink):
        return _Asked("blink", "blink", "'blink slowly'" if item.slow else "'blink'")
    toward = item.direction.replace("_", " and to the ")
    said = f"the eyes: 'look {toward}' or 'glance {toward}'"
    return _Asked("gaze", "gaze", said, level_of(item.intensity), toward=frozenset(item.direction.split("_")))


def _key(found: Found) -> str:
    if found.sort == "descriptor":
        return load().get(found.name).family
    return found.name if found.sort == "head" else found.sort


def _nearest(start: int, end: int, found: Iterable[Found], text: str) -> Found | None:
    """What a word belongs to: what it stands in, or beside with the fewest clauses and then letters between."""

    def distance(each: Found) -> int:
        if start < each.end and each.start < end:
            return 0
        between = text[end : each.start] if end <= each.start else text[each.end : start]
        return len(between) + _FAR * len(_NEXT.findall(between))

    return min(found, key=distance, default=None)


def _degrees(found: Sequence[Found], text: str) -> list[tuple[Found | None, Level]]:
    """Degrees said in a text, each with what it is said of."""
    plain = _ASIDE.sub(lambda match: " " * len(match.group()), text)
    plain = _COUNTED.sub(lambda match: "a".ljust(len(match.group())), plain)
    plain = plain.replace(" who ", " and ")
    heard = [
        (each.start, each.end, each.level)
        for each in degrees.heard(plain)
        if not any(_is_own(plain[each.start : each.end], one) for one in found if _within(each, one))
    ]
    heard += [(*match.span(), "faint") for match in _HINT.finditer(plain)]
    return [(_nearest(start, end, found, text), level) for start, end, level in heard]


def _within(inner: degrees.Heard, outer: Found) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _is_own(words: str, found: Found) -> bool:
    """Whether words belong to a phrasing itself, as in "a half smile", and are no degree of it."""
    if found.sort != "descriptor":
        return False
    return any(f" {words.lower()} " in f" {each.text} " for each in load().get(found.name).phrasings)


def _hands(found: Sequence[Found], text: str) -> list[tuple[Found | None, str]]:
    """Sides named in a text, each with the expression that it is said of."""
    expressions = [each for each in found if each.sort == "descriptor"]
    others = [each for each in found if each.sort != "descriptor"]
    hands = []
    for match in _HAND.finditer(text):
        if any(each.start <= match.start() < each.end for each in others):
            continue
        hand = match.group().lower()
        expression = _nearest(*match.span(), expressions, text)
        if expression is not None and _key(expression) == "confusion" and _LOWERED.match(text, match.end()):
            hand = "left" if hand == "right" else "right"
        hands.append((expression, hand))
    return hands


def _toward(mine: Iterable[Found], text: str) -> frozenset[str]:
    said = " ".join(text[each.start : each.end] for each in mine)
    return frozenset(word for word, pattern in _DIRECTIONS.items() if pattern.search(said))


def _degree_problem(asked: _Asked) -> str:
    if asked.level == "plain":
        return f"Say no degree of {asked.said}, neither slight nor strong."
    return f"Say right beside {asked.said} how strong it is: {DEGREES[asked.level]}, {_DEGREE_WORDS[asked.level]}."


def _side_problem(asked: _Asked) -> str:
    if asked.hand is None:
        return f"Say no side of {asked.said}, neither left nor right."
    return f"Say that {asked.said} is on the {asked.hand} side."
