"""Training of the planner: what a recipe may say, the loss of a step, and the figures of evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from tdmm.corpus.mixing import Share
from tdmm.language.data import Batch, Batches, Pairs, in_order, pairs_of
from tdmm.language.plan_codes import CLIP, END, FIELDS, KIND, ONSET, SIDE, STRENGTH
from tdmm.language.planner import Planner, PlannerConfig
from tdmm.language.text_encoder import DEFAULT, load_text_encoder
from tdmm.training.config import TrainingConfig


class PlannerSize(BaseModel):
    """The size dial; the rest follows from the text encoder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(default=256, gt=0, multiple_of=8)
    depth: int = Field(default=5, gt=0)
    heads: int = Field(default=4, gt=0)
    head_depth: int = Field(default=2, ge=0)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    seconds: bool = True


class PlannerRecipe(BaseModel):
    """Everything that decides the outcome of a run, the data aside.

    Attributes:
        wordless: share of the plans whose words are hidden; guidance needs it.
        word_dropout: share of the word pieces of a text that are hidden from it.
        half: read the words in bfloat16: it halves the wait, and the planner never sees the difference again.
        texts_per_clip: texts of each clip that are learned from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    training: TrainingConfig
    model: PlannerSize = PlannerSize()
    wordless: float = Field(default=0.1, ge=0, lt=1)
    word_dropout: float = Field(default=0.05, ge=0, lt=1)
    text_encoder: str = DEFAULT
    half: bool = True
    texts_per_clip: int = Field(default=5, gt=0)
    evaluation_clips: int = Field(default=512, gt=0)


_MEASURED_STATES = 50_000


class PlannerTask:
    """What `tdmm.training.loop.fit` trains.

    Args:
        recipe: see there.
        train: pairs to learn from.
        validation: pairs to evaluate on.
    """

    def __init__(self, recipe: PlannerRecipe, train: Pairs, validation: Pairs) -> None:
        torch.manual_seed(recipe.training.seed)
        config = PlannerConfig(text_width=train.bank.states.shape[1], **recipe.model.model_dump())
        self.model = Planner(config, train.encoder)
        known = torch.from_numpy(np.asarray(train.bank.states[:_MEASURED_STATES], np.float32))
        self.model.text_centre.copy_(known.mean(0))
        self.model.text_scale.copy_(known.std(0).clamp_min(1e-3).reciprocal())
        self.recipe = recipe
        self._validation = validation
        self._batches = Batches(train, recipe.training.batch_size, recipe.training.seed)

    @classmethod
    def prepare(cls, recipe: PlannerRecipe, corpora: Sequence[Share], cache: Path, device: str = "cpu") -> PlannerTask:
        """The task of some corpora; plans and word states are computed, or taken from `cache`.

        Raises:
            FileProblem: a corpus or the cache folder cannot be used.
            InvalidInput: a corpus has no clips to train on, or none to validate with.
        """
        encoder = load_text_encoder(recipe.text_encoder, device, half=recipe.half)
        train, validation = (
            pairs_of(corpora, split, None, encoder, cache, recipe.texts_per_clip, ("texts", "events", "script"))
            for split in ("train", "validation")
        )
        return cls(recipe, train, validation)

    def loss(self, step: int) -> dict[str, Tensor]:
        """Mean over the fields of their cross-entropy."""
        batch = self._batches.batch(step)
        draw = np.random.default_rng((self.recipe.training.seed, step, 1))
        wordless = torch.from_numpy(draw.random(len(batch.events)) < self.recipe.wordless)
        kept = torch.from_numpy(draw.random(tuple(batch.text.mask.shape)) >= self.recipe.word_dropout)
        kept[:, 0] = True
        losses, _ = self._losses(batch, wordless, batch.text.mask & kept)
        return {"loss": torch.stack(list(losses.values())).mean(), **losses}

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Figures on validation clips, given the true rows before.

        Returns:
            `loss` and that of each field; `accuracy_kind`, `accuracy_side`; `strength_off`, the mean
            difference of the likeliest strength from the true one.
        """
        sums: dict[str, float] = {}
        for batch in in_order(self._validation, self.recipe.training.batch_size, self.recipe.evaluation_clips):
            words = torch.zeros(len(batch.events), dtype=torch.bool)
            losses, (logits, targets) = self._losses(batch, words, batch.text.mask)
            events = targets[:, KIND] < CLIP
            figures = {name: float(value) for name, value in losses.items()}
            for name, field in (("kind", KIND), ("side", SIDE)):
                right = logits[field].argmax(-1) == targets[:, field]
                figures[f"accuracy_{name}"] = float(right[events].float().mean())
            off = (logits[STRENGTH].argmax(-1) - targets[:, STRENGTH]).abs()[events].float().mean()
            figures["strength_off"] = float(off) / FIELDS["strength"]
            for name, value in figures.items():
                sums[name] = sums.get(name, 0.0) + value * len(words)
            sums["clips"] = sums.get("clips", 0.0) + len(words)
        count = sums.pop("clips")
        figures = {name: value / count for name, value in sums.items()}
        return {"loss": float(np.mean([figures[name] for name in FIELDS])), **figures}

    def _losses(
        self, batch: Batch, wordless: Tensor, mask: Tensor
    ) -> tuple[dict[str, Tensor], tuple[list[Tensor], Tensor]]:
        """Loss of each field, and logits and targets (rows, fields) of the valid rows, the end among them."""
        model, device = self.model, self.model.start.device
        events = torch.from_numpy(batch.events).to(device)
        plans = torch.from_numpy(batch.plans).to(device)
        words = model.prefix(replace(batch.text, mask=mask), wordless)
        states = model.states(words, plans)
        targets = F.pad(plans, (0, 0, 0, 1))
        targets[torch.arange(len(events), device=device), events + 1, KIND] = END
        valid = torch.arange(targets.shape[1], device=device) < events[:, None] + 2
        chosen = targets[valid]
        logits = model.logits(states[valid], chosen)
        losses = {}
        for field, (name, all_logits) in enumerate(zip(FIELDS, logits, strict=True)):
            # The clip has a length and no more, the end is only an end.
            counts = chosen[:, KIND] < CLIP
            if field == KIND:
                counts = chosen[:, KIND] != CLIP
            elif field == ONSET:
                counts = chosen[:, KIND] != END
            losses[name] = F.cross_entropy(all_logits[counts].float(), chosen[counts, field])
        return losses, (logits, chosen)
