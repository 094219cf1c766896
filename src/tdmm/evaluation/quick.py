"""`tdmm evaluate quick`: every figure of the README, on held-out data, in one report."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal, get_args

from tdmm import artifact, weights
from tdmm.errors import UnknownName, did_you_mean
from tdmm.evaluation.grade_animate import Animate, grade_animate
from tdmm.evaluation.grade_answers import Answering, grade_answers
from tdmm.evaluation.grade_describe import grade_describe
from tdmm.evaluation.grade_reader import grade_reader
from tdmm.evaluation.grade_words import grade_words
from tdmm.evaluation.held_out import SEED
from tdmm.evaluation.metric import Measurement, Progress, silent
from tdmm.evaluation.report import Report

Group = Literal["reader", "tokens", "animate", "words", "describe"]
GROUPS: tuple[Group, ...] = get_args(Group)

CLIPS = 500
"""Acted clips a figure is measured on."""
PROMPTS = 200
"""Prompts generated; one for each descriptor of the lexicon."""


@dataclass(frozen=True)
class Models:
    """What is graded, as functions, so that evaluation depends on no model.

    Attributes:
        animate: prompts and seeds to motions.
        describe: motions to sentences, and to answers to other tasks and to questions.
    """

    animate: Animate
    describe: Answering


def evaluate(
    models: Models,
    *,
    only: Iterable[str] = GROUPS,
    clips: int = CLIPS,
    seed: int = SEED,
    capture: Path | None = None,
    progress: Progress = silent,
) -> Report:
    """Measure everything, or some groups of it.

    Args:
        only: groups, of `GROUPS`.
        clips: acted clips; prompts are 200 for 500 clips and fewer in proportion.
        seed: of the held-out scripts; another one than the default gives another test set.
        capture: a real recording for the tokenizers; None skips those figures and says so.

    Raises:
        UnknownName: no such group.
    """
    wanted = _groups(only)
    prompts = max(1, round(clips * PROMPTS / CLIPS))
    found: list[Measurement] = []
    if "reader" in wanted:
        found += grade_reader(clips, seed, progress)
    if "tokens" in wanted:
        # Needs torch, which the reader does not.
        from tdmm.evaluation.grade_tokens import grade_tokens

        found += grade_tokens(clips, seed, capture, progress=progress)
    if "animate" in wanted:
        found += grade_animate(models.animate, prompts, seed, progress)
    if "words" in wanted:
        found += grade_words(models.animate, prompts, seed, progress)
    if "describe" in wanted:
        found += grade_describe(models.describe, clips, seed, progress)
        found += grade_answers(models.describe, clips, seed, progress)
    settings = {
        "command": "tdmm evaluate quick",
        "version": metadata.version("tdmm"),
        "groups": wanted,
        "clips": clips,
        "prompts": prompts,
        "seed": seed,
        "capture": capture.name if capture else None,
        "weights": _fingerprints(),
    }
    return Report(tuple(found), settings)


def _fingerprints() -> dict[str, str | None]:
    """SHA-256 of the weights of every artifact; None where there is none."""
    files = {name: weights.folder(name) / artifact.WEIGHTS for name in weights.NAMES}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None for name, path in files.items()
    }


def _groups(only: Iterable[str]) -> list[str]:
    asked = [name.strip() for name in only if name.strip()]
    for name in asked:
        if name not in GROUPS:
            raise UnknownName(
                f"Unknown group of measures '{name}'.{did_you_mean(name, GROUPS)} Known: {', '.join(GROUPS)}."
            )
    return [group for group in GROUPS if group in asked]
