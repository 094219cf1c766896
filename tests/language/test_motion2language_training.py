from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from tdmm.acting import questions
from tdmm.acting.casting import cast
from tdmm.errors import ArtifactProblem, InvalidConfig, InvalidInput
from tdmm.language.motion2language import Motion2Language
from tdmm.language.motion2language_training import (
    Distortion,
    Motion2LanguageRecipe,
    Motion2LanguageTask,
    ScriptedTokens,
    Text,
    distort,
    recipe_for,
)
from tdmm.recipes import read_recipe
from tdmm.runtime import Runtime
from tdmm.training import checkpoint
from tdmm.training.config import TrainingConfig
from tdmm.training.loop import METRICS, fit
from tdmm.training.processes import Processes

from . import tiny_models
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
    mix = {"describe": 0.45, "emotion": 0.2, "head": 0.15, "intensity": 0.1, "timeline": 0.1}
    longer = recipe(mix=mix).training.model_copy(update={"steps": 300})
    learner = Motion2LanguageTask(recipe(mix=mix, training=longer), clips(60, 0), clips(12, 1), FakeTokenizer(), answer)
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
    texts = [[task._written(task._train.known(i), name, 0)] for i, name in enumerate(("head", "describe"))]
    counts = [len(answers[0].ids) - 2 for answers in texts]  # the prompt is two ids
    assert counts[0] != counts[1]
    task.model.eval()
    with torch.no_grad():
        short, long = (task._cross_entropy([c], [t], None) for c, t in zip(codes, texts, strict=True))
        both = task._cross_entropy(codes, texts, None)
    torch.testing.assert_close(both, (counts[0] * short + counts[1] * long) / sum(counts))


def test_a_question_of_any_length_is_no_part_of_what_is_learned(task: Motion2LanguageTask) -> None:
    seeds = [seed for seed in range(40) if questions.about(task._train.scripts[0], seed).truth is not None]
    texts = [task._written(task._train.known(0), "question", seed) for seed in seeds]
    assert len({text.asked for text in texts}) > 3
    words = task.model.vocabulary
    for seed, text in zip(seeds, texts, strict=True):
        asked = questions.about(task._train.scripts[0], seed)
        assert words.decode(text.ids[: text.asked]) == asked.question
        assert words.decode(text.ids[text.asked :]) == asked.answer
        assert text.first == task._recipe.verdict
    short, long = min(texts, key=lambda text: len(text.ids)), max(texts, key=lambda text: len(text.ids))
    codes, weights = [task._train.clip(0)], [text.first + len(text.ids) - text.asked - 1 for text in (short, long)]
    task.model.eval()
    with torch.no_grad():
        alone = [task._cross_entropy(codes, [[text]], None) for text in (short, long)]
        both = task._cross_entropy(codes, [[short, long]], None)
        plain = task._cross_entropy(codes, [[Text(short.ids, short.asked)]], None)
    torch.testing.assert_close(both, (weights[0] * alone[0] + weights[1] * alone[1]) / sum(weights))
    assert float(plain) != float(alone[0])  # the verdict weighs


def test_some_clips_are_encoded_anew_and_the_same_ones_again() -> None:
    class Heard(FakeTokenizer):
        frames = 0

        def encode_features(self, features: torch.Tensor) -> torch.Tensor:
            self.frames += len(features)
            return super().encode_features(features)

    def learner(tokenizer: FakeTokenizer) -> Motion2LanguageTask:
        shown = clips(36, 0)
        features = np.random.default_rng(0).random((len(shown.codes), 58)).astype(np.float32)
        how = recipe(distortion=Distortion(tracked=0.5))
        return Motion2LanguageTask(how, replace(shown, features=features), clips(6, 1), tokenizer, answer)

    tokenizer = Heard()
    first, again = learner(tokenizer), learner(FakeTokenizer())
    assert float(first.loss(4)["loss"].detach()) == float(again.loss(4)["loss"].detach())
    assert 0 < tokenizer.frames < 12


def test_encoding_anew_needs_features() -> None:
    with pytest.raises(InvalidInput, match="features"):
        Motion2LanguageTask(
            recipe(distortion=Distortion(tracked=0.5)), clips(36, 0), clips(6, 1), FakeTokenizer(), answer
        )


