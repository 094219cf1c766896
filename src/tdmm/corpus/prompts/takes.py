"""Takes: a clip that was rejected is made again of the same prompt, so that rejections do not unbalance a suite."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from tdmm.corpus.prompts.prompt import ClipPrompt

_TAKE = re.compile(r"(?P<first>.+)-take-(?P<number>[1-9][0-9]*)")


def take(prompt: ClipPrompt, number: int) -> ClipPrompt:
    """The same prompt for another take, with an id and a seed of its own; 1 is the prompt itself.

    Raises:
        ValueError: `number` is not 1 or more.
    """
    if number < 1:
        raise ValueError(f"takes are counted from 1, not {number}")
    if number == 1:
        return prompt
    clip_id = f"{prompt.clip_id}-take-{number}"
    digest = hashlib.blake2b(f"{clip_id}/{prompt.seed}".encode(), digest_size=4).digest()
    return prompt.model_copy(update={"clip_id": clip_id, "seed": int.from_bytes(digest, "big") >> 1})


def take_of(clip_id: str) -> tuple[str, int]:
    """The id of a clip's first take, and which take it is."""
    found = _TAKE.fullmatch(clip_id)
    return (clip_id, 1) if found is None else (found["first"], int(found["number"]))


def takes_due(fates: Iterable[tuple[str, bool]], most: int) -> dict[str, int]:
    """How many takes there are to be of each clip, by the id of its first; those with one take are left out.

    Args:
        fates: ids of clips, and whether they were rejected.
        most: takes of a clip.
    """
    due: dict[str, int] = {}
    for clip_id, rejected in fates:
        first, number = take_of(clip_id)
        wanted = min(number + rejected, most)
        if wanted > due.get(first, 1):
            due[first] = wanted
    return due
