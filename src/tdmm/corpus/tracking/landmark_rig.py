"""The built-in head as a landmark tracker sees it: where MediaPipe puts its points, and how far they follow a shape.

A tracker's points are not points of the skin: they lie off it by a millimetre, differently at each point, and follow a
shape by less than the skin does (a raised cheek by a fifth). Both are measured on rendered faces whose truth is known
(`tools/calibrate_tracker.py`), and so are the errors that are left: patterns of points that err together, for a tracker
draws a mesh, and the scatter of each point by itself.
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

_LEAST_SCATTER = 3e-4
"""Metres. Patterns explain some points nearly wholly on renders; no point of a real face is known that well."""


@dataclass(frozen=True)
class LandmarkRig:
    """Linear in identity and expression; metres in the head's own frame, its joint at the origin.

    Attributes:
        rest: (L, 3) the average head.
        identity: (I, L, 3) for one standard deviation of each component.
        expression: (E, L, 3) for 1.0 of each channel of `ARKIT`, as the tracker follows it.
        scatter: (L,) standard deviation of a point by itself, in each direction across the view, in one picture.
        together: (K, L, 2) how points err together in one picture: independent errors of one standard deviation, to
            the right and up as the face is seen with its roll taken out.
        persons: (P, L, 3) how faces differ to the tracker beyond identity, for one standard deviation each.
        likeness: (E, E) correlations of the coefficients in acted clips.
    """

    rest: Tensor
    identity: Tensor
    expression: Tensor
    scatter: Tensor
    together: Tensor
    persons: Tensor
    likeness: Tensor

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
    head, of = uncalibrated(), {name: torch.from_numpy(values.astype(np.float32)) for name, values in measured.items()}
    return LandmarkRig(
        rest=head.rest + of["offset_mm"] * 1e-3,
        identity=head.identity,
        expression=head.expression + of["response_mm"] * 1e-3,
        scatter=(of["scatter_mm"] * 1e-3).clamp_min(_LEAST_SCATTER),
        together=of["together_mm"] * 1e-3,
        persons=of["persons_mm"] * 1e-3,
        likeness=of["likeness"],
    )


@torch.no_grad()
def uncalibrated() -> LandmarkRig:
    """The points of the skin itself, of one millimetre scatter."""
    head = load_head()
    rest = head.landmarks(head(expression=torch.zeros(1, len(ARKIT))))
    identity = head.landmarks(head(identity=torch.eye(head.identity_size))) - rest
    expression = head.landmarks(head(expression=torch.eye(len(ARKIT)))) - rest
    count = rest.shape[1]
    return LandmarkRig(
        rest=rest[0],
        identity=identity,
        expression=expression,
        scatter=torch.full((count,), 1e-3),
        together=rest.new_zeros(0, count, 2),
        persons=rest.new_zeros(0, count, 3),
        likeness=torch.eye(len(ARKIT)),
    )
