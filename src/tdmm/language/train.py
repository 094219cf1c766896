"""From a recipe and a corpus to a language model on disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from tdmm.corpus.mixing import Share, about
from tdmm.errors import FileProblem, InvalidInput, TdmmError
from tdmm.language.motion2language import Motion2Language
from tdmm.language.motion2language_training import (
    Motion2LanguageRecipe,
    Motion2LanguageTask,
    scripted_tokens,
)
from tdmm.language.train_language2motion import Language2MotionRecipe, Language2MotionTask
from tdmm.language.train_phrases import PhraseRecipe, PhraseTask
from tdmm.language.train_planner import PlannerRecipe, PlannerTask
from tdmm.recipes import read_recipe
from tdmm.runtime import Runtime
from tdmm.tokens.tokenizer import Tokenizer
from tdmm.training.loop import FitResult, fit
from tdmm.training.processes import started

ModelName = Literal["phrases", "planner", "language2motion", "motion2language"]
AnyRecipe = PhraseRecipe | PlannerRecipe | Language2MotionRecipe | Motion2LanguageRecipe


@dataclass(frozen=True)
class Trained:
    """How training ended.

    Attributes:
        run: steps, seconds, figures, why it stopped.
        fingerprint: of the artifact; None when this process wrote none: the run was interrupted, or another one did.
    """

    run: FitResult
    fingerprint: str | None


def train(
    model: ModelName,
    recipe: Path | Motion2LanguageRecipe,
    corpora: Sequence[Share],
    out: Path,
    runtime: Runtime,
    *,
    tokenizer: Path | None = None,
    start: Path | None = None,
    resume: bool = True,
) -> Trained:
    """Train a language model and write it to `out`; checkpoints, metrics and caches go to `out` + `-run`.

    Draws a bar on stderr.

    Args:
        model: which.
        recipe: a YAML file as in `recipes/`, or, for motion2language, what was read from one.
        corpora: folders of shards, with weights where they are several; phrases needs none, for it makes its own
            sentences. Clips that lack what the model learns from are left out, and how many is said: planner needs
            texts, events and scripts, language2motion texts and events, motion2language scripts.
        out: folder of the finished artifact, replaced whole at the end.
        runtime: the device.
        tokenizer: folder of the tokenizer; None is the bundled one.
        start: folder of a finished small motion2language that this run begins with, instead of with nothing.
        resume: go on from the last checkpoint.

    Raises:
        InvalidConfig: the recipe is wrong, or the checkpoint is of another one.
        FileProblem: a corpus cannot be read or `out` not be written.
        ArtifactProblem: the tokenizer, the pretrained language model or the checkpoint cannot be read.
        MissingDependency: a package for pretrained language models or for several processes is not installed.
        TdmmError: training diverged, or the memory of the GPU is too small.
    """
    work = out.with_name(out.name + "-run")
    if start is not None and model != "motion2language":
        raise InvalidInput("--start is for motion2language. Leave it out.")
    if not corpora and model != "phrases":
        raise InvalidInput(f"{model} learns from a corpus: name its folder. Make one: tdmm corpus act --out corpus")
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileProblem(f"{work}: cannot make this folder ({error.strerror or error}).") from error
    settings: AnyRecipe
    task: PhraseTask | PlannerTask | Language2MotionTask | Motion2LanguageTask
    codes: Tokenizer | None = None
    base: dict[str, str] = {}
    with started(runtime) as (processes, runtime):
        if processes.count > 1 and model != "motion2language":
            raise InvalidInput(f"{model} trains in one process. Leave out torchrun; it is for motion2language.")
        # The recipe is read first: a slip in it should not wait for the corpus.
        if model == "phrases":
            assert isinstance(recipe, Path)
            settings = read_recipe(recipe, PhraseRecipe)
            task = PhraseTask(settings, runtime.device)
        elif isinstance(recipe, Motion2LanguageRecipe) or model == "motion2language":
            settings = (
                recipe if isinstance(recipe, Motion2LanguageRecipe) else read_recipe(recipe, Motion2LanguageRecipe)
            )
            codes = Tokenizer.load(tokenizer, device=runtime.device)
            with processes.first_goes_first():
                spoken, heard = (
                    scripted_tokens(corpora, split, codes, work / "cache") for split in ("train", "validation")
                )
            before = None if start is None else Motion2Language.load(start)
            task = Motion2LanguageTask(settings, spoken, heard, codes, processes=processes, start=before)
            base = {f"language model {part}": digest for part, digest in task.model.base.items()}
            if before is not None:
                base["start"] = before.fingerprint
        elif model == "planner":
            settings = read_recipe(recipe, PlannerRecipe)
            task = PlannerTask.prepare(settings, corpora, work / "cache", runtime.device)
        else:
            settings = read_recipe(recipe, Language2MotionRecipe)
            codes = Tokenizer.load(tokenizer, device=runtime.device)
            task = Language2MotionTask.prepare(settings, corpora, codes, work / "cache", runtime.device)
        try:
            run = fit(
                task, settings.training, work, runtime,
                resume=resume, processes=processes, identity=base,
            )  # fmt: skip
        except torch.OutOfMemoryError as error:
            raise TdmmError(_too_large(settings, runtime, work)) from error
        fingerprint = None
        if processes.first and run.stopped != "interrupted":
            # Parts of a sharded model cannot be moved; what is saved of it goes to the CPU by itself.
            whole = task.model if processes.count > 1 else task.model.cpu()
            fingerprint = whole.save(out, {**_provenance(settings, corpora, codes, run), **_begun(base)})
        processes.wait()
    return Trained(run, fingerprint)


def _begun(base: dict[str, str]) -> dict[str, str]:
    return {"start": base["start"]} if "start" in base else {}


def _too_large(settings: AnyRecipe, runtime: Runtime, work: Path) -> str:
    """What to do when the memory of a GPU is full."""
    lower = [f"training.batch_size (now {settings.training.batch_size})"]
    also = ""
    if isinstance(settings, Motion2LanguageRecipe):
        lower += [f"answers (now {settings.answers})", f"max_text (now {settings.max_text})"]
        backbone = settings.model.backbone
        if backbone != "small":
            also = ", or take a smaller language model"
            if not backbone.gradient_checkpointing:
                also = ", set model.backbone.gradient_checkpointing: true" + also
    return (
        f"The memory of {runtime.device} is too small for this run. Lower {', '.join(lower)}{also}. "
        f"What was trained so far is kept in {work} as of its last checkpoint."
    )


def _provenance(
    settings: AnyRecipe, corpora: Sequence[Share], codes: Tokenizer | None, run: FitResult
) -> dict[str, Any]:
    return {
        "recipe": settings.model_dump(),
        "corpus": about(corpora) if corpora else None,
        "tokenizer": codes.fingerprint if codes else None,
        "steps": run.step,
        "seconds": round(run.seconds),
        "trained_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "validation": run.metrics,
    }
