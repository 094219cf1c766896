"""What a fitted face does, told from what its frames show together.

A fit asks of each frame by itself which coefficients move the head's points to where they are seen. Raised cheeks,
pressed lips or a chin that bunches hardly move points, noise moves them as much, and how a person's face is made looks
like an expression that never ends. A small convolutional network over time has seen three thousand rendered films whose
truth is known (`tools/refine_tracker.py`): it tells which of what was fitted is really done. It reads the fitted
coefficients and the tracker's own scores, each as they are and from their own tenth percentile on, how the head is
turned, and what the points lack in the patterns in which they lack most.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from tdmm import artifact, weights
from tdmm.corpus.tracking.sighting import LANDMARKS, Floats
from tdmm.face.channels import ARKIT, INDEX, mirrored

KIND = "refiner"
MIRROR = [INDEX[mirrored(name)] for name in ARKIT]
_OTHER_WAY = (1.0, -1.0, -1.0)
"""Signs of pitch, yaw and roll in a mirror."""
_UNSEEN = [INDEX["jawForward"]]
"""What is not told at all: of 21 jaws thrust forward in 690 films 3 were told, and 20 that were none."""
_GAZE = [INDEX[name] for name in ARKIT if name.startswith("eyeLook")]
_MORE_GAZE = 0.15
"""How much further eyes may be told to look than either the fit or the tracker's score has them: irises are seen, and
lids that a smile narrows are not a look down."""
_STEP = ".step"
"""Beside the name of a kernel stored in whole numbers: what one of them is worth, row by row."""
_LOW = 0.1
"""The share of its frames in which a channel is taken to be at rest."""


@dataclass(frozen=True)
class Shown:
    """What T frames at 25 fps show, as far as it was fitted.

    Attributes:
        expression: (T, 52) fitted coefficients.
        scores: (T, 52) the tracker's own; zeros where it has none.
        angles: (T, 3) pitch, yaw and roll, radians.
        lacking: (T, L, 3) metres that the fitted points lack, in the head's own frame, across the view.
    """

    expression: Floats
    scores: Floats
    angles: Floats
    lacking: Floats

    def cut(self, first: int, frames: int) -> Shown:
        """Some of its frames."""
        part = slice(first, first + frames)
        return Shown(self.expression[part], self.scores[part], self.angles[part], self.lacking[part])


class RefinerConfig(BaseModel):
    """The network's size.

    Attributes:
        hidden: channels.
        dilations: of its blocks, each a convolution over five frames.
        patterns: in which what the points lack is told.
        dropout: while it learns.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden: int = 128
    dilations: tuple[int, ...] = (1, 2, 4, 2, 1)
    patterns: int = 40
    dropout: float = 0.1

    @property
    def inputs(self) -> int:
        """Numbers a frame."""
        return 4 * len(ARKIT) + 3 + self.patterns


