"""Generation one frame at a time, at the cost of one frame."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from tdmm.language.language2motion import Language2Motion, Prefix, prefix_places
from tdmm.language.text_encoder import MAX_TOKENS
from tdmm.language.transformer import Block, as_bias


class FrameCache:
    """Keys and values of a growing sequence: `step` costs one frame, whatever came before.

    Args:
        model: in evaluation mode.
        prefix: of the clips.
        frames: how many may follow.
    """

    def __init__(self, model: Language2Motion, prefix: Prefix, frames: int) -> None:
        config, (rows, words, width) = model.config, prefix.embedded.shape
        device, dtype = prefix.embedded.device, prefix.embedded.dtype
        self._model, self._words, self._next = model, words, 0
        self._blocks = [block for block in model.trunk if isinstance(block, Block)]
        shape = (config.depth, 2, rows, config.heads, words + frames, width // config.heads)
        self._cache = torch.zeros(shape, device=device, dtype=dtype)
        places = torch.arange(frames, device=device)
        self._turns = model.turns(places + MAX_TOKENS + 1)
        self._clock = model.frame_inputs(None, prefix, places) - model.start
        attend = as_bias(prefix.mask[:, None, None], dtype)
        self._attend = F.pad(attend, (0, frames))
        x = prefix.embedded
        turns = model.turns(prefix_places(words, device))
        for block, cache in zip(self._blocks, self._cache, strict=True):
            x = block(x, turns, attend, cache[:, :, :, :words])

    def step(self, before: Tensor | None) -> Tensor:
        """Trunk state (rows, width) of the next frame, given the summed code vectors of the one before."""
        at = self._next
        self._next += 1
        x = (self._clock[:, at] + (self._model.start if before is None else before))[:, None]
        turns, seen = self._turns[at : at + 1], self._words + at
        attend = self._attend[..., : seen + 1]
        for block, cache in zip(self._blocks, self._cache, strict=True):
            x = block.step(x, turns, cache, seen, attend)
        state: Tensor = self._model.norm(x[:, 0])
        return state
