"""How strongly, in words: "slightly", "a touch of", "to the extreme", "as hard as she can".

The words are those of `intensity_words` and the phrase bank, each of which stands for one level wherever it is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from tdmm.acting import intensity_words
from tdmm.acting.intensity_words import Level
from tdmm.acting.lexicon import mentioned_head_motions

_PRONOUNS = {"{subj}": "(?:he|she|they|i|you|it)", "{poss}": "(?:his|her|their|my|your|its)"}
# "A strong smile" and "with mild surprise" give a degree; a "hard look" is another thing, and so is a "little boy".
_BEFORE_NOUN = re.compile(
    r"(?:^|\b(?:an?|with|of|shows?|showing|has|have|having|gives?|giving|pulls?|makes?)\s+)$", re.I
)
_SOMEBODY = re.compile(r"\s+(?:boy|girl|child|kid|man|woman|lady|person|one|bird|dog|cat)\b", re.I)
_AT_END = re.compile(
    r"\s*(?:$|[.,;!?)]|(?:while|whilst|as|and|with|before|but|then|(?:for|at) [0-9.]+|to (?:the )?(?:left|right)"
    r"|on (?:the|one|his|her|their|its|your|my) (?:left|right|side))\b)",
    re.I,
)


@dataclass(frozen=True)
class Heard:
    """A degree in a text, from character `start` to `end`."""

    start: int
    end: int
    level: Level


def heard(text: str) -> tuple[Heard, ...]:
    """The words of degree of a text, in order."""
    pattern, places = _words()
    found = []
    for match in pattern.finditer(text):
        for (position, level), spelt in places.items():
            if spelt.fullmatch(match.group()) and _fits(position, text[: match.start()], text[match.end() :]):
                found.append(Heard(*match.span(), level))
                break
    return tuple(found)


def level_of(text: str) -> Level | None:
    """The one level that a text gives; `plain` where it gives none, None where it gives several."""
    levels = {each.level for each in heard(text)}
    return "plain" if not levels else levels.pop() if len(levels) == 1 else None


def face_and_head(text: str) -> tuple[Level | None, Level | None]:
    """The levels of what the face and of what the head does in a text that says both at once, as `level_of`."""
    parts = _at_once(text)
    turned = [bool(mentioned_head_motions(part)) for part in parts]
    if sum(turned) == 1 and len(parts) > 1:
        face = " , ".join(part for part, moves in zip(parts, turned, strict=True) if not moves)
        return level_of(face), level_of(parts[turned.index(True)])
    return ("plain", "plain") if not heard(text) else (None, None)


def _at_once(text: str) -> list[str]:
    """The things that a text says go on together; "with great force" says of one how strongly."""
    parts, begun, degrees = list[str](), 0, heard(text)
    for match in _AT_ONCE.finditer(text):
        if not any(each.start < match.end() and match.start() < each.end for each in degrees):
            parts.append(text[begun : match.start()])
            begun = match.end()
    return [*parts, text[begun:]]


_AT_ONCE = re.compile(
    r",?\s+(?:while|whilst|as (?=(?:he|she|they|i|you|it)\b)|(?:all|and) the while|at the same time(?: as)?"
    r"|simultaneously|the whole time|in the same breath|with (?=(?:an?|\w+(?:ly|ed|ing))\b))\s*",
    re.I,
)


def _fits(position: str, before: str, after: str) -> bool:
    """Whether words of degree can stand between two pieces of text as they do in that position."""
    if _SOMEBODY.match(after):
        return False
    if position == "of_noun":
        return bool(_BEFORE_NOUN.search(before))
    return position not in ("after_verb", "trailing") or bool(_AT_END.match(after))


@cache
def _words() -> tuple[re.Pattern[str], dict[tuple[str, Level], re.Pattern[str]]]:
    """A pattern of all words, the longest first; and those of each position and level."""
    places: dict[tuple[str, Level], list[str]] = {}
    for position, level, phrase in intensity_words.all_words():
        # "~a touch of" stands before a whole noun phrase, and needs nothing before it.
        place = "before_article" if phrase.startswith("~") else position
        places.setdefault((place, level), []).append(phrase.removeprefix("~"))
    every = {phrase for phrases in places.values() for phrase in phrases}
    return re.compile(rf"(?<![\w-])(?:{_any(every)})(?![\w-])", re.I), {
        place: re.compile(_any(phrases), re.I) for place, phrases in places.items()
    }


def _any(phrases: Iterable[str]) -> str:
    """Any of some phrases, the longest first."""
    spelt = "|".join(re.escape(each) for each in sorted(phrases, key=len, reverse=True))
    for slot, said in _PRONOUNS.items():
        spelt = spelt.replace(re.escape(slot), said)
    return spelt
