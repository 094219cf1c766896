from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tdmm.errors import InvalidInput
from tdmm.language.motion2language_training import (
    Distortion,
    Motion2LanguageRecipe,
    Motion2LanguageTask,
    ScriptedTokens,
    distort,
)
from tdmm.runtime import Runtime
from tdmm.training.config import TrainingConfig, read_recipe
from tdmm.training.loop import fit

from .scripted import LEVELS, SIZE, SMALL, FakeTokenizer, answer, script

RECIPES = Path(__file__).resolve().parents[2] / "recipes"


def clips(count: int, seed: int) -> ScriptedTokens:
    """Clips whose first code says which descriptor is acted, and whose second whether the head nods."""
    rng = np.random.default_rng(seed)
    scripts, parts = [], []
    for index in range(count):
        descriptor, nods = ("smile", "frown", "wink")[index % 3], bool(rng.integers(2))
        codes = rng.integers(0, SIZE, (20, LEVELS))
        codes[5:15, 0] = index % 3
        codes[5:15, 1] = int(nods)
        scripts.append(script(descriptor, nods))
        parts.append(codes)
    return ScriptedTokens(np.concatenate(parts), np.arange(count + 1) * 20, tuple(scripts))


def recipe(**changes: object) -> Motion2LanguageRecipe:
    training = TrainingConfig(steps=150, batch_size=12, learning_rate=5e-3, warmup_steps=5)
    values = {"training": training, "model": SMALL, "vocabulary": 320, "generated_clips": 0}
    return Motion2LanguageRecipe.model_validate({**values, **changes})


@pytest.fixture(scope="module")
def task() -> Motion2LanguageTask:
    return Motion2LanguageTask(recipe(), clips(36, 0), clips(6, 1), FakeTokenizer(), answer)


def test_the_shipped_recipe_is_valid() -> None:
    read_recipe(RECIPES / "motion2language.yaml", Motion2LanguageRecipe)


def test_a_batch_depends_on_seed_and_step_alone(task: Motion2LanguageTask) -> None:
    other = Motion2LanguageTask(recipe(), clips(36, 0), clips(6, 1), FakeTokenizer(), answer)
    for step in (0, 3, 7):
        assert float(task.loss(step)["loss"].detach()) == float(other.loss(step)["loss"].detach())
    assert float(task.loss(3)["loss"].detach()) != float(task.loss(4)["loss"].detach())


def test_an_epoch_shows_every_clip_once(task: Motion2LanguageTask) -> None:
    drawn = [clip for step in range(3) for clip in task._drawn(step)]
    assert sorted(drawn) == list(range(36))
    assert [clip for step in range(3, 6) for clip in task._drawn(step)] != drawn


@pytest.mark.slow
def test_it_learns_to_say_what_the_codes_show(tmp_path: Path) -> None:
    learner = Motion2LanguageTask(recipe(), clips(60, 0), clips(12, 1), FakeTokenizer(), answer)
    before = learner.evaluate()
    after = fit(learner, learner._recipe.training, tmp_path, Runtime("cpu"), progress=False).metrics
    assert after["validation/describe"] < 0.5 * before["validation/describe"]
    held_out = clips(12, 1)
    told = learner.model.eval().describe([learner._tokens(clip) for clip in range(12)], "emotion")
    right = [s.events[0].descriptor in text for s, text in zip(held_out.scripts, told, strict=True)]
    assert np.mean(right) > 0.7


def test_only_the_answer_is_learned(task: Motion2LanguageTask) -> None:
    """The prompt and the padding have no part in the loss."""
    codes = [task._train.clip(0), task._train.clip(1)]
    texts = [[task._written(task._train.scripts[i], name, 0)] for i, name in enumerate(("head", "describe"))]
    counts = [len(answers[0]) - 2 for answers in texts]  # the prompt is two ids
    assert counts[0] != counts[1]
    task.model.eval()
    with torch.no_grad():
        short, long = (task._cross_entropy([c], [t], None) for c, t in zip(codes, texts, strict=True))
        both = task._cross_entropy(codes, texts, None)
    torch.testing.assert_close(both, (counts[0] * short + counts[1] * long) / sum(counts))


@given(st.integers(1, 30), st.integers(0, 8), st.floats(0, 0.4), st.floats(0, 0.5), st.integers(0, 99))
def test_distorted_codes_stay_codes(frames: int, crop: int, stretch: float, wrong: float, seed: int) -> None:
    how = Distortion(crop=crop, stretch=stretch, corruption=wrong)
    codes = np.random.default_rng(seed).integers(0, SIZE, (frames, LEVELS))
    spoilt = distort(codes, SIZE, how, np.random.default_rng(seed))
    assert 1 <= len(spoilt) <= round(frames * (1 + stretch)) + 1
    assert spoilt.shape[1] == LEVELS
    assert 0 <= spoilt.min() <= spoilt.max() < SIZE


def test_without_distortion_codes_stay_as_they_are() -> None:
    codes = np.arange(30).reshape(10, 3)
    none = Distortion(crop=0, stretch=0, corruption=0)
    assert np.array_equal(distort(codes, 64, none, np.random.default_rng(0)), codes)


def test_shares_must_sum_to_one() -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        recipe(mix={"describe": 0.5})
    with pytest.raises(ValueError, match="sum to 1"):
        recipe(mix={"describe": 0.5, "sing": 0.5})


def test_a_corpus_without_clips_says_what_to_do() -> None:
    none = ScriptedTokens(np.zeros((0, LEVELS), np.int64), np.zeros(1, np.int64), ())
    with pytest.raises(InvalidInput, match="corpus act"):
        Motion2LanguageTask(recipe(), none, none, FakeTokenizer(), answer)
