"""Codebooks learned by running means: one code a frame (`vq`) or a sum of several (`rvq`).

Every number that learning needs is a buffer, so a checkpoint resumes exactly. Running means forget by
vectors seen, not by steps, so what counts as a dead code does not depend on the batch size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from tdmm.errors import InvalidInput
from tdmm.registry import Registry

_MEMORY = 64.0
"""Vectors per code after which a running mean has forgotten 63% of what it held."""
_DEAD_BELOW = 0.2
"""A code used less than this share of a fair share (1 / codebook size) is dead."""


@dataclass(frozen=True)
class Quantized:
    """What a quantizer made of (..., D) vectors.

    Attributes:
        values: (..., D) quantized; gradients pass straight through to the input.
        codes: (..., L) int64.
        commitment: scalar, mean squared distance of the input to its codes.
    """

    values: Tensor
    codes: Tensor
    commitment: Tensor


class VectorQuantizer(nn.Module):
    """The nearest of K learned vectors. Computes in float32 whatever autocast says.

    In training mode each call also learns: the codebook starts from vectors of the first batch, follows
    running means of what is assigned to each code, and dead codes are moved onto vectors of the batch.

    Args:
        dim: D.
        codebook_size: K.
    """

    codebook: Tensor
    share: Tensor
    total: Tensor
    started: Tensor

    def __init__(self, dim: int, codebook_size: int) -> None:
        super().__init__()
        self.dim, self.codebook_size, self.levels = dim, codebook_size, 1
        self.register_buffer("codebook", torch.randn(codebook_size, dim))
        # Running means of: the share of vectors each code takes, and their sum over all vectors seen.
        self.register_buffer("share", torch.full((codebook_size,), 1.0 / codebook_size))
        self.register_buffer("total", self.codebook / codebook_size)
        self.register_buffer("started", torch.zeros((), dtype=torch.bool))

    def forward(self, vectors: Tensor, weight: Tensor | None = None) -> Quantized:
        """Quantize (..., D) vectors; in training mode learns from them, as much as their (...) `weight` says."""
        with torch.autocast(vectors.device.type, enabled=False):
            vectors = vectors.float()
            flat = vectors.detach().reshape(-1, self.dim)
            teaching = torch.ones_like(flat[:, 0]) if weight is None else weight.expand(vectors.shape[:-1]).flatten()
            if self.training and not bool(self.started):
                self._start(flat, teaching)
            codes = self._nearest(flat)
            chosen = self.codebook[codes].reshape(vectors.shape)
            if self.training:
                self._learn(flat, codes, teaching)
            commitment = (vectors - chosen).pow(2).mean()
            values = vectors + (chosen - vectors).detach()
        return Quantized(values, codes.reshape(*vectors.shape[:-1], 1), commitment)

    def latents(self, codes: Tensor) -> Tensor:
        """(..., 1) codes to (..., D) vectors."""
        return self.codebook[codes[..., 0]]

    def books(self) -> Tensor:
        """(L, K, D) the vectors of all codes."""
        return self.codebook[None]

    def _nearest(self, flat: Tensor) -> Tensor:
        distances = self.codebook.pow(2).sum(1) - 2 * flat @ self.codebook.T
        return distances.argmin(1)

    @torch.no_grad()
    def _start(self, flat: Tensor, weight: Tensor) -> None:
        """Codes are drawn from the batch, some twice where it is smaller than the codebook."""
        drawn = torch.multinomial(weight, self.codebook_size, replacement=self.codebook_size > int((weight > 0).sum()))
        self._place(torch.ones_like(self.share, dtype=torch.bool), flat[drawn])
        self.started.fill_(True)

    @torch.no_grad()
    def _learn(self, flat: Tensor, codes: Tensor, weight: Tensor) -> None:
        seen = float(weight.sum())
        counts = torch.zeros_like(self.share).index_add_(0, codes, weight)
        sums = torch.zeros_like(self.codebook).index_add_(0, codes, flat * weight[:, None])
        forget = 1 - math.exp(-seen / (_MEMORY * self.codebook_size))
        self.share.lerp_(counts / seen, forget)
        self.total.lerp_(sums / seen, forget)
        self.codebook.copy_(self.total / self.share.clamp_min(1e-12)[:, None])
        dead = self.share < _DEAD_BELOW / self.codebook_size
        if bool(dead.any()):
            drawn = torch.multinomial(weight, int(dead.sum()), replacement=True)
            self._place(dead, flat[drawn])

    def _place(self, which: Tensor, vectors: Tensor) -> None:
        """Put codes somewhere as if each had always taken its fair share there."""
        self.codebook[which] = vectors
        self.share[which] = 1.0 / self.codebook_size
        self.total[which] = vectors / self.codebook_size


class ResidualQuantizer(nn.Module):
    """A sum of L codes: each level quantizes what the levels before it left.

    Args:
        dim: D.
        codebook_size: K, of every level.
        levels: L.
        dropout: share of the sequences that, in training, are reconstructed from a random number of their
            first levels only, so that the first codes carry what matters most.
    """

    def __init__(self, dim: int, codebook_size: int, levels: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dim, self.codebook_size, self.levels, self.dropout = dim, codebook_size, levels, dropout
        self.layers = nn.ModuleList(VectorQuantizer(dim, codebook_size) for _ in range(levels))

    def forward(self, vectors: Tensor, weight: Tensor | None = None) -> Quantized:
        """Quantize (B, ..., D) vectors; in training mode learns from them, as much as their `weight` says."""
        with torch.autocast(vectors.device.type, enabled=False):
            vectors = vectors.float()
            kept = self._levels_kept(vectors)
            residual, sums = vectors, torch.zeros_like(vectors)
            codes: list[Tensor] = []
            commitment = vectors.new_zeros(())
            for level in range(self.levels):
                result: Quantized = self._layer(level)(residual, weight)
                chosen = result.values.detach()
                sums = sums + chosen * (kept > level)
                residual = residual - chosen
                codes.append(result.codes)
                commitment = commitment + result.commitment / self.levels
            values = vectors + (sums - vectors).detach()
        return Quantized(values, torch.cat(codes, -1), commitment)

    def latents(self, codes: Tensor) -> Tensor:
        """(..., n) codes of the first n levels, 1 <= n <= L, to the (..., D) sum of their vectors.

        In training mode some sequences (the first axis) are summed up to a level before the last, see `dropout`.
        """
        sums = self._layer(0).latents(codes[..., :1])
        kept = self._levels_kept(sums)
        for level in range(1, codes.shape[-1]):
            sums = sums + self._layer(level).latents(codes[..., level, None]) * (kept > level)
        return sums

    def books(self) -> Tensor:
        """(L, K, D) the vectors of all codes."""
        return torch.stack([self._layer(level).codebook for level in range(self.levels)])

    def _layer(self, level: int) -> VectorQuantizer:
        return cast(VectorQuantizer, self.layers[level])

    def _levels_kept(self, vectors: Tensor) -> Tensor:
        """Levels used by each sequence, shaped to broadcast over `vectors`."""
        shape = (len(vectors), *(1,) * (vectors.ndim - 1))
        if not (self.training and self.dropout > 0):
            return torch.full(shape, self.levels, device=vectors.device)
        short = torch.rand(shape) < self.dropout
        drawn = torch.randint(1, self.levels + 1, shape)
        return torch.where(short, drawn, self.levels).to(vectors.device)


@dataclass
class CodeUsage:
    """Counts of codes over an epoch or a data split; independent of how it was cut into batches."""

    levels: int
    codebook_size: int

    def __post_init__(self) -> None:
        self._counts = torch.zeros(self.levels, self.codebook_size, dtype=torch.int64)

    def add(self, codes: Tensor) -> None:
        """Count (..., L) codes."""
        for level in range(self.levels):
            self._counts[level] += torch.bincount(codes[..., level].flatten().cpu(), minlength=self.codebook_size)

    def used(self) -> tuple[float, ...]:
        """Share of the codes of each level that occurred at least once."""
        return tuple(float(share) for share in (self._counts > 0).double().mean(1))

    def perplexity(self) -> tuple[float, ...]:
        """Exponential of the entropy of each level's codes: K when all are used alike, 1 when one is."""
        shares = self._counts.double() / self._counts.sum(1, keepdim=True).clamp_min(1)
        entropy = -torch.special.xlogy(shares, shares).sum(1)
        return tuple(float(value) for value in entropy.exp())


def _vq(dim: int, codebook_size: int, levels: int, dropout: float) -> VectorQuantizer:
    if levels != 1:
        raise InvalidInput(f"The quantizer 'vq' has one level, not {levels}; use 'rvq' for several.")
    del dropout  # there is nothing to drop
    return VectorQuantizer(dim, codebook_size)


def _rvq(dim: int, codebook_size: int, levels: int, dropout: float) -> ResidualQuantizer:
    return ResidualQuantizer(dim, codebook_size, levels, dropout)


QUANTIZERS: Registry[VectorQuantizer | ResidualQuantizer] = Registry("quantizer")
"""Factories by name, called with (dim, codebook_size, levels, dropout)."""
QUANTIZERS.register("vq", "tdmm.tokens.quantizers:_vq")
QUANTIZERS.register("rvq", "tdmm.tokens.quantizers:_rvq")
