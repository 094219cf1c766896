"""From a recipe and a corpus to a language model on disk."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tdmm.corpus import manifest
from tdmm.errors import FileProblem
from tdmm.language.motion2language_training import (
    Motion2LanguageRecipe,
    Motion2LanguageTask,
    scripted_tokens,
)
from tdmm.language.train_language2motion import Language2MotionRecipe, Language2MotionTask
from tdmm.runtime import Runtime
from tdmm.tokens.tokenizer import Tokenizer
from tdmm.training.config import read_recipe
from tdmm.training.loop import FitResult, fit

ModelName = Literal["language2motion", "motion2language"]


@dataclass(frozen=True)
class Trained:
    """How training ended.

    Attributes:
        run: steps, seconds, figures, why it stopped.
        fingerprint: of the artifact; None when the run was interrupted and nothing was written.
    """

    run: FitResult
    fingerprint: str | None


def train(
    model: ModelName,
    recipe: Path,
    corpus: Path,
    out: Path,
    runtime: Runtime,
    *,
    tokenizer: Path | None = None,
    resume: bool = True,
    progress: bool = True,
) -> Trained:
    """Train a language model and write it to `out`; checkpoints, metrics and caches go to `out` + `-run`.

    Args:
        model: which.
        recipe: a YAML file as in `recipes/`.
        corpus: a folder of shards.
        out: folder of the finished artifact, replaced whole at the end.
        runtime: the device.
        tokenizer: folder of the tokenizer; None is the bundled one.
        resume: go on from the last checkpoint.
        progress: draw a bar on stderr.

    Raises:
        InvalidConfig: the recipe is wrong, or the checkpoint is of another one.
        FileProblem: the corpus cannot be read or `out` not be written.
        ArtifactProblem: the tokenizer or the checkpoint cannot be read.
        TdmmError: training diverged.
    """
    work = out.with_name(out.name + "-run")
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileProblem(f"{work}: cannot make this folder ({error.strerror or error}).") from error
    settings: Language2MotionRecipe | Motion2LanguageRecipe
    task: Language2MotionTask | Motion2LanguageTask
    # The recipe is read first: a slip in it should not wait for the corpus.
    if model == "language2motion":
        settings = read_recipe(recipe, Language2MotionRecipe)
        codes = Tokenizer.load(tokenizer, device=runtime.device)
        task = Language2MotionTask.prepare(settings, corpus, codes, work / "cache", runtime.device)
    else:
        settings = read_recipe(recipe, Motion2LanguageRecipe)
        codes = Tokenizer.load(tokenizer, device=runtime.device)
        spoken, heard = (scripted_tokens(corpus, split, codes, work / "cache") for split in ("train", "validation"))
        task = Motion2LanguageTask(settings, spoken, heard, codes)
    run = fit(task, settings.training, work, runtime, resume=resume, progress=progress)
    if run.stopped == "interrupted":
        return Trained(run, None)
    plan = manifest.load(corpus)
    provenance: dict[str, Any] = {
        "recipe": settings.model_dump(),
        "corpus": {"digest": plan.digest, "clips": plan.plan.clips, "seed": plan.plan.seed},
        "tokenizer": codes.fingerprint,
        "steps": run.step,
        "seconds": round(run.seconds),
        "trained_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "validation": run.metrics,
    }
    return Trained(run, task.model.cpu().save(out, provenance))
