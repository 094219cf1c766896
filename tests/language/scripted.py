"""Small stand-ins: a tokenizer of random codebooks, scripts, and an answerer with few words."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tdmm.acting.script import Event, HeadMotion, Script
from tdmm.language.motion2language import Motion2Language, Motion2LanguageConfig
from tdmm.language.vocabulary import Vocabulary
from tdmm.tokens.tokenizer import MotionTokens

LEVELS, SIZE, WIDTH = 3, 16, 8
FINGERPRINT = "a" * 64
SMALL = Motion2LanguageConfig(hidden=32, layers=2, heads=2, key_heads=1, feedforward=64, kernel=3, max_frames=40)
TEXTS = ["A woman smiles, then nods twice.", "He frowns at 1.2 s.", "She shakes her head and grins broadly."]


class FakeTokenizer:
    """Random vectors; a code is told apart from the others and that is all."""

    fingerprint = FINGERPRINT
    levels, codebook_size = LEVELS, SIZE

    def __init__(self) -> None:
        self.books = torch.randn(LEVELS, SIZE, WIDTH, generator=torch.Generator().manual_seed(0))

    def encode_features(self, features: Tensor) -> Tensor:
        return torch.zeros(*features.shape[:2], LEVELS, dtype=torch.long)

    def latents(self, codes: Tensor) -> Tensor:
        return torch.stack([self.books[i, codes[..., i]] for i in range(codes.shape[-1])]).sum(0)


def model(seed: int = 0) -> Motion2Language:
    """An untrained model; its texts are gibberish, which is enough to compare them."""
    torch.manual_seed(seed)
    made = Motion2Language(SMALL, Vocabulary.build(TEXTS, 320), FakeTokenizer().books, FINGERPRINT).eval()
    with torch.no_grad():
        for name, value in made.named_parameters():
            if value.ndim > 1 and "embed" not in name:  # or it would only repeat the word before
                value.mul_(8)
    return made


def tokens(frames: int, seed: int = 0) -> MotionTokens:
    codes = np.random.default_rng(seed).integers(0, SIZE, (frames, LEVELS))
    return MotionTokens(codes, FINGERPRINT)


def script(descriptor: str, head: bool) -> Script:
    event = Event(descriptor=descriptor, onset=0.1, apex=0.3, offset=0.8, end=1.0)
    return Script(seconds=1.2, events=(event,), head=(HeadMotion(kind="nod", onset=0, end=1),) if head else ())


def answer(asked: Script, task: str, seed: int) -> str:
    name = asked.events[0].descriptor.replace("_", " ")
    if task == "head":
        return "nods" if asked.head else "keeps still"
    return f"{'they' if seed % 2 else 'the person'} shows {name}"
