from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from tdmm.errors import InvalidInput, UnknownName
from tdmm.tokens.quantizers import QUANTIZERS, CodeUsage, ResidualQuantizer, VectorQuantizer


def slow_nearest(vectors: Tensor, codebook: Tensor) -> list[int]:
    chosen = []
    for vector in vectors:
        distances = [float(((vector - code) ** 2).sum()) for code in codebook]
        chosen.append(int(np.argmin(distances)))
    return chosen


def quantizer_at_rest(levels: int = 3) -> ResidualQuantizer:
    torch.manual_seed(3)
    return ResidualQuantizer(dim=5, codebook_size=11, levels=levels).eval()


def test_residual_codes_match_a_slow_oracle() -> None:
    quantizer = quantizer_at_rest()
    vectors = torch.randn(2, 7, 5)
    result = quantizer(vectors)
    residual = vectors.reshape(-1, 5).clone()
    expected = []
    for layer in quantizer.layers:
        codes = slow_nearest(residual, layer.codebook)
        expected.append(codes)
        residual = residual - layer.codebook[codes]
    assert result.codes.reshape(-1, 3).T.tolist() == expected
    torch.testing.assert_close(result.values.reshape(-1, 5), vectors.reshape(-1, 5) - residual)
    torch.testing.assert_close(quantizer.latents(result.codes), result.values)
    first_two = quantizer.layers[0].codebook[result.codes[..., 0]] + quantizer.layers[1].codebook[result.codes[..., 1]]
    torch.testing.assert_close(quantizer.latents(result.codes[..., :2]), first_two)


