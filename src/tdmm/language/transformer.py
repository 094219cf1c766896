"""The layers of Language2Motion and its planner: attention with rotary positions, gated feed-forward."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WAVES = 8
"""Sines, and as many cosines, of a quantity given to the network."""


class Block(nn.Module):
    """Attention with rotary positions and normalised queries and keys, then a gated feed-forward layer.

    Weights are used by hand, not by calling the layers that hold them: at one position of one clip the calls
    take as long as the arithmetic.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm = norm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.feed_forward = FeedForward(width, round(2.5 * width / 64) * 64 or 64, dropout)

    def forward(self, x: Tensor, turns: Tensor, attend: Tensor, keep: Tensor | None = None) -> Tensor:
        """A whole sequence (B, S, width); keys and values are written to `keep` (2, B, heads, S, d)."""
        query, key, value = (each.transpose(1, 2) for each in self._project(x, turns))
        if keep is not None:
            keep[0], keep[1] = key, value
        return self._finish(x, _mixed(query, key, value, attend).transpose(1, 2).flatten(2))

    def step(self, x: Tensor, turn: Tensor, cache: tuple[Tensor, Tensor], seen: int, attend: Tensor | None) -> Tensor:
        """One position (B, width) after `seen` cached ones.

        Args:
            x: input.
            turn: (1, d/2) its rotary position.
            cache: keys and values, each (B, heads, S, d); those of this position are written to it.
            seen: positions before this one.
            attend: (B, 1, 1, seen + 1) what to add to the scores; None adds nothing.
        """
        query, key, value = self._project(x, turn)
        keys, values = cache
        keys[:, :, seen], values[:, :, seen] = key, value
        keys, values = keys[:, :, : seen + 1], values[:, :, : seen + 1]
        mixed = F.scaled_dot_product_attention(query.unsqueeze(2), keys, values, attend)
        return self._finish(x, mixed.flatten(1))

    def _project(self, x: Tensor, turns: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value, each (..., heads, d); query and key normalised and turned."""
        heads = self.heads
        parts = F.linear(normed(x, self.norm), self.qkv.weight).view(*x.shape[:-1], 3 * heads, -1)
        both, value = parts.narrow(-2, 0, 2 * heads), parts.narrow(-2, 2 * heads, heads)
        both = torch.layer_norm(both, both.shape[-1:]).float()
        pairs = torch.view_as_complex(both.view(*both.shape[:-1], -1, 2))
        query, key = torch.view_as_real(pairs * turns).flatten(-2).to(value.dtype).chunk(2, dim=-2)
        return query, key, value

    def _finish(self, x: Tensor, mixed: Tensor) -> Tensor:
        x = x + _dropped(F.linear(mixed, self.out.weight), self)
        fed: Tensor = x + self.feed_forward(x)
        return fed


class FeedForward(nn.Module):
    """Normalised SwiGLU branch."""

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.norm, self.dropout = norm(width), dropout
        self.rise = nn.Linear(width, 2 * hidden, bias=False)
        self.fall = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """What is to be added to x (..., width)."""
        gate, value = F.linear(normed(x, self.norm), self.rise.weight).chunk(2, dim=-1)
        return _dropped(F.linear(F.silu(gate) * value, self.fall.weight), self)


def normed(x: Tensor, norm: nn.LayerNorm) -> Tensor:
    """What `norm` makes of x, without the cost of calling a layer."""
    return torch.layer_norm(x, norm.normalized_shape, norm.weight)


def _dropped(x: Tensor, layer: Block | FeedForward) -> Tensor:
    return F.dropout(x, layer.dropout) if layer.training else x


def lay_out_for_rows(network: nn.Module) -> None:
    """Store the weights of wide layers column by column.

    Their values and shapes stay; but MKL multiplies one or a few rows by them twice as fast. Tall ones are best
    as they are.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Linear) and layer.out_features >= 2 * layer.in_features:
            layer.weight = nn.Parameter(by_columns(layer.weight), layer.weight.requires_grad)


def by_columns(matrices: Tensor) -> Tensor:
    """Equal matrices (..., N, M) whose columns, not rows, lie in one piece; without gradient."""
    return matrices.detach().mT.contiguous().mT


def rotary(places: Tensor, width: int) -> Tensor:
    """Rotary positions as unit complex numbers, (places, 1, width / 2), for heads of that width."""
    half = width // 2
    speeds = 10_000.0 ** (-torch.arange(half, device=places.device) / half)
    angles = (places[:, None] * speeds)[:, None]
    return torch.polar(torch.ones_like(angles), angles)


def waves(value: Tensor, longest: float) -> Tensor:
    """Sines and cosines of a quantity, (..., 2 * waves), with periods from 4 * `longest` down by halves."""
    speeds = 2 * math.pi / (4 * longest) * 2.0 ** torch.arange(WAVES, device=value.device)
    angles = value.unsqueeze(-1) * speeds
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def attention_bias(prefix: Tensor, frames: int, dtype: torch.dtype) -> Tensor:
    """(B, 1, P + T, P + T): everything sees the prefix, frames see themselves and frames before."""
    words = prefix.shape[1]
    causal = torch.ones(frames, frames, dtype=torch.bool, device=prefix.device).tril()
    among_frames = F.pad(causal, (0, 0, words, 0))
    keys = torch.cat([prefix, prefix.new_ones(len(prefix), frames)], dim=1)
    allowed = torch.cat([among_frames.new_ones(words + frames, words), among_frames], dim=1)
    return as_bias((allowed & keys[:, None])[:, None], dtype)


def as_bias(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    """What to add to attention scores: 0 where allowed (bool), minus infinity elsewhere."""
    return torch.zeros(allowed.shape, dtype=dtype, device=allowed.device).masked_fill(~allowed, -math.inf)


def _mixed(query: Tensor, key: Tensor, value: Tensor, attend: Tensor) -> Tensor:
    """Attention written out: at these lengths three times as fast on a CPU as the fused, masked kernel."""
    scores: Tensor = (query * query.shape[-1] ** -0.5) @ key.transpose(2, 3)
    return (scores + attend.to(scores.dtype)).softmax(-1) @ value


def norm(width: int) -> nn.LayerNorm:
    """LayerNorm without bias: RMSNorm has no fused CPU kernel and takes eight times as long to train."""
    return nn.LayerNorm(width, bias=False)


def scale_residuals(blocks: nn.ModuleList, depth: int) -> None:
    """Start with small branches, so that a deep trunk begins near the identity."""
    with torch.no_grad():
        for block in blocks:
            assert isinstance(block, Block)
            block.out.weight.mul_((2 * depth) ** -0.5)
            block.feed_forward.fall.weight.mul_((2 * depth) ** -0.5)
