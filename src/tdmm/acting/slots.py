"""The slots of phrasings: what the narrator puts into them, and what the finder accepts in them."""

from __future__ import annotations

import re

from tdmm.acting.descriptors import DescriptorSide
from tdmm.acting.pronouns import Pronouns
from tdmm.face.facs import Side

_PARTS = {
    "eyebrow": ("eyebrow", "(?:eye)?brow"),
    "eye": ("eye", "eye"),
    "eyelid": ("eyelid", "(?:eye)?lid"),
    "cheek": ("cheek", "cheek"),
}
_DETERMINER = (
    "(?:(?:both|one)(?: of)?(?: (?:her|his|their|its|my|your|our|the))?|her|his|their|its|my|your|our|the|one's|an?)"
)
_OTHERS = {
    "obj": "(?:her|him|them|it|me|you|us)",
    "subj": "(?:she|he|they|it|i|you|we)",
    "refl": "(?:herself|himself|themselves|themself|itself|myself|yourself|oneself)",
}

SIDE_SLOTS = frozenset({*_PARTS, "corner", "sideways"})
"""Slots that say the side themselves."""


def slots_of(text: str) -> frozenset[str]:
    """The names in braces in a phrasing."""
    return frozenset(re.findall(r"{([a-z_]+)}", text))


def filled(text: str, pronouns: Pronouns, side: Side = "both", one_sided: bool = False, place: str = "") -> str:
    """A phrasing with its slots filled.

    Args:
        text: the phrasing.
        pronouns: of who does it.
        side: the face's own side; with `both` and `one_sided`, "one eyebrow".
        one_sided: the thing is always done on one side.
        place: what `{to_side}`, `{shoulder}` and `{toward}` stand for.
    """

    def fill(match: re.Match[str]) -> str:
        slot = match.group(1)
        if slot in ("to_side", "shoulder", "toward"):
            return place
        if slot == "sideways":
            return "to one side" if side == "both" else f"to the {side}"
        if slot == "corner":
            which = ("one corner" if one_sided else "the corners") if side == "both" else f"the {side} corner"
            return f"{which} of {pronouns.poss} mouth"
        if slot in _PARTS:
            part = _PARTS[slot][0]
            if side != "both":
                return f"{pronouns.poss} {side} {part}"
            return f"one {part}" if one_sided else f"{pronouns.poss} {part}s"
        return str(getattr(pronouns, slot))

    return re.sub(r"{([a-z_]+)}", fill, text)


def accepted(slot: str, side: DescriptorSide = "both", hand: str = "") -> tuple[str, bool]:
    """A regular expression for what a slot may hold in free text, and whether it may be missing.

    Args:
        slot: its name.
        side: of the descriptor; one that is always one-sided takes the singular only.
        hand: `left` or `right` for `{to_side}` and `{shoulder}`.
    """
    if slot == "poss":
        return _DETERMINER, True
    if slot in _OTHERS:
        return _OTHERS[slot], False
    if slot == "sideways":
        return (
            rf"(?:(?:to|towards?|over to) (?:{_DETERMINER} )?(?:left|right|side)(?: side)?|sideways|aside|left|right)"
        ), True
    if slot == "to_side":
        return (rf"(?:(?:over )?(?:to|towards?) (?:{_DETERMINER} )?{hand}(?: side)?|{hand}(?:wards?)?)"), False
    if slot == "shoulder":
        return rf"(?:{_DETERMINER} )?{hand} shoulder", False
    if slot == "toward":
        return r"(?:(?:over |away |and |back )*(?:to |towards? )?(?:the |her |his |their |your |its )?" + (
            r"(?:(?:upper|lower|up|down|left|right|upwards?|downwards?|side|and to the)(?: |\b))+)"
        ), False
    if slot == "corner":
        ending = "" if side == "one" else "s?"
        return (
            rf"(?:(?:{_DETERMINER} )?(?:left |right )?corner{ending} of (?:{_DETERMINER} )?(?:mouth|lips)"
            rf"|(?:{_DETERMINER} )?(?:left |right )?mouth corner{ending})"
        ), False
    ending = "" if side == "one" else "s?"
    return rf"(?:{_DETERMINER} )?(?:left |right )?{_PARTS[slot][1]}{ending}", False
