"""A tokenizer without training, and a few clips whose words say which way they go."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from tdmm.language import plan_codes
from tdmm.language.data import ClipTokens, Pairs, Plans, TextBank
from tdmm.language.text_encoder import HashedWords
from tdmm.motion.events import ActionEvent, HeadEvent, MotionEvents

CHANNELS = 58


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small only lose time to a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class GridTokenizer:
    """Quantizes the mean of a frame in two steps; its latents are those of a trained one in miniature."""

    fingerprint = "grid"
    levels = 2
    codebook_size = 8

    def encode_features(self, features: Tensor) -> Tensor:
        mean = features.mean(-1).clamp(0, 0.999)
        coarse = (mean * 8).long()
        fine = ((mean * 8 - coarse) * 8).long()
        return torch.stack([coarse, fine], dim=-1)

    def encode_latents(self, features: Tensor) -> Tensor:
        value = features.mean(-1, keepdim=True)
        return torch.cat([value, 1 - value, value], dim=-1)

    def latents(self, codes: Tensor) -> Tensor:
        scales = torch.tensor([1 / 8, 1 / 64])[: codes.shape[-1]]
        value = (codes * scales).sum(-1, keepdim=True)
        return torch.cat([value, 1 - value, value], dim=-1)


@pytest.fixture
def tokenizer() -> GridTokenizer:
    return GridTokenizer()


SENTENCES = ("she smiles", "he frowns slowly", "a nod", "blinks twice and looks away to the left")


@pytest.fixture
def pairs(tokenizer: GridTokenizer) -> Pairs:
    """Four clips of 20 to 35 frames, each a wave of its own, each with two texts."""
    encoder = HashedWords(16)
    encoded = encoder.encode([*SENTENCES, *(f"{text} please" for text in SENTENCES)])
    lengths = encoded.mask.sum(1).numpy()
    bank = TextBank(
        encoded.states[encoded.mask].half().numpy(),
        encoded.seconds[encoded.mask].half().numpy(),
        np.concatenate([[0], np.cumsum(lengths)[:-1]]),
        lengths,
    )
    frames = np.array([20, 25, 30, 35])
    waves = [0.5 + 0.4 * np.sin(np.arange(n) / (2 + i)) for i, n in enumerate(frames)]
    features = torch.from_numpy(np.concatenate(waves)).float()[:, None].expand(-1, CHANNELS)
    clips = ClipTokens(
        tokenizer.encode_features(features).numpy().astype(np.uint16),
        np.concatenate([[0], np.cumsum(frames)]),
    )
    happens = [
        MotionEvents((ActionEvent("lip_corner_puller", "left", 0.8, 0.1, 0.3, 0.5, 0.7),)),
        MotionEvents((ActionEvent("brow_lowerer", "both", 0.4, 0.2, 0.5, 0.6, 0.9),)),
        MotionEvents(head=(HeadEvent("nod", 8.0, 2, 0.2, 1.0),)),
        MotionEvents(),
    ]
    rows = [plan_codes.encode(plan_codes.Plan(events, int(n))) for events, n in zip(happens, frames, strict=True)]
    plans = Plans(np.concatenate(rows), np.cumsum([0, *map(len, rows)]))
    return Pairs(clips, plans, np.array([[i, i + 4] for i in range(4)]), bank, "hashed-words-16")
