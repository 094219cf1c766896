"""An oracle that acts the scripts does well; one that ignores a part of the words fails at that part."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tdmm.acting.actor import perform
from tdmm.acting.lexicon import load
from tdmm.acting.narrator import Narration
from tdmm.acting.script import Event, HeadMotion, Script
from tdmm.acting.wordings import held_out
from tdmm.errors import ArtifactProblem
from tdmm.evaluation.grade_words import grade_words
from tdmm.evaluation.held_out import (
    SEED,
    contrasted_prompts,
    denied_prompts,
    ordered_prompts,
    prompts,
    timed_prompts,
)
from tdmm.face.channels import ARKIT
from tdmm.motion.clip import FaceMotion

COUNT = 24


def _scripts() -> dict[tuple[str, int], Script]:
    half = COUNT // 2
    asked = [*prompts(COUNT, SEED, Narration("held_out")), *ordered_prompts(half), *timed_prompts(half)]
    asked += [each for pair in contrasted_prompts(half) for each in pair]
    asked += [prompt for prompt, _ in denied_prompts(half)]
    return {(prompt.text, prompt.seed): prompt.script for prompt in asked}


def _figures(change: Callable[[Script], Script]) -> dict[str, float | None]:
    scripts = _scripts()

    def act(texts: Sequence[str], seeds: Sequence[int]) -> list[FaceMotion]:
        return [perform(change(scripts[pair]), pair[1]).motion for pair in zip(texts, seeds, strict=True)]

    return {each.definition.name: each.value for each in grade_words(act, COUNT)}


@pytest.mark.slow
def test_a_perfect_actor_follows_the_words() -> None:
    figures = _figures(lambda script: script)
    for name in ("unseen", "order", "time", "contrast", "denied"):
        value = figures[f"words.{name}"]
        assert value is not None
        assert value >= 0.9, name


@pytest.mark.slow
def test_who_ignores_a_part_of_the_words_fails_at_that_part() -> None:
    def shifted(event: Event, by: float) -> Event:
        return event.model_copy(update={each: getattr(event, each) + by for each in ("onset", "apex", "offset", "end")})

    late = _figures(
        lambda script: script.model_copy(
            update={"seconds": script.seconds + 1, "events": tuple(shifted(each, 0.8) for each in script.events)}
        )
    )
    assert late["words.time"] == 0
    assert late["words.order"] == pytest.approx(_figures(lambda script: script)["words.order"], abs=0.1)
    same = _figures(
        lambda script: script.model_copy(
            update={"events": tuple(each.model_copy(update={"intensity": 0.7}) for each in script.events)}
        )
    )
    assert same["words.contrast"] is not None
    assert same["words.contrast"] <= 0.1
    first = _figures(lambda script: script.model_copy(update={"events": script.events[:1]}))
    assert first["words.order"] == 0


@pytest.mark.slow
def test_doing_what_was_denied_is_seen() -> None:
    smiles = Event(descriptor="grin", intensity=0.9, onset=0.3, apex=0.6, offset=1.0, end=1.4)
    frowns = Event(descriptor="scowl", intensity=0.9, onset=0.3, apex=0.6, offset=1.0, end=1.4)
    nods = HeadMotion(kind="nod", cycles=2, onset=0.3, end=1.4)
    busy = _figures(lambda script: script.model_copy(update={"events": (smiles, frowns), "head": (nods,)}))
    still = _figures(lambda script: script.model_copy(update={"events": (), "head": ()}))
    assert still["words.denied"] == 1
    assert busy["words.denied"] is not None
    assert busy["words.denied"] <= 0.75


def test_a_still_face_follows_nothing_but_denials() -> None:
    def still(texts: Sequence[str], seeds: Sequence[int]) -> list[FaceMotion]:
        return [FaceMotion(ARKIT, np.zeros((50, 52)), np.zeros((50, 3))) for _ in texts]

    figures = {each.definition.name: each.value for each in grade_words(still, 6)}
    assert figures == {
        "words.unseen": 0, "words.order": 0, "words.time": 0, "words.contrast": 0, "words.denied": 1,
    }  # fmt: skip


def test_a_missing_model_is_a_reason() -> None:
    def missing(texts: Sequence[str], seeds: Sequence[int]) -> list[FaceMotion]:
        raise ArtifactProblem("weights: no such folder")

    for measurement in grade_words(missing, 3):
        assert (measurement.value, measurement.failures) == (None, 0)
        assert "no such folder" in measurement.note


def test_unseen_prompts_use_held_out_phrasings_alone() -> None:
    for prompt in prompts(30, SEED, Narration("held_out")):
        entry = load().get(prompt.script.events[0].descriptor)
        literal = [
            max(each.text.replace("*", "").split("{"), key=len).split("}")[-1].strip() for each in held_out(entry)
        ]
        said = prompt.text.lower()
        assert any(_tail(words) in said for words in literal), (prompt.text, literal)


def _tail(words: str) -> str:
    """The end of a phrasing, which no inflection of its first word touches."""
    return words.rsplit(" ", 1)[-1][:4]
