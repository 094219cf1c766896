"""Are the short answers right: which descriptor, how strong, yes or no? And what of a tracker's motion?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

import numpy as np

from tdmm.acting import questions
from tdmm.acting.actor import perform
from tdmm.acting.brief import THEN, in_turn, level_in, name_of
from tdmm.acting.excerpt import drawn_excerpt
from tdmm.acting.intensity_words import level_of
from tdmm.acting.question_facts import certain_blinks
from tdmm.acting.script import Script
from tdmm.errors import InvalidInput
from tdmm.evaluation import definitions
from tdmm.evaluation.generation import NoModel, in_batches
from tdmm.evaluation.grade_describe import BATCH, grade_text
from tdmm.evaluation.held_out import SEED, ActedClip, clips
from tdmm.evaluation.metric import Definition, Measurement, Progress, average, ratio, share, silent, skipped
from tdmm.motion.clip import FaceMotion
from tdmm.motion.degradation import MEASURED, Faults, degraded
from tdmm.motion.features import from_features, to_features

_GUESSED = Faults(partial=0.0, measured=0.0, brows=0.0)
_OF_OTHER_BROWS = replace(MEASURED, brows=1.0)
RESTING = Script(seconds=4.0)
_FOR_ONE_RESTING = 5


class Answering(Protocol):
    """A model that describes, and answers other tasks and questions."""

    def __call__(
        self, motions: Sequence[FaceMotion], *, task: str = "describe", ask: Sequence[str] | None = None
    ) -> Sequence[str]:
        """A text for each motion; `ask` holds a question for each."""


def grade_answers(
    answering: Answering, count: int = 500, seed: int = SEED, progress: Progress = silent
) -> tuple[Measurement, ...]:
    """Ask about held-out acted clips and grade the answers.

    Args:
        answering: the model. A clip on which it raises is a failure, and in no figure; a task that it refuses for
            the first clip already is not measured.
    """
    acted = list(clips(count, seed))
    whole = [(clip.script, clip.performance.motion) for clip in acted if clip.script.events]
    resting = max(1, count // _FOR_ONE_RESTING)
    try:
        return (
            _spoilt(answering, whole, seed, progress, definitions.DESCRIBE_NOISY, _GUESSED),
            _spoilt(answering, whole, seed, progress, definitions.DESCRIBE_TRACKED, MEASURED),
            _spoilt(answering, _cut(acted, seed), seed, progress, definitions.DESCRIBE_CUT, MEASURED),
            _spoilt(answering, whole, seed, progress, definitions.DESCRIBE_BROWS, _OF_OTHER_BROWS),
            _resting(answering, resting, seed, progress, definitions.DESCRIBE_RESTING, MEASURED),
            _resting(answering, resting, seed, progress, definitions.DESCRIBE_RESTING_BROWS, _OF_OTHER_BROWS),
            _descriptors(answering, acted, progress),
            _intensities(answering, acted, progress),
            _questions(answering, acted, seed, progress),
        )
    except NoModel as error:
        return tuple(skipped(definition, str(error)) for definition in definitions.ANSWERS)


def exact_share(script: Script, answer: str) -> float:
    """Share of the descriptors of a script that an answer to `emotion` names, each once."""
    named = answer.split(THEN)
    wanted = [name_of(event) for event in script.events]
    return sum(min(wanted.count(name), named.count(name)) for name in {*wanted}) / len(wanted)


def right_levels(script: Script, answer: str) -> int:
    """How many intensities an answer to `intensity` gets right; none where their number is wrong."""
    given = [level_in(part) for part in answer.split(THEN)]
    wanted = [level_of(event.intensity) for event in in_turn(script)]
    if len(given) != len(wanted):
        return 0
    return sum(found == level for found, level in zip(given, wanted, strict=True))


def _spoilt(
    answering: Answering,
    shown: list[tuple[Script, FaceMotion]],
    seed: int,
    progress: Progress,
    definition: Definition,
    faults: Faults,
) -> Measurement:
    """Families named of clips with a tracker's faults."""
    motions = [_as_tracked(motion, (seed, index, 6), faults) for index, (_, motion) in enumerate(shown)]
    texts = in_batches(answering, motions, BATCH, lambda done: progress(done, len(shown), "tracked clips described"))
    grades = [grade_text(script, text) for (script, _), text in zip(shown, texts, strict=True) if text is not None]
    shares = [sum(grade.families) / len(grade.families) for grade in grades]
    return average(definition, shares, len(shown) - len(grades))


