"""The face part in words by rules alone: the narrator's sentences, kept where control is kept."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tdmm.acting.narrator import Detail, narrate
from tdmm.acting.script import Script
from tdmm.corpus.prompts.control import lost
from tdmm.errors import InvalidScript

RULES = "rules"
"""Who worded a text where no model did."""

# Short texts name no side and no degree, and keep control only where there is none to name.
_DETAILS: tuple[Detail, ...] = ("medium", "long", "medium", "long", "short")
_TRIES = 60


def told(script: Script, seed: int, count: int = 1) -> tuple[str, ...]:
    """A script in words, in several ways that all keep control.

    Deterministic for a seed; the first texts do not depend on `count`.

    Args:
        script: what the face does; the subject is named in every text.
        seed: another seed is another way to say it.
        count: how many; fewer come back where the narrator has no more different ways.

    Raises:
        InvalidScript: the narrator finds no text from which the script is read again.
    """
    texts: dict[str, None] = {}
    for text in candidates(script, seed):
        if text not in texts and not lost(script, text):
            texts[text] = None
            if len(texts) == count:
                break
    if not texts:
        raise InvalidScript(
            f"Nothing that the narrator says of this script keeps control of it ({lost(script, text)[0]}) "
            "Use fewer things at a time, and one descriptor of a family."
        )
    return tuple(texts)


def candidates(script: Script, seed: int) -> Iterator[str]:
    """What the narrator says of a script, before anybody checks it: details and sentence frames vary."""
    rng = Random(seed)
    for _ in range(_TRIES):
        text = _upright(narrate(script, rng.randrange(2**31), rng.choice(_DETAILS)))
        # "A man with a beard with a smile" is none of the ways in which people talk.
        if " with " not in script.subject or f"{script.subject} with ".lower() not in text.lower():
            yield text


def _upright(text: str) -> str:
    """Short texts come as people type them; prompts are whole sentences."""
    return text[:1].upper() + text[1:].removesuffix(".") + "."
