from __future__ import annotations

import pytest
import torch

from tdmm.tokens.autoencoder import (
    AutoencoderConfig,
    DecoderState,
    GeometryAutoencoder,
    LossWeights,
    losses,
)

TINY = AutoencoderConfig(levels=2, codebook_size=16, dim=8, width=16, encoder_blocks=2, decoder_blocks=4)


def model(config: AutoencoderConfig = TINY, seed: int = 0) -> GeometryAutoencoder:
    torch.manual_seed(seed)
    basis = torch.randn(52, 52)
    basis[1] = basis[0]  # channels 0 and 1 move the face alike
    made = GeometryAutoencoder(config, basis)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.2)  # nothing may be zero by luck
    return made.eval()


def features(batch: int = 2, frames: int = 20) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.cat([torch.rand(batch, frames, 52), 0.1 * torch.randn(batch, frames, 6)], -1)


def test_decoding_frame_by_frame_equals_decoding_at_once() -> None:
    auto, latents = model(), torch.randn(2, 20, 8)
    whole, _ = auto.decode(latents)
    state: DecoderState | None = None
    frames = []
    for frame in range(20):
        out, state = auto.decode(latents[:, frame : frame + 1], state)
        frames.append(out)
    torch.testing.assert_close(torch.cat(frames, 1), whole, rtol=1e-5, atol=1e-5)


def test_the_decoder_never_sees_the_future() -> None:
    auto, latents = model(), torch.randn(1, 20, 8)
    changed = latents.clone()
    changed[:, 12:] = 7
    torch.testing.assert_close(auto.decode(latents)[0][:, :12], auto.decode(changed)[0][:, :12])


def test_coefficients_that_make_the_same_face_get_the_same_latent() -> None:
    auto, one = model(), features()
    other = one.clone()
    other[..., 0], other[..., 1] = one[..., 1], one[..., 0]
    torch.testing.assert_close(auto.encode(one), auto.encode(other), rtol=1e-4, atol=1e-4)


def test_coefficients_stay_between_zero_and_one_and_gradients_pull_them_back() -> None:
    auto = model()
    out, _ = auto.decode(50 * torch.randn(2, 20, 8))
    assert out[..., :52].min() == 0
    assert out[..., :52].max() == 1
    auto.unproject.bias.data[0] = -100.0
    wanted = torch.full((1, 4, 58), 0.5)
    (auto.decode(torch.zeros(1, 4, 8))[0] - wanted).pow(2).sum().backward()
    assert auto.unproject.bias.grad[0] < 0, "pulled up"
    auto.zero_grad()
    (auto.decode(torch.zeros(1, 4, 8))[0][..., 0] - 0).pow(2).sum().backward()
    assert auto.unproject.bias.grad[0] == 0, "below zero is as good as zero"


def test_it_begins_as_principal_components_and_learns() -> None:
    torch.manual_seed(0)
    config = AutoencoderConfig(levels=4, codebook_size=64, dim=58, width=16)
    auto = GeometryAutoencoder(config, torch.randn(52, 52))
    data = torch.rand(64, 16, 3) @ torch.rand(3, 58) / 3
    auto.begin(data.flatten(0, 1))
    auto.train()
    for _ in range(20):
        out, quantized = auto(data)
    scalars = losses(auto, data, out, quantized, LossWeights())
    assert (out - data).abs().mean() < 0.02
    assert set(scalars) == {"loss", *LossWeights.model_fields}
    before = scalars["loss"].item()
    optimizer = torch.optim.AdamW(auto.parameters(), 1e-3)
    for _ in range(40):
        out, quantized = auto(data)
        loss = losses(auto, data, out, quantized, LossWeights())["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < before


@pytest.mark.parametrize("quantizer", ["vq", "rvq"])
def test_the_whole_runs_in_bfloat16(quantizer: str) -> None:
    config = TINY.model_copy(update={"quantizer": quantizer, "levels": 1 if quantizer == "vq" else 2})
    auto = model(config).train()
    with torch.autocast("cpu", torch.bfloat16):
        out, quantized = auto(features())
        total = losses(auto, features(), out, quantized, LossWeights())["loss"]
    total.backward()
    assert out.dtype == torch.float32
    assert quantized.codes.shape == (2, 20, config.levels)
