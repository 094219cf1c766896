"""Clauses into sentences: beats told in a voice, and beats chained in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from tdmm.acting.clauses import Clause
from tdmm.acting.manner_words import manner_words
from tdmm.acting.pronouns import Pronouns
from tdmm.acting.script import Energy

Voice = Literal["finite", "past", "future", "imperative", "participle"]

_ENERGY: dict[Energy, tuple[str, ...]] = {
    "low": ("in a calm way", "in a slow and quiet way", "with little energy", "in a subdued way"),
    "high": ("in a lively way", "with a lot of energy", "in an animated way", "in a brisk and lively way"),
}
_ENERGY_SENTENCES: dict[Energy, tuple[str, ...]] = {
    "low": (
        "It all happens with little energy.", "The whole performance is calm and slow.",
        "Everything is done in a subdued way.", "The movements are calm and small throughout.",
    ),
    "high": (
        "It all happens in a lively way.", "The whole performance is animated and brisk.",
        "Everything is done with a lot of energy.", "The movements are lively throughout.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Beat:
    """Clauses that are done at once, the first leading. `late` marks one that starts before the last is over."""

    clauses: tuple[Clause, ...]
    late: bool = False

    @property
    def noun(self) -> str | None:
        """The beat as a noun phrase, if it is a single clause that has one."""
        return self.clauses[0].noun if len(self.clauses) == 1 else None


def told(beat: Beat, voice: Voice, pronouns: Pronouns, plural_subject: bool, rng: Random, rich: bool = False) -> str:
    """A beat as a predicate in a voice: "smirks slightly while looking down"."""
    main, *company = beat.clauses
    lead = _in_voice(main, voice, plural_subject)
    joined = False
    for clause in company:
        if joined:
            lead += f" and {clause.gerund()}"
        elif clause.noun is not None and " with " not in lead and rng.random() < 0.35:
            lead += f" with {clause.noun}"
        elif voice == "finite" and rng.random() < 0.35:
            lead += f" as {pronouns.subj} {clause.finite(pronouns.plural)}"
        else:
            lead += f"{rng.choice(manner_words().transitions.while_) if rich else ' while '}{clause.gerund()}"
            joined = True
    return lead


def _in_voice(clause: Clause, voice: Voice, plural_subject: bool) -> str:
    if voice == "participle":
        return clause.gerund()
    if voice == "past":
        return clause.past()
    return clause.finite(plural_subject) if voice == "finite" else clause.base()


def chained(
    beats: Sequence[Beat], voice: Voice, pronouns: Pronouns, plural_subject: bool, rng: Random, rich: bool = False
) -> str:
    """Beats one after another as one predicate: "smirks, then nods twice before looking down".

    `rich` joins them in all the ways people have.
    """
    parts = [told(beat, voice, pronouns, plural_subject, rng, rich) for beat in beats]
    if len(parts) == 1:
        return parts[0]
    if rich and rng.random() < 0.6:
        return _joined_richly(parts, voice, rng)
    if len(parts) == 2:
        return _pair(beats, parts, voice, rng)
    *middle, last = parts[1:]
    opening = rng.choice(("", "", "first ")) if voice != "participle" else ""
    between = "".join(rng.choice((f", then {part}", f", and then {part}", f", after that {part}")) for part in middle)
    return f"{opening}{parts[0]}{between}{rng.choice((', and finally ', ', and then ', ', and in the end '))}{last}"


def _joined_richly(parts: Sequence[str], voice: Voice, rng: Random) -> str:
    words = manner_words().transitions
    text = rng.choice(words.first) if rng.random() < 0.35 and voice not in ("participle", "future") else ""
    text += parts[0]
    for index, part in enumerate(parts[1:], start=2):
        text += rng.choice(words.finally_ if index == len(parts) and len(parts) > 2 else words.then) + part
    return text


def _pair(beats: Sequence[Beat], parts: Sequence[str], voice: Voice, rng: Random) -> str:
    first, second = parts
    simple = all(len(beat.clauses) == 1 for beat in beats)
    options = [f"{first}, then {second}", f"{first} and then {second}", f"{first}, and after that {second}"]
    if simple and voice != "participle":
        options.append(f"{first} before {beats[1].clauses[0].gerund()}")
        options.append(f"first {first}, then {second}")
    if beats[1].noun is not None:
        options.append(f"{first}, followed by {beats[1].noun}")
    return rng.choice(options)


def energy_phrase(energy: Energy, rng: Random, rich: bool = False) -> str:
    """Words for an energy, to stand at either end of a sentence; nothing for `normal`."""
    if energy not in _ENERGY:
        return ""
    return rng.choice((*_ENERGY[energy], *(manner_words().energy[energy] if rich else ())))


def said_of_all() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All phrases and all sentences about an energy."""
    phrases, whole = manner_words().energy, manner_words().energy_sentences
    return (
        tuple(each for level in _ENERGY for each in (*_ENERGY[level], *phrases[level])),
        tuple(each for level in _ENERGY for each in (*_ENERGY_SENTENCES[level], *whole[level])),
    )


def energy_sentence(energy: Energy, rng: Random, rich: bool = False) -> str:
    """A sentence of its own about the energy; nothing for `normal`."""
    if energy not in _ENERGY_SENTENCES:
        return ""
    more = manner_words().energy_sentences[energy] if rich else ()
    return sentence(rng.choice((*_ENERGY_SENTENCES[energy], *more)))


def neutral(subject: str, pronouns: Pronouns, rng: Random) -> str:
    """A sentence about a face that does nothing."""
    return rng.choice(
        (
            "A neutral face.",
            f"{subject} keeps a neutral face.",
            f"{subject} with a neutral face.",
            f"{subject} does nothing in particular.",
            f"{subject} shows no expression at all.",
            f"{subject} keeps still with a blank face.",
            "A resting face without expression.",
            f"The face of {subject} stays neutral.",
            f"{subject} at rest, {pronouns.poss} face neutral.",
            "Nothing happens on the face.",
        )
    )


def sentence(text: str) -> str:
    """With a capital at the start and a full stop at the end."""
    text = upper_first(text.strip())
    return text if text.endswith((".", "!")) else text + "."


def upper_first(text: str) -> str:
    """With a capital at the start."""
    return text[:1].upper() + text[1:]
