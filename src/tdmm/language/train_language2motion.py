"""Training of Language2Motion: what a recipe may say, the loss of a step, and the figures of evaluation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from tdmm.language.data import SEGMENTS, Batch, Batches, FrameTokenizer, Pairs, codebooks, corrupt, in_order, pair
from tdmm.language.language2motion import Language2Motion, Language2MotionConfig, Prefix
from tdmm.language.text_encoder import DEFAULT, load_text_encoder
from tdmm.training.config import TrainingConfig


class ModelSize(BaseModel):
    """The size dial; the rest of the model follows from the tokenizer and the text encoder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(default=256, gt=0, multiple_of=8)
    depth: int = Field(default=7, gt=0)
    heads: int = Field(default=4, gt=0)
    head_depth: int = Field(default=2, ge=0)
    text_depth: int = Field(default=2, ge=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    plan: bool = Field(default=True, description="predict each channel's peak from the words first")


class Learning(BaseModel):
    """What is made hard on purpose, and what counts more.

    Attributes:
        wordless: share of the clips whose words are hidden; guidance needs it.
        open_end: share whose duration is hidden.
        corruption: strongest share of the history that is spoilt; each clip draws its own up to it.
        change_weight: how much more a code counts that differs from the one before it.
        plan_weight: of the plan's loss.
        plan_first: steps at the start that train the plan alone, on `plan_batch` texts: they are cheap, and
            the frames then find a plan that already knows what the words mean.
        judged: share of the frames whose codes are predicted in a step. Neighbours are much alike, and the
            head that predicts codes costs nearly half of a step: half the frames teach almost as much.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    wordless: float = Field(default=0.12, ge=0, lt=1)
    open_end: float = Field(default=0.3, ge=0, le=1)
    corruption: float = Field(default=0.4, ge=0, le=1)
    change_weight: float = Field(default=2.0, ge=0)
    plan_weight: float = Field(default=0.2, ge=0)
    plan_first: int = Field(default=0, ge=0)
    plan_batch: int = Field(default=64, gt=0)
    judged: float = Field(default=1.0, gt=0, le=1)


class Language2MotionRecipe(BaseModel):
    """Everything that decides the outcome of a run, the data aside."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    training: TrainingConfig
    model: ModelSize = ModelSize()
    learning: Learning = Learning()
    text_encoder: str = DEFAULT
    texts_per_clip: int = Field(default=4, gt=0, description="texts of each clip that are learned from")
    max_seconds: float = Field(default=10.0, gt=0, description="longest clip; longer ones are cut off")
    evaluation_clips: int = Field(default=192, gt=0)


_MEASURED_STATES = 50_000

# Radians and metres of the six head features, brought near to the size of a coefficient.
_HEAD_SCALE = (0.35, 0.35, 0.35, 0.05, 0.05, 0.05)


class Language2MotionTask:
    """What `tdmm.training.loop.fit` trains.

    Args:
        recipe: see there.
        train: pairs to learn from.
        validation: pairs to evaluate on.
        tokenizer: whose codes they are.
    """

    def __init__(
        self, recipe: Language2MotionRecipe, train: Pairs, validation: Pairs, tokenizer: FrameTokenizer
    ) -> None:
        size, books = recipe.model, codebooks(tokenizer)
        # Centred and of unit size, so that the network does not see how a tokenizer scales its latents.
        books = (books - books.mean(1, keepdim=True)) / books[0].std().clamp_min(1e-6)
        channels = train.clips.outlines.shape[2]
        config = Language2MotionConfig(
            levels=books.shape[0], codebook_size=books.shape[1], latent_width=books.shape[2],
            text_width=train.bank.states.shape[1], channels=channels if size.plan else 0,
            segments=SEGMENTS, text_depth=size.text_depth,
            width=size.width, depth=size.depth, heads=size.heads, head_depth=size.head_depth,
            dropout=size.dropout, max_seconds=recipe.max_seconds,
        )  # fmt: skip
        torch.manual_seed(recipe.training.seed)
        self.model = Language2Motion(config, books, tokenizer.fingerprint, recipe.text_encoder)
        known = torch.from_numpy(np.asarray(train.bank.states[:_MEASURED_STATES], np.float32))
        self.model.text_centre.copy_(known.mean(0))
        self.model.text_scale.copy_(known.std(0).clamp_min(1e-3).reciprocal())
        self.recipe = recipe
        self._outlines = Batches(train, recipe.learning.plan_batch, recipe.training.seed + 1)
        self._validation = validation
        self._batches = Batches(train, recipe.training.batch_size, recipe.training.seed)
        self._plan_scale = torch.ones(channels)
        self._plan_scale[channels - len(_HEAD_SCALE) :] = torch.tensor(_HEAD_SCALE[-channels:])

    @classmethod
    def prepare(
        cls,
        recipe: Language2MotionRecipe,
        corpus: Path,
        tokenizer: FrameTokenizer,
        cache: Path,
        device: str = "cpu",
    ) -> Language2MotionTask:
        """The task of a corpus; its codes and word states are computed, or taken from `cache`.

        Raises:
            FileProblem: the corpus or the cache folder cannot be used.
            InvalidInput: the corpus has no clips to train on, or none to validate with.
        """
        encoder = load_text_encoder(recipe.text_encoder, device)
        train, validation = (
            pair(corpus, split, tokenizer, encoder, cache, recipe.texts_per_clip) for split in ("train", "validation")
        )
        return cls(recipe, train, validation, tokenizer)

    def loss(self, step: int) -> dict[str, Tensor]:
        """Mean over the levels of the cross-entropy of codes, changes counting more, and the plan's error."""
        learning = self.recipe.learning
        if self.model.plan is not None and step < learning.plan_first:
            return self._plan_alone(step)
        batch = self._batches.batch(step)
        draw = np.random.default_rng((self.recipe.training.seed, step, 1))
        batch = self._cut(batch)
        history = corrupt(batch, learning.corruption, self.model.config.codebook_size, draw)
        wordless = torch.from_numpy(draw.random(len(batch.frames)) < learning.wordless)
        open_end = torch.from_numpy(draw.random(len(batch.frames)) < learning.open_end)
        judged = torch.from_numpy(draw.random(batch.codes.shape[:2]) < learning.judged)
        losses, plan, _ = self._losses(batch, history, wordless, open_end, judged=judged)
        total = torch.stack(list(losses.values())).mean()
        return {"loss": total + learning.plan_weight * plan, "codes": total, "plan": plan, **losses}

    def _plan_alone(self, step: int) -> dict[str, Tensor]:
        """Error of the plan on a large batch of texts."""
        model, batch = self.model, self._outlines.batch(step)
        device = model.codebooks.device
        draw = np.random.default_rng((self.recipe.training.seed, step, 2))
        frames = torch.from_numpy(batch.frames).to(device).float()
        open_end = torch.from_numpy(draw.random(len(frames)) < self.recipe.learning.open_end).to(device)
        seconds = torch.where(open_end, torch.nan, frames / model.config.fps)
        plan = self._plan_error(model.prefix(batch.states.to(device), batch.mask.to(device), seconds), batch).mean()
        return {"loss": plan, "plan": plan}

    def _plan_error(self, prefix: Prefix, batch: Batch) -> Tensor:
        """(B,): squared error of the outline, summed over channels, and of the log duration.

        Squared, because the mean is wanted: the median of a channel that moves in few clips is zero.
        """
        device = prefix.plan.device
        wanted = batch.outlines.to(device) / self._plan_scale.to(device)
        seconds = torch.from_numpy(batch.frames).to(device) / self.model.config.fps
        outline = (prefix.plan.float() - wanted).square().sum(2).mean(1)
        return outline + (prefix.planned.float() - seconds.log()).square()

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Figures on validation clips, with true history, words and duration.

        Returns:
            `loss`, and `loss_0` and so on of each level; `accuracy` over all levels; of the first level
            `accuracy_0`, beside it `copy_last_0` (of repeating the frame before), `changes_0` (share of
            frames whose code is a new one) and `accuracy_0_changes` (on those); `plan_error`, see `_plan_error`.
        """
        sums: dict[str, float] = {}
        for batch in in_order(self._validation, self.recipe.training.batch_size, self.recipe.evaluation_clips):
            batch = self._cut(batch)
            known = torch.zeros(len(batch.frames), dtype=torch.bool)
            for name, (value, count) in self._figures(batch, known).items():
                sums[name] = sums.get(name, 0.0) + value
                sums[f"{name} n"] = sums.get(f"{name} n", 0.0) + count
        figures = {n: sums[n] / max(1.0, sums[f"{n} n"]) for n in sums if not n.endswith(" n")}
        levels = [value for name, value in figures.items() if name.startswith("loss_")]
        return {"loss": float(np.mean(levels)), **figures}

    def _figures(self, batch: Batch, known: Tensor) -> dict[str, tuple[float, float]]:
        """Sums and counts of each figure of `evaluate`."""
        losses, plan, logits = self._losses(batch, batch.codes, known, known, change_weight=0.0)
        valid = np.arange(batch.codes.shape[1]) < batch.frames[:, None]
        right = logits.argmax(-1).cpu().numpy() == batch.codes[valid]
        first = batch.codes[..., 0]
        same = np.zeros_like(valid)
        same[:, 1:] = first[:, 1:] == first[:, :-1]
        changes = ~same[valid]
        frames, clips = float(valid.sum()), float(len(known))
        figures = {name: (float(value) * frames, frames) for name, value in losses.items()}
        return figures | {
            "accuracy": (float(right.sum()), float(right.size)),
            "accuracy_0": (float(right[:, 0].sum()), frames),
            "accuracy_0_changes": (float(right[changes, 0].sum()), float(changes.sum())),
            "copy_last_0": (float((~changes).sum()), frames),
            "changes_0": (float(changes.sum()), frames),
            "plan_error": (float(plan) * clips, clips),
        }

    def _cut(self, batch: Batch) -> Batch:
        longest = self.model.config.max_frames
        if batch.codes.shape[1] <= longest:
            return batch
        frames = np.minimum(batch.frames, longest)
        return Batch(batch.codes[:, :longest], frames, batch.states, batch.mask, batch.outlines)

    def _losses(
        self, batch: Batch, history: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
        wordless: Tensor, open_end: Tensor, change_weight: float | None = None, judged: Tensor | None = None,
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:  # fmt: skip
        """Loss of each level, error of the plan, and logits (frames, L, K) of the valid and `judged` frames."""
        model, device = self.model, self.model.codebooks.device
        weight = self.recipe.learning.change_weight if change_weight is None else change_weight
        codes, frames = torch.from_numpy(batch.codes).to(device), torch.from_numpy(batch.frames).to(device)
        wordless, open_end = wordless.to(device), open_end.to(device)
        seconds = torch.where(open_end, torch.nan, frames.float() / model.config.fps)
        prefix = model.prefix(batch.states.to(device), batch.mask.to(device), seconds, wordless)
        states = model.states(prefix, torch.from_numpy(history).to(device))

        places = torch.arange(codes.shape[1] + 1, device=device)
        valid = places[:-1] < frames[:, None]
        if judged is not None:
            valid = valid & judged.to(device)
        logits, end = model.logits(states[:, :-1][valid], codes[valid])
        last = model.end_logits(states[torch.arange(len(frames), device=device), frames])
        changed = torch.ones_like(codes, dtype=torch.bool)
        changed[:, 1:] = codes[:, 1:] != codes[:, :-1]
        weights = 1 + weight * changed[valid].float()
        # "The motion is over" is one more class beside the first level's codes.
        first = torch.cat([logits[:, 0], end[:, None]], dim=1).float()
        targets = codes[valid]
        errors = torch.cat(
            [
                F.cross_entropy(first, targets[:, 0], reduction="none")[:, None],
                F.cross_entropy(logits[:, 1:].float().transpose(1, 2), targets[:, 1:], reduction="none"),
            ],
            dim=1,
        )
        means = (errors * weights).sum(0) / weights.sum(0)
        losses = {f"loss_{level}": means[level] for level in range(codes.shape[-1])}
        ends = F.cross_entropy(last.float(), torch.full_like(frames, last.shape[1] - 1))
        losses["loss_0"] = losses["loss_0"] + ends * len(frames) / frames.sum()
        plan = means.new_zeros(())
        if model.plan is not None:
            seen = ~wordless
            plan = (self._plan_error(prefix, batch) * seen).sum() / seen.sum().clamp_min(1)
        return losses, plan, logits
