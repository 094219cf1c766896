"""Bounded least squares, many at once."""

from __future__ import annotations

import torch
from torch import Tensor


def solve_bounded(
    matrix: Tensor,
    wanted: Tensor,
    start: Tensor,
    sweeps: int = 24,
    bounds: tuple[float | Tensor, float | Tensor] = (0.0, 1.0),
) -> Tensor:
    """Minimise x @ matrix @ x / 2 - wanted @ x with every x between its bounds, for each of N problems.

    By coordinates in turn: every step is exact in its coordinate, so nothing rises, and what is found is the minimum,
    for the problem is convex.

    Args:
        matrix: (N, E, E) symmetric, positive definite; or (1, E, E), the same for all.
        wanted: (N, E).
        start: (N, E) within the bounds.
        sweeps: times that all coordinates are gone through.
        bounds: least and greatest; numbers, or (N, E). Equal bounds hold a coordinate fast.

    Returns:
        (N, E).
    """
    low, high = (torch.as_tensor(bound).to(start).expand_as(start) for bound in bounds)
    found = start.clone()
    slope = (matrix @ found[..., None])[..., 0] - wanted
    diagonal = matrix.diagonal(dim1=1, dim2=2).clamp_min(1e-12)
    columns = matrix.permute(2, 0, 1).contiguous()
    for _ in range(sweeps):
        moved = 0.0
        for place, column in enumerate(columns):
            exact = found[:, place] - slope[:, place] / diagonal[:, place]
            step = torch.clamp(exact, low[:, place], high[:, place]) - found[:, place]
            found[:, place] += step
            slope += column * step[:, None]
            moved = max(moved, float(step.abs().max()))
        if moved < 1e-4:
            break
    return found
