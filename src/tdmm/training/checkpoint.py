"""One safetensors file holds all that a run needs to go on: no pickle, never half-written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from tdmm.errors import ArtifactProblem
from tdmm.files import written_aside

CHECKPOINT, PREVIOUS = "checkpoint.safetensors", "checkpoint-previous.safetensors"
_STATE = "tdmm"


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by name (`model/...`, `optimizer/...`, `ema/...`, `rng/...`) and a JSON-serialisable state."""

    tensors: dict[str, torch.Tensor]
    state: dict[str, Any]

    def part(self, name: str) -> dict[str, torch.Tensor]:
        """The tensors under `name/`, without that prefix."""
        prefix = f"{name}/"
        return {key.removeprefix(prefix): tensor for key, tensor in self.tensors.items() if key.startswith(prefix)}


def write(folder: Path, tensors: Mapping[str, torch.Tensor], state: Mapping[str, Any]) -> None:
    """Write the newest checkpoint of `folder` and keep the one before it.

    The state travels in the header of the tensor file, so one rename makes both visible together.

    Raises:
        FileProblem: the folder cannot be written or the disk is full; the older checkpoint stays.
    """
    path = folder / CHECKPOINT
    with written_aside(path) as temporary:
        # Cloned, because tied weights share memory and safetensors refuses that.
        copies = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
        save_file(copies, temporary, metadata={_STATE: json.dumps(dict(state))})
        if path.exists():
            path.replace(folder / PREVIOUS)


def read(folder: Path) -> Checkpoint | None:
    """The newest whole checkpoint of `folder`, or None where there is none.

    A file torn by a crash is passed over for the previous one.

    Raises:
        ArtifactProblem: there are checkpoints, and none can be read.
    """
    found = [path for path in (folder / CHECKPOINT, folder / PREVIOUS) if path.exists()]
    reasons = []
    for path in found:
        try:
            with safe_open(path, framework="pt") as file:
                state = json.loads((file.metadata() or {})[_STATE])
                return Checkpoint({name: file.get_tensor(name) for name in file.keys()}, state)  # noqa: SIM118
        except (SafetensorError, KeyError, ValueError, OSError) as error:
            reasons.append(f"{path.name}: {error}")
    if reasons:
        raise ArtifactProblem(
            f"{folder}: no checkpoint here can be read ({'; '.join(reasons)}). "
            "Start again with --no-resume, or choose another folder."
        )
    return None
