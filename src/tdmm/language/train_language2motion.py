"""Training of Language2Motion: what a recipe may say, the loss of a step, and the figures of evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from tdmm.corpus.mixing import Share
from tdmm.language import plan_codes
from tdmm.language.data import Batch, Batches, FrameTokenizer, Pairs, codebooks, corrupt, in_order, pairs_of
from tdmm.language.language2motion import Language2Motion, Language2MotionConfig
from tdmm.language.sketch import laid_out
from tdmm.language.text_encoder import DEFAULT, load_text_encoder
from tdmm.training.config import TrainingConfig


class ModelSize(BaseModel):
    """The size dial; the rest of the model follows from the tokenizer and the text encoder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(default=256, gt=0, multiple_of=8)
    depth: int = Field(default=5, gt=0)
    heads: int = Field(default=4, gt=0)
    head_depth: int = Field(default=2, ge=0)
    text_depth: int = Field(default=1, ge=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)


class Learning(BaseModel):
    """What is made hard on purpose, and what counts more.

    Attributes:
        wordless: share of the clips whose words are hidden, so that the plan is obeyed whatever they say.
        open_end: share whose duration is hidden.
        corruption: strongest share of the history that is spoilt; each clip draws its own up to it.
        change_weight: how much more a code counts that differs from the one before it.
        judged: share of the frames whose codes are predicted in a step. Neighbours are much alike, and the
            head that predicts codes costs nearly half of a step: half the frames teach almost as much.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    wordless: float = Field(default=0.2, ge=0, lt=1)
    open_end: float = Field(default=0.1, ge=0, le=1)
    corruption: float = Field(default=0.4, ge=0, le=1)
    change_weight: float = Field(default=2.0, ge=0)
    judged: float = Field(default=1.0, gt=0, le=1)


class Language2MotionRecipe(BaseModel):
    """Everything that decides the outcome of a run, the data aside."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    training: TrainingConfig
    model: ModelSize = ModelSize()
    learning: Learning = Learning()
    text_encoder: str = DEFAULT
    half: bool = Field(default=True, description="read the words in bfloat16: it halves the wait")
    texts_per_clip: int = Field(default=4, gt=0, description="texts of each clip that are learned from")
    max_seconds: float = Field(default=10.0, gt=0, description="longest clip; longer ones are cut off")
    evaluation_clips: int = Field(default=192, gt=0)


_MEASURED_STATES = 50_000


