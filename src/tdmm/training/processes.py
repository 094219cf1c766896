"""One process or several that train the same model: each takes its share of a batch, gradients are averaged.

`torchrun --nproc-per-node N` starts several; `started` finds out by the environment that it sets, and
`accelerate` connects them (NCCL between GPUs, gloo between CPUs). Every process holds the whole model, or, of a
large one whose weights are mostly not trained, a part of these (`Processes.shard`). Alone, nothing here costs
anything or needs a package.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from tdmm.errors import MissingDependency
from tdmm.runtime import Runtime

Item = TypeVar("Item")


@dataclass(frozen=True)
class Processes:
    """What a process knows of the others.

    Attributes:
        rank: which one this is, from 0.
        count: how many there are.
    """

    rank: int = 0
    count: int = 1
    _accelerator: Any = None

    @property
    def first(self) -> bool:
        """Whether this is the one that writes files and draws bars."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """This process's part of a batch; the parts differ in size by one at most."""
        return items[self.rank :: self.count]

    def total(self, values: Sequence[float]) -> list[float]:
        """Sums over all processes, of plain numbers."""
        if self.count == 1:
            return list(values)
        numbers = torch.tensor(values, dtype=torch.float64, device=self._accelerator.device)
        return [float(value) for value in self._accelerator.reduce(numbers, "sum")]

    def of_first(self, value: float) -> float:
        """What the first process has; clocks differ, and all must decide alike."""
        return self.total([value if self.first else 0.0])[0]

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over the processes.

        All at once after the backward pass, instead of wrapping the model: adapters are small, and a model
        that is not wrapped can be called in any of its parts, with caches and checkpointed layers.
        """
        if self.count == 1:
            return
        trained = list(parameters)
        own = [torch.zeros_like(p) if p.grad is None else p.grad for p in trained]
        flat = torch.cat([gradient.float().flatten() for gradient in own])
        mean: Tensor = self._accelerator.reduce(flat, "mean")
        for parameter, part in zip(trained, torch.split(mean, [p.numel() for p in trained]), strict=True):
            parameter.grad = part.view_as(parameter).to(parameter.dtype)

    def shard(self, blocks: Iterable[nn.Module]) -> None:
        """Keep a part of the untrained weights of each block here, and gather them only while it runs (FSDP).

        What is trained stays whole everywhere, so that gradients, optimizer and checkpoints know nothing of it.
        All processes must then call the blocks equally often. Call it before an optimizer is made.
        """
        if self.count == 1:
            return
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        mesh = init_device_mesh(self._accelerator.device.type, (self.count,))
        for block in blocks:
            fully_shard(block, mesh=mesh, ignored_params={p for p in block.parameters() if p.requires_grad})

    def first_goes_first(self) -> AbstractContextManager[None]:
        """A context that the others enter when the first has left it: what it caches, they find."""
        context: AbstractContextManager[None] = (
            nullcontext() if self.count == 1 else self._accelerator.main_process_first()
        )
        return context

    def wait(self) -> None:
        """Go on when all processes are here."""
        if self.count > 1:
            self._accelerator.wait_for_everyone()


@contextmanager
def started(runtime: Runtime) -> Iterator[tuple[Processes, Runtime]]:
    """The processes that `torchrun` started, or this one alone, and the runtime with this one's own device.

    Raises:
        MissingDependency: there are several and `accelerate` is not installed.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes(), runtime
        return
    try:
        from accelerate import Accelerator
    except ImportError as error:
        raise MissingDependency(
            "Training in several processes needs accelerate. Run: pip install 'tdmm[lora]'"
        ) from error
    accelerator = Accelerator(cpu=runtime.torch_device().type == "cpu")
    try:
        yield (
            Processes(accelerator.process_index, accelerator.num_processes, accelerator),
            replace(runtime, device=str(accelerator.device)),
        )
    finally:
        accelerator.end_training()
