from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tdmm.errors import ArtifactProblem, InvalidConfig, TokenizerMismatch
from tdmm.language import plan_codes
from tdmm.language.data import FrameTokenizer, Pairs
from tdmm.language.language2motion import (
    Language2Motion,
    Language2MotionConfig,
    Prefix,
    gathered,
    prefix_places,
)
from tdmm.language.step_cache import StepCache
from tdmm.language.text_encoder import MAX_TOKENS
from tdmm.language.train_language2motion import Language2MotionRecipe, Language2MotionTask
from tdmm.recipes import read_recipe
from tdmm.runtime import Runtime
from tdmm.training.loop import fit

CONFIG = Language2MotionConfig(levels=3, codebook_size=16, latent_width=4, text_width=12, width=32, depth=2, heads=2)
RECIPES = Path(__file__).resolve().parents[2] / "recipes"


@pytest.fixture
def model() -> Language2Motion:
    torch.manual_seed(0)
    return Language2Motion(CONFIG, torch.randn(3, 16, 4), "tokens").eval().requires_grad_(False)


def random_codes(clips: int, frames: int) -> Tensor:
    return torch.randint(0, 16, (clips, frames, 3), generator=torch.Generator().manual_seed(1))


def prefix_of(model: Language2Motion, words: list[int], seconds: list[float]) -> Prefix:
    states = torch.randn(len(words), max(words), 12, generator=torch.Generator().manual_seed(2))
    mask = torch.arange(max(words)) < torch.tensor(words)[:, None]
    generator = torch.Generator().manual_seed(3)
    plan = tuple(torch.rand(len(words), 21, width, generator=generator) for width in (plan_codes.ROLL, 4))
    return model.prefix((states * mask[..., None], mask), torch.tensor(seconds), (plan[0], plan[1]))


def test_a_frame_knows_only_the_frames_before(model: Language2Motion) -> None:
    prefix, codes = prefix_of(model, [5], [1.0]), random_codes(1, 20)
    changed = codes.clone()
    changed[:, 10] = (changed[:, 10] + 1) % 16
    before, after = model.states(prefix, codes), model.states(prefix, changed)
    assert torch.equal(before[:, :11], after[:, :11])
    assert not torch.allclose(before[:, 11], after[:, 11])


def test_a_level_knows_only_the_levels_before(model: Language2Motion) -> None:
    states = torch.randn(4, 32)
    codes = random_codes(1, 4)[0]
    changed = codes.clone()
    changed[:, 1] = (changed[:, 1] + 1) % 16
    sketched = torch.randn(4, 4)
    before, after = model.logits(states, codes, sketched)[0], model.logits(states, changed, sketched)[0]
    assert torch.equal(before[:, :2], after[:, :2])
    assert not torch.allclose(before[:, 2], after[:, 2])


@pytest.mark.parametrize("words_of_each", [[5, 2, 9], [5, 5, 5]])
def test_cached_states_equal_those_of_the_whole_sequence(model: Language2Motion, words_of_each: list[int]) -> None:
    prefix, codes = prefix_of(model, words_of_each, [1.0, float("nan"), 0.8]), random_codes(3, 20)
    whole = model.states(prefix, codes)
    places, words = torch.arange(21), prefix_places(prefix.embedded.shape[1], torch.device("cpu"))
    turns = model.turns(words), model.turns(places + MAX_TOKENS + 1)
    cache = StepCache(model.trunk, prefix.embedded, prefix.mask, *turns)
    inputs, vectors = model.frame_inputs(None, prefix, places) - model.start, model.code_vectors()
    befores = [model.start, *(gathered(vectors, codes[:, t]).sum(-2) for t in range(20))]
    steps = [model.norm(cache.step(inputs[:, place] + before)) for place, before in enumerate(befores)]
    assert torch.allclose(torch.stack(steps, dim=1), whole, atol=1e-5)


def test_level_logits_equal_those_of_all_levels(model: Language2Motion) -> None:
    state, codes = torch.randn(4, 32), random_codes(1, 4)[0]
    lacking = torch.randn(4, 4)
    logits, end = model.logits(state, codes, lacking)
    vectors, books, partial = gathered(model.code_vectors(), codes), gathered(model.codebooks, codes), state
    first = torch.cat([logits[:, 0], end[:, None]], dim=-1)
    assert torch.allclose(model.end_logits(state, lacking), first, atol=1e-5)
    for level, wanted in enumerate([first, logits[:, 1], logits[:, 2]]):
        pull = model.pull(state)[:, level, None]
        assert torch.allclose(model.level_logits(model.level(level), partial, pull, lacking), wanted, atol=1e-5)
        partial, lacking = partial + vectors[:, level], lacking - books[:, level]


def test_padding_changes_nothing(model: Language2Motion) -> None:
    together = prefix_of(model, [5, 9], [1.0, 0.8])
    alone = Prefix(
        torch.cat([together.embedded[:1, :5], together.embedded[:1, -1:]], dim=1),
        torch.ones(1, 6, dtype=torch.bool), together.seconds[:1], together.roll[:1],
        together.sketch[:1],
    )  # fmt: skip
    codes = random_codes(2, 20)
    longer = model.states(together, codes)[:1]
    assert torch.allclose(model.states(alone, codes[:1]), longer, atol=1e-5)


