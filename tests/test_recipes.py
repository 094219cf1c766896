"""Every recipe in recipes/ is one that its trainer takes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tdmm.corpus.recipe import read as read_corpus_recipe
from tdmm.language.motion2language_training import Motion2LanguageRecipe
from tdmm.language.train_language2motion import Language2MotionRecipe
from tdmm.language.train_phrases import PhraseRecipe
from tdmm.language.train_planner import PlannerRecipe
from tdmm.recipes import read_recipe
from tdmm.tokens.train import TokenizerRecipe
from tdmm.training.config import TrainingConfig

FOLDER = Path(__file__).resolve().parents[1] / "recipes"
SCHEMAS = {
    "language2motion": Language2MotionRecipe,
    "motion2language": Motion2LanguageRecipe,
    "motion2language-lora": Motion2LanguageRecipe,
    "motion2language-tracked": Motion2LanguageRecipe,
    "phrases": PhraseRecipe,
    "planner": PlannerRecipe,
    "tokenizer-rvq": TokenizerRecipe,
    "tokenizer-rvq-decoder": TokenizerRecipe,
    "tokenizer-vq": TokenizerRecipe,
}


CORPORA = {"corpus-laptop"}
TOOLS = {"refiner"}  # read by tools/refine_tracker.py


def test_no_recipe_is_left_out() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(SCHEMAS) | CORPORA | TOOLS


@pytest.mark.parametrize("name", sorted(CORPORA))
def test_recipe_of_a_corpus_is_one(name: str, tmp_path: Path) -> None:
    from tdmm.corpus.build import jobs_of, stages_of

    recipe = read_corpus_recipe(FOLDER / f"{name}.yaml", clips=3)
    assert [stage.name for stage in stages_of(recipe, tmp_path)] == ["polish", "video", "track", "quality"]
    assert len(list(jobs_of(recipe))) == 3


def test_recipe_of_the_refiner_is_one() -> None:
    from tdmm.corpus.tracking.refiner import RefinerConfig, load_refiner

    content = yaml.safe_load((FOLDER / "refiner.yaml").read_text())
    assert RefinerConfig(**content["model"]) == load_refiner().config
    TrainingConfig(
        **{key: float(value) if key == "learning_rate" else value for key, value in content["training"].items()}
    )


@pytest.mark.parametrize("name", SCHEMAS)
def test_recipe_parses_and_never_uses_the_grading_seed(name: str) -> None:
    from tdmm.evaluation.held_out import SEED

    recipe = read_recipe(FOLDER / f"{name}.yaml", SCHEMAS[name])
    assert recipe.training.seed != SEED