def test_running_means_match_a_slow_oracle() -> None:
    torch.manual_seed(0)
    quantizer = VectorQuantizer(dim=2, codebook_size=4).train()
    batch = torch.randn(64, 2)
    quantizer(batch)
    share, total, book = (buffer.clone().double() for buffer in (quantizer.share, quantizer.total, quantizer.codebook))
    batch = torch.randn(32, 2)
    codes = slow_nearest(batch, quantizer.codebook)
    quantizer(batch)
    forget = 1 - np.exp(-32 / (64.0 * 4))
    for code in range(4):
        mine = batch[[i for i, c in enumerate(codes) if c == code]].double()
        share[code] += forget * (len(mine) / 32 - share[code])
        total[code] += forget * (mine.sum(0) / 32 - total[code])
        book[code] = total[code] / share[code]
    torch.testing.assert_close(quantizer.share.double(), share, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(quantizer.codebook.double(), book, rtol=1e-5, atol=1e-6)


def test_gradients_pass_straight_through() -> None:
    vectors = torch.randn(2, 3, 5, requires_grad=True)
    quantizer_at_rest()(vectors).values.sum().backward()
    assert torch.equal(vectors.grad, torch.ones_like(vectors))


def test_learns_clusters_and_revives_dead_codes() -> None:
    torch.manual_seed(1)
    centres = torch.tensor([[0.0, 0], [10, 0], [0, 10], [10, 10]])
    quantizer = VectorQuantizer(dim=2, codebook_size=12).train()
    quantizer(torch.zeros(8, 2))  # every code starts at one place
    for _ in range(200):
        quantizer(centres[torch.randint(4, (64,))] + 0.1 * torch.randn(64, 2))
    distances = torch.cdist(centres, quantizer.codebook).min(1).values
    assert distances.max() < 0.5
    assert quantizer.share.sum() == pytest.approx(1.0, abs=0.3)


def test_a_revived_code_keeps_its_place_after_the_next_step() -> None:
    torch.manual_seed(1)
    quantizer = VectorQuantizer(dim=2, codebook_size=3).train()
    quantizer(torch.randn(9, 2))
    quantizer.share[1] = 0.0
    quantizer.codebook[1] = 1e6
    quantizer.total[1] = 0.0
    batch = torch.randn(16, 2) + 5
    quantizer(batch)
    revived = quantizer.codebook[1].clone()
    assert torch.cdist(revived[None], batch).min() < 1e-4
    quantizer(torch.randn(16, 2) - 50)  # nobody hits it
    torch.testing.assert_close(quantizer.codebook[1], revived, rtol=1e-4, atol=1e-4)


def test_what_is_dead_does_not_depend_on_the_batch_size() -> None:
    torch.manual_seed(2)
    data = torch.randn(4096, 3)
    shares = []
    for size in (64, 512):
        torch.manual_seed(5)
        quantizer = VectorQuantizer(dim=3, codebook_size=8).train()
        quantizer(data[:512])
        book = quantizer.codebook.clone()
        for start in range(0, 4096, size):
            quantizer(data[start : start + size])
            quantizer.codebook.copy_(book)  # hold the cells, follow the shares
        shares.append(quantizer.share.clone())
    torch.testing.assert_close(shares[0], shares[1], rtol=0.15, atol=0.02)


def test_state_resumes_exactly() -> None:
    torch.manual_seed(4)
    first = ResidualQuantizer(dim=3, codebook_size=8, levels=2, dropout=0.5).train()
    first(torch.randn(4, 16, 3))
    second = ResidualQuantizer(dim=3, codebook_size=8, levels=2, dropout=0.5).train()
    second.load_state_dict(first.state_dict())
    batch = torch.randn(4, 16, 3)
    torch.manual_seed(9)
    one = first(batch)
    torch.manual_seed(9)
    other = second(batch)
    assert torch.equal(one.values, other.values)
    assert all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


def test_level_dropout_rebuilds_from_the_first_levels_only() -> None:
    quantizer = quantizer_at_rest()
    quantizer.dropout = 1.0
    for layer in quantizer.layers:
        layer.started.fill_(True)
    books = [layer.codebook.clone() for layer in quantizer.layers]
    quantizer.train()
    result = quantizer(torch.randn(64, 1, 5))
    kept = set()
    for codes, value in zip(result.codes[:, 0], result.values[:, 0], strict=True):
        sums = torch.stack([book[code] for book, code in zip(books, codes, strict=True)]).cumsum(0)
        matches = [n for n in range(3) if torch.allclose(sums[n], value, atol=1e-5)]
        assert matches
        kept.add(matches[0])
    assert kept == {0, 1, 2}


def test_computes_in_float32_inside_autocast() -> None:
    quantizer = quantizer_at_rest()
    vectors = torch.randn(2, 3, 5)
    with torch.autocast("cpu", torch.bfloat16):
        inside = quantizer(vectors)
    assert inside.values.dtype == torch.float32
    assert torch.equal(inside.codes, quantizer(vectors).codes)


def test_usage_counts_over_batches() -> None:
    usage = CodeUsage(levels=2, codebook_size=4)
    usage.add(torch.tensor([[[0, 1], [1, 1]]]))
    usage.add(torch.tensor([[2, 1], [3, 1]]))
    assert usage.used() == (1.0, 0.25)
    assert usage.perplexity() == pytest.approx((4.0, 1.0))


def test_registry_knows_both() -> None:
    assert QUANTIZERS.get("vq")(4, 8, 1, 0.0).levels == 1
    assert QUANTIZERS.get("rvq")(4, 8, 3, 0.0).levels == 3
    with pytest.raises(InvalidInput, match="rvq"):
        QUANTIZERS.get("vq")(4, 8, 2, 0.0)
    with pytest.raises(UnknownName, match="rvq"):
        QUANTIZERS.get("rvqq")


def test_codebooks_learn_from_what_has_weight() -> None:
    torch.manual_seed(6)
    quantizer = VectorQuantizer(dim=2, codebook_size=8).train()
    acted, strange = torch.randn(16, 4, 2), 100 + torch.randn(16, 4, 2)
    weight = torch.cat([torch.ones(16, 1), torch.zeros(16, 1)])
    for _ in range(50):
        quantizer(torch.cat([acted, strange]), weight)
    assert quantizer.codebook.abs().max() < 10
    for _ in range(50):
        quantizer(torch.cat([acted, strange]))
    assert quantizer.codebook.max() > 90
