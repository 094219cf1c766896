"""The geometry autoencoder: 58 numbers a frame to one latent vector a frame, quantized, and back.

Reads geometry, not coefficients: a linear rig's vertices are isometric to a small space of the
coefficients (`GeometryBasis`), so two coefficient vectors that make the same face get the same code and
every distance is in millimetres. The encoder sees a few frames to both sides; the decoder only the past,
so that decoding frame by frame equals decoding at once. Coefficients come out directly, within [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from tdmm.tokens.quantizers import QUANTIZERS, Quantized, ResidualQuantizer, VectorQuantizer

TRANSLATION_MM = 300.0
"""Millimetres that a metre of translation counts as: a shift of the whole head shows less than a grimace."""

LATENT_MM = 5.0
"""Millimetres of a latent's unit."""


class AutoencoderConfig(BaseModel):
    """Sizes of the autoencoder.

    Attributes:
        quantizer: a name of `QUANTIZERS`.
        levels: L, codes a frame.
        codebook_size: K, codes of a level.
        dim: D, of a latent vector.
        width: channels of the convolutions.
        encoder_blocks: each lets a frame see one more frame to both sides.
        decoder_blocks: block i sees 2 * 2**(i % 3) frames back.
        level_dropout: share of training sequences decoded from their first levels only.
        head_mm: millimetres that a radian of head rotation counts as. The face lies about 80 mm from the joint, but a
            degree of the head is seen more easily than the millimetre that it moves the face.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    quantizer: Literal["vq", "rvq"] = "rvq"
    levels: int = Field(default=4, ge=1, le=16)
    codebook_size: int = Field(default=512, ge=2, le=65536)
    dim: int = Field(default=64, ge=1)
    width: int = Field(default=192, ge=8)
    encoder_blocks: int = Field(default=3, ge=1)
    decoder_blocks: int = Field(default=4, ge=1)
    level_dropout: float = Field(default=0.1, ge=0, le=1)
    head_mm: float = Field(default=140.0, gt=0)


@dataclass
class DecoderState:
    """The past of a streaming decoder: the last inputs of each causal convolution, (B, C, frames back)."""

    past: list[Tensor]


class Block(nn.Module):
    """A residual convolution over time; symmetric, or causal (sees only the past)."""

    def __init__(self, width: int, causal: bool, dilation: int = 1) -> None:
        super().__init__()
        self.back = 2 * dilation if causal else dilation
        self.ahead = 0 if causal else dilation
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Conv1d(width, 2 * width, 3, dilation=dilation)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, past: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(B, T, W) to the same shape; `past` stands before the first frame; the next one is returned."""
        inner = self.norm(x).transpose(1, 2)
        if past is None:
            past = inner.new_zeros(inner.shape[0], inner.shape[1], self.back)
        seen = torch.cat([past, inner], 2)
        mixed, gate = self.mix(functional.pad(seen, (0, self.ahead))).transpose(1, 2).chunk(2, -1)
        return x + self.out(mixed * torch.sigmoid(gate)), seen[:, :, seen.shape[2] - self.back :]


