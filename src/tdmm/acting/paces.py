"""How fast, in words: "slowly", "a sudden grin", "little by little", "in a flash"."""

from __future__ import annotations

import re
from typing import Literal

Pace = Literal["slow", "quick"]

_SLOW = (
    "slow", "slowly", "gradual", "gradually", "unhurried", "unhurriedly", "leisurely", "languid", "languidly",
    "little by little", "bit by bit", "by degrees", "in slow motion", "in no hurry",
    "taking (?:his|her|their|its) time",
)  # fmt: skip
_QUICK = (
    "quick", "quickly", "sudden", "suddenly", "all of a sudden", "rapid", "rapidly", "swift", "swiftly", "abrupt",
    "abruptly", "fast", "hasty", "hastily", "brisk", "briskly", "in a flash", "in an instant", "in the blink of an eye",
)  # fmt: skip
# What stands behind it is somebody else's pace: "as if the train were leaving slowly", "like a fast car".
_ELSEWHERE = re.compile(r"\b(?:as if|as though|as when|like|who|that|whose|when|because)\b.*", re.I | re.S)
_NOT_MEANT = re.compile(r"\bfast asleep\b|\b(?:not|never|isn't|without being) (?:so |too |very )?\w+", re.I)


def _any(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(sorted(words, key=len, reverse=True))})\b", re.I)


_WORDS: dict[Pace, re.Pattern[str]] = {"slow": _any(_SLOW), "quick": _any(_QUICK)}


def pace_of(text: str) -> Pace | None:
    """The one pace that a text gives; None where it gives none, or both."""
    told = _NOT_MEANT.sub(" ", _ELSEWHERE.sub("", text))
    found = [pace for pace, words in _WORDS.items() if words.search(told)]
    return found[0] if len(found) == 1 else None
