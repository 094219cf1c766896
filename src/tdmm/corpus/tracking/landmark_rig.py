"""The built-in head as a landmark tracker sees it: where MediaPipe puts its points, and how far they follow a shape.

A tracker's points are not points of the skin: they lie off it by a millimetre, differently at each point, and follow a
shape by less than the skin does (a raised cheek by a fifth). Both are measured on rendered faces whose truth is known
(`tools/calibrate_tracker.py`), and so is the scatter that is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import torch
from torch import Tensor

from tdmm.errors import ArtifactProblem
from tdmm.face.arkit import load_head
from tdmm.face.channels import ARKIT


@dataclass(frozen=True)
class LandmarkRig:
    """Linear in identity and expression; metres in the head's own frame, its joint at the origin.

    Attributes:
        rest: (L, 3) the average head.
        identity: (I, L, 3) for one standard deviation of each component.
        expression: (E, L, 3) for 1.0 of each channel of `ARKIT`, as the tracker follows it.
        scatter: (L,) standard deviation of a point in each direction across the view.
    """

    rest: Tensor
    identity: Tensor
    expression: Tensor
    scatter: Tensor

    def points(self, expression: Tensor) -> Tensor:
        """(N, L, 3) of faces with expressions (N, E)."""
        return self.rest + torch.einsum("ne,elc->nlc", expression, self.expression)


@cache
def load_rig() -> LandmarkRig:
    """The rig with what was measured, read once.

    Raises:
        ArtifactProblem: the file in the package is missing.
    """
    from safetensors.numpy import load

    folder = resources.files("tdmm.corpus.tracking") / "assets"
    try:
        measured = load((folder / "mediapipe.safetensors").read_bytes())
    except FileNotFoundError as error:
        raise ArtifactProblem(f"The tracker's calibration is missing ({error}). Reinstall tdmm.") from error
    head = uncalibrated()
    return LandmarkRig(
        head.rest + torch.from_numpy(measured["offset_mm"].astype(np.float32)) * 1e-3,
        head.identity,
        head.expression + torch.from_numpy(measured["response_mm"].astype(np.float32)) * 1e-3,
        torch.from_numpy(measured["scatter_mm"].astype(np.float32)) * 1e-3,
    )


@torch.no_grad()
def uncalibrated() -> LandmarkRig:
    """The points of the skin itself, of one millimetre scatter."""
    head = load_head()
    rest = head.landmarks(head(expression=torch.zeros(1, len(ARKIT))))
    identity = head.landmarks(head(identity=torch.eye(head.identity_size))) - rest
    expression = head.landmarks(head(expression=torch.eye(len(ARKIT)))) - rest
    return LandmarkRig(rest[0], identity, expression, torch.full((rest.shape[1],), 1e-3))