def test_what_is_trained_along_is_not_saved(tmp_path: Path) -> None:
    scripts = tuple(cast(4, index) for index in range(12))
    codes = np.random.default_rng(0).integers(0, SIZE, (12 * 60, LEVELS))
    seen = ScriptedTokens(codes, np.arange(13) * 60, scripts)
    learner = Motion2LanguageTask(recipe(knowledge=0.5), seen, seen, FakeTokenizer())
    losses = learner.loss(0)
    assert losses["loss"] == losses["words"] + 0.5 * losses["knowledge"]
    losses["knowledge"].backward()
    assert next(learner.model.reader.parameters()).grad is not None
    learner.model.save(tmp_path / "m2l")
    assert Motion2Language.load(tmp_path / "m2l").knowledge is None
    assert not [name for name in load_file(tmp_path / "m2l" / "weights.safetensors") if "knowledge" in name]


def test_a_model_knows_the_tasks_of_its_mix(tmp_path: Path) -> None:
    learner = Motion2LanguageTask(
        recipe(mix={"describe": 0.5, "question": 0.5}, generated_clips=4),
        clips(36, 0),
        clips(6, 1),
        FakeTokenizer(),
        answer,
    )
    assert learner.model.tasks == ("describe", "question")
    figures = learner.evaluate()
    assert {"validation/question", "question_right", "family_recall"} <= figures.keys()
    assert "validation/micro" not in figures
    learner.model.save(tmp_path / "m2l")
    again = Motion2Language.load(tmp_path / "m2l")
    assert again.tasks == ("describe", "question")
    with pytest.raises(InvalidInput, match=r"not trained on the task 'micro'.*describe, question"):
        again.describe([learner._tokens(0)], "micro")


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


def pretrained(base: Path, steps: int = 6, **changes: object) -> Motion2LanguageRecipe:
    """A recipe on that language model; its adapter has dropout, so that the random state matters."""
    backbone = {"name": str(base), "dtype": "fp32", "lora": {"rank": 4, "dropout": 0.2}, **changes}
    training = TrainingConfig(steps=steps, batch_size=6, learning_rate=1e-2, warmup_steps=2, log_every=1)
    return Motion2LanguageRecipe.model_validate(
        {
            "training": training, "model": {"backbone": backbone}, "answers": 1, "generated_clips": 1,
            "evaluation_clips": 2, "max_text": 8,
        }
    )  # fmt: skip


def learner(recipe: Motion2LanguageRecipe, **options: Processes) -> Motion2LanguageTask:
    tokens = recipe.model.backbone != "small" and recipe.model.backbone.motion == "tokens"
    tokenizer = tiny_models.one_code() if tokens else FakeTokenizer()
    shown, held_out = clips(36, 0), clips(6, 1)
    if tokens:
        shown, held_out = (ScriptedTokens(c.codes[:, :1], c.offsets, c.scripts) for c in (shown, held_out))
    return Motion2LanguageTask(recipe, shown, held_out, tokenizer, answer, **options)


def losses(folder: Path) -> list[float]:
    lines = [json.loads(line) for line in (folder / METRICS).read_text().splitlines()]
    return [line["loss"] for line in lines if "loss" in line]


@pytest.mark.parametrize(
    ("motion", "dtype", "precision"),
    [("frames", "fp32", "fp32"), ("tokens", "fp32", "fp32"), ("tokens", "bf16", "bf16")],
)
def test_on_a_language_model_a_resumed_run_has_the_same_losses(
    tmp_path: Path, motion: str, dtype: str, precision: str
) -> None:
    base = tiny_models.checkpoint(tmp_path / "base")
    recipe = pretrained(base, motion=motion, dtype=dtype, gradient_checkpointing=True)
    training = recipe.training.model_copy(update={"precision": precision, "checkpoint_every_steps": 1})
    fit(learner(recipe), training, tmp_path / "straight", Runtime("cpu"), progress=False)

    broken = learner(recipe)
    whole = broken.loss

    def until(step: int) -> dict[str, torch.Tensor]:
        if step == 3:
            raise RuntimeError("killed")
        return whole(step)

    broken.loss = until  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="killed"):
        fit(broken, training, tmp_path / "resumed", Runtime("cpu"), progress=False)
    fit(learner(recipe), training, tmp_path / "resumed", Runtime("cpu"), progress=False)
    assert len(losses(tmp_path / "straight")) == 6
    assert losses(tmp_path / "resumed") == losses(tmp_path / "straight")

    stored = checkpoint.read(tmp_path / "resumed")
    assert stored is not None
    held = {name for name in stored.part("model") if not name.startswith("reader.")}
    assert all("lora_" in name or "trainable_tokens" in name for name in held)  # not the language model


