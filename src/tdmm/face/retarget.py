"""One head's expression on another head, by geometry: FLAME, the built-in head, any head of linear blendshapes.

What is carried over is how far each point of the face has moved from neutral. The displacement is taken at the pairs of
a `Correspondence`, brought into the target's frame, and the target's channels are found that move the paired points
alike: bounded least squares, every region of the face of the same importance, with large values discouraged. No matrix
between the channels of two rigs is stored anywhere. The idea of carrying displacements is that of J. Noh, U. Neumann,
*Expression cloning* (SIGGRAPH 2001), of which this is a small relative. Gaze goes as the rotation of the eyeballs
(`tdmm.face.gaze`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tdmm.errors import InvalidInput
from tdmm.face.bounded import solve_bounded
from tdmm.face.correspondence import Correspondence, match
from tdmm.face.head_surface import Ints, surface_of
from tdmm.face.model import FaceModel
from tdmm.face.movable import Movable, movable

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class RetargetOptions:
    """How expressions are fitted.

    Attributes:
        ridge_mm: a channel at one unit (1.0 of a blendshape, a standard deviation of a FLAME component) must gain as
            much as so many millimetres of error, averaged over the regions, to be worth it.
        waking_mm: how far a blendshape may fall short, in the mean of what it moves, so that one shape is preferred to
            several that cancel each other.
        rounds: times that the answer for a rig whose joints turn is mended, after a first one.
        points: pairs that are looked at, at most; spread over all regions.
        frames_at_once: bounds the memory.
    """

    ridge_mm: float = 0.05
    waking_mm: float = 0.02
    rounds: int = 2
    points: int = 900
    frames_at_once: int = 32


@dataclass(frozen=True)
class Retargeted:
    """Expressions on the target rig, and what could not be brought there. T frames.

    Attributes:
        channels: E names of the target's channels.
        expression: (T, E).
        residual_mm: (T,) mean distance, over the pairs, between where a point should have moved and where it has.
        residual_by_region_mm: the same, (T,) for each region.
        gaze_error_deg: (T,) mean angle by which the eyes look elsewhere; not zero where a bound was met.
    """

    channels: tuple[str, ...]
    expression: Floats
    residual_mm: Floats
    residual_by_region_mm: Mapping[str, Floats]
    gaze_error_deg: Floats


class Retargeting:
    """Brings expressions from one rig to another; made once for a pair of rigs.

    Each frame is solved by itself. The problem is convex (about where a jaw is) and the ridge makes its answer unique,
    so that neighbouring frames, which are nearly alike, get answers that are nearly alike.

    Raises:
        ArtifactProblem, InvalidInput: the rigs have no correspondence; see `match`.
    """

    def __init__(self, source: FaceModel, target: FaceModel, options: RetargetOptions | None = None) -> None:
        self.options = options or RetargetOptions()
        here, there = surface_of(source), surface_of(target)
        self.correspondence: Correspondence = match(here, there)
        pairs = self.correspondence
        used = _spread(pairs.region, self.options.points)
        self.region, self.region_names = pairs.region[used], pairs.region_names
        self.source: Movable = movable(source, here, pairs.source.take(used))
        self.target: Movable = movable(target, there, pairs.target.take(used))
        self.turn = torch.tensor(pairs.alignment.turn * pairs.alignment.scale, dtype=torch.float32)
        self.weights = torch.tensor(_weights(self.region), dtype=torch.float32)

    @torch.no_grad()
    def convert(self, expression: Floats) -> Retargeted:
        """Expressions (T, E) of the source rig, in the order of its channels, on the target rig.

        Raises:
            InvalidInput: the expression has another shape.
        """
        if expression.ndim != 2 or expression.shape[1] != len(self.source.channels) or not len(expression):
            raise InvalidInput(f"expression has shape {expression.shape}; (T, {len(self.source.channels)}) is needed.")
        size = self.options.frames_at_once
        parts = [
            self._part(torch.tensor(expression[start : start + size], dtype=torch.float32))
            for start in range(0, len(expression), size)
        ]
        found, gaps, gaze = (torch.cat(column).numpy() for column in zip(*parts, strict=True))
        by_region = {
            name: gaps[:, self.region == place].mean(1)
            for place, name in enumerate(self.region_names)
            if (self.region == place).any()
        }
        return Retargeted(self.target.channels, found, gaps.mean(1), by_region, gaze)

    def _part(self, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Values, gaps (N, P) mm and angles (N,) degrees of the gaze, of a few frames."""
        target = self.target
        wanted = self.source.moved(values) @ self.turn.T
        angles = self.source.gaze(values)
        low, high = (bound.expand(len(values), -1).clone() for bound in (target.low, target.high))
        for place, held in target.looking(angles).items():
            low[:, place] = high[:, place] = held
        found = torch.zeros_like(low).clamp(low, high)
        found = self._step(found, wanted, (low, high), self._equations(torch.zeros_like(found[:1])))
        if not target.straight:
            # The first answer says about how each jaw is open; the slopes there serve for the rounds that remain.
            equations = self._equations(found)
            for _ in range(self.options.rounds):
                found = self._step(found, wanted, (low, high), equations)
        gaps = (target.moved(found) - wanted).norm(dim=-1)
        gaze = torch.rad2deg((target.gaze(found) - angles).norm(dim=-1).mean(1))
        return found, gaps, gaze

    def _equations(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Weighted slopes (N, E, 3P) about these values, and their products (N, E, E)."""
        slope = self.target.slope(values).flatten(2)
        weighted = slope * self.weights.repeat_interleave(3)
        return weighted, weighted @ slope.mT

    def _step(
        self, values: Tensor, wanted: Tensor, bounds: tuple[Tensor, Tensor], equations: tuple[Tensor, Tensor]
    ) -> Tensor:
        """The best values if the target were straight, with these slopes."""
        weighted, matrix = equations
        missing = (wanted - self.target.moved(values)).flatten(1)
        sums = (weighted @ missing[..., None])[..., 0] + (matrix @ values[..., None])[..., 0]
        ridge = (self.options.ridge_mm / self.target.unit).square()
        if self.target.straight:
            # In proportion to how far a channel moves the face, so that a weak shape loses no more of it than a strong.
            reach = matrix.diagonal(dim1=1, dim2=2).sqrt()
            sums = sums - self.options.waking_mm * reach
        matrix = matrix + torch.diag(ridge)
        start = values
        if not self.target.straight:
            # Many components, hardly any bound: the answer without bounds is nearly there.
            free = (bounds[0] < bounds[1]).float()
            held = values * (1 - free)
            inner = matrix * free[:, :, None] * free[:, None] + torch.diag_embed(1 - free)
            rest = (sums - (matrix @ held[..., None])[..., 0]) * free
            start = (torch.linalg.solve(inner, rest) + held).clamp(*bounds)
        return solve_bounded(matrix, sums, start, sweeps=60, bounds=bounds)


def _spread(region: Ints, points: int) -> Ints:
    """Places of at most so many pairs, of each region the same share and at least some."""
    step = max(1, -(-len(region) // points))
    chosen = [np.flatnonzero(region == place) for place in np.unique(region)]
    return np.sort(np.concatenate([own[:: 1 if len(own) < 200 else step] for own in chosen]))


def _weights(region: Ints) -> npt.NDArray[np.float64]:
    """(P,) weights that sum to 1, the same for each region: the lids are small, and no less seen for it."""
    weights: npt.NDArray[np.float64] = np.zeros(len(region))
    for place in np.unique(region):
        own = region == place
        weights[own] = 1 / own.sum()
    weights /= weights.sum()
    return weights