class _Bounded(torch.autograd.Function):
    """Clamp to [0, 1] whose gradient still pulls values from outside back in, and never pushes them out."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(0, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,), (gradient,) = ctx.saved_tensors, gradients
        blocked = ((x < 0) & (gradient > 0)) | ((x > 1) & (gradient < 0))
        return gradient.masked_fill(blocked, 0.0)


class GeometryAutoencoder(nn.Module):
    """Motion features to codes and back.

    Args:
        config: sizes.
        basis: (E, G) millimetres, coefficients to region-weighted geometry: `GeometryBasis.matrix`.
    """

    basis: Tensor
    centre: Tensor
    scale: Tensor

    def __init__(self, config: AutoencoderConfig, basis: Tensor) -> None:
        super().__init__()
        self.config = config
        self.expressions, geometry = basis.shape
        self.register_buffer("basis", basis.float())
        self.register_buffer("centre", torch.zeros(geometry + 6))
        self.register_buffer("scale", torch.ones(geometry + 6))
        width = config.width
        self.read = nn.Linear(2 * (geometry + 6), width)
        self.encoder = nn.ModuleList(Block(width, causal=False) for _ in range(config.encoder_blocks))
        self.to_latent = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, config.dim))
        self.project = nn.Linear(geometry + 6, config.dim)
        quantizer = QUANTIZERS.get(config.quantizer)
        self.quantizer: VectorQuantizer | ResidualQuantizer = quantizer(
            config.dim, config.codebook_size, config.levels, config.level_dropout
        )
        self.from_latent = nn.Linear(config.dim, width)
        self.decoder = nn.ModuleList(
            Block(width, causal=True, dilation=2 ** (i % 3)) for i in range(config.decoder_blocks)
        )
        self.write = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, self.expressions + 6))
        self.unproject = nn.Linear(config.dim, self.expressions + 6)
        # The linear path is all there is at first (`begin` sets it); the rest grows from nothing.
        for last in (self.to_latent[1], self.write[1]):
            nn.init.zeros_(cast(nn.Linear, last).weight)
            nn.init.zeros_(cast(nn.Linear, last).bias)

    def geometry(self, features: Tensor) -> Tensor:
        """(..., 58) features to (..., G + 6) millimetres: face, head rotation, translation."""
        face = features[..., : self.expressions] @ self.basis
        rotation = features[..., self.expressions : self.expressions + 3] * self.config.head_mm
        return torch.cat([face, rotation, features[..., self.expressions + 3 :] * TRANSLATION_MM], -1)

    @torch.no_grad()
    def begin(self, features: Tensor) -> None:
        """Start from (N, 58) features: input statistics, and the linear path as principal components.

        Latents begin as millimetres along the main directions of the data, so the quantizer serves from
        the first step what the loss asks for.
        """
        mm = self.geometry(features).double()
        self.centre.copy_(mm.mean(0))
        spread = mm.std(0)
        # A floor, because what hardly moves the face should not be blown up to unit size.
        self.scale.copy_(spread + 0.2 * spread.mean())
        centred = mm - mm.mean(0)
        _, vectors = torch.linalg.eigh(centred.T @ centred)
        directions = vectors.flip(1)[:, : self.config.dim] / LATENT_MM
        rank = directions.shape[1]
        self.project.weight.zero_()
        self.project.bias.zero_()
        self.project.weight[:rank] = (directions * self.scale.double()[:, None]).T.float()
        latents = torch.cat([centred @ directions, torch.ones(len(mm), 1, device=mm.device)], 1)
        target = features.double() / self._units().double()
        ridge = 1e-3 * torch.eye(rank + 1, dtype=torch.double, device=mm.device)
        fit = torch.linalg.solve(latents.T @ latents / len(mm) + ridge, latents.T @ target / len(mm))
        self.unproject.weight.zero_()
        self.unproject.weight[:, :rank] = fit[:-1].T.float()
        self.unproject.bias.copy_(fit[-1])

    def _units(self) -> Tensor:
        """(58,) what an output of 1 stands for: a coefficient of 1, radians, metres."""
        units = torch.ones(self.expressions + 6, device=self.basis.device)
        units[self.expressions : self.expressions + 3] = 0.3
        units[self.expressions + 3 :] = 0.03
        return units

    def encode(self, features: Tensor) -> Tensor:
        """(B, T, 58) features to (B, T, D) latents, not yet quantized."""
        x = (self.geometry(features) - self.centre) / self.scale
        velocity = functional.pad(x[:, 1:] - x[:, :-1], (0, 0, 1, 0))
        hidden = self.read(torch.cat([x, 4 * velocity], -1))
        for block in self.encoder:
            hidden, _ = block(hidden)
        latent: Tensor = self.project(x) + self.to_latent(hidden)
        return latent

    def decode(self, latents: Tensor, state: DecoderState | None = None) -> tuple[Tensor, DecoderState]:
        """(B, T, D) quantized latents to (B, T, 58) features, and the state to go on from."""
        hidden = self.from_latent(latents)
        past: list[Tensor] = []
        for index, block in enumerate(self.decoder):
            hidden, last = block(hidden, state.past[index] if state else None)
            past.append(last)
        out = (self.unproject(latents) + self.write(hidden)).float() * self._units()
        face: Tensor = _Bounded.apply(out[..., : self.expressions])  # type: ignore[no-untyped-call]
        return torch.cat([face, out[..., self.expressions :]], -1), DecoderState(past)

    def shown(self) -> Tensor:
        """(D, G + 6) millimetres by which each number of a latent moves the decoder's linear path."""
        return self.geometry(self.unproject.weight.T * self._units()).detach()

    def forward(self, features: Tensor, weight: Tensor | None = None) -> tuple[Tensor, Quantized]:
        """Reconstruct (B, T, 58) features through the quantizer.

        In training mode the codebooks learn from each sequence as much as its (B,) `weight` says.
        """
        spread = None if weight is None else weight[:, None]
        quantized: Quantized = self.quantizer(self.encode(features), spread)
        return self.decode(quantized.values)[0], quantized

    def learn_to_show(self) -> None:
        """Leave nothing to be trained but what the decoder adds to its linear path: codes, and what shows of them,
        stay."""
        self.requires_grad_(False)
        for part in (self.from_latent, self.decoder, self.write):
            part.requires_grad_(True)


