"""The recipe of Motion2Language: everything that decides the outcome of a run, the data aside."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from tdmm.acting.answers import TASKS
from tdmm.errors import InvalidConfig
from tdmm.language.motion2language_config import Motion2LanguageConfig
from tdmm.recipes import read_recipe
from tdmm.training.config import TrainingConfig


class Distortion(BaseModel):
    """What is done to the codes of a clip in training: tokens of real faces are never clean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    crop: int = Field(default=2, ge=0, description="frames cut off either end at most")
    stretch: float = Field(default=0.03, ge=0, lt=0.5, description="largest change of duration")
    corruption: float = Field(default=0.02, ge=0, lt=1, description="share of codes replaced by random ones")
    level_dropout: float = Field(default=0.1, ge=0, le=1, description="share of clips read by their first levels only")
    tracked: float = Field(
        default=0.0, ge=0, le=1, description="share of clips encoded anew as a face tracker may have seen them"
    )
    excerpts: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of those of which a part is heard, as recordings are: cut while an expression is held, "
        "or half of the time one expression alone, held for 2 to 6 s",
    )


class Motion2LanguageRecipe(BaseModel):
    """Everything that decides the outcome of a run, the data aside."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    training: TrainingConfig
    model: Motion2LanguageConfig = Motion2LanguageConfig()
    distortion: Distortion = Distortion()
    vocabulary: int = Field(default=2048, ge=300, description="ids of the small model's text vocabulary at most")
    max_text: int = Field(default=160, ge=8, description="longer answers are cut in training")
    answers: int = Field(default=3, ge=1, description="questions asked of each motion in a step")
    mix: dict[str, float] = Field(
        default={
            "describe": 0.33,
            "emotion": 0.17,
            "head": 0.10,
            "intensity": 0.10,
            "timeline": 0.10,
            "micro": 0.05,
            "question": 0.15,
        },
        description="how often each task is asked; shares, summing to 1",
    )
    verdict: float = Field(default=4.0, ge=1, description="ids that the yes or no of an answer counts as")
    knowledge: float = Field(
        default=0.0, ge=0, description="what it counts, beside words, to name what goes on at each frame (small model)"
    )
    evaluation_clips: int = Field(default=256, ge=1, description="held-out clips for the loss of each task")
    generated_clips: int = Field(default=64, ge=0, description="held-out clips that are described and checked")

    @field_validator("mix")
    @classmethod
    def _shares(cls, mix: dict[str, float]) -> dict[str, float]:
        unknown = set(mix) - set(TASKS)
        if unknown or any(share < 0 for share in mix.values()) or abs(sum(mix.values()) - 1) > 1e-6:
            raise ValueError(f"must give shares that sum to 1 for tasks among {', '.join(TASKS)}")
        return mix

    @model_validator(mode="after")
    def _own_words(self) -> Motion2LanguageRecipe:
        if self.model.backbone != "small" and "vocabulary" in self.model_fields_set:
            raise ValueError("vocabulary means nothing for this backbone, which has its own. Leave it out")
        return self


def recipe_for(path: Path, model: str | None, motion: str | None, rank: int | None) -> Motion2LanguageRecipe:
    """A recipe with another language model than it names.

    Args:
        path: a YAML file as `recipes/motion2language-lora.yaml`.
        model: a folder, or a name on the Hugging Face hub; None as the recipe says.
        motion: `frames` or `tokens`; None as the recipe says.
        rank: of the adapter, with `alpha` twice as much; None as the recipe says.

    Raises:
        FileProblem, InvalidConfig: the recipe cannot be read, or does not fit.
    """
    recipe = read_recipe(path, Motion2LanguageRecipe).model_dump(exclude_unset=True)
    sizes = recipe.get("model", {})
    before = sizes.get("backbone", "small")
    changed = {} if before == "small" else {**before}
    if model is not None:
        changed["name"] = model
    if motion is not None:
        changed["motion"] = motion
    if rank is not None:
        changed["lora"] = {**(changed.get("lora") or {}), "rank": rank, "alpha": 2.0 * rank}
    if "name" not in changed:
        raise InvalidConfig(f"{path}: has the small language model, which has no adapter. Name another: --backbone.")
    try:
        return Motion2LanguageRecipe.model_validate({**recipe, "model": {**sizes, "backbone": changed}})
    except ValidationError as error:
        problems = "; ".join(problem["msg"] for problem in error.errors())
        raise InvalidConfig(f"{path}: does not fit the language model {changed['name']}: {problems}.") from error
