from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tdmm.errors import ArtifactProblem, InvalidInput, InvalidPrompt
from tdmm.language import plan_codes
from tdmm.language.animator import Animator
from tdmm.language.data import Pairs
from tdmm.language.language2motion import Language2Motion, Language2MotionConfig
from tdmm.language.plan_codes import CLIP, FIELDS, GROUPS, KIND, ONSET, TOLD
from tdmm.language.planner import Planner, PlannerConfig
from tdmm.language.planning import PlanningOptions, plan
from tdmm.language.text_encoder import HashedWords
from tdmm.language.train_planner import PlannerRecipe, PlannerTask
from tdmm.recipes import read_recipe
from tdmm.runtime import Runtime
from tdmm.training.loop import fit


class Means:
    def encode_latents(self, features: Tensor) -> Tensor:
        return features.mean(-1, keepdim=True).expand(-1, -1, 4)


RECIPES = Path(__file__).resolve().parents[2] / "recipes"
ENCODER = HashedWords(16)
PROMPTS = ("she smiles", "he frowns, then looks away to the left and blinks twice", "a nod")


@pytest.fixture
def planner() -> Planner:
    torch.manual_seed(0)
    config = PlannerConfig(text_width=16, width=32, depth=2, heads=2, seconds=True)
    return Planner(config, ENCODER.name).eval().requires_grad_(False)


def random_plans(clips: int, rows: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.stack([torch.randint(0, size, (clips, rows), generator=generator) for size in FIELDS.values()], -1)


def test_a_row_knows_only_the_rows_before(planner: Planner) -> None:
    text, rows = ENCODER.encode(["she smiles"]), random_plans(1, 8)
    words = planner.prefix(text)
    changed = rows.clone()
    changed[:, 4] = random_plans(1, 1)[:, 0] + 1 - 2 * (random_plans(1, 1)[:, 0] > 0).long()
    before, after = planner.states(words, rows), planner.states(words, changed)
    assert torch.equal(before[:, :5], after[:, :5])
    assert not torch.allclose(before[:, 5], after[:, 5])


def test_field_logits_equal_those_of_all_fields(planner: Planner) -> None:
    states, rows = torch.randn(3, 32), random_plans(1, 3)[0]
    together, partial = planner.logits(states, rows), states
    for field in range(len(FIELDS)):
        assert torch.allclose(planner.field_logits(field, partial), together[field], atol=1e-5)
        partial = partial + planner.embedded(rows)[:, field]


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_plan_does_not_depend_on_its_batch(planner: Planner, guidance: float) -> None:
    options = PlanningOptions(guidance=guidance)
    together = plan(planner, ENCODER.encode(list(PROMPTS)), [None, 60, None], [5, 6, 7], options)
    for place, prompt in enumerate(PROMPTS):
        asked = [60 if place == 1 else None]
        alone = plan(planner, ENCODER.encode([prompt]), asked, [5 + place], options)[0]
        assert np.array_equal(together[place], alone)


def test_every_plan_is_a_plan(planner: Planner) -> None:
    text = ENCODER.encode(list(PROMPTS) * 10)
    for codes in plan(planner, text, [None] * 30, list(range(30)), PlanningOptions(temperature=3.0, top_p=1.0)):
        assert codes[0, KIND] == CLIP
        assert codes[0, ONSET] >= 13
        assert codes[0].sum() == CLIP + codes[0, ONSET]  # as in training: a length and no more
        assert (codes[1:, KIND] < CLIP).all()
        assert (codes[1:, ONSET] < codes[0, ONSET]).all()
        assert (np.diff(GROUPS[codes[1:, KIND]]) >= 0).all()
        assert not codes[~TOLD[codes[:, KIND]]].any()
        decoded = plan_codes.decode(codes)
        plan_codes.roll(decoded.events, decoded.frames)


def test_asked_length_is_kept(planner: Planner) -> None:
    codes = plan(planner, ENCODER.encode(["a nod"]), [77], [0])[0]
    assert codes[0, ONSET] == 77


def test_artifact_keeps_the_planner(planner: Planner, tmp_path: Path) -> None:
    fingerprint = planner.save(tmp_path / "planner", {"seed": 1})
    loaded = Planner.load(tmp_path / "planner")
    assert (loaded.fingerprint, loaded.config, loaded.text_encoder) == (fingerprint, planner.config, ENCODER.name)
    text, rows = ENCODER.encode(["she smiles at 1.5 s"]), random_plans(1, 4)
    again = loaded.states(loaded.prefix(text), rows)
    assert torch.allclose(again, planner.states(planner.prefix(text), rows), atol=0.05)


def test_planner_of_other_events_is_refused(tmp_path: Path) -> None:
    config = PlannerConfig(text_width=16, width=32, depth=1, heads=2, kinds=("wiggle_ears", *plan_codes.KINDS[1:]))
    Planner(config).save(tmp_path / "planner")
    with pytest.raises(ArtifactProblem, match="Train it again"):
        Planner.load(tmp_path / "planner")


def recipe(**training: object) -> PlannerRecipe:
    settings = {"steps": 150, "batch_size": 4, "learning_rate": 3e-3, "warmup_steps": 10, **training}
    return PlannerRecipe.model_validate({
        "model": {"width": 32, "depth": 2, "heads": 2, "head_depth": 1, "dropout": 0.0},
        "text_encoder": ENCODER.name, "word_dropout": 0.0,
        "training": settings,
    })  # fmt: skip


def test_four_texts_are_learned_by_heart(pairs: Pairs, tmp_path: Path) -> None:
    settings = recipe(steps=500)
    task = PlannerTask(settings, pairs, pairs)
    figures = fit(task, settings.training, tmp_path, Runtime("cpu"), progress=False).metrics
    assert figures["accuracy_kind"] == 1
    planner = task.model.eval()
    texts = ["she smiles", "he frowns slowly", "a nod", "blinks twice and looks away to the left"]
    plans = plan(planner, ENCODER.encode(texts), [None] * 4, [0] * 4, PlanningOptions(guidance=1.0, temperature=0))
    for clip, codes in enumerate(plans):
        wanted = pairs.plans.codes[pairs.plans.offsets[clip] : pairs.plans.offsets[clip + 1]]
        assert np.array_equal(codes[:, KIND], wanted[:, KIND])
        assert codes[0, ONSET] == wanted[0, ONSET]


def test_resumed_run_equals_a_straight_one(pairs: Pairs, tmp_path: Path) -> None:
    def train(folder: Path, steps: int) -> dict[str, Tensor]:
        settings = recipe(steps=steps, schedule="wsd", decay_fraction=0.01, warmup_steps=1)
        task = PlannerTask(settings, pairs, pairs)
        fit(task, settings.training, folder, Runtime("cpu"), progress=False)
        return task.model.state_dict()

    straight = train(tmp_path / "straight", 6)
    train(tmp_path / "resumed", 3)
    resumed = train(tmp_path / "resumed", 6)
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)


