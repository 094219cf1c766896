"""Drawing from logits so that every clip's chance is its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def luck(seeds: Sequence[int], shape: tuple[int, ...], stream: int = 0) -> Tensor:
    """(B, *shape) uniform numbers, each clip's from its own seed; another stream has others."""
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed ^ (stream * 0x9E3779B97F4A7C15 & 0x7FFFFFFFFFFFFFFF))
        rows.append(torch.rand(shape, generator=generator))
    return torch.stack(rows)


def draw(logits: Tensor, luck: Tensor, temperature: float, top_p: float) -> Tensor:
    """One class a row (B,), by inverting the distribution at `luck` (B,).

    Args:
        logits: (B, K).
        luck: numbers in [0, 1) that decide.
        temperature: 0 takes the likeliest.
        top_p: only the likeliest classes that make up this share are drawn from.
    """
    if temperature == 0:
        return logits.argmax(-1)
    ordered, classes = (logits / temperature).softmax(-1).sort(dim=-1, descending=True)
    reached = ordered.cumsum(-1)
    last = (reached < top_p).sum(-1, keepdim=True).clamp_max(logits.shape[-1] - 1)
    aim = luck[:, None] * reached.gather(-1, last)
    place = (reached <= aim).sum(-1, keepdim=True).minimum(last)
    return classes.gather(-1, place).squeeze(-1)


def guided(logits: Tensor, guidance: float) -> Tensor:
    """Logits (B, K) of the first half of the rows (2B, K), pushed away from those of the second half.

    Classifier-free guidance (Ho & Salimans 2022, arXiv 2207.12598); with a guidance of 1 the rows are not
    doubled and come back as they are.
    """
    if guidance == 1.0:
        return logits
    worded, wordless = logits.chunk(2)
    return wordless + guidance * (worded - wordless)
