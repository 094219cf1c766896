"""Bounded least squares, many at once."""

from __future__ import annotations

import torch
from torch import Tensor


def solve_bounded(matrix: Tensor, wanted: Tensor, start: Tensor, sweeps: int = 24) -> Tensor:
    """Minimise x @ matrix @ x / 2 - wanted @ x with every x between 0 and 1, for each of N problems.

    By coordinates in turn: every step is exact in its coordinate, so nothing rises, and what is found is the minimum,
    for the problem is convex.

    Args:
        matrix: (N, E, E) symmetric, positive definite.
        wanted: (N, E).
        start: (N, E) within the bounds.
        sweeps: times that all coordinates are gone through.

    Returns:
        (N, E).
    """
    found = start.clone()
    slope = torch.bmm(matrix, found[..., None])[..., 0] - wanted
    diagonal = matrix.diagonal(dim1=1, dim2=2).clamp_min(1e-12)
    columns = matrix.permute(2, 0, 1).contiguous()
    for _ in range(sweeps):
        moved = 0.0
        for place, column in enumerate(columns):
            step = (found[:, place] - slope[:, place] / diagonal[:, place]).clamp(0, 1) - found[:, place]
            found[:, place] += step
            slope += column * step[:, None]
            moved = max(moved, float(step.abs().max()))
        if moved < 1e-4:
            break
    return found
