"""The eye of Motion2Language: motion tokens to one embedding a frame."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class TemporalMixer(nn.Module):
    """A residual depthwise convolution over frames: fast events are differences between neighbours."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.pointwise = nn.Linear(width, width)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """x (B, T, width), valid (B, T, 1) of the same dtype; frames outside a clip count as zeros."""
        mixed = self.depthwise((self.norm(x) * valid).transpose(1, 2)).transpose(1, 2)
        change: Tensor = self.pointwise(nn.functional.gelu(mixed))
        return x + change


class FrameReader(nn.Module):
    """Codes of a frame to one embedding: codebook vectors, their change since the frame before, mixers.

    Args:
        codebooks: (L, K, D), the tokenizer's; kept as they are, never trained.
        hidden: width of the embeddings.
        mixers: convolutions over time.
        kernel: frames that each of them sees; odd.
    """

    codebooks: Tensor
    scale: Tensor

    def __init__(self, codebooks: Tensor, hidden: int, mixers: int, kernel: int) -> None:
        super().__init__()
        width = codebooks.shape[2]
        self.register_buffer("codebooks", codebooks.float().clone())
        # Latents of unit size whatever the unit of the tokenizer's code space.
        self.register_buffer("scale", codebooks.float().square().mean((1, 2)).sum().rsqrt().clamp(max=1e4))
        self.enter = nn.Linear(2 * width, hidden)
        self.mixers = nn.ModuleList(TemporalMixer(hidden, kernel) for _ in range(mixers))
        self.norm = nn.LayerNorm(hidden)
        self.leave = nn.Linear(hidden, hidden, bias=False)
        nn.init.normal_(self.leave.weight, std=0.02)

    def latents(self, codes: Tensor, levels: Tensor | None = None) -> Tensor:
        """Geometry (B, T, D) of codes (B, T, L); `levels` (B,) keeps only the first so many of each clip."""
        index = torch.arange(self.codebooks.shape[0], device=codes.device)
        vectors = self.codebooks[index, codes]
        if levels is not None:
            vectors = vectors * (index < levels[:, None]).to(vectors.dtype)[:, None, :, None]
        return vectors.sum(2) * self.scale

    def forward(self, codes: Tensor, valid: Tensor, levels: Tensor | None = None) -> Tensor:
        """Embeddings (B, T, hidden) of codes (B, T, L); valid (B, T) says which frames exist."""
        geometry = self.latents(codes, levels)
        change = torch.diff(geometry, dim=1, prepend=geometry[:, :1])
        # A change is small beside a position; both should weigh alike at the start.
        x = self.enter(torch.cat([geometry, 4.0 * change], dim=-1))
        mask = valid[..., None].to(x.dtype)
        for mixer in self.mixers:
            x = mixer(x, mask)
        embedding: Tensor = self.leave(self.norm(x))
        return embedding


class CodeReader(nn.Module):
    """Codes of a frame as words of a language model's vocabulary; nothing to learn here.

    Args:
        codebooks: (1, K, D), the tokenizer's: one code a frame.
        ids: of the K words.
    """

    codebooks: Tensor
    ids: Tensor

    def __init__(self, codebooks: Tensor, ids: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("codebooks", codebooks.float().clone())
        self.register_buffer("ids", torch.tensor(ids), persistent=False)

    def forward(self, codes: Tensor) -> Tensor:
        """Ids (B, T) of codes (B, T, 1)."""
        return self.ids[codes[..., 0]]
