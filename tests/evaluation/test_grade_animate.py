"""An oracle that acts the script behind each prompt must do well, a still face must not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tdmm.acting.actor import perform
from tdmm.acting.lexicon import load
from tdmm.errors import ArtifactProblem
from tdmm.evaluation.grade_animate import grade_animate, grade_clip
from tdmm.evaluation.held_out import Prompt, prompts
from tdmm.face.channels import ARKIT
from tdmm.motion.clip import FaceMotion

COUNT = 24


class Oracle:
    """Acts the scripts that the prompts were narrated from."""

    def __init__(self, asked: Sequence[Prompt]) -> None:
        self.scripts = {(prompt.text, prompt.seed): prompt.script for prompt in asked}

    def __call__(self, texts: Sequence[str], seeds: Sequence[int]) -> list[FaceMotion]:
        return [perform(self.scripts[pair], pair[1]).motion for pair in zip(texts, seeds, strict=True)]


def still(texts: Sequence[str], seeds: Sequence[int]) -> list[FaceMotion]:
    return [FaceMotion(ARKIT, np.zeros((50, 52)), np.zeros((50, 3))) for _ in texts]


def test_prompts_cover_descriptors_and_head_motions() -> None:
    asked = prompts(len(load()))
    assert {prompt.script.events[0].descriptor for prompt in asked} == set(load().descriptors)
    with_head = [prompt.script.head[0].kind for prompt in asked if prompt.script.head]
    assert len(with_head) == (len(asked) + 1) // 2
    assert len(set(with_head)) == 12
    assert asked[:5] == prompts(5)


@pytest.mark.slow
def test_a_perfect_actor_gets_nearly_everything() -> None:
    oracle = Oracle(prompts(COUNT))
    told: list[int] = []
    graded = grade_animate(oracle, COUNT, progress=lambda done, total, what: told.append(done))
    figures = {each.definition.name: each for each in graded}
    assert figures["animate.action"].value >= 0.95
    assert figures["animate.head"].value >= 0.9
    assert figures["animate.extra"].value <= 0.1
    assert figures["animate.out_of_range"].value == 0
    assert figures["animate.intensity"].value <= 0.1
    assert figures["animate.action"].failures == 0
    assert told == sorted(told)


def test_a_still_face_gets_nothing() -> None:
    figures = {each.definition.name: each for each in grade_animate(still, 6)}
    assert figures["animate.action"].value == 0
    assert figures["animate.head"].value == 0
    assert figures["animate.extra"].value == 0
    assert figures["animate.intensity"].value is None


def test_failures_are_counted_one_by_one() -> None:
    bad = prompts(6)[2].text

    def sometimes(texts: Sequence[str], seeds: Sequence[int]) -> list[FaceMotion]:
        if bad in texts:
            raise RuntimeError("no frames")
        return still(texts, seeds)

    figures = {each.definition.name: each for each in grade_animate(sometimes, 6)}
    assert figures["animate.action"].failures == 1
    assert figures["animate.action"].n == 5
    assert figures["animate.action"].passed is False


def test_a_missing_model_is_a_reason_not_two_hundred_failures() -> None:
    def missing(texts: Sequence[str], seeds: Sequence[int]) -> list[FaceMotion]:
        raise ArtifactProblem("weights: no such folder")

    for measurement in grade_animate(missing, 3):
        assert (measurement.value, measurement.failures) == (None, 0)
        assert "no such folder" in measurement.note


def test_what_nobody_asked_for_and_what_is_out_of_range_are_seen() -> None:
    prompt = next(each for each in prompts(40) if "cheek_puff" not in _actions(each))
    motion = perform(prompt.script, 1).motion
    expression = motion.expression.copy()
    expression[10:40, ARKIT.index("cheekPuff")] = 0.8
    expression[5, 0] = 1.5
    grade = grade_clip(prompt, motion.with_(expression=expression))
    assert "cheek_puff" in grade.extra
    assert grade.out_of_range == 1
    assert grade.events[0].appears


def _actions(prompt: Prompt) -> set[str]:
    descriptor = load().get(prompt.script.events[0].descriptor)
    return {recipe.action for recipe in descriptor.actions}