class LossWeights(BaseModel):
    """What a wrong millimetre costs, by kind.

    Attributes:
        face: of the face's geometry. head: of the head's rotation and translation.
        velocity: of the difference between neighbouring frames of both.
        coefficients: per unit of wrong coefficient; settles what geometry leaves open.
        commitment: of latents to stay near their codes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    face: float = Field(default=1.0, ge=0)
    head: float = Field(default=1.0, ge=0)
    velocity: float = Field(default=0.5, ge=0)
    coefficients: float = Field(default=1.0, ge=0)
    commitment: float = Field(default=0.25, ge=0)


def losses(
    model: GeometryAutoencoder,
    features: Tensor,
    rebuilt: Tensor,
    quantized: Quantized,
    weights: LossWeights,
    spread: Tensor | None = None,
) -> dict[str, Tensor]:
    """Scalars of one batch; `loss` is the weighted sum of the others.

    Args:
        model: what rebuilt them.
        features, rebuilt: (B, T, 58).
        quantized: what lay between.
        weights: of the kinds of error.
        spread: (B,) how much each sequence counts; None lets all count alike.
    """
    with torch.autocast(features.device.type, enabled=False):
        expressions, geometry = model.basis.shape
        wrong = model.geometry(rebuilt.float() - features)
        jump = wrong[:, 1:] - wrong[:, :-1]
        shares = torch.ones_like(wrong[:, 0, 0]) if spread is None else spread
        shares = shares / shares.sum()

        def mean(errors: Tensor) -> Tensor:
            return (errors.mean(1) * shares).sum()

        parts = {
            "face": mean(_length(wrong[..., :geometry])),
            "head": mean(_length(wrong[..., geometry : geometry + 3]) + _length(wrong[..., geometry + 3 :])),
            "velocity": mean(_length(jump[..., :geometry]) + _length(jump[..., geometry:])),
            "coefficients": mean((rebuilt - features)[..., :expressions].abs().mean(-1)),
            "commitment": quantized.commitment,
        }
        total = torch.stack([getattr(weights, name) * value for name, value in parts.items()]).sum()
        return {"loss": total, **parts}


def _length(vectors: Tensor) -> Tensor:
    """Euclidean lengths, smooth at zero: the error that is reported, not its square."""
    return (vectors.pow(2).sum(-1) + 1e-4).sqrt()
