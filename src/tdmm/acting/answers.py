"""Answers about a script, the targets on which a describing model is trained."""

from __future__ import annotations

from random import Random
from typing import Literal, get_args

from tdmm.acting import questions
from tdmm.acting.beats import beats_of, overlapping
from tdmm.acting.brief import (
    NO_EXPRESSION,
    STILL,
    THEN,
    heads_of,
    in_turn,
    is_empty,
    is_micro,
    name_of,
    names_of,
    with_degree,
)
from tdmm.acting.clauses import Manner, clause_of
from tdmm.acting.pronouns import THEY
from tdmm.acting.script import Script
from tdmm.acting.sentences import Beat, chained, sentence
from tdmm.acting.timelines import line_of, span_of

Task = Literal["describe", "emotion", "head", "intensity", "timeline", "micro", "question"]
TASKS: tuple[Task, ...] = get_args(Task)
FIRST_TASKS: tuple[Task, ...] = TASKS[:5]
"""What every model knows, those among them that were trained before there were more tasks."""

NO_MICRO = "no micro-expression"


def answer(script: Script, task: Task, seed: int) -> str:
    """Answer a question about a script.

    The geometry does not show who it is, so no answer says it. Times, sides, counts and intensities are
    those of the script. A script that asks for nothing is called neutral in the answer to every task.

    Args:
        script: what the face does.
        task: `describe` a sentence; `emotion` names of the lexicon in order; `head` the head motions;
            `intensity` how strong each is; `timeline` everything with its seconds; `micro` the micro-expressions
            with their seconds; `question` the answer to `questions.about(script, seed)`.
        seed: varies the wording of `describe` and a little of `head`; chooses the question of `question`.

    Raises:
        ValueError: `task` is none of `TASKS`.
    """
    rng = Random(seed)
    if task == "describe":
        return _description(script, rng)
    if task == "emotion":
        return names_of(script)
    if task == "head":
        return f"{NO_EXPRESSION}, {STILL}" if is_empty(script) else heads_of(script, rng)
    if task == "intensity":
        return THEN.join(with_degree(event) for event in in_turn(script)) or NO_EXPRESSION
    if task == "timeline":
        return line_of(script)
    if task == "micro":
        return _micro(script)
    if task == "question":
        return questions.about(script, seed).answer
    raise ValueError(f"task must be one of {', '.join(TASKS)}, not {task!r}")


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


def _micro(script: Script) -> str:
    told = [f"{span_of(event)}: {name_of(event)}" for event in in_turn(script) if is_micro(event)]
    if is_empty(script):
        return f"{NO_EXPRESSION}, {NO_MICRO}"
    return "; ".join(told) or NO_MICRO


__all__ = ["FIRST_TASKS", "NO_MICRO", "TASKS", "Task", "answer"]
