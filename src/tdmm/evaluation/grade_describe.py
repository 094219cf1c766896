"""Does a description name what happens, and nothing else? Graded by the lexicon's own words."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from tdmm.acting import narrator
from tdmm.acting.beats import TOGETHER
from tdmm.acting.lexicon import load
from tdmm.acting.script import Script
from tdmm.evaluation import definitions
from tdmm.evaluation.generation import NoModel, in_batches
from tdmm.evaluation.held_out import SEED, clips
from tdmm.evaluation.metric import Measurement, Progress, average, ratio, share, silent, skipped
from tdmm.motion.clip import FaceMotion
from tdmm.reading.actions import EYE_CLOSURE
from tdmm.reading.reader import read
from tdmm.reading.settings import ReaderSettings

Describe = Callable[[Sequence[FaceMotion]], Sequence[str]]
"""Motions to descriptions."""

BATCH = 50

_USUAL = ReaderSettings()
_KEEN = replace(
    _USUAL,
    action_high=0.5 * _USUAL.action_high,
    action_low=0.5 * _USUAL.action_low,
    blink_high=0.5 * _USUAL.blink_high,
    blink_low=0.5 * _USUAL.blink_low,
)


@dataclass(frozen=True)
class TextGrade:
    """How one description fits its clip.

    Attributes:
        families: for each descriptor of the script, whether its family is named.
        named, invented: families named altogether, and those of them that are not in the script.
        heads: for each head motion of the script, whether its kind is named.
        heads_named: head motions named altogether.
        in_order: whether all families are named in the order in which they begin.
        strangers: the invented families.
    """

    families: tuple[bool, ...]
    named: int
    invented: int
    heads: tuple[bool, ...]
    heads_named: int
    in_order: bool
    strangers: frozenset[str]


def grade_describe(
    describe: Describe, count: int = 500, seed: int = SEED, progress: Progress = silent
) -> tuple[Measurement, ...]:
    """Describe held-out acted clips and grade the sentences.

    Args:
        describe: the model. A clip on which it raises is a failure, and in no figure.
    """
    acted = list(clips(count, seed))
    try:
        texts = in_batches(
            describe,
            [clip.performance.motion for clip in acted],
            BATCH,
            lambda done: progress(done, count, "clips described"),
        )
    except NoModel as error:
        return tuple(skipped(definition, str(error)) for definition in definitions.DESCRIBE)
    told = [(clip, text) for clip, text in zip(acted, texts, strict=True) if text is not None]
    grades = [grade_text(clip.script, text) for clip, text in told]
    failed = count - len(grades)
    described = [grade for grade in grades if grade.families]
    moving = [grade for grade in grades if grade.heads]
    still = [grade for grade in grades if not grade.heads]
    return (
        average(definitions.DESCRIBE_FAMILY, [_share(grade.families) for grade in described], failed),
        share(definitions.DESCRIBE_ALL, [all(grade.families) for grade in described], failed),
        ratio(
            definitions.DESCRIBE_INVENTED,
            [grade.invented for grade in grades],
            [grade.named for grade in grades],
            failed,
        ),
        average(definitions.DESCRIBE_HEAD, [_share(grade.heads) for grade in moving], failed),
        share(definitions.DESCRIBE_HEAD_INVENTED, [grade.heads_named > 0 for grade in still], failed),
        share(definitions.DESCRIBE_ORDER, [grade.in_order for grade in described if len(grade.families) > 1], failed),
        ratio(
            definitions.DESCRIBE_UNSEEN,
            [
                sum(is_absent(family, clip.performance.motion) for family in grade.strangers)
                for (clip, _), grade in zip(told, grades, strict=True)
            ],
            [grade.named for grade in grades],
            failed,
        ),
    )


def grade_text(script: Script, text: str) -> TextGrade:
    """Compare a description with the script of the clip it describes."""
    lexicon = load()
    mentioned = [lexicon.get(mention.descriptor).family for mention in lexicon.mentions(text)]
    named = set(mentioned)
    asked = [lexicon.get(event.descriptor) for event in script.events]
    heads_named = set(narrator.mentioned_head_motions(text))
    # A head motion that is part of a descriptor's meaning is neither asked for by name nor an invention.
    meant = {descriptor.head for descriptor in asked if descriptor.head is not None}
    heads = tuple(motion.kind in heads_named for motion in script.head)
    return TextGrade(
        families=tuple(descriptor.family in named for descriptor in asked),
        named=len(named),
        invented=len(named - {descriptor.family for descriptor in asked}),
        heads=heads,
        heads_named=len(heads_named - meant),
        in_order=any(_follows(mentioned, order) for order in _orders(script)),
        strangers=frozenset(named - {descriptor.family for descriptor in asked}),
    )


def is_absent(family: str, motion: FaceMotion) -> bool:
    """Whether the reader is sure that a motion shows no descriptor of a family.

    It looks with half its thresholds, and a descriptor is absent once one of its core actions is.
    """
    lexicon, found = load(), _faint_actions(motion)
    return all(not found >= {*lexicon.get(name).core} for name in lexicon.families[family])


def _faint_actions(motion: FaceMotion) -> set[str]:
    events = read(motion, _KEEN)
    return {action.action for action in events.actions} | ({EYE_CLOSURE} if events.blinks else set())


def _orders(script: Script) -> Iterator[list[str]]:
    """Families of a script in every order that its onsets allow."""
    for events in itertools.permutations(script.events):
        if all(one.onset <= other.onset + TOGETHER for one, other in itertools.combinations(events, 2)):
            yield [load().get(event.descriptor).family for event in events]


def _follows(mentioned: Sequence[str], order: Sequence[str]) -> bool:
    """Whether what is to be mentioned is, in that order, whatever stands between."""
    rest = iter(mentioned)
    return all(family in rest for family in order)


def _share(outcomes: Sequence[bool]) -> float:
    return sum(outcomes) / len(outcomes)