def test_hidden_words_cannot_be_read(model: Language2Motion) -> None:
    states, mask = torch.randn(2, 5, 12), torch.tensor([[True] * 5, [True] * 2 + [False] * 3])
    plan = torch.zeros(2, 9, plan_codes.ROLL), torch.zeros(2, 9, 4)
    prefix = model.prefix((states, mask), torch.ones(2), plan, torch.tensor([True, True]))
    seen = model.states(prefix, random_codes(1, 8).expand(2, -1, -1))
    assert torch.allclose(seen[0], seen[1], atol=1e-6)
    none = model.prefix(None, torch.ones(2), plan)
    assert torch.allclose(model.states(none, random_codes(1, 8).expand(2, -1, -1)), seen, atol=1e-5)


def test_artifact_keeps_the_model(model: Language2Motion, tmp_path: Path) -> None:
    fingerprint = model.save(tmp_path / "model", {"seed": 1})
    loaded = Language2Motion.load(tmp_path / "model", "tokens")
    assert loaded.fingerprint == fingerprint
    assert (loaded.config, loaded.text_encoder) == (CONFIG, model.text_encoder)
    prefix, codes = prefix_of(model, [5], [1.0]), random_codes(1, 6)
    again = prefix_of(loaded, [5], [1.0])
    assert torch.allclose(loaded.states(again, codes), model.states(prefix, codes), atol=0.05)


def test_artifact_of_another_tokenizer_is_refused(model: Language2Motion, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    with pytest.raises(TokenizerMismatch, match="train again"):
        Language2Motion.load(tmp_path / "model", "another")


def test_missing_artifact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactProblem, match="no such weights folder"):
        Language2Motion.load(tmp_path / "model")


def recipe(**training: object) -> Language2MotionRecipe:
    settings = {"steps": 20, "batch_size": 4, "learning_rate": 3e-3, "warmup_steps": 10, **training}
    return Language2MotionRecipe.model_validate({
        "model": {"width": 32, "depth": 2, "heads": 2, "head_depth": 1},
        "learning": {"corruption": 0.1, "wordless": 0.1, "open_end": 0.2},
        "text_encoder": "hashed-words-16",
        "training": settings,
    })  # fmt: skip


def test_four_clips_are_learned_by_heart(pairs: Pairs, tokenizer: FrameTokenizer, tmp_path: Path) -> None:
    settings = recipe(steps=220)
    task = Language2MotionTask(settings, pairs, pairs, tokenizer)
    task.model.eval()
    with torch.no_grad():
        before = task.evaluate()
    figures = fit(task, settings.training, tmp_path, Runtime("cpu"), progress=False).metrics
    assert figures["loss"] < 0.25 * before["loss"]
    assert figures["accuracy_0_changes"] > 0.8
    assert figures["accuracy_0"] > figures["copy_last_0"]
    assert figures["copy_last_0"] == pytest.approx(1 - figures["changes_0"])


def test_resumed_run_equals_a_straight_one(pairs: Pairs, tokenizer: FrameTokenizer, tmp_path: Path) -> None:
    def train(folder: Path, steps: int) -> dict[str, Tensor]:
        settings = recipe(steps=steps, schedule="wsd", decay_fraction=0.01, warmup_steps=1)
        task = Language2MotionTask(settings, pairs, pairs, tokenizer)
        fit(task, settings.training, folder, Runtime("cpu"), progress=False)
        return task.model.state_dict()

    straight = train(tmp_path / "straight", 6)
    train(tmp_path / "resumed", 3)
    resumed = train(tmp_path / "resumed", 6)
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)


def test_longer_clips_than_the_model_is_made_for_are_cut(pairs: Pairs, tokenizer: FrameTokenizer) -> None:
    settings = recipe().model_copy(update={"max_seconds": 1.0})
    task = Language2MotionTask(settings, pairs, pairs, tokenizer)
    assert np.isfinite(task.evaluate()["loss"])


def test_a_frame_reads_the_plan_around_it_and_not_far_from_it(model: Language2Motion) -> None:
    prefix, codes = prefix_of(model, [5], [1.0]), random_codes(1, 20)
    changed = replace(prefix, roll=prefix.roll.clone())
    changed.roll[:, 12] += 1.0
    differs = (model.states(prefix, codes) - model.states(changed, codes)).abs().amax(-1)[0] > 1e-6
    assert not differs[:8].any()
    assert differs[8]  # it sees an event coming
    assert differs[12]


def test_untrained_it_writes_the_sketch(model: Language2Motion) -> None:
    codes = random_codes(1, 9)[0]
    latents = gathered(model.codebooks, codes)
    model.pull.bias.fill_(50.0)
    logits = model.logits(torch.randn(9, 32), codes, latents[:, 0])[0]
    assert torch.equal(logits[:, 0].argmax(-1), codes[:, 0])
    logits = model.logits(torch.randn(9, 32), codes, latents.sum(1))[0]
    assert torch.equal(logits[:, 2].argmax(-1), codes[:, 2])


def test_shipped_recipe_loads() -> None:
    shipped = read_recipe(RECIPES / "language2motion.yaml", Language2MotionRecipe)
    assert shipped.text_encoder == "all-MiniLM-L6-v2"


def test_recipe_with_an_unknown_key_names_it(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("training: {steps: 1, batch_size: 1, learning_rate: 1e-3}\nmodel: {widht: 8}\n")
    with pytest.raises(InvalidConfig, match=r"model\.widht"):
        read_recipe(path, Language2MotionRecipe)
