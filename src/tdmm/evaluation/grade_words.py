"""Does the face do what the words say: phrasings never seen, order, seconds, degrees and denials?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tdmm.acting.denials import Deniable
from tdmm.acting.lexicon import load
from tdmm.acting.narrator import Narration
from tdmm.evaluation import definitions
from tdmm.evaluation.generation import NoModel
from tdmm.evaluation.grade_animate import EXTRA_STRENGTH, Animate, ClipGrade, grade_clip, motions_of
from tdmm.evaluation.held_out import (
    SEED,
    Prompt,
    contrasted_prompts,
    denied_prompts,
    ordered_prompts,
    prompts,
    timed_prompts,
)
from tdmm.evaluation.metric import Measurement, Progress, share, silent, skipped
from tdmm.motion.clip import FaceMotion
from tdmm.motion.events import ActionEvent, MotionEvents
from tdmm.reading.reader import read

ON_TIME = 0.3
"""Seconds by which an event may miss the moment that was asked for."""
STRONGER = 1.25
"""Times as strong as the slight one the extreme one must be."""


def grade_words(
    animate: Animate, count: int = 200, seed: int = SEED, progress: Progress = silent
) -> tuple[Measurement, ...]:
    """Generate prompts of every kind and grade the motions.

    Args:
        animate: the generator. A prompt on which it raises is a failure, and in no figure.
        count: prompts in unseen phrasings; half as many of every other kind.
        seed: of the held-out scripts.
        progress: told of every batch.
    """
    half = max(1, count // 2)
    unseen, ordered = prompts(count, seed, Narration("held_out")), ordered_prompts(half, seed)
    timed, pairs, denials = timed_prompts(half, seed), contrasted_prompts(half, seed), denied_prompts(half, seed)
    kinds = (
        unseen,
        ordered,
        timed,
        [low for low, _ in pairs],
        [high for _, high in pairs],
        [one for one, _ in denials],
    )
    total = sum(len(kind) for kind in kinds)
    made: list[list[FaceMotion | None]] = []
    try:
        for kind in kinds:
            made.append(motions_of(animate, kind, progress, sum(len(done) for done in made), total))
    except NoModel as error:
        return tuple(skipped(definition, str(error)) for definition in definitions.WORDS)
    asked, in_turn, on_time, slight, extreme, denied = made
    contrasts = [
        _strength(high, strong) >= STRONGER * _strength(low, weak) and _strength(high, strong) > 0
        for (low, high), weak, strong in zip(pairs, slight, extreme, strict=True)
        if weak is not None and strong is not None
    ]
    kept = [
        _absent(what, read(motion)) for (_, what), motion in zip(denials, denied, strict=True) if motion is not None
    ]
    return (
        share(definitions.WORDS_UNSEEN, [_appears(grade) for grade in _grades(unseen, asked)], asked.count(None)),
        share(definitions.WORDS_ORDER, [_in_order(grade) for grade in _grades(ordered, in_turn)], in_turn.count(None)),
        share(
            definitions.WORDS_TIME,
            [_on_time(prompt, motion) for prompt, motion in zip(timed, on_time, strict=True) if motion is not None],
            on_time.count(None),
        ),
        share(definitions.WORDS_CONTRAST, contrasts, len(pairs) - len(contrasts)),
        share(definitions.WORDS_DENIED, kept, denied.count(None)),
    )


def _grades(asked: Sequence[Prompt], made: Sequence[FaceMotion | None]) -> list[ClipGrade]:
    return [grade_clip(prompt, motion) for prompt, motion in zip(asked, made, strict=True) if motion is not None]


def _appears(grade: ClipGrade) -> bool:
    return all(event.appears for event in grade.events)


def _in_order(grade: ClipGrade) -> bool:
    onsets = [event.onset for event in grade.events if event.onset is not None]
    return len(onsets) == len(grade.events) and all(first < second for first, second in pairwise(onsets))


def _on_time(prompt: Prompt, motion: FaceMotion) -> bool:
    (event,) = prompt.script.events
    core = load().get(event.descriptor).core
    found = read(motion)
    begun = [_beginning(each) for each in found.actions if each.action in core]
    if "eye_closure" in core:
        begun += [blink.time for blink in found.blinks]
    return bool(begun) and abs(min(begun) - event.onset) <= ON_TIME


def _beginning(action: ActionEvent) -> float:
    """When an action started to rise: the reader sees it late.

    A minimum-jerk rise has spent about 0.3 of its time when a sixth of it shows, where the reader's onset lies on
    average; that is 0.4 of what is left until the apex.
    """
    return action.onset - 0.4 * (action.apex - action.onset)


def _strength(prompt: Prompt, motion: FaceMotion) -> float:
    """Mean over the core actions of the strongest finding of each, 0 where there is none."""
    core = load().get(prompt.script.events[0].descriptor).core
    found = read(motion)
    shut = max((blink.strength for blink in found.blinks), default=0.0)
    best = [
        max([each.strength for each in found.actions if each.action == action], default=0.0)
        or (shut if action == "eye_closure" else 0.0)
        for action in core
    ]
    return sum(best) / len(best)


def _absent(what: Deniable, found: MotionEvents) -> bool:
    if not what.actions:
        return not found.head
    return not any(each.action in what.actions and each.strength >= EXTRA_STRENGTH for each in found.actions)
