"""Generation one position at a time, at the cost of one position."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tdmm.language.transformer import Block, as_bias


class StepCache:
    """Keys and values of a growing sequence: `step` costs one position, whatever came before.

    Args:
        trunk: of `Block`s, in evaluation mode.
        prefix: (B, P, width), seen by everything.
        mask: (B, P) bool, False where the prefix is padded.
        prefix_turns: (P, 1, d/2) rotary positions of the prefix.
        turns: (S, 1, d/2) rotary positions of the S positions that may follow.
    """

    def __init__(self, trunk: nn.ModuleList, prefix: Tensor, mask: Tensor, prefix_turns: Tensor, turns: Tensor) -> None:
        rows, places, width = prefix.shape
        self._places, self._next, self._turns = places, 0, turns
        self._blocks = [block for block in trunk if isinstance(block, Block)]
        heads = self._blocks[0].heads
        shape = (len(self._blocks), 2, rows, heads, places + len(turns), width // heads)
        self._cache = torch.zeros(shape, device=prefix.device, dtype=prefix.dtype)
        attend = as_bias(mask[:, None, None], prefix.dtype)
        self._attend = F.pad(attend, (0, len(turns)))
        x = prefix
        for block, cache in zip(self._blocks, self._cache, strict=True):
            x = block(x, prefix_turns, attend, cache[:, :, :, :places])

    def step(self, x: Tensor) -> Tensor:
        """Output (B, width) of the last block at the next position, whose input is x (B, width)."""
        at = self._next
        self._next += 1
        out = x[:, None]
        turns, seen = self._turns[at : at + 1], self._places + at
        attend = self._attend[..., : seen + 1]
        for block, cache in zip(self._blocks, self._cache, strict=True):
            out = block.step(out, turns, cache, seen, attend)
        return out[:, 0]
