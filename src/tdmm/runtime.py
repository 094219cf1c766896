"""Device, precision, seed and threads: resolved once at the edge and passed down."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tdmm.errors import InvalidInput

if TYPE_CHECKING:
    import torch

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class Runtime:
    """Where and how tensors are computed."""

    device: str
    precision: Precision = "fp32"

    def torch_device(self) -> torch.device:
        """The `torch.device` of this runtime."""
        import torch

        return torch.device(self.device)

    def autocast(self) -> AbstractContextManager[object]:
        """A context in which matrix products run in this runtime's precision."""
        if self.precision == "fp32":
            return nullcontext()
        import torch

        return torch.autocast(self.torch_device().type, torch.bfloat16)


def resolve(device: str = "auto", precision: Precision = "fp32", threads: int | None = None) -> Runtime:
    """Choose a device: `auto` takes CUDA, then Apple's, then the CPU.

    Args:
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        precision: `bf16` runs matrix products in bfloat16 (about four times faster on recent CPUs).
        threads: CPU threads; None leaves torch's own choice.

    Raises:
        InvalidInput: the device is unknown or not on this machine.
    """
    import torch

    if threads is not None:
        if threads < 1:
            raise InvalidInput(f"threads must be 1 or more, not {threads}.")
        torch.set_num_threads(threads)
    if device == "auto":
        if torch.cuda.is_available():
            device = "cuda"
        elif torch.backends.mps.is_available():
            device = "mps"
        else:
            device = "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise InvalidInput(f"Unknown device '{device}'. Use auto, cpu, cuda, cuda:N or mps.") from error
    if kind == "cuda" and not torch.cuda.is_available():
        raise InvalidInput("No CUDA device is available here. Use --device cpu, or auto.")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise InvalidInput("No Apple GPU is available here. Use --device cpu, or auto.")
    return Runtime(device=device, precision=precision)
