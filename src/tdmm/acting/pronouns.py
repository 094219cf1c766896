"""Who a text is about: subjects and the pronouns that agree with them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tdmm.acting.strict_yaml import parse_yaml
from tdmm.errors import InvalidConfig


@dataclass(frozen=True)
class Pronouns:
    """`subj` she, `obj` her, `poss` her, `refl` herself; `plural`: whether verbs after `subj` are ("they nod")."""

    subj: str
    obj: str
    poss: str
    refl: str
    plural: bool = False


SHE = Pronouns("she", "her", "her", "herself")
HE = Pronouns("he", "him", "his", "himself")
THEY = Pronouns("they", "them", "their", "themselves", plural=True)
YOU = Pronouns("you", "you", "your", "yourself", plural=True)
ME = Pronouns("I", "me", "my", "myself", plural=True)
NOBODY = Pronouns("the face", "the face", "the", "oneself")
"""For phrases about a face and no one ("a raise of the left eyebrow")."""

_BY_NAME = {"she": SHE, "he": HE, "they": THEY}
_SHE_WORDS = re.compile(
    r"\b(she|her|woman|girl|lady|mother|mom|mum|grandmother|grandma|aunt|queen|sister|daughter|wife|actress|nurse"
    r"|businesswoman|princess|witch|bride|waitress)\b",
    re.IGNORECASE,
)
_HE_WORDS = re.compile(
    r"\b(he|his|man|boy|gentleman|guy|father|dad|grandfather|grandpa|uncle|king|brother|son|husband|businessman"
    r"|prince|wizard|groom|waiter|monk)\b",
    re.IGNORECASE,
)


@cache
def subjects() -> tuple[str, ...]:
    """Subjects to choose from, with their article: "a woman", "someone"."""
    return tuple(_table())


@cache
def pronouns_for(subject: str) -> Pronouns:
    """The pronouns of a subject; one that is not in the list is judged by its nouns, else "they"."""
    known = _table().get(subject.strip().lower())
    if known is not None:
        return known
    if _SHE_WORDS.search(subject):
        return SHE
    return HE if _HE_WORDS.search(subject) else THEY


@cache
def _table() -> dict[str, Pronouns]:
    path = Path(__file__).parent / "data" / "subjects.yaml"
    document = parse_yaml(path.read_text(encoding="utf-8"), lambda message: InvalidConfig(f"{path.name}: {message}"))
    return {subject: _BY_NAME[name] for name, listed in document.data.items() for subject in listed}
