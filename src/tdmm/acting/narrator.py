"""The narrator: scripts into words, at three levels of detail, in many ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from tdmm.acting.answers import TASKS, Task, answer
from tdmm.acting.beats import beats_of, onset_of, overlapping
from tdmm.acting.clauses import Item, Manner, clause_of, has_noun
from tdmm.acting.denials import denied, undone
from tdmm.acting.holding_out import Wordings
from tdmm.acting.inflection import number
from tdmm.acting.lexicon import mentioned_head_motions, words_known
from tdmm.acting.pronouns import ME, NOBODY, YOU, Pronouns, pronouns_for
from tdmm.acting.script import Script
from tdmm.acting.sentences import (
    Beat,
    chained,
    energy_phrase,
    energy_sentence,
    neutral,
    sentence,
    told,
)
from tdmm.acting.slips import slipped

Detail = Literal["short", "medium", "long"]


@dataclass(frozen=True)
class Narration:
    """How freely a script is told.

    Attributes:
        wordings: which phrasings of the descriptors are used.
        times: share of the texts, short ones aside, that give seconds as numbers.
        denials: share of the texts that say what the face does not do.
        slips: share of the short texts with mistyped words.
        free: any person and tense, "I smiled", beside the third person and the present.
    """

    wordings: Wordings = "plain"
    times: float = 0.0
    denials: float = 0.0
    slips: float = 0.0
    free: bool = False


PLAIN = Narration()
AS_WRITTEN = Narration("trained", times=0.3, denials=0.15, slips=0.2, free=True)
"""As people write, and as models learn; but for the held-out wordings."""

_DETAIL_SEEDS: dict[Detail, int] = {"short": 0, "medium": 1, "long": 2}


@dataclass(frozen=True)
class _Telling:
    """What one narration works with."""

    script: Script
    detail: Detail
    pronouns: Pronouns
    rng: Random
    narration: Narration
    exact: bool

    def manner(self, pronouns: Pronouns | None = None, noun: bool = False) -> Manner:
        return Manner(
            pronouns=pronouns or self.pronouns,
            details=self.detail != "short",
            timing=self.detail == "long" and not self.exact,
            exact=self.exact,
            wordings=self.narration.wordings,
            noun=noun,
        )

    def beats(self, pronouns: Pronouns | None = None, noun: bool = False) -> list[Beat]:
        return to_beats(beats_of(self.script), self.manner(pronouns, noun), self.rng)


def narrate(script: Script, seed: int, detail: Detail, narration: Narration = PLAIN) -> str:
    """Put a script into words.

    Everything in the script is said, in the order in which it starts; what starts together is joined by
    "while", "with" or "as". Left and right are the face's own. Deterministic for a seed.

    Args:
        script: what the face does.
        seed: another seed is another way to say it.
        detail: `short` says what happens ("a woman smirks, then looks down"); `medium` adds intensity, side,
            counts and energy; `long` is prose that adds speed and duration.
        narration: how freely.
    """
    rng = Random(seed * 3 + _DETAIL_SEEDS[detail])
    exact = detail != "short" and narration.times > 0 and rng.random() < narration.times
    telling = _Telling(script, detail, pronouns_for(script.subject), rng, narration, exact)
    groups = beats_of(script)
    if not groups:
        return _nothing(telling)
    text = _prose(telling) if detail == "long" else _one_sentence(telling, groups)
    if narration.slips > 0 and detail == "short" and rng.random() < narration.slips:
        text = slipped(text, rng)
    return _loosened(text, rng) if detail == "short" else text


def to_beats(groups: Sequence[Sequence[Item]], manner: Manner, rng: Random) -> list[Beat]:
    """Groups of simultaneous items as beats of clauses."""
    beats: list[Beat] = []
    for index, group in enumerate(groups):
        late = index > 0 and overlapping(list(groups[index - 1]), list(group))
        beats.append(Beat(tuple(clause_of(item, manner, rng) for item in group), late))
    return beats


def _nothing(telling: _Telling) -> str:
    text = sentence(neutral(telling.script.subject, telling.pronouns, telling.rng))
    return _loosened(text, telling.rng) if telling.detail == "short" else text


def _one_sentence(telling: _Telling, groups: Sequence[Sequence[Item]]) -> str:
    """Short and medium: one sentence in one of several plans."""
    rng, script, pronouns, rich = telling.rng, telling.script, telling.pronouns, telling.narration.free
    wordings = telling.narration.wordings
    nouns = all(has_noun(item, wordings) for group in groups for item in group) and len(groups) <= 3
    plans = ["finite"] * 6 + ["pronoun"] * 2 + ["imperative"] * 2 + ["participle"] * 2 + ["who"]
    if not telling.exact:
        plans += ["nouns"] * 2 * nouns + ["with"] * 2 * (len(groups[0]) == 1 and has_noun(groups[0][0], wordings))
    if telling.narration.free:
        plans += ["past"] * 2 + ["future", "me"]
    plan = rng.choice(plans)
    if plan == "finite":
        text = f"{script.subject} {chained(telling.beats(), 'finite', pronouns, False, rng, rich)}"
    elif plan == "pronoun":
        text = f"{pronouns.subj} {chained(telling.beats(), 'finite', pronouns, pronouns.plural, rng, rich)}"
    elif plan == "past":
        who = rng.choice((script.subject, pronouns.subj))
        text = f"{who} {chained(telling.beats(), 'past', pronouns, False, rng, rich)}"
    elif plan == "future":
        text = f"{script.subject} will {chained(telling.beats(), 'future', pronouns, False, rng, rich)}"
    elif plan == "me":
        text = f"I {chained(telling.beats(ME), 'finite', ME, True, rng, rich)}"
    elif plan == "imperative":
        text = chained(telling.beats(YOU), "imperative", YOU, True, rng, rich)
    elif plan == "participle":
        opening = rng.choice(("", "", "a clip of ", "the face of "))
        text = f"{opening}{script.subject} {chained(telling.beats(), 'participle', pronouns, False, rng, rich)}"
    elif plan == "who":
        opening = rng.choice(("this is", "we see", "imagine"))
        text = f"{opening} {script.subject} who {chained(telling.beats(), 'finite', pronouns, False, rng, rich)}"
    elif plan == "nouns":
        text = _noun_list(telling.beats(NOBODY, noun=True), rng)
    else:
        text = _with_noun(telling)
    return sentence(_with_energy(text, telling) + _denial(telling))


def _denial(telling: _Telling) -> str:
    """Now and then, what the face does not do."""
    rng = telling.rng
    if not telling.narration.denials or rng.random() >= telling.narration.denials:
        return ""
    options = undone(telling.script)
    return denied(rng.choice(options), telling.pronouns, rng) if options else ""


def _with_noun(telling: _Telling) -> str:
    first, *rest = telling.beats(noun=False)
    text = f"{telling.script.subject} with {first.clauses[0].noun}"
    if rest:
        text += f" who then {chained(rest, 'finite', telling.pronouns, False, telling.rng, telling.narration.free)}"
    return text


def _noun_list(beats: Sequence[Beat], rng: Random) -> str:
    listed = [" together with ".join(clause.noun or clause.gerund() for clause in beat.clauses) for beat in beats]
    text = listed[0]
    for index, noun in enumerate(listed[1:], start=1):
        last = index == len(listed) - 1
        text += rng.choice((", then ", ", followed by ", " and then ")) if last else rng.choice((", then ", ", "))
        text += noun
    return text


def _with_energy(text: str, telling: _Telling) -> str:
    rng = telling.rng
    if telling.detail != "medium" or rng.random() > 0.7:
        return text
    phrase = energy_phrase(telling.script.energy, rng, telling.narration.free)
    if not phrase:
        return text
    return f"{phrase}, {text}" if rng.random() < 0.4 else f"{text}, all {phrase}"


def _loosened(text: str, rng: Random) -> str:
    """As people type: often without a capital and a full stop."""
    if rng.random() < 0.5:
        text = text.removesuffix(".")
        return text[:1].lower() + text[1:]
    return text


def _prose(telling: _Telling) -> str:
    """Long: several sentences, the subject once by name."""
    rng, script = telling.rng, telling.script
    groups = beats_of(script)
    beats = telling.beats()
    sentences: list[str] = []
    index, late = 0, False
    while index < len(beats):
        size = 2 if rng.random() < 0.3 and index + 1 < len(beats) and not beats[index + 1].late else 1
        last = index + size >= len(beats)
        late = beats[index].late and not late  # "before that is over" wears thin when said twice running
        opening = _opening(index, last, late, onset_of(groups[index][0]), rng)
        first = not sentences
        part = beats[index : index + size]
        sentences.append(sentence(opening + _statement(part, script.subject if first else "", telling)))
        index += size
    closing = energy_sentence(script.energy, rng, telling.narration.free)
    sentences[-1] = sentence(sentences[-1].removesuffix(".") + _denial(telling))
    return " ".join([*sentences, closing] if closing else sentences)


def _statement(beats: Sequence[Beat], subject: str, telling: _Telling) -> str:
    """One main clause; with the subject by name where `subject` says it, else by pronoun."""
    pronouns, rng, rich = telling.pronouns, telling.rng, telling.narration.free
    single = beats[0].clauses[0]
    if len(beats) == 1 and beats[0].noun is not None and single.in_face and rng.random() < 0.3:
        face = f"the face of {subject}" if subject else f"{pronouns.poss} face"
        return f"{single.noun} {rng.choice(('crosses', 'appears on', 'comes over'))} {face}"
    predicate_subject = subject or pronouns.subj
    plural = pronouns.plural and not subject
    if len(beats) == 1:
        return f"{predicate_subject} {told(beats[0], 'finite', pronouns, plural, rng, rich)}"
    return f"{predicate_subject} {chained(beats, 'finite', pronouns, plural, rng, rich)}"


def _opening(index: int, last: bool, late: bool, onset: float, rng: Random) -> str:
    if index == 0:
        return rng.choice(("", "", "" if last else "at first, ", "" if last else "to begin with, "))
    if late:
        return rng.choice(("before that is over, ", "meanwhile, ", "in the middle of this, "))
    options = ["then ", "after that, ", "next, "]
    if onset >= 1.5:
        options.append(f"about {number(round(onset))} seconds in, ")
    if last:
        options += ["finally, ", "finally, ", "in the end, "]
    return rng.choice(options)


__all__ = ["TASKS", "Detail", "Task", "answer", "mentioned_head_motions", "narrate", "to_beats", "words_known"]
