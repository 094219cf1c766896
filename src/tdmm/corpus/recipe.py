"""`CorpusRecipe`: one YAML file that says what a corpus is to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tdmm.corpus.captions.annotator import AnnotatorOptions
from tdmm.corpus.manifest import SHARD_CLIPS
from tdmm.corpus.prompts.polish import PARAPHRASES
from tdmm.corpus.quality.duplicates import THRESHOLD
from tdmm.corpus.quality.rules import Rules
from tdmm.corpus.recordings.listing import Layout
from tdmm.errors import InvalidConfig
from tdmm.recipes import read_recipe

StageName = Literal["polish", "video", "cut", "track", "caption", "quality"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Prompts(_Part):
    """Clips that a generator makes of words."""

    clips: int = Field(gt=0, description="how many")
    seed: int = Field(default=7, ge=0, description="of the whole suite")
    persons: dict[str, str] | None = Field(default=None, description="id to words with an article; else built in")
    takes: int = Field(
        default=1, ge=1, le=99, description="times that a clip is made at most: what is rejected, with another seed"
    )


class Polish(_Part):
    """Words of prompts, by a language model behind an OpenAI-compatible endpoint; without `url`, by rules."""

    url: str | None = Field(default=None, description="of the endpoint, for example http://localhost:8000/v1")
    model: str = Field(default="", description="its id there")
    key_variable: str = Field(default="OPENAI_API_KEY", description="environment variable with the key")
    seed: int = 0
    timeout: float = Field(default=120.0, gt=0, description="seconds for an answer")
    paraphrases: int = Field(default=PARAPHRASES, ge=0, le=20, description="further ways to say each clip")

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.url and not self.model:
            raise ValueError("an endpoint needs the model's id there (model: ...)")
        return self


class Recordings(_Part):
    """Videos that somebody has."""

    source: Path = Field(description="a folder of videos, a manifest (.csv, .jsonl), or the folder of a data set")
    layout: Layout = "auto"
    cut: bool = Field(default=True, description="to clips of 4 to 6 s of one face; false takes them as they are")
    windows: int | None = Field(
        default=None, gt=0, description="clips of a recording at most, the longest first; all when left out"
    )

    @model_validator(mode="after")
    def _of_what_is_cut(self) -> Self:
        if self.windows is not None and not self.cut:
            raise ValueError("`windows` are of recordings that are cut: leave it out, or set `cut: true`")
        return self


class Tracking(_Part):
    """How motions are found."""

    landmarker: Path | None = Field(default=None, description="face_landmarker.task; else found as by tdmm track")
    results: Path | None = Field(default=None, description="folder of another tracker's files, in our tracker's place")
    flame: Path | None = Field(default=None, description="your FLAME file, for results in FLAME's parameters")
    fps: float | None = Field(default=None, gt=0, description="of results that do not say")
    poses: Path | None = Field(default=None, description="folder of 6DRepNet's heads, in the place of the results' own")

    @model_validator(mode="after")
    def _beside_results(self) -> Self:
        if self.poses is not None and self.results is None:
            raise ValueError("`poses` go with `results`: our own tracker finds heads itself")
        return self


class Resources(_Part):
    """What one worker of a stage takes, and how many clips it is given at once; none of it changes the corpus."""

    cpus: float | None = Field(default=None, ge=0)
    gpus: float | None = Field(default=None, ge=0)
    batch: int | None = Field(default=None, gt=0)


class CorpusRecipe(_Part):
    """What a corpus is to be: prompts and a generator, or recordings; how they are tracked, judged and stored.

    Relative paths are taken from the folder that the command is run in.
    """

    name: str = Field(default="corpus", min_length=1)
    prompts: Prompts | None = None
    polish: Polish = Polish()
    video: dict[str, Any] | None = Field(default=None, description="name of a generator, and its settings")
    recordings: Recordings | None = None
    track: Tracking = Tracking()
    caption: AnnotatorOptions | None = Field(default=None, description="a model that looks at recordings")
    quality: Rules = Rules()
    duplicates: float | None = Field(default=THRESHOLD, description="likeness from which two are one; null keeps all")
    shard_clips: int = Field(default=SHARD_CLIPS, gt=0)
    resources: dict[StageName, Resources] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.prompts is None) == (self.recordings is None):
            raise ValueError("give `prompts` (with `video`) or `recordings`, one of them")
        if (self.prompts is None) != (self.video is None):
            raise ValueError("`prompts` and `video` go together: words, and what makes videos of them")
        return self

    @model_validator(mode="after")
    def _results_of_whole_recordings(self) -> Self:
        if self.recordings is not None and self.recordings.cut and self.track.results is not None:
            raise ValueError("`track.results` are of whole recordings: set `recordings.cut: false`")
        return self


def read(path: Path, clips: int | None = None) -> CorpusRecipe:
    """Read a recipe.

    Args:
        path: of the YAML file.
        clips: prompts, in the place of those of the file.

    Raises:
        FileProblem: the file cannot be read.
        InvalidConfig: it is not YAML, or a key or a value is wrong; the message names each by its path.
    """
    recipe = read_recipe(path, CorpusRecipe)
    if clips is None:
        return recipe
    if recipe.prompts is None:
        raise InvalidConfig(f"{path}: takes recordings, which are as many as there are; leave out --clips.")
    if clips < 1:
        raise InvalidConfig(f"clips must be 1 or more, not {clips}.")
    return recipe.model_copy(update={"prompts": recipe.prompts.model_copy(update={"clips": clips})})
