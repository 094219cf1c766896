from __future__ import annotations

import pytest
import torch

from tdmm.face.geometry import GeometryBasis
from tdmm.tokens.autoencoder import AutoencoderConfig, GeometryAutoencoder
from tdmm.tokens.data import Mixture, MixtureConfig
from tdmm.tokens.tokenizer import Tokenizer


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    """A small tokenizer whose codebooks have seen a few batches; the linear path alone makes it fair."""
    torch.manual_seed(0)
    config = AutoencoderConfig(levels=3, codebook_size=64, dim=58, width=16, encoder_blocks=1, decoder_blocks=3)
    model = GeometryAutoencoder(config, torch.from_numpy(GeometryBasis.balanced().matrix.T.copy()))
    mixture = Mixture([], MixtureConfig(random_share=1, frames=32), seed=3)
    features = torch.from_numpy(mixture.batch(0, 128))
    model.begin(features.flatten(0, 1))
    model.train()
    with torch.no_grad():
        for _ in range(10):
            model(features)
    return Tokenizer(model, "a tokenizer of the tests")