def test_shipped_recipe_loads() -> None:
    assert read_recipe(RECIPES / "planner.yaml", PlannerRecipe).text_encoder == "phrases"


@pytest.fixture
def animator(planner: Planner) -> Animator:
    config = Language2MotionConfig(
        levels=2, codebook_size=8, latent_width=4, text_width=16, width=32, depth=1, heads=2, max_seconds=4
    )
    model = Language2Motion(config, torch.randn(2, 8, 4), "tokens", ENCODER.name).eval().requires_grad_(False)
    return Animator(planner, model, Means(), ENCODER, ENCODER)


def test_animator_plans_and_writes(animator: Animator) -> None:
    plans = animator.plan(PROMPTS, [1.0, 2.0, 0.6])
    assert [len(codes) for codes in animator.codes(PROMPTS, plans)] == [25, 50, 15]
    assert animator.plan([]) == []
    assert animator.codes([], []) == []


@pytest.mark.parametrize("seconds", [0.0, -1.0, 0.1, 4.5, float("nan")])
def test_duration_out_of_range_is_refused(animator: Animator, seconds: float) -> None:
    with pytest.raises(InvalidInput, match=r"between 0\.5 and 4"):
        animator.plan(PROMPTS[:1], seconds)


def test_counts_must_agree(animator: Animator) -> None:
    with pytest.raises(InvalidInput, match="seeds"):
        animator.plan(PROMPTS, 1.0, [1])
    with pytest.raises(InvalidInput, match="durations"):
        animator.plan(PROMPTS, [1.0])


def test_empty_prompt_is_refused(animator: Animator) -> None:
    with pytest.raises(InvalidPrompt):
        animator.plan(["she smiles", " "])
