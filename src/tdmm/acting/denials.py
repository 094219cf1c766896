"""What a face does not do, in words: "without smiling", "no frown", "keeping her head still"."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tdmm.acting.inflection import inflected
from tdmm.acting.lexicon import load
from tdmm.acting.pronouns import Pronouns
from tdmm.acting.script import Script
from tdmm.acting.slots import filled


@dataclass(frozen=True)
class Deniable:
    """Something that can be denied.

    Attributes:
        name: of it.
        actions: none of which may be part of what the script asks for; nothing for the head.
        verbs: base forms with slots.
        nouns: without article.
    """

    name: str
    actions: frozenset[str]
    verbs: tuple[str, ...]
    nouns: tuple[str, ...] = ()


def _deniable(name: str, actions: str, verbs: tuple[str, ...], nouns: tuple[str, ...] = ()) -> Deniable:
    return Deniable(name, frozenset(actions.split()), verbs, nouns)


DENIABLE: tuple[Deniable, ...] = (
    _deniable("smile", "lip_corner_puller", ("smile", "grin", "crack a smile"), ("smile", "grin", "trace of a smile")),
    _deniable("frown", "brow_lowerer", ("frown", "furrow {poss} brow", "knit {poss} brows"), ("frown", "scowl")),
    _deniable("open_mouth", "jaw_drop", ("open {poss} mouth", "drop {poss} jaw", "part {poss} lips"), ("open mouth",)),
    _deniable(
        "raise_brows", "inner_brow_raiser outer_brow_raiser",
        ("raise {poss} eyebrows", "lift {poss} brows"), ("raised eyebrows", "raised brows"),
    ),
    _deniable("close_eyes", "eye_closure", ("close {poss} eyes", "shut {poss} eyes"), ("closed eyes",)),
    _deniable("squint", "lid_tightener", ("squint", "narrow {poss} eyes"), ("squint", "narrowed eyes")),
    _deniable("widen_eyes", "upper_lid_raiser", ("widen {poss} eyes", "open {poss} eyes wide"), ("wide eyes",)),
    _deniable("wrinkle_nose", "nose_wrinkler", ("wrinkle {poss} nose", "scrunch up {poss} nose"), ("wrinkled nose",)),
    _deniable("pucker", "lip_pucker lip_funneler", ("pucker {poss} lips", "purse {poss} lips"), ("puckered lips",)),
    _deniable("press_lips", "lip_presser", ("press {poss} lips together", "tighten {poss} lips"), ("tight lips",)),
    _deniable("turn_down_mouth", "lip_corner_depressor", ("turn {poss} mouth down", "pull {poss} mouth down")),
    _deniable("tongue", "tongue_show", ("stick out {poss} tongue", "show {poss} tongue"), ("tongue",)),
    _deniable("puff_cheeks", "cheek_puff", ("puff out {poss} cheeks", "blow up {poss} cheeks"), ("puffed cheeks",)),
    _deniable("head", "", ("move {poss} head", "nod", "shake {poss} head", "turn {poss} head"), ("head movement",)),
)  # fmt: skip
"""What can be denied. Blinks cannot: people blink whether it was asked for or not."""


def undone(script: Script) -> list[Deniable]:
    """What the script surely does not ask for."""
    known = [load().get(event.descriptor) for event in script.events]
    asked = {recipe.action for entry in known for recipe in entry.actions}
    moves = bool(script.head) or any(entry.head for entry in known)
    return [each for each in DENIABLE if (not moves if not each.actions else not each.actions & asked)]


def denied(what: Deniable, pronouns: Pronouns, rng: Random) -> str:
    """Words that deny it, to stand at the end of a sentence: ", without smiling"."""
    verb = filled(rng.choice(what.verbs), pronouns)
    options = [f"without {inflected(verb, 'gerund')}", f"without {inflected(verb, 'gerund')}",
               f"not {inflected(verb, 'gerund')}", f"never {inflected(verb, 'gerund')}",
               f"without ever {inflected(verb, 'gerund')}"]  # fmt: skip
    if what.nouns:
        noun = rng.choice(what.nouns)
        options += [f"with no {noun}", f"without any {noun}", f"no {noun}"]
    if what.name == "head":
        options += [f"with {pronouns.poss} head still", f"keeping {pronouns.poss} head still"]
    return f", {rng.choice(options)}"
