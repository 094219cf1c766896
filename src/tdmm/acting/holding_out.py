"""Which phrasings no training text uses: they grade open vocabulary."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

from tdmm.acting.descriptors import FORMS, Phrasing

Wordings = Literal["plain", "trained", "held_out"]
"""Which phrasings a narration draws on: the lexicon's own, those and the bank, or the held-out ones alone."""

HELD_OUT = 0.2
"""Share of the phrasings that is held out."""


def hidden_of(name: str, said: Sequence[Phrasing]) -> tuple[Phrasing, ...]:
    """The fifth of some phrasings of a head motion, a look or a blink that is held out, of every form."""
    hidden: list[Phrasing] = []
    for form in FORMS:
        ranked = sorted((each for each in said if each.form == form), key=lambda each: rank(name, each.text))
        hidden += ranked[: round(HELD_OUT * len(ranked))]
    return tuple(hidden)


def rank(name: str, text: str) -> str:
    """A place in an order that depends on the words alone."""
    return hashlib.blake2b(f"{name}/{text}".encode(), digest_size=8).hexdigest()
