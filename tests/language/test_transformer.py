from __future__ import annotations

import torch
from torch import nn

from tdmm.language.transformer import Block, by_columns, lay_out_for_rows


def test_layout_of_weights_changes_no_value() -> None:
    torch.manual_seed(0)
    network = nn.ModuleList([Block(64, 4, 0.0), nn.Linear(64, 16)]).eval().requires_grad_(False)
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    lay_out_for_rows(network)
    after = network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert after["0.qkv.weight"].T.is_contiguous()
    assert after["1.weight"].is_contiguous()
    assert not any(weight.requires_grad for weight in network.parameters())


def test_columns_lie_in_one_piece() -> None:
    matrices = torch.randn(3, 5, 7)
    assert torch.equal(by_columns(matrices), matrices)
    assert by_columns(matrices)[1].T.is_contiguous()
