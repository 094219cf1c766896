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
        blocks = [block for block in trunk if isinstance(block, Block)]
        self._seen, self._places, self._turns = places, places, turns.unbind(0)
        heads = blocks[0].heads
        shape = (len(blocks), 2, rows, heads, places + len(turns), width // heads)
        cache = torch.zeros(shape, device=prefix.device, dtype=prefix.dtype)
        self._layers = [(block, (keys, values)) for block, (keys, values) in zip(blocks, cache, strict=True)]
        attend = as_bias(mask[:, None, None], prefix.dtype)
        # Where nothing is padded, as in one clip alone, nothing needs to be hidden.
        self._attend = None if bool(mask.all()) else F.pad(attend, (0, len(turns)))
        x = prefix
        for block, kept in zip(blocks, cache, strict=True):
            x = block(x, prefix_turns, attend, kept[:, :, :, :places])

    def step(self, x: Tensor) -> Tensor:
        """Output (B, width) of the last block at the next position, whose input is x (B, width)."""
        seen = self._seen
        self._seen += 1
        turn = self._turns[seen - self._places]
        attend = None if self._attend is None else self._attend[..., : seen + 1]
        for block, cache in self._layers:
            x = block.step(x, turn, cache, seen, attend)
        return x
