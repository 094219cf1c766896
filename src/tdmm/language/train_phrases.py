"""Training of the phrase tuning: sentences of the narrator, and which expressions they mean.

A sentence means some of the descriptors, head motions, looks and blinks. Every word state votes for one of them by one
linear layer; what a sentence means must get the votes of some of its words, each as much as the others. Nothing
tells which words those are. The layer is thrown away afterwards; the states are what is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from tdmm.acting.casting import cast
from tdmm.acting.lexicon import load
from tdmm.acting.meanings import MEANINGS, PLACES
from tdmm.acting.narrator import AS_WRITTEN, Detail, Narration, narrate
from tdmm.acting.script import Script
from tdmm.language import phrase_tuning
from tdmm.language.phrase_tuning import LowRank, layers_of
from tdmm.language.text_encoder import DEFAULT, PretrainedTextEncoder, load_text_encoder
from tdmm.training.config import TrainingConfig

_POOL = 8  # batches that are sorted by length together


class PhraseRecipe(BaseModel):
    """Everything that decides the outcome of a run.

    Attributes:
        rank: of the update of each layer.
        dropout: on what an update reads.
        masked: share of the word pieces that are hidden.
        smoothing: share of the votes that may go astray.
        evaluation_sentences: how many, in held-out phrasings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    training: TrainingConfig
    rank: int = Field(default=32, gt=0)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    masked: float = Field(default=0.1, ge=0, lt=1)
    smoothing: float = Field(default=0.05, ge=0, lt=1)
    evaluation_sentences: int = Field(default=1000, gt=0)


@dataclass(frozen=True)
class Sentence:
    """A text and the places in `MEANINGS` of what it means."""

    text: str
    means: tuple[int, ...]


class TunedEncoder(nn.Module):
    """An encoder with updates of low rank, and the layer that votes.

    The encoder itself stays as it is, and out of checkpoints.
    """

    def __init__(self, base: PretrainedTextEncoder, recipe: PhraseRecipe) -> None:
        super().__init__()
        self._base = [base]
        layers = layers_of(base.network)
        updates = {
            name: LowRank(layer.in_features, layer.out_features, recipe.rank, recipe.dropout)
            for name, layer in layers.items()
        }
        # Names of modules must not hold dots.
        self.updates = nn.ModuleDict({name.replace(".", "/"): update for name, update in updates.items()})
        self.votes = nn.Linear(base.width, len(MEANINGS))
        self._hooks: list[RemovableHandle] = [
            layer.register_forward_hook(_adding(updates[name])) for name, layer in layers.items()
        ]

    @property
    def base(self) -> PretrainedTextEncoder:
        """The encoder that is tuned."""
        return self._base[0]

    def forward(self, texts: Sequence[str], masked: float = 0.0, draw: np.random.Generator | None = None) -> Tensor:
        """(B, meanings): log of the share of all votes that each meaning gets from a text."""
        pieces, mask = self.base.pieces(texts, truncate=True)
        if draw is not None and masked > 0:
            hidden = torch.from_numpy(draw.random(tuple(pieces.shape)) < masked) & mask
            hidden[:, 0] = False
            pieces = pieces.masked_fill(hidden, self.base.mask_piece)
        device = self.votes.weight.device
        states = self.base.network(input_ids=pieces.to(device), attention_mask=mask.to(device)).last_hidden_state
        votes = self.votes(states).float().masked_fill(~mask.to(device)[..., None], -torch.inf)
        shares: Tensor = votes.flatten(1).log_softmax(1).view_as(votes).logsumexp(1)
        return shares

    def save(self, folder: Path, provenance: Mapping[str, Any] | None = None) -> str:
        """Write the updates; returns their fingerprint. See `phrase_tuning.save`."""
        updates = {name.replace("/", "."): update for name, update in self.updates.items()}
        return phrase_tuning.save(folder, updates, self.base.name, provenance)  # type: ignore[arg-type]


