from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tdmm.acting import questions
from tdmm.acting.answers import answer
from tdmm.acting.excerpt import drawn_excerpt
from tdmm.acting.narrator import narrate
from tdmm.acting.question_facts import certain_blinks
from tdmm.acting.script import Event, Script
from tdmm.errors import InvalidInput
from tdmm.evaluation.grade_answers import RESTING, exact_share, grade_answers, right_levels
from tdmm.evaluation.held_out import SEED, clips
from tdmm.motion.clip import FaceMotion

COUNT = 20


def script(*names: str, intensity: float = 0.6) -> Script:
    return Script(
        seconds=6,
        events=tuple(
            Event(descriptor=name, intensity=intensity, onset=i, apex=i + 0.2, offset=i + 0.5, end=i + 0.9)
            for i, name in enumerate(names)
        ),
    )


class Narrator:
    """Knows the scripts: it tells clips by their number of frames, and tracked ones in their turn."""

    def __init__(self) -> None:
        self.acted = list(clips(COUNT))
        self.scripts = {clip.performance.motion.provenance["seed"]: clip.script for clip in self.acted}
        whole = [clip.script for clip in self.acted if clip.script.events]
        cut = [drawn_excerpt(clip.script, np.random.default_rng((SEED, i, 7))) for i, clip in enumerate(self.acted)]
        parts = [part.script for part in cut if part is not None]
        self.tracked = iter([*whole, *whole, *parts, *whole, *[RESTING] * 8])
        self.asked = {}
        for index, clip in enumerate(self.acted):
            blinks = certain_blinks(clip.performance.events)
            about = questions.about(clip.script, SEED + index, blinks, index % 2 == 0)
            self.asked[about.question] = about.answer

    def __call__(
        self, motions: Sequence[FaceMotion], *, task: str = "describe", ask: Sequence[str] | None = None
    ) -> list[str]:
        if ask is not None:
            return [self.asked[question] for question in ask]
        if task == "describe":  # the tracked clips, which have no provenance
            return [narrate(next(self.tracked), 5, "long") for _ in motions]
        return [answer(self.scripts[motion.provenance["seed"]], task, 0) for motion in motions]  # type: ignore[arg-type]


def test_the_narrator_itself_is_right() -> None:
    figures = {each.definition.name: each for each in grade_answers(Narrator(), COUNT)}
    assert figures["describe.descriptor"].value == 1
    assert figures["describe.intensity"].value == 1
    assert figures["describe.question"].value == 1
    assert "50%" in figures["describe.question"].note
    for name in ("describe.noisy", "describe.tracked", "describe.cut", "describe.brows"):
        assert figures[name].value >= 0.9
    for name in ("describe.resting", "describe.resting_brows"):
        assert (figures[name].value, figures[name].n) == (1, 4)
    assert 5 <= figures["describe.cut"].n < figures["describe.tracked"].n  # not all can be cut


def test_always_yes_is_chance() -> None:
    def yes(motions: Sequence[FaceMotion], **how: object) -> list[str]:
        return ["yes, a smile" for _ in motions]

    figures = {each.definition.name: each for each in grade_answers(yes, COUNT)}
    assert figures["describe.question"].value == pytest.approx(0.5, abs=0.03)
    assert figures["describe.descriptor"].value == 0
    assert figures["describe.resting"].value == 0


def test_a_task_that_the_model_does_not_know_is_not_measured() -> None:
    def old(motions: Sequence[FaceMotion], *, task: str = "describe", **how: object) -> list[str]:
        if task in ("question", "micro"):
            raise InvalidInput("not trained on the task 'question'")
        return ["" for _ in motions]

    figure = {each.definition.name: each for each in grade_answers(old, 5)}["describe.question"]
    assert (figure.value, figure.failures) == (None, 0)
    assert "not trained" in figure.note


def test_descriptors_are_compared_by_name() -> None:
    shown = script("smile", "frown")
    assert exact_share(shown, "smile, then frown") == 1
    assert exact_share(shown, "frown, then grin") == 0.5
    assert exact_share(shown, "neutral") == 0
    assert exact_share(script("smile", "smile"), "smile") == 0.5


def test_levels_are_compared_in_their_places() -> None:
    shown = script("smile", "raise_one_brow", intensity=0.8)
    assert right_levels(shown, answer(shown, "intensity", 0)) == 2
    assert right_levels(shown, "a strong grin, then slightly raising one eyebrow") == 1
    assert right_levels(shown, "a strong smile") == 0
    assert right_levels(shown, "no idea, then nothing") == 0