class Refiner(nn.Module):
    """Numbers of frames to coefficients.

    Args:
        config: its size.
    """

    patterns: Tensor
    opposite: Tensor

    def __init__(self, config: RefinerConfig) -> None:
        super().__init__()
        self.config = config
        # Rows are directions in the space of all points, divided by how far those are found along them.
        self.register_buffer("patterns", torch.zeros(config.patterns, LANDMARKS * 3))
        # Which point is where a point is in a mirror.
        self.register_buffer("opposite", torch.arange(LANDMARKS))
        self.entry = nn.Conv1d(config.inputs, config.hidden, 1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.GroupNorm(1, config.hidden),
                nn.Conv1d(config.hidden, config.hidden, 5, padding=2 * dilation, dilation=dilation),
                nn.GELU(),
                nn.Dropout(config.dropout),
                nn.Conv1d(config.hidden, config.hidden, 1),
            )
            for dilation in config.dilations
        )
        # What all frames show together, of how a person's face is and how the recording was made.
        self.overall = nn.ModuleList(nn.Linear(config.hidden, config.hidden) for _ in config.dilations)
        self.exit = nn.Conv1d(config.hidden, len(ARKIT), 1)

    def forward(self, numbers: Tensor, expression: Tensor) -> Tensor:
        """Coefficients (B, T, 52) from numbers (B, T, N) and the fitted coefficients that they change."""
        hidden = self.entry(numbers.mT)
        for block, overall in zip(self.blocks, self.overall, strict=True):
            hidden = hidden + block(hidden) + overall(hidden.mean(2))[..., None]
        refined: Tensor = torch.sigmoid(self.exit(hidden).mT + torch.logit(expression.clamp(0.02, 0.98)))
        return refined

    def along_patterns(self, lacking: Floats) -> Floats:
        """(T, K) how far points lack what is told, (T, L, 3) metres, in each pattern; 1 is usual."""
        flat = torch.from_numpy(np.ascontiguousarray(lacking, np.float32)).flatten(1)
        told: Floats = (flat @ self.patterns.T).numpy()
        return told

    def mirrored(self, shown: Shown) -> Shown:
        """The same face in a mirror."""
        return Shown(
            shown.expression[:, MIRROR],
            shown.scores[:, MIRROR],
            shown.angles * np.array(_OTHER_WAY, np.float32),
            shown.lacking[:, self.opposite.numpy()] * np.array([-1, 1, 1], np.float32),
        )

    @torch.no_grad()
    def refined(self, shown: Shown) -> Floats:
        """Coefficients (T, 52) of what is shown: the mean of the face and of the face in a mirror.

        `jawForward` is 0: seen from the front, a jaw that comes forward cannot be told from one that does not. Eyes
        look at most .15 further than either the fit or the tracker's scores have them.
        """
        self.eval()
        sides = []
        for each in (shown, self.mirrored(shown)):
            numbers = told(each.expression, each.scores, each.angles, self.along_patterns(each.lacking))
            sides.append(self(torch.from_numpy(numbers)[None], torch.from_numpy(each.expression)[None])[0].numpy())
        mean: Floats = ((sides[0] + sides[1][:, MIRROR]) / 2).astype(np.float32)
        mean[:, _UNSEEN] = 0.0
        seen = np.maximum(shown.expression[:, _GAZE], shown.scores[:, _GAZE])
        mean[:, _GAZE] = np.minimum(mean[:, _GAZE], seen + _MORE_GAZE)
        return mean


def told(expression: Floats, scores: Floats, angles: Floats, along: Floats) -> Floats:
    """(T, N) the numbers of frames that the network reads."""
    parts = (
        expression, expression - np.quantile(expression, _LOW, axis=0),
        scores, scores - np.quantile(scores, _LOW, axis=0),
        3.0 * (angles - np.median(angles, axis=0)), along - np.median(along, axis=0),
    )  # fmt: skip
    return np.concatenate(parts, axis=1).astype(np.float32)


def save(refiner: Refiner, folder: Path, provenance: dict[str, object]) -> None:
    """Write it as an artifact: kernels as whole numbers of a row's 127th of its largest, the rest in half precision."""
    kernels = {name for name, parameter in refiner.named_parameters() if parameter.ndim > 1}
    tensors: dict[str, Tensor] = {}
    for name, tensor in refiner.state_dict().items():
        if name in kernels:
            step = tensor.abs().amax(tuple(range(1, tensor.ndim)), keepdim=True).clamp_min(1e-12) / 127.0
            tensors[name], tensors[f"{name}{_STEP}"] = (tensor / step).round().to(torch.int8), step.float()
        else:
            tensors[name] = tensor.half() if tensor.is_floating_point() else tensor.short()
    artifact.save(folder, kind=KIND, config=refiner.config.model_dump(), tensors=tensors, provenance=provenance)


@cache
def load_refiner(folder: Path | None = None) -> Refiner:
    """The bundled refiner, or another; read once.

    Raises:
        ArtifactProblem: the folder holds none, or was altered.
    """
    found = artifact.load(folder or weights.folder("refiner"), kind=KIND)
    refiner = Refiner(RefinerConfig(**found.config))
    tensors = {
        name: each.float() * found.tensors[f"{name}{_STEP}"] if each.dtype == torch.int8 else each.to(own.dtype)
        for name, own in refiner.state_dict().items()
        for each in [found.tensors[name]]
    }
    refiner.load_state_dict(tensors)
    return refiner.eval()


@cache
def fingerprint() -> str:
    """Of the bundled refiner's weights: another one tells other motions.

    Raises:
        ArtifactProblem: see `load_refiner`.
    """
    return artifact.load(weights.folder("refiner"), kind=KIND).fingerprint
