from __future__ import annotations

import pytest
import torch

from tdmm import runtime
from tdmm.errors import InvalidInput


def test_cpu_and_auto_resolve() -> None:
    assert runtime.resolve("cpu").torch_device() == torch.device("cpu")
    assert runtime.resolve("auto").device in {"cpu", "cuda", "mps"}


def test_bf16_autocast_runs_products_in_bfloat16() -> None:
    with runtime.resolve("cpu", "bf16").autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    with runtime.resolve("cpu").autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


@pytest.mark.parametrize("device", ["gpu", "quantum"])
def test_unknown_devices_are_refused(device: str) -> None:
    with pytest.raises(InvalidInput, match="Unknown device"):
        runtime.resolve(device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_absent_cuda_says_what_to_do() -> None:
    with pytest.raises(InvalidInput, match="--device cpu"):
        runtime.resolve("cuda")
