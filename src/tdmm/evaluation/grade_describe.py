"""Does a description name what happens, and nothing else? Graded by the lexicon's own words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tdmm.acting import narrator
from tdmm.acting.lexicon import load
from tdmm.acting.script import Script
from tdmm.evaluation import definitions
from tdmm.evaluation.generation import NoModel, in_batches
from tdmm.evaluation.held_out import SEED, clips
from tdmm.evaluation.metric import Measurement, Progress, average, ratio, share, silent, skipped
from tdmm.motion.clip import FaceMotion

Describe = Callable[[Sequence[FaceMotion]], Sequence[str]]
"""Motions to descriptions."""

BATCH = 50


@dataclass(frozen=True)
class TextGrade:
    """How one description fits its clip.

    Attributes:
        families: for each descriptor of the script, whether its family is named.
        named, invented: families named altogether, and those of them that are not in the script.
        heads: for each head motion of the script, whether its kind is named.
        heads_named: head motions named altogether.
    """

    families: tuple[bool, ...]
    named: int
    invented: int
    heads: tuple[bool, ...]
    heads_named: int


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
    grades = [grade_text(clip.script, text) for clip, text in zip(acted, texts, strict=True) if text is not None]
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
    )


def grade_text(script: Script, text: str) -> TextGrade:
    """Compare a description with the script of the clip it describes."""
    lexicon = load()
    named = {lexicon.get(mention.descriptor).family for mention in lexicon.mentions(text)}
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
    )


def _share(outcomes: Sequence[bool]) -> float:
    return sum(outcomes) / len(outcomes)
