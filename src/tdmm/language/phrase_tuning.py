"""A text encoder tuned on phrasings: the default encoder and a small update of low rank to each of its layers.

all-MiniLM-L6-v2 was made to tell the topics of sentences apart: "smile" and "frown" lie close. The update moves
its word states so that a phrasing says which expression it means; `tdmm.language.train_phrases` learns it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tdmm import artifact
from tdmm.errors import ArtifactProblem

KIND = "phrase_tuning"


class LowRank(nn.Module):
    """What is added to the output of one linear layer: up(down(x)), nothing at first."""

    def __init__(self, inputs: int, outputs: int, rank: int, dropout: float) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(inputs, rank, bias=False), nn.Linear(rank, outputs, bias=False)
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.down.weight, std=inputs**-0.5)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) to (..., outputs)."""
        # Dropped where it is narrow: on the wide input it costs a quarter of a step.
        added: Tensor = self.up(self.dropout(self.down(x)))
        return added


def layers_of(network: nn.Module) -> dict[str, nn.Linear]:
    """The linear layers of a transformer's blocks, by name."""
    return {
        name: layer for name, layer in network.named_modules() if isinstance(layer, nn.Linear) and ".layer." in name
    }


def save(folder: Path, updates: Mapping[str, LowRank], base: str, provenance: Mapping[str, Any] | None = None) -> str:
    """Write updates in half precision; returns their fingerprint.

    Args:
        folder: replaced whole.
        updates: of each layer, by its name.
        base: name of the encoder that they are for.
        provenance: how they came to be.

    Raises:
        FileProblem: the folder cannot be written.
    """
    tensors = {
        f"{name}.{part}": getattr(update, part).weight.detach().half()
        for name, update in updates.items()
        for part in ("down", "up")
    }
    return artifact.save(folder, kind=KIND, config={"base": base}, tensors=tensors, provenance=provenance)


def merge(folder: Path, network: nn.Module, base: str) -> str:
    """Add the updates of a folder to the weights of a network; returns their fingerprint.

    Raises:
        ArtifactProblem: a file is missing or altered, or the updates are for another encoder.
    """
    stored = artifact.load(folder, kind=KIND)
    if stored.config.get("base") != base:
        raise ArtifactProblem(
            f"{folder}: tunes {stored.config.get('base')}, not {base}. Name the folder of another one."
        )
    layers = layers_of(network)
    names: Sequence[str] = sorted({name.rsplit(".", 1)[0] for name in stored.tensors})
    try:
        with torch.no_grad():
            for name in names:
                down, up = (stored.tensors[f"{name}.{part}"].float() for part in ("down", "up"))
                layers[name].weight += up @ down
    except (KeyError, RuntimeError) as error:
        raise ArtifactProblem(f"{folder}: does not fit {base} ({error}). Copy the folder again whole.") from error
    return stored.fingerprint
