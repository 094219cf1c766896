"""The layers of Language2Motion and its planner: attention with rotary positions, gated feed-forward."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WAVES = 8
"""Sines, and as many cosines, of a quantity given to the network."""


class Block(nn.Module):
    """Attention with rotary positions and normalised queries and keys, then a gated feed-forward layer."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm = norm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.feed_forward = FeedForward(width, round(2.5 * width / 64) * 64 or 64, dropout)

    def forward(self, x: Tensor, turns: Tensor, attend: Tensor, keep: Tensor | None = None) -> Tensor:
        """A whole sequence (B, S, width); keys and values are written to `keep` (2, B, heads, S, d)."""
        query, key, value = self._project(x, turns)
        if keep is not None:
            keep[0], keep[1] = key, value
        return self._finish(x, _mixed(query, key, value, attend))

    def step(self, x: Tensor, turns: Tensor, cache: Tensor, seen: int, attend: Tensor) -> Tensor:
        """One position (B, 1, width) after `seen` cached ones."""
        query, key, value = self._project(x, turns)
        cache[0, :, :, seen], cache[1, :, :, seen] = key[:, :, 0], value[:, :, 0]
        keys, values = cache[:, :, :, : seen + 1]
        return self._finish(x, _mixed(query, keys, values, attend))

    def _project(self, x: Tensor, turns: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value, each (B, heads, S, d); query and key normalised and turned."""
        rows, places, width = x.shape
        parts = self.qkv(self.norm(x)).view(rows, places, 3 * self.heads, width // self.heads)
        both, value = parts.split([2 * self.heads, self.heads], dim=2)
        both = F.layer_norm(both, both.shape[-1:])
        pairs = torch.view_as_complex(both.float().view(*both.shape[:-1], -1, 2))
        both = torch.view_as_real(pairs * turns).flatten(-2).to(value.dtype)
        query, key = both.transpose(1, 2).chunk(2, dim=1)
        return query, key, value.transpose(1, 2)

    def _finish(self, x: Tensor, mixed: Tensor) -> Tensor:
        x = x + F.dropout(self.out(mixed.transpose(1, 2).flatten(2)), self.dropout, self.training)
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
        gate, value = self.rise(self.norm(x)).chunk(2, dim=-1)
        return F.dropout(self.fall(F.silu(gate) * value), self.dropout, self.training)


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
