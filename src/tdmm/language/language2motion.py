"""Language2Motion: an autoregressive transformer from words to motion tokens, whole in this file.

A sequence is a prefix, seen by everything, and then one position per frame, each seeing the ones before it::

    word states ... word states | duration | frame 0 | frame 1 | ... | frame T-1 | (end)

The input of frame t is the geometry that the codes of frame t-1 stand for, a clock (how much time is left),
and the plan around it: its roll (what should be happening, see `tdmm.language.plan_codes`) and its sketch
(the plainest motion that shows it, see `tdmm.language.sketch`) as the tokenizer's latents. The trunk's state
of frame t goes to a small head that predicts the L residual codes of the frame in turn, each from the state,
the codes before it, and how near every code comes to what the sketch still lacks. "The motion is over" is one
more class of the first level.

Padding is safe: words and frames have fixed places in the rotary positions, and what is padded is masked,
so a clip does not depend on the clips beside it.
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
from tdmm.errors import ArtifactProblem, TokenizerMismatch
from tdmm.language import plan_codes
from tdmm.language.text_encoder import DEFAULT, MAX_TOKENS
from tdmm.language.transformer import (
    WAVES,
    Block,
    FeedForward,
    as_bias,
    attention_bias,
    by_columns,
    lay_out_for_rows,
    norm,
    normed,
    rotary,
    scale_residuals,
    waves,
)

KIND = "language2motion"

_AROUND = (-4, 0, 4)
"""Frames of the roll that a frame reads, from its own."""


class Language2MotionConfig(BaseModel):
    """Sizes. `width` and `depth` are the dial; the rest follows or comes from the tokenizer.

    Attributes:
        levels: residual codes of a frame (L).
        codebook_size: codes of a level (K).
        latent_width: numbers of a codebook vector.
        text_width: numbers of a word state.
        roll: numbers of a frame of the plan's roll.
        text_depth: layers that read the words before the trunk does.
        width, depth, heads: of the trunk.
        head_depth: layers of the head that predicts the residual codes.
        dropout: on the branches of trunk and head, in training.
        fps: frames a second.
        max_seconds: longest clip it is made for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    levels: int = Field(gt=0)
    codebook_size: int = Field(gt=1)
    latent_width: int = Field(gt=0)
    text_width: int = Field(gt=0)
    roll: int = Field(default=plan_codes.ROLL, gt=0)
    text_depth: int = Field(default=1, ge=0)
    width: int = Field(default=256, gt=0)
    depth: int = Field(default=5, gt=0)
    heads: int = Field(default=4, gt=0)
    head_depth: int = Field(default=2, ge=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    fps: float = Field(default=25.0, gt=0)
    max_seconds: float = Field(default=10.0, gt=0)

    @property
    def max_frames(self) -> int:
        """Frames of the longest clip."""
        return round(self.max_seconds * self.fps)


@dataclass(frozen=True)
class Prefix:
    """What is known before the first frame.

    Attributes:
        embedded: (B, P, width), words and then the duration.
        mask: (B, P) bool, False where padded.
        seconds: (B,) duration; NaN where it is left open.
        roll: (B, F, roll) of the plan, for as many frames as are asked for.
        sketch: (B, F, latent_width) of the plan, see `Language2Motion.latents`.
    """

    embedded: Tensor
    mask: Tensor
    seconds: Tensor
    roll: Tensor
    sketch: Tensor


@dataclass(frozen=True)
class Level:
    """One level of the residual codes, see `Language2Motion.level`.

    Attributes:
        embedding: (width,) what tells the head which level is meant.
        out, bias: (K, width) and (K,) from the head's output to logits.
        near, offset: (K, latent_width) and (K,) from what the sketch still lacks to how near each code comes.
    """

    embedding: Tensor
    out: Tensor
    bias: Tensor
    near: Tensor
    offset: Tensor


class Language2Motion(nn.Module):
    """The network of Language2Motion.

    Args:
        config: sizes.
        codebooks: (L, K, latent_width), the tokenizer's vectors; their sum over the levels is the latent of
            a frame. Kept in the weights, each level centred and all of them scaled, so that the network does not
            see how a tokenizer scales its latents. None leaves zeros, to be loaded over.
        tokenizer_fingerprint: of the tokenizer whose codes these are.
        text_encoder: name of the encoder whose word states it reads.
    """

    codebooks: Tensor
    latent_centre: Tensor
    latent_scale: Tensor
    text_centre: Tensor
    text_scale: Tensor
    fingerprint: str = ""
    """Of the weights file; empty until saved or loaded."""

    def __init__(
        self,
        config: Language2MotionConfig,
        codebooks: Tensor | None = None,
        tokenizer_fingerprint: str = "",
        text_encoder: str = DEFAULT,
    ) -> None:
        super().__init__()
        self.config, self.tokenizer_fingerprint, self.text_encoder = (
            config,
            tokenizer_fingerprint,
            text_encoder,
        )
        width, levels, size = config.width, config.levels, config.codebook_size
        shape = (levels, size, config.latent_width)
        books = torch.zeros(shape) if codebooks is None else codebooks.float()
        if books.shape != shape:
            raise ValueError(f"codebooks have shape {tuple(books.shape)}, the configuration says {shape}")
        means = books.mean(1, keepdim=True)
        scale = (books - means)[0].std().clamp_min(1e-6)
        self.register_buffer("codebooks", (books - means) / scale)
        self.register_buffer("latent_centre", means.sum(0)[0])
        self.register_buffer("latent_scale", scale)

        # Word states are brought to zero mean and unit size: a few of their numbers dwarf the others.
        self.register_buffer("text_centre", torch.zeros(config.text_width))
        self.register_buffer("text_scale", torch.ones(config.text_width))
        self.words = nn.Linear(config.text_width, width)
        self.adapter = nn.ModuleList(Block(width, config.heads, config.dropout) for _ in range(config.text_depth))
        self.words_norm = norm(width)
        self.no_words = nn.Parameter(torch.randn(width) * 0.02)
        self.duration = nn.Sequential(nn.Linear(2 * WAVES, width), nn.SiLU(), nn.Linear(width, width))
        self.no_duration = nn.Parameter(torch.randn(width) * 0.02)
        self.clock = nn.Linear(4 * WAVES, width, bias=False)
        self.plan = nn.Linear(len(_AROUND) * config.roll, width, bias=False)
        self.sketch = nn.Linear(len(_AROUND) * config.latent_width, width, bias=False)
        self.pull = nn.Linear(width, levels)
        nn.init.zeros_(self.pull.weight)
        nn.init.constant_(self.pull.bias, 2.0)

        self.code_embedding = nn.Parameter(torch.randn(levels, size, width) * 0.02)
        self.latent = nn.Linear(config.latent_width, width, bias=False)
        self.start = nn.Parameter(torch.randn(width) * 0.02)
        self.kind = nn.Parameter(torch.randn(3, width) * 0.02)  # word, duration, frame

        self.trunk = nn.ModuleList(Block(width, config.heads, config.dropout) for _ in range(config.depth))
        self.norm = norm(width)

        self.level_embedding = nn.Parameter(torch.randn(levels, width) * 0.02)
        self.head = nn.ModuleList(FeedForward(width, 2 * width, config.dropout) for _ in range(config.head_depth))
        self.head_norm = norm(width)
        self.codes_out = nn.Parameter(torch.randn(levels, size, width) * width**-0.5)
        self.end_out = nn.Linear(width, 1)
        scale_residuals(self.trunk, config.depth)
        scale_residuals(self.adapter, max(1, config.text_depth))

    # -- files -------------------------------------------------------------------------------------

    def save(self, folder: Path, provenance: Mapping[str, Any] | None = None) -> str:
        """Write the artifact in half precision; returns its fingerprint.

        Raises:
            FileProblem: the folder cannot be written.
        """
        tensors = {name: value.half() for name, value in self.state_dict().items()}
        config = {
            "model": self.config.model_dump(),
            "tokenizer": self.tokenizer_fingerprint,
            "text_encoder": self.text_encoder,
        }
        self.fingerprint = artifact.save(folder, kind=KIND, config=config, tensors=tensors, provenance=provenance)
        return self.fingerprint

    @classmethod
    def load(cls, folder: Path | None = None, tokenizer_fingerprint: str | None = None) -> Language2Motion:
        """Read the artifact in `folder`, or the bundled one; in evaluation mode, on the CPU.

        Args:
            folder: of an artifact.
            tokenizer_fingerprint: of the tokenizer that will decode what it generates; None checks nothing.

        Raises:
            ArtifactProblem: a file is missing, altered, or does not fit the others.
            TokenizerMismatch: it was trained on the codes of another tokenizer.
        """
        folder = folder or weights.folder("language2motion")
        stored = artifact.load(folder, kind=KIND)
        try:
            config = Language2MotionConfig.model_validate(stored.config["model"])
            model = cls(config, None, stored.config["tokenizer"], stored.config["text_encoder"])
            model.load_state_dict({name: tensor.float() for name, tensor in stored.tensors.items()})
        except (KeyError, TypeError, RuntimeError, ValidationError) as error:
            raise ArtifactProblem(
                f"{folder}: its files do not fit together ({error}). Copy the folder again whole, or train again."
            ) from error
        trained_on = model.tokenizer_fingerprint
        if tokenizer_fingerprint not in (None, trained_on):
            raise TokenizerMismatch(
                f"{folder}: was trained on the tokenizer {trained_on[:12]}, but the one loaded is "
                f"{str(tokenizer_fingerprint)[:12]}. Load that tokenizer, or train again on this one."
            )
        model.fingerprint = stored.fingerprint
        lay_out_for_rows(model)
        model.codes_out = nn.Parameter(by_columns(model.codes_out))
        return model.eval().requires_grad_(False)

    # -- the parts of a sequence ----------------------------------------------------------------------

    def prefix(
        self,
        text: tuple[Tensor, Tensor] | None,
        seconds: Tensor,
        plan: tuple[Tensor, Tensor],
        wordless: Tensor | None = None,
    ) -> Prefix:
        """Embed words and duration.

        Args:
            text: (B, S, text_width) word states, and (B, S) bool, True where there is a word piece; None where the
                plan says it all.
            seconds: (B,) duration, NaN where it is open.
            plan: its roll (B, F, roll) and its sketch (B, F, latent_width).
            wordless: (B,) bool, rows whose words are replaced by the learned empty text.
        """
        if text is None:
            words = self.no_words.expand(len(seconds), 1, -1)
            mask = torch.ones(words.shape[:2], dtype=torch.bool, device=words.device)
        else:
            mask = text[1]
            words = self._adapted(*text)
        if wordless is not None:
            words = torch.where(wordless[:, None, None], self.no_words.to(words.dtype), words)
            first = torch.zeros_like(mask)
            first[:, 0] = True
            mask = torch.where(wordless[:, None], first, mask)
        open_end = seconds.isnan()
        known = self.duration(waves(torch.where(open_end, 1.0, seconds).log(), 4.0))
        duration = torch.where(open_end[:, None], self.no_duration.to(known.dtype), known)
        embedded = torch.cat([words + self.kind[0], (duration + self.kind[1])[:, None]], dim=1)
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
        return Prefix(embedded, mask, seconds, *plan)

    def _adapted(self, states: Tensor, mask: Tensor) -> Tensor:
        """Word states (B, S, text_width) as the network reads them, (B, S, width)."""
        x = self.words((states - self.text_centre) * self.text_scale)
        attend = as_bias(mask[:, None, None], x.dtype)
        turns = self.turns(torch.arange(x.shape[1], device=x.device))
        for block in self.adapter:
            x = block(x, turns, attend)
        adapted: Tensor = self.words_norm(x)
        return adapted

    def code_vectors(self) -> Tensor:
        """(L, K, width): what a code adds to a frame's input, its geometry and an own embedding."""
        vectors: Tensor = self.latent(self.codebooks) + self.code_embedding
        return vectors

    def clock_vectors(self, seconds: Tensor, places: Tensor) -> Tensor:
        """(B, T, width): seconds left and share gone at frame places (T,); zeros where the end is open."""
        now = places.to(seconds.dtype) / self.config.fps
        total = torch.where(seconds.isnan(), 1.0, seconds)[:, None]
        ticks = self.clock(torch.cat([waves(total - now, 10.0), waves(now / total, 1.0)], dim=-1))
        return torch.where(seconds.isnan()[:, None, None], 0.0, ticks)

    def frame_inputs(self, before: Tensor | None, prefix: Prefix, places: Tensor) -> Tensor:
        """(B, T, width) inputs of the frames at `places` (T,).

        Args:
            before: (B, T, width) sums of the code vectors of the frames before; None for the first frame.
            prefix: of the clips.
            places: frame numbers from 0.
        """
        inputs = self.clock_vectors(prefix.seconds, places) + self.kind[2]
        inputs = inputs + (self.start if before is None else before)
        planned: Tensor = self.plan(_around(prefix.roll, places)) + self.sketch(_around(prefix.sketch, places))
        return inputs + planned

    # -- training: all frames at once -----------------------------------------------------------------

    def states(self, prefix: Prefix, history: Tensor) -> Tensor:
        """Trunk states (B, T + 1, width) of frames 0 to T, given the codes (B, T, L) of frames 0 to T-1."""
        frames = history.shape[1] + 1
        before = gathered(self.code_vectors(), history).sum(-2)
        before = torch.cat([self.start.expand(len(before), 1, -1).to(before.dtype), before], dim=1)
        places = torch.arange(frames, device=history.device)
        inputs = self.frame_inputs(before, prefix, places)
        x = torch.cat([prefix.embedded.to(inputs.dtype), inputs], dim=1)
        words = prefix.embedded.shape[1]
        turns = self.turns(torch.cat([prefix_places(words, places.device), places + MAX_TOKENS + 1]))
        attend = attention_bias(prefix.mask, frames, prefix.embedded.dtype)
        for block in self.trunk:
            x = block(x, turns, attend)
        return normed(x[:, words:], self.norm)

    def logits(self, states: Tensor, codes: Tensor, sketched: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of all levels, given the true codes of the levels before.

        Args:
            states: (N, width) trunk states.
            codes: (N, L) codes of the same frames.
            sketched: (N, latent_width) of the same frames.

        Returns:
            (N, L, K) logits of the codes and (N,) of the end of the motion.
        """
        chosen = gathered(self.code_vectors(), codes)
        so_far = F.pad(chosen[:, :-1].cumsum(1), (0, 0, 1, 0))
        hidden = self._head(states[:, None] + self.level_embedding + so_far)
        logits = torch.einsum("nlw,lkw->nlk", hidden, self.codes_out.to(hidden.dtype))
        vectors = gathered(self.codebooks, codes)
        lacking = sketched[:, None] - F.pad(vectors[:, :-1].cumsum(1), (0, 0, 1, 0))
        near = 2 * torch.einsum("nld,lkd->nlk", lacking, self.codebooks) - self.sizes()
        pulled = logits + self.pull(states)[..., None] * near / self.sizes().mean(-1, keepdim=True)
        return pulled, self.end_out(hidden[:, 0]).squeeze(-1)

    def end_logits(self, states: Tensor, sketched: Tensor) -> Tensor:
        """(N, K + 1) logits of the first level with the end of the motion last."""
        unused = torch.zeros(len(states), self.config.levels, dtype=torch.long, device=states.device)
        codes, end = self.logits(states, unused, sketched)
        return torch.cat([codes[:, 0], end[:, None]], dim=-1)

    def sizes(self) -> Tensor:
        """(L, K) squared lengths of the code vectors."""
        return self.codebooks.square().sum(-1)

    def latents(self, raw: Tensor) -> Tensor:
        """(..., latent_width) of the tokenizer's encoder on the scale of `codebooks`."""
        return (raw - self.latent_centre) / self.latent_scale

    def _head(self, x: Tensor) -> Tensor:
        for layer in self.head:
            x = x + layer(x)
        return normed(x, self.head_norm)

    # -- generation: one frame at a time --------------------------------------------------------------

    def turns(self, places: Tensor) -> Tensor:
        """Rotary positions, see `rotary`."""
        return rotary(places, self.config.width // self.config.heads)

    def level(self, index: int) -> Level:
        """What the logits of one level are made from, for all frames of a clip; no gradient comes back."""
        book, out = self.codebooks[index], self.codes_out[index]
        sizes = book.square().sum(-1)
        near, offset, bias = 2 * book / sizes.mean(), -sizes / sizes.mean(), torch.zeros_like(sizes)
        if index == 0:  # The end of the motion is one more class, which no sketch is near to.
            near, offset = F.pad(near, (0, 0, 0, 1)), F.pad(offset, (0, 1))
            out, bias = by_columns(torch.cat([out, self.end_out.weight])), torch.cat([bias, self.end_out.bias])
        return Level(self.level_embedding[index], out, bias, near, offset)

    def level_logits(self, level: Level, partial: Tensor, pull: Tensor, lacking: Tensor) -> Tensor:
        """Logits (B, K) of one level, or (B, K + 1) of the first one, with the end of the motion last.

        Args:
            level: see `level`.
            partial: (B, width) state + code vectors of earlier levels.
            pull: (B, 1) of the state, for this level.
            lacking: (B, latent_width) what the sketch has beyond the codes of earlier levels.
        """
        hidden = self._head(partial + level.embedding)
        near = F.linear(lacking, level.near, level.offset)
        return torch.addcmul(F.linear(hidden, level.out, level.bias), pull, near)


def _around(values: Tensor, places: Tensor) -> Tensor:
    """(B, T, 3 * W): values (B, F, W) at each place, some frames before it and some after."""
    last = values.shape[1] - 1
    return torch.cat([values[:, (places + shift).clamp(0, last)] for shift in _AROUND], dim=-1)


def gathered(vectors: Tensor, codes: Tensor) -> Tensor:
    """Vectors of codes: (L, K, W) and (..., L) to (..., L, W)."""
    levels, size, _ = vectors.shape
    return F.embedding(codes + torch.arange(levels, device=codes.device) * size, vectors.flatten(0, 1))


def prefix_places(words: int, device: torch.device) -> Tensor:
    """Rotary places of the prefix: words from 0, the duration always at `MAX_TOKENS`."""
    places = torch.arange(words, device=device)
    places[-1] = MAX_TOKENS
    return places