def _resting(
    answering: Answering, count: int, seed: int, progress: Progress, definition: Definition, faults: Faults
) -> Measurement:
    """Faces at rest that are told so."""
    motions = [_as_tracked(perform(RESTING, seed + i).motion, (seed, i, 8), faults) for i in range(count)]
    texts = in_batches(answering, motions, BATCH, lambda done: progress(done, count, "resting faces described"))
    named = [grade_text(RESTING, text).named for text in texts if text is not None]
    return share(definition, [not each for each in named], count - len(named))


def _cut(acted: list[ActedClip], seed: int) -> list[tuple[Script, FaceMotion]]:
    """Parts of those clips that can be cut while an expression is held."""
    parts = []
    for index, clip in enumerate(acted):
        cut = drawn_excerpt(clip.script, np.random.default_rng((seed, index, 7)))
        if cut is not None:
            parts.append((cut.script, from_features(to_features(clip.performance.motion)[cut.frames])))
    return parts


def _as_tracked(motion: FaceMotion, seed: tuple[int, ...], faults: Faults) -> FaceMotion:
    return from_features(degraded(to_features(motion), np.random.default_rng(seed), faults))


def _descriptors(answering: Answering, acted: list[ActedClip], progress: Progress) -> Measurement:
    told, failed, refused = _answers(answering, acted, "emotion", progress)
    if refused:
        return skipped(definitions.DESCRIBE_DESCRIPTOR, refused)
    return average(definitions.DESCRIBE_DESCRIPTOR, [exact_share(script, text) for script, text in told], failed)


def _intensities(answering: Answering, acted: list[ActedClip], progress: Progress) -> Measurement:
    told, failed, refused = _answers(answering, acted, "intensity", progress)
    if refused:
        return skipped(definitions.DESCRIBE_INTENSITY, refused)
    right = [right_levels(script, text) for script, text in told]
    return ratio(definitions.DESCRIBE_INTENSITY, right, [len(script.events) for script, _ in told], failed)


def _answers(
    answering: Answering, acted: list[ActedClip], task: str, progress: Progress
) -> tuple[list[tuple[Script, str]], int, str]:
    """Scripts with events and answers about them, failures, and why there are no answers at all."""
    shown = [clip for clip in acted if clip.script.events]
    motions = [clip.performance.motion for clip in shown]
    try:
        answering(motions[:1], task=task)
    except InvalidInput as error:
        return [], 0, str(error)
    texts = in_batches(
        partial(answering, task=task), motions, BATCH, lambda done: progress(done, len(shown), f"answers to {task}")
    )
    told = [(clip.script, text) for clip, text in zip(shown, texts, strict=True) if text is not None]
    return told, len(shown) - len(told), ""


def _questions(answering: Answering, acted: list[ActedClip], seed: int, progress: Progress) -> Measurement:
    asked = [
        questions.about(clip.script, seed + index, certain_blinks(clip.performance.events), index % 2 == 0)
        for index, clip in enumerate(acted)
    ]
    rows = [(clip.performance.motion, each.question) for clip, each in zip(acted, asked, strict=True)]

    def answers(rows: Sequence[tuple[FaceMotion, str]]) -> Sequence[str]:
        return answering([motion for motion, _ in rows], task="question", ask=[question for _, question in rows])

    try:
        answers(rows[:1])
    except InvalidInput as error:
        return skipped(definitions.DESCRIBE_QUESTION, str(error))
    texts = in_batches(answers, rows, BATCH, lambda done: progress(done, len(rows), "questions answered"))
    right = [questions.verdict(text) == each.truth for each, text in zip(asked, texts, strict=True) if text is not None]
    return share(definitions.DESCRIBE_QUESTION, right, len(rows) - len(right), note="chance is 50%")


__all__ = ["Answering", "exact_share", "grade_answers", "right_levels"]
