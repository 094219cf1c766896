"""Answers about a script, the targets on which a describing model is trained."""

from __future__ import annotations

from random import Random
from typing import Literal, get_args

from tdmm.acting import intensity_words
from tdmm.acting.beats import beats_of, end_of, items_of, onset_of, overlapping
from tdmm.acting.clauses import Item, Manner, clause_of
from tdmm.acting.inflection import adverb, inflected, with_article
from tdmm.acting.intensity_words import level_of
from tdmm.acting.lexicon import load
from tdmm.acting.pronouns import NOBODY, THEY
from tdmm.acting.script import Event, HeadMotion, Script
from tdmm.acting.sentences import Beat, chained, sentence
from tdmm.acting.slots import filled

Task = Literal["describe", "emotion", "head", "intensity", "timeline"]
TASKS: tuple[Task, ...] = get_args(Task)

_DEGREES = {"faint": "faint", "slight": "slight", "plain": "moderate", "strong": "strong", "extreme": "extreme"}
_ADVERBS = {degree: "extremely" if degree == "extreme" else adverb(degree) for degree in _DEGREES.values()}
_NO_EXPRESSION = "neutral"
_STILL = "the head stays still"


def answer(script: Script, task: Task, seed: int) -> str:
    """Answer a question about a script.

    The geometry does not show who it is, so no answer says it. Times, sides, counts and intensities are
    those of the script.

    Args:
        script: what the face does.
        task: `describe` a sentence; `emotion` names of the lexicon in order; `head` the head motions;
            `intensity` how strong each is; `timeline` everything with its seconds.
        seed: varies the wording of `describe` and a little of `head`.

    Raises:
        ValueError: `task` is none of `TASKS`.
    """
    rng = Random(seed)
    if task == "describe":
        return _description(script, rng)
    if task == "emotion":
        return ", then ".join(_name(event) for event in _events(script)) or _NO_EXPRESSION
    if task == "head":
        return _head(script, rng)
    if task == "intensity":
        return ", then ".join(_degree(event) for event in _events(script)) or _NO_EXPRESSION
    if task == "timeline":
        return "; ".join(_timed(item) for item in items_of(script)) or f"0.0-{script.seconds:.1f} s: {_NO_EXPRESSION}"
    raise ValueError(f"task must be one of {', '.join(TASKS)}, not {task!r}")


def _events(script: Script) -> list[Event]:
    return sorted(script.events, key=lambda event: event.onset)


def _name(event: Event) -> str:
    return event.descriptor.replace("_", " ")


def _description(script: Script, rng: Random) -> str:
    groups = beats_of(script)
    subject = rng.choice(("the person", "the person", "they", "someone"))
    if not groups:
        return sentence(rng.choice((f"{subject} keep a neutral face" if subject == "they"
                                    else f"{subject} keeps a neutral face", "a neutral face")))  # fmt: skip
    manner = Manner(pronouns=THEY, phrasings=2)
    beats = [
        Beat(
            tuple(clause_of(item, manner, rng) for item in group),
            index > 0 and overlapping(groups[index - 1], group),
        )
        for index, group in enumerate(groups)
    ]
    # Sentences of at most three beats: a long chain loses its listener.
    sentences = [f"{subject} {chained(beats[:3], 'finite', THEY, subject == 'they', rng)}"]
    for start in range(3, len(beats), 3):
        sentences.append(f"then they {chained(beats[start : start + 3], 'finite', THEY, True, rng)}")
    return " ".join(sentence(each) for each in sentences)


def _head(script: Script, rng: Random) -> str:
    if not script.head:
        return _STILL
    manner = Manner(pronouns=THEY, phrasings=1)
    motions = sorted(script.head, key=lambda motion: motion.onset)
    return ", then ".join(clause_of(motion, manner, rng).finite(plural_subject=False) for motion in motions)


def _degree(event: Event) -> str:
    degree = _DEGREES[level_of(event.intensity)]
    entry = load().get(event.descriptor)
    nouns = [each for each in entry.phrasings_of("noun") if each.text.startswith(("a ", "an "))]
    if nouns:
        text = filled(nouns[0].text, NOBODY, event.side)
        return with_article(f"{degree} {text.partition(' ')[2]}")
    verb = filled(entry.phrasings_of("verb")[0].text, NOBODY, event.side, entry.side == "one")
    return f"{_ADVERBS[degree]} {inflected(verb, 'gerund')}"


def _timed(item: Item) -> str:
    span = f"{onset_of(item):.1f}-{end_of(item):.1f} s"
    if isinstance(item, Event):
        side = f" ({item.side})" if item.side != "both" else ""
        return f"{span}: {_name(item)}{side}, {_DEGREES[level_of(item.intensity)]}"
    manner = Manner(pronouns=NOBODY, details=isinstance(item, HeadMotion), phrasings=1)
    if isinstance(item, HeadMotion):  # its size belongs to another task
        item = item.model_copy(update={"intensity": intensity_words.MIDDLES["plain"]})
    return f"{span}: {clause_of(item, manner, Random(0)).finite(plural_subject=False)}"


__all__ = ["TASKS", "Task", "answer"]
