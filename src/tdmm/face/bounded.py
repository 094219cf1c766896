"""Bounded least squares, many at once."""

from __future__ import annotations

import numpy as np
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
    # Coordinates lie in rows of NumPy arrays: the steps are many and small, and torch takes longer to begin one.
    columns = matrix.expand(len(start), -1, -1).permute(2, 1, 0).contiguous().numpy()
    found = np.ascontiguousarray(start.T.numpy()).copy()
    slope = np.ascontiguousarray(((matrix @ start[..., None])[..., 0] - wanted).T.numpy())
    low, high = (torch.as_tensor(bound).to(start).expand_as(start).T.numpy() for bound in bounds)
    stiffness = np.stack([np.maximum(column[place], 1e-12) for place, column in enumerate(columns)])
    for _ in range(sweeps):
        before = found.copy()
        for place, column in enumerate(columns):
            exact = found[place] - slope[place] / stiffness[place]
            step = np.minimum(np.maximum(exact, low[place]), high[place]) - found[place]
            found[place] += step
            slope += column * step
        if np.abs(found - before).max(initial=0.0) < 1e-4:
            break
    return torch.from_numpy(np.ascontiguousarray(found.T))
