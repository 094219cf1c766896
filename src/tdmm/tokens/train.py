"""From a recipe and a corpus to a tokenizer on disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from tdmm.corpus.mixing import Blend, Share, about
from tdmm.corpus.shards import pack
from tdmm.errors import FileProblem, InvalidConfig, InvalidInput
from tdmm.face.geometry import GeometryBasis
from tdmm.runtime import Runtime
from tdmm.tokens import fidelity
from tdmm.tokens.autoencoder import AutoencoderConfig, GeometryAutoencoder, LossWeights
from tdmm.tokens.data import Floats, Mixture, MixtureConfig
from tdmm.tokens.search import CodeSearch
from tdmm.tokens.task import TokenizerTask
from tdmm.tokens.tokenizer import Tokenizer
from tdmm.training.config import TrainingConfig
from tdmm.training.loop import FitResult, fit

HELD_OUT = "validation"
_QUICK_CLIPS = 100


class TokenizerRecipe(BaseModel):
    """A tokenizer to train; the files are `recipes/tokenizer-*.yaml`.

    Attributes:
        coefficient_mm: what a coefficient of 1 counts for beside the millimetres that it moves the face. Without
            it codes are not spent on what moves little and is seen all the same: a chin raised, a lower lip drawn
            down, a jaw thrust out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    autoencoder: AutoencoderConfig
    coefficient_mm: float = Field(default=0.0, ge=0)
    losses: LossWeights = LossWeights()
    data: MixtureConfig = MixtureConfig()
    training: TrainingConfig


@dataclass(frozen=True)
class Trained:
    """How training ended.

    Attributes:
        run: steps, seconds, why it stopped.
        tokenizer: as saved and read back; None when the run was interrupted.
        fidelity: on the held-out split; None without a corpus or when interrupted.
    """

    run: FitResult
    tokenizer: Tokenizer | None
    fidelity: fidelity.Fidelity | None


def train(
    recipe: TokenizerRecipe,
    out: Path,
    runtime: Runtime,
    *,
    corpora: Sequence[Share] = (),
    resume: bool = True,
    progress: bool = True,
    work: Path | None = None,
    decoder_of: Path | None = None,
) -> Trained:
    """Train a tokenizer and write it to `out`.

    Args:
        recipe: sizes, losses, mixture, training.
        out: folder of the finished artifact, replaced whole at the end.
        runtime: the device.
        corpora: folders of shards, with weights where they are several; none trains on random combinations alone
            (`random_share: 1`). Clips need neither texts nor scripts here.
        resume: go on from the checkpoint in `work`.
        progress: draw a bar on stderr.
        work: folder of checkpoints and metrics; None is `out` with `-run` appended.
        decoder_of: folder of a finished tokenizer of which the decoder alone learns on. Its codes stay, and with them
            its fingerprint: what was encoded by it, and models trained on it, go on to be good.

    Raises:
        FileProblem: a corpus cannot be read or `out` not written.
        InvalidInput: a corpus has no clips to train on.
        InvalidConfig: the recipe needs a corpus and none is given, or the checkpoint is another recipe's, or the
            tokenizer to go on from is of other sizes.
        ArtifactProblem: the tokenizer to go on from cannot be used.
        TdmmError: training diverged.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileProblem(f"{out}: cannot make this folder ({error.strerror or error}).") from error
    work = work or out.with_name(out.name + "-run")
    clips = [pack(share.folder, "train") for share in corpora]
    for share, found in zip(corpora, clips, strict=True):
        if not len(found):
            raise InvalidInput(f"{share.folder}: holds no train clips. Make a larger corpus, or leave this one out.")
    weighted = [(found, share.weight) for share, found in zip(corpora, clips, strict=True)]
    mixture = Mixture(weighted, recipe.data, recipe.training.seed)
    torch.manual_seed(recipe.training.seed)
    before = None if decoder_of is None else Tokenizer.load(decoder_of)
    if before is None:
        moved = GeometryBasis.balanced().matrix.T
        basis = torch.from_numpy(np.concatenate([moved, recipe.coefficient_mm * np.eye(len(moved))], axis=1))
        model, search = GeometryAutoencoder(recipe.autoencoder, basis), None
    else:
        model = before.model
        if model.config != recipe.autoencoder:
            raise InvalidConfig(f"{decoder_of}: is of other sizes than the recipe says. Copy its `autoencoder` there.")
        model.learn_to_show()
        search = CodeSearch(model.to(runtime.torch_device()))
    held_out_clips = _held_out(corpora)
    task = TokenizerTask(
        model,
        mixture,
        recipe.losses,
        recipe.training.batch_size,
        held_out_clips[:_QUICK_CLIPS],
        runtime.torch_device(),
        search,
    )
    codes_of = None if before is None else before.fingerprint
    identity = None if codes_of is None else {"decoder_of": codes_of}
    run = fit(task, recipe.training, work, runtime, resume=resume, progress=progress, identity=identity)
    if run.stopped == "interrupted":
        return Trained(run, None, None)
    provenance: dict[str, Any] = {
        "recipe": recipe.model_dump(),
        "corpus": about(corpora) if corpora else {"random_combinations_only": True},
        "steps": run.step,
        "seconds": round(run.seconds),
        **(identity or {}),
        "trained_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    # Saved first, so that the figures are those of the rounded weights that will be used.
    tokenizer = Tokenizer(model.cpu(), "unsaved").save(out, provenance, codes_of)
    if not held_out_clips:
        return Trained(run, tokenizer, None)
    figures = fidelity.measure(tokenizer, held_out_clips)
    tokenizer = tokenizer.save(out, {**provenance, "held_out": {"split": HELD_OUT, **figures.as_json()}}, codes_of)
    return Trained(run, tokenizer, figures)


def _held_out(corpora: Sequence[Share]) -> list[Floats]:
    """Held-out clips (T, 58) of all corpora, those of each lying evenly among the others."""
    if not corpora:
        return []
    clips = [pack(share.folder, HELD_OUT) for share in corpora]
    blend = Blend.of([len(each) for each in clips], [1.0] * len(clips))
    return [clips[corpus].clip(place) for corpus, place in zip(blend.corpora, blend.places, strict=True)]