class PhraseTask:
    """What `tdmm.training.loop.fit` trains.

    Args:
        recipe: see there.
        device: where the encoder runs.
    """

    def __init__(self, recipe: PhraseRecipe, device: str = "cpu") -> None:
        torch.manual_seed(recipe.training.seed)
        # Its own copy: hooks on the shared one would tune everybody's.
        load_text_encoder.cache_clear()
        base = load_text_encoder(DEFAULT, device)
        load_text_encoder.cache_clear()
        assert isinstance(base, PretrainedTextEncoder)
        base.network.set_attn_implementation("eager")  # type: ignore[operator]  # a third faster on a CPU
        self.model, self.recipe = TunedEncoder(base, recipe), recipe
        self._block, self._pool = -1, list[list[Sentence]]()

    def loss(self, step: int) -> dict[str, Tensor]:
        """Cross-entropy of the votes, for sentences in phrasings that may be trained on."""
        block, place = divmod(step, _POOL)
        seed, size = self.recipe.training.seed, self.recipe.training.batch_size
        if block != self._block:
            drawn = sentences(seed, block * _POOL * size, AS_WRITTEN)
            pool = sorted((next(drawn) for _ in range(_POOL * size)), key=lambda each: len(each.text))
            self._pool = [pool[start : start + size] for start in range(0, len(pool), size)]
            np.random.default_rng((seed, block)).shuffle(self._pool)
            self._block = block
        batch = self._pool[place]
        draw = np.random.default_rng((seed, step, 1))
        shares = self.model([each.text for each in batch], self.recipe.masked, draw)
        wanted = torch.zeros_like(shares)
        for row, each in enumerate(batch):
            wanted[row, list(each.means)] = 1 / len(each.means)
        wanted = (1 - self.recipe.smoothing) * wanted + self.recipe.smoothing / len(MEANINGS)
        return {"loss": -(wanted * shares).sum(1).mean()}

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Figures on sentences of one expression in held-out phrasings.

        Returns:
            `exact`: share whose descriptor has most votes; `core`: whose favourite has all core actions of the
            right one; `loss`.
        """
        entries = load().descriptors
        drawn = sentences(self.recipe.training.seed + 1, 0, Narration("held_out"), alone=True)
        asked = [next(drawn) for _ in range(self.recipe.evaluation_sentences)]
        exact, core, loss = 0, 0, 0.0
        ordered = sorted(asked, key=lambda each: len(each.text))
        for start in range(0, len(ordered), 64):
            batch = ordered[start : start + 64]
            shares = self.model([each.text for each in batch])[:, : len(entries)]
            for row, each in zip(shares.cpu(), batch, strict=True):
                right, favourite = each.means[0], int(row.argmax())
                exact += favourite == right
                wanted, found = (entries[MEANINGS[place]].core for place in (right, favourite))
                core += set(wanted) <= set(found)
                loss -= float(row[right])
        count = len(asked)
        return {"exact": exact / count, "core": core / count, "loss": loss / count}


def sentences(seed: int, first: int, narration: Narration, alone: bool = False) -> Iterator[Sentence]:
    """Short sentences of one or two things each.

    Args:
        seed, first: of the casting, and where in it to begin.
        narration: which phrasings they use.
        alone: one expression each, and nothing else.
    """
    index = first
    while True:
        draw = np.random.default_rng((seed, index, 7))
        script = _part(cast(seed, index), draw, alone)
        index += 1
        means = tuple(PLACES[name] for name in dict.fromkeys(_said(script)))
        if not means:
            continue
        detail: Detail = "short" if draw.random() < 0.85 else "medium"
        yield Sentence(narrate(script, seed + index, detail, narration), means)


def _part(script: Script, draw: np.random.Generator, alone: bool) -> Script:
    events = list(script.events)
    draw.shuffle(events)
    count = 1 if alone or draw.random() < 0.8 else 2
    kept = tuple(sorted(events[:count], key=lambda each: each.onset))
    others = [draw.random() < chance and not alone for chance in (0.25, 0.15, 0.1)]
    update = {
        "events": kept if alone or draw.random() < 0.92 else (),
        "head": script.head[:1] if others[0] else (),
        "gaze": script.gaze[:1] if others[1] else (),
        "blinks": script.blinks[:1] if others[2] else (),
    }
    return script.model_copy(update=update)


def _said(script: Script) -> list[str]:
    return [
        *(event.descriptor for event in script.events),
        *(motion.kind for motion in script.head),
        *(f"gaze_{look.direction}" for look in script.gaze),
        *("blink" for _ in script.blinks),
    ]


def _adding(update: LowRank) -> Any:
    def add(_layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        added: Tensor = update(inputs[0])
        return output + added

    return add
