"""Which clips are learned from and which are kept for judging: by what is asked and by who is seen.

A clip's split follows from its family and its person alone. Nothing else of the corpus matters, so a corpus
may grow, be joined with others or be mixed with them in training, and no clip ever changes sides.
"""

from __future__ import annotations

import hashlib
from typing import Literal, get_args

from tdmm.acting.script import Script

Split = Literal["train", "validation", "test", "unused"]
SPLITS: tuple[Split, ...] = get_args(Split)
"""`unused` holds the clips whose family and whose person belong to different splits."""

# What lies below the first is train, below the second validation, the rest test.
_FAMILIES = (0.94, 0.97)
# There are fewer persons than families, so more of them are held out, or there might be none.
_PERSONS = (0.8, 0.9)


def family_of(script: Script) -> str | None:
    """The combination of descriptors, sides, head motions and gaze that a script asks for.

    None without a descriptor: such clips are no family, each stands for itself.
    """
    if not script.events:
        return None
    asked = [f"{event.descriptor}:{event.side}" for event in script.events]
    asked += [motion.kind for motion in script.head] + [gaze.direction for gaze in script.gaze]
    return "/".join(asked)


def split_of(family: str | None, person: str | None, clip_id: str) -> Split:
    """The split of a clip.

    94 % of all families are for training, 3 % for validation, 3 % for testing; of all persons 80, 10 and 10 %. A clip
    with both is in the split that the two agree on, else `unused`; so no family and no person is ever in two of the
    other three.

    Args:
        family: what is asked of the clip (`family_of`); None where its words are its own.
        person: who is seen; None where nobody is known by more than one clip.
        clip_id: decides where there is neither.
    """
    if person is None:
        return _part(f"split/{clip_id if family is None else family}", _FAMILIES)
    seen = _part(f"person/{person}", _PERSONS)
    if family is None or seen == _part(f"split/{family}", _FAMILIES):
        return seen
    return "unused"


def digest(text: str) -> int:
    """A whole number below 2**64 that depends on the text alone."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _part(text: str, limits: tuple[float, float]) -> Split:
    place = digest(text) / 2.0**64
    if place < limits[0]:
        return "train"
    return "validation" if place < limits[1] else "test"