@pytest.mark.parametrize("motion", ["frames", "tokens"])
def test_on_a_language_model_it_learns(tmp_path: Path, motion: str) -> None:
    recipe = pretrained(tiny_models.checkpoint(tmp_path / "base"), steps=30, motion=motion)
    fit(learner(recipe), recipe.training, tmp_path, Runtime("cpu"), progress=False)
    told = losses(tmp_path)
    assert np.mean(told[-5:]) < 0.7 * np.mean(told[:3])


def test_shares_of_a_batch_make_the_whole(tmp_path: Path) -> None:
    """The mean of what two processes compute is what one would; here without a network between them."""
    base = tiny_models.checkpoint(tmp_path / "base")
    alone = learner(pretrained(base, lora={"rank": 4, "dropout": 0.0}))
    whole = float(alone.loss(0)["loss"].detach())
    counted = []

    class Half(Processes):
        def total(self, values: object) -> list[float]:
            counted.append(float(values[0]))  # type: ignore[index]
            return [1.0]

    halves = []
    for rank in range(2):
        task = learner(alone._recipe, processes=Half(rank, 2))
        halves.append(float(task.loss(0)["loss"].detach()) / 2)
    assert sum(halves) / sum(counted) == pytest.approx(whole, rel=1e-5)


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path: Path) -> None:
    base = tiny_models.checkpoint(tmp_path / "base")
    with pytest.raises(InvalidConfig, match="cannot be shared among 7"):
        learner(pretrained(base), processes=Processes(0, 7))
    with pytest.raises(InvalidConfig, match="shared evenly among 4"):
        learner(pretrained(base, shard=True), processes=Processes(0, 4))


def test_nothing_to_train_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="needs lora"):
        learner(pretrained(tiny_models.checkpoint(tmp_path / "base"), motion="tokens", lora=None))


def test_a_checkpoint_on_another_language_model_is_refused(tmp_path: Path) -> None:
    for seed, name in enumerate(("base", "other")):
        tiny_models.checkpoint(tmp_path / name, seed=seed)

    def run(name: str) -> None:
        recipe = pretrained(tmp_path / name, steps=1)
        task = learner(recipe)
        fit(task, recipe.training, tmp_path / "run", Runtime("cpu"), progress=False, identity=task.model.base)

    run("base")
    with pytest.raises(InvalidConfig, match=r"weights was .*--no-resume"):
        run("other")


def test_a_recipe_takes_another_language_model(tmp_path: Path) -> None:
    changed = recipe_for(RECIPES / "motion2language-lora.yaml", "some/model", "tokens", 4)
    backbone = changed.model.backbone
    assert backbone != "small"
    assert (backbone.name, backbone.motion, backbone.gradient_checkpointing) == ("some/model", "tokens", True)
    assert backbone.lora is not None
    assert (backbone.lora.rank, backbone.lora.alpha) == (4, 8)
    kept = recipe_for(RECIPES / "motion2language-lora.yaml", None, None, 4).model.backbone
    assert kept != "small"
    assert kept.name == "Qwen/Qwen3-4B"


def test_a_recipe_for_the_small_model_says_what_does_not_fit() -> None:
    with pytest.raises(InvalidConfig, match=r"hidden.*motion2language-lora\.yaml"):
        recipe_for(RECIPES / "motion2language.yaml", "some/model", None, None)
    with pytest.raises(InvalidConfig, match="--backbone"):
        recipe_for(RECIPES / "motion2language.yaml", None, None, 16)


def test_a_folder_that_holds_no_language_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactProblem, match="cannot be loaded"):
        learner(pretrained(tmp_path / "nothing"))
