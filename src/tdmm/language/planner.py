"""The planner: words to a plan, an autoregressive transformer whose positions are events.

A sequence is a prefix of word states, seen by everything, and then one position per row of the plan, each
seeing the ones before it::

    word states ... word states | clip | event | event | ... | (end)

The trunk's state of a row goes to a small head that predicts the fields of the row in turn (what, which
side, how strong, when, how long), each from the state and the fields before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from tdmm import artifact, weights
from tdmm.errors import ArtifactProblem
from tdmm.language import plan_codes
from tdmm.language.text_encoder import DEFAULT, MAX_TOKENS, TextStates
from tdmm.language.transformer import (
    Block,
    FeedForward,
    attention_bias,
    lay_out_for_rows,
    norm,
    rotary,
    scale_residuals,
)
from tdmm.motion.clip import FPS

KIND = "planner"


class PlannerConfig(BaseModel):
    """Sizes.

    Attributes:
        text_width: numbers of a word state.
        width, depth, heads: of the trunk.
        head_depth: layers of the head that predicts the fields of a row.
        dropout: on the branches, in training.
        seconds: whether numbers of seconds in the words reach it as quantities.
        kinds: names of the events that a plan may hold, in the order of their codes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text_width: int = Field(gt=0)
    width: int = Field(default=256, gt=0)
    depth: int = Field(default=5, gt=0)
    heads: int = Field(default=4, gt=0)
    head_depth: int = Field(default=2, ge=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    seconds: bool = False
    kinds: tuple[str, ...] = plan_codes.KINDS


@dataclass(frozen=True)
class Words:
    """The prefix.

    Attributes:
        embedded: (B, S, width).
        mask: (B, S) bool, False where padded.
    """

    embedded: Tensor
    mask: Tensor


class Planner(nn.Module):
    """The network of the planner.

    Args:
        config: sizes.
        text_encoder: name of the encoder whose word states it reads.
    """

    text_centre: Tensor
    text_scale: Tensor
    fingerprint: str = ""
    """Of the weights file; empty until saved or loaded."""

    def __init__(self, config: PlannerConfig, text_encoder: str = DEFAULT) -> None:
        super().__init__()
        self.config, self.text_encoder = config, text_encoder
        width = config.width
        # Word states are brought to zero mean and unit size: a few of their numbers dwarf the others.
        self.register_buffer("text_centre", torch.zeros(config.text_width))
        self.register_buffer("text_scale", torch.ones(config.text_width))
        self.words = nn.Linear(config.text_width, width)
        self.no_words = nn.Parameter(torch.randn(width) * 0.02)
        self.amount = nn.Parameter(torch.randn(width) * 0.02) if config.seconds else None
        self.start = nn.Parameter(torch.randn(width) * 0.02)
        sizes = tuple(plan_codes.FIELDS.values())
        self.field_embedding = nn.ModuleList(nn.Embedding(size, width) for size in sizes)
        self.trunk = nn.ModuleList(Block(width, config.heads, config.dropout) for _ in range(config.depth))
        self.norm = norm(width)
        self.place = nn.Parameter(torch.randn(len(sizes), width) * 0.02)
        self.head = nn.ModuleList(FeedForward(width, 2 * width, config.dropout) for _ in range(config.head_depth))
        self.head_norm = norm(width)
        self.out = nn.ModuleList(nn.Linear(width, size) for size in sizes)
        for table in self.field_embedding:
            assert isinstance(table, nn.Embedding)
            nn.init.normal_(table.weight, std=0.02)
        scale_residuals(self.trunk, config.depth)

    # -- files -------------------------------------------------------------------------------------

    def save(self, folder: Path, provenance: Mapping[str, Any] | None = None) -> str:
        """Write the artifact in half precision; returns its fingerprint.

        Raises:
            FileProblem: the folder cannot be written.
        """
        tensors = {name: value.half() for name, value in self.state_dict().items()}
        config = {"model": self.config.model_dump(mode="json"), "text_encoder": self.text_encoder}
        self.fingerprint = artifact.save(folder, kind=KIND, config=config, tensors=tensors, provenance=provenance)
        return self.fingerprint

    @classmethod
    def load(cls, folder: Path | None = None) -> Planner:
        """Read the artifact in `folder`, or the bundled one; in evaluation mode, on the CPU.

        Raises:
            ArtifactProblem: a file is missing, altered, or does not fit the others or this version.
        """
        folder = folder or weights.folder("planner")
        stored = artifact.load(folder, kind=KIND)
        try:
            config = PlannerConfig.model_validate(stored.config["model"])
            planner = cls(config, stored.config["text_encoder"])
            planner.load_state_dict({name: tensor.float() for name, tensor in stored.tensors.items()})
        except (KeyError, TypeError, RuntimeError, ValidationError) as error:
            raise ArtifactProblem(
                f"{folder}: its files do not fit together ({error}). Copy the folder again whole, or train again."
            ) from error
        if config.kinds != plan_codes.KINDS:
            raise ArtifactProblem(
                f"{folder}: plans other events than this version of tdmm knows. Train it again: "
                "tdmm language train planner recipes/planner.yaml"
            )
        planner.fingerprint = stored.fingerprint
        lay_out_for_rows(planner)
        return planner.eval().requires_grad_(False)

    # -- the parts of a sequence ----------------------------------------------------------------------

    def prefix(self, text: TextStates, wordless: Tensor | None = None) -> Words:
        """Embed words.

        Args:
            text: B texts.
            wordless: (B,) bool, rows whose words are replaced by the learned empty text.
        """
        device = self.start.device
        states, mask, seconds = text.states.to(device), text.mask.to(device), text.seconds.to(device)
        words = self.words((states - self.text_centre) * self.text_scale)
        if self.amount is not None:
            # A number of seconds looks like the onset that it may become.
            moments = (seconds * FPS).round().long().clamp(0, plan_codes.FIELDS["onset"] - 1)
            amounts = self.field_embedding[plan_codes.ONSET](moments) + self.amount
            words = words + amounts.to(words.dtype) * (seconds >= 0)[..., None]
        if wordless is not None:
            wordless = wordless.to(device)
            words = torch.where(wordless[:, None, None], self.no_words.to(words.dtype), words)
            first = torch.zeros_like(mask)
            first[:, 0] = True
            mask = torch.where(wordless[:, None], first, mask)
        return Words(words, mask)

    def embedded(self, rows: Tensor) -> Tensor:
        """(..., fields, width): what each field of rows (..., fields) adds to an input."""
        return torch.stack([table(rows[..., field]) for field, table in enumerate(self.field_embedding)], dim=-2)

    def turns(self, places: Tensor) -> Tensor:
        """Rotary positions, see `rotary`."""
        return rotary(places, self.config.width // self.config.heads)

    def places(self, words: int, rows: int) -> tuple[Tensor, Tensor]:
        """Rotary places of the words, from 0, and of the rows, after the longest text."""
        device = self.start.device
        return torch.arange(words, device=device), torch.arange(rows, device=device) + MAX_TOKENS

    # -- training: all rows at once ---------------------------------------------------------------------

    def states(self, words: Words, history: Tensor) -> Tensor:
        """Trunk states (B, R + 1, width) of rows 0 to R, given rows 0 to R-1 (B, R, fields)."""
        before = self.embedded(history).sum(-2)
        before = torch.cat([self.start.expand(len(before), 1, -1).to(before.dtype), before], dim=1)
        x = torch.cat([words.embedded.to(before.dtype), before], dim=1)
        turns = self.turns(torch.cat(self.places(words.embedded.shape[1], before.shape[1])))
        attend = attention_bias(words.mask, before.shape[1], x.dtype)
        for block in self.trunk:
            x = block(x, turns, attend)
        normed: Tensor = self.norm(x[:, words.embedded.shape[1] :])
        return normed

    def logits(self, states: Tensor, rows: Tensor) -> list[Tensor]:
        """Logits (N, values) of every field, given the true fields before it.

        Args:
            states: (N, width) trunk states.
            rows: (N, fields) of the same rows.
        """
        so_far = F.pad(self.embedded(rows)[:, :-1].cumsum(1), (0, 0, 1, 0))
        hidden = self._head(states[:, None] + self.place + so_far)
        return [out(hidden[:, field]) for field, out in enumerate(self.out)]

    # -- generation: one row at a time --------------------------------------------------------------------

    def field_logits(self, field: int, partial: Tensor) -> Tensor:
        """Logits (B, values) of one field, from state + embedded fields before it (B, width)."""
        logits: Tensor = self.out[field](self._head(partial + self.place[field]))
        return logits

    def _head(self, x: Tensor) -> Tensor:
        for layer in self.head:
            x = x + layer(x)
        normed: Tensor = self.head_norm(x)
        return normed
