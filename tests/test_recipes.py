"""Every recipe in recipes/ is one that its trainer takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tdmm.language.motion2language_training import Motion2LanguageRecipe
from tdmm.language.train_language2motion import Language2MotionRecipe
from tdmm.language.train_phrases import PhraseRecipe
from tdmm.language.train_planner import PlannerRecipe
from tdmm.tokens.train import TokenizerRecipe
from tdmm.training.config import read_recipe

FOLDER = Path(__file__).resolve().parents[1] / "recipes"
SCHEMAS = {
    "language2motion": Language2MotionRecipe,
    "motion2language": Motion2LanguageRecipe,
    "motion2language-lora": Motion2LanguageRecipe,
    "phrases": PhraseRecipe,
    "planner": PlannerRecipe,
    "tokenizer-rvq": TokenizerRecipe,
    "tokenizer-rvq-decoder": TokenizerRecipe,
    "tokenizer-vq": TokenizerRecipe,
}


def test_no_recipe_is_left_out() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(SCHEMAS)


@pytest.mark.parametrize("name", SCHEMAS)
def test_recipe_parses_and_never_uses_the_grading_seed(name: str) -> None:
    from tdmm.evaluation.held_out import SEED

    recipe = read_recipe(FOLDER / f"{name}.yaml", SCHEMAS[name])
    assert recipe.training.seed != SEED
