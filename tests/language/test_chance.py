from __future__ import annotations

import numpy as np
import pytest
import torch

from tdmm.language.chance import draw


def plainly(logits: list[float], luck: float, temperature: float, top_p: float) -> int:
    """`draw` of one row, one class after the other."""
    weights = np.exp(np.array(logits) / temperature)
    shares = weights / weights.sum()
    kept: list[int] = []
    for place in np.argsort(-shares):
        kept.append(int(place))
        if shares[kept].sum() >= top_p:
            break
    reached = np.cumsum(shares[kept])
    return kept[min(int((reached <= luck * reached[-1]).sum()), len(kept) - 1)]


@pytest.mark.parametrize("top_p", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 3.0])
def test_classes_are_drawn_by_their_shares(temperature: float, top_p: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits, luck = 2 * torch.randn(200, 12, generator=generator), torch.rand(200, generator=generator)
    drawn = draw(logits, luck, temperature, top_p).tolist()
    assert drawn == [
        plainly(row, chance, temperature, top_p) for row, chance in zip(logits.tolist(), luck.tolist(), strict=True)
    ]


def test_barred_classes_are_never_drawn() -> None:
    logits = torch.tensor([[0.0, -torch.inf, 0.0]]).expand(50, -1)
    assert 1 not in draw(logits, torch.linspace(0, 0.9999999, 50), 1.0, 1.0).tolist()


def test_temperature_zero_takes_the_likeliest() -> None:
    assert draw(torch.tensor([[0.0, 2.0, 1.0]]), torch.tensor([0.99]), 0.0, 1.0).tolist() == [1]