@dataclass(frozen=True)
class _Hidden:
    """What is hidden from a clip, each (B,) bool: its words, when it ends."""

    words: Tensor
    end: Tensor


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
        config = Language2MotionConfig(
            levels=books.shape[0], codebook_size=books.shape[1], latent_width=books.shape[2],
            text_width=train.bank.states.shape[1], text_depth=size.text_depth,
            width=size.width, depth=size.depth, heads=size.heads, head_depth=size.head_depth,
            dropout=size.dropout, max_seconds=recipe.max_seconds,
        )  # fmt: skip
        torch.manual_seed(recipe.training.seed)
        self.model = Language2Motion(config, books, tokenizer.fingerprint, train.encoder)
        known = torch.from_numpy(np.asarray(train.bank.states[:_MEASURED_STATES], np.float32))
        self.model.text_centre.copy_(known.mean(0))
        self.model.text_scale.copy_(known.std(0).clamp_min(1e-3).reciprocal())
        self.recipe, self._tokenizer = recipe, tokenizer
        self._validation = validation
        self._batches = Batches(train, recipe.training.batch_size, recipe.training.seed)

    @classmethod
    def prepare(
        cls,
        recipe: Language2MotionRecipe,
        corpora: Sequence[Share],
        tokenizer: FrameTokenizer,
        cache: Path,
        device: str = "cpu",
    ) -> Language2MotionTask:
        """The task of some corpora; codes and word states are computed, or taken from `cache`.

        Raises:
            FileProblem: a corpus or the cache folder cannot be used.
            InvalidInput: a corpus has no clips to train on, or none to validate with.
        """
        encoder = load_text_encoder(recipe.text_encoder, device, half=recipe.half)
        train, validation = (
            pairs_of(corpora, split, tokenizer, encoder, cache, recipe.texts_per_clip)
            for split in ("train", "validation")
        )
        return cls(recipe, train, validation, tokenizer)

    def loss(self, step: int) -> dict[str, Tensor]:
        """Mean over the levels of the cross-entropy of codes, changes counting more."""
        learning = self.recipe.learning
        batch = self._batches.batch(step)
        draw = np.random.default_rng((self.recipe.training.seed, step, 1))
        batch = self._cut(batch)
        history = corrupt(batch, learning.corruption, self.model.config.codebook_size, draw)
        hidden = _Hidden(
            torch.from_numpy(draw.random(len(batch.frames)) < learning.wordless),
            torch.from_numpy(draw.random(len(batch.frames)) < learning.open_end),
        )
        judged = torch.from_numpy(draw.random(batch.codes.shape[:2]) < learning.judged)
        losses, _ = self._losses(batch, history, hidden, judged=judged)
        return {"loss": torch.stack(list(losses.values())).mean(), **losses}

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Figures on validation clips, with true history, words, plan and duration.

        Returns:
            `loss`, and `loss_0` and so on of each level; `accuracy` over all levels; of the first level
            `accuracy_0`, beside it `copy_last_0` (of repeating the frame before), `changes_0` (share of
            frames whose code is a new one) and `accuracy_0_changes` (on those).
        """
        sums: dict[str, float] = {}
        for batch in in_order(self._validation, self.recipe.training.batch_size, self.recipe.evaluation_clips):
            batch = self._cut(batch)
            known = torch.zeros(len(batch.frames), dtype=torch.bool)
            for name, (value, count) in self._figures(batch, _Hidden(known, known)).items():
                sums[name] = sums.get(name, 0.0) + value
                sums[f"{name} n"] = sums.get(f"{name} n", 0.0) + count
        figures = {n: sums[n] / max(1.0, sums[f"{n} n"]) for n in sums if not n.endswith(" n")}
        levels = [value for name, value in figures.items() if name.startswith("loss_")]
        return {"loss": float(np.mean(levels)), **figures}

    def _figures(self, batch: Batch, hidden: _Hidden) -> dict[str, tuple[float, float]]:
        """Sums and counts of each figure of `evaluate`."""
        losses, logits = self._losses(batch, batch.codes, hidden, change_weight=0.0)
        valid = np.arange(batch.codes.shape[1]) < batch.frames[:, None]
        right = logits.argmax(-1).cpu().numpy() == batch.codes[valid]
        first = batch.codes[..., 0]
        same = np.zeros_like(valid)
        same[:, 1:] = first[:, 1:] == first[:, :-1]
        changes = ~same[valid]
        frames = float(valid.sum())
        figures = {name: (float(value) * frames, frames) for name, value in losses.items()}
        return figures | {
            "accuracy": (float(right.sum()), float(right.size)),
            "accuracy_0": (float(right[:, 0].sum()), frames),
            "accuracy_0_changes": (float(right[changes, 0].sum()), float(changes.sum())),
            "copy_last_0": (float((~changes).sum()), frames),
            "changes_0": (float(changes.sum()), frames),
        }

    def _cut(self, batch: Batch) -> Batch:
        longest = self.model.config.max_frames
        if batch.codes.shape[1] <= longest:
            return batch
        frames = np.minimum(batch.frames, longest)
        return replace(batch, codes=batch.codes[:, :longest], frames=frames)

    def _losses(
        self, batch: Batch, history: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
        hidden: _Hidden, change_weight: float | None = None, judged: Tensor | None = None,
    ) -> tuple[dict[str, Tensor], Tensor]:  # fmt: skip
        """Loss of each level, and logits (frames, L, K) of the valid and `judged` frames."""
        model, device = self.model, self.model.codebooks.device
        weight = self.recipe.learning.change_weight if change_weight is None else change_weight
        codes, frames = torch.from_numpy(batch.codes).to(device), torch.from_numpy(batch.frames).to(device)
        seconds = torch.where(hidden.end.to(device), torch.nan, frames.float() / model.config.fps)
        plans = [plan_codes.decode(each[: 1 + events]) for each, events in zip(batch.plans, batch.events, strict=True)]
        plan = laid_out(model, self._tokenizer, plans, codes.shape[1] + 1)
        prefix = model.prefix(
            (batch.text.states.to(device), batch.text.mask.to(device)), seconds, plan, hidden.words.to(device)
        )
        states = model.states(prefix, torch.from_numpy(history).to(device))

        places = torch.arange(codes.shape[1] + 1, device=device)
        valid = places[:-1] < frames[:, None]
        if judged is not None:
            valid = valid & judged.to(device)
        logits, end = model.logits(states[:, :-1][valid], codes[valid], prefix.sketch[:, :-1][valid])
        each = torch.arange(len(frames), device=device)
        last = model.end_logits(states[each, frames], prefix.sketch[each, frames])
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
        return losses, logits
