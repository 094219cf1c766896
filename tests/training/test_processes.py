"""What needs no second process; tests/cli/test_language.py trains in two."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn

from tdmm.errors import MissingDependency
from tdmm.runtime import Runtime
from tdmm.training.processes import Processes, started


def test_alone_everything_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with started(Runtime("cpu")) as (processes, runtime):
        assert (processes, runtime) == (Processes(), Runtime("cpu"))
        assert processes.first
        assert processes.share([1, 2, 3]) == [1, 2, 3]
        assert processes.total([2, 0.5]) == [2, 0.5]
        assert processes.of_first(3.5) == 3.5
        layer = nn.Linear(2, 1)
        layer.weight.grad = torch.ones(1, 2)
        processes.average_gradients(layer.parameters())
        processes.shard([layer])
        processes.wait()
        with processes.first_goes_first():
            assert torch.equal(layer.weight.grad, torch.ones(1, 2))


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_shares_hold_everything_once(count: int) -> None:
    shares = [Processes(rank, count).share(range(5)) for rank in range(count)]
    assert sorted(item for share in shares for item in share) == list(range(5))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_several_processes_need_accelerate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(MissingDependency, match=r"pip install 'tdmm\[lora\]'"), started(Runtime("cpu")):
        pass
