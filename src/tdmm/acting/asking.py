"""Ways to put a yes-or-no question: about a verb, a noun or an adjective, and about anybody."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tdmm.acting.inflection import inflected
from tdmm.acting.pronouns import HE, NOBODY, SHE, THEY, Pronouns
from tdmm.acting.slots import filled
from tdmm.face.facs import Side


@dataclass(frozen=True)
class Who:
    """Whom a question is about. `as_object` is how "do you see" takes it."""

    said: str
    as_object: str
    pronouns: Pronouns
    plural: bool = False

    @property
    def does(self) -> str:
        """`does she` or `do they`."""
        return f"{'do' if self.plural else 'does'} {self.said}"

    @property
    def is_(self) -> str:
        """`is she` or `are they`."""
        return f"{'are' if self.plural else 'is'} {self.said}"


_ANYBODY = (
    Who("she", "her", SHE), Who("she", "her", SHE), Who("he", "him", HE), Who("he", "him", HE),
    Who("they", "them", THEY, plural=True), Who("the person", "the person", THEY),
    Who("the woman", "the woman", SHE), Who("the man", "the man", HE), Who("this person", "this person", THEY),
)  # fmt: skip


def anybody(rng: Random) -> Who:
    """Someone to ask about. Nobody's face shows who it is, and the question is not to be believed either."""
    return rng.choice(_ANYBODY)


def of_verb(verb: str, who: Who, rng: Random, tail: str = "") -> str:
    """`does she nod twice?`, `is he nodding twice?`

    Args:
        verb: base form, slots filled.
        who: of whom.
        rng: chooses the way to ask.
        tail: what follows the verb.
    """
    base, gerund = (f"{inflected(verb, form)} {tail}".rstrip() for form in ("base", "gerund"))
    ways = [f"{who.does} {base}"] * 4 + [f"{who.is_} {gerund}"] * 2
    ways += [f"did {who.said} {base}", f"do you see {who.as_object} {gerund}", f"can you see {who.as_object} {gerund}"]
    return rng.choice(ways) + "?"


def of_noun(noun: str, who: Who, rng: Random) -> str:
    """`is there a faint smile?`"""
    be = "is" if noun.startswith(("a ", "an ")) or not noun.endswith("s") else "are"
    ways = [f"{be} there {noun}", f"{be} there {noun}", f"do you see {noun}", f"can you see {noun}"]
    return rng.choice([*ways, f"{who.does} show {noun}", f"can {noun} be seen"]) + "?"


def of_adjective(adjective: str, who: Who, rng: Random) -> str:
    """`does she look happy?`"""
    ways = [f"{who.is_} {adjective}", f"{who.does} look {adjective}", f"{who.does} look {adjective}"]
    return rng.choice([*ways, f"{who.does} seem {adjective}", f"did {who.said} look {adjective}"]) + "?"


def spoken(text: str, who: Who, side: Side = "both", one_sided: bool = False, place: str = "") -> str:
    """A phrasing of a verb or an adjective with its slots filled for someone."""
    return filled(text, who.pronouns, side, one_sided, place)


def named(text: str, side: Side = "both", one_sided: bool = False, place: str = "") -> str:
    """A phrasing of a noun with its slots filled for nobody."""
    return filled(text, NOBODY, side, one_sided, place)


def the(noun: str) -> str:
    """`a smile` to `the smile`."""
    article, _, rest = noun.partition(" ")
    return f"the {rest}" if article in ("a", "an") else f"the {noun}"
