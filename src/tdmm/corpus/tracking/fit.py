"""Points of a face through time to identity, expressions and head poses of the built-in head.

The person comes first, on frames spread over the clip: identity, how the tracker sees that face beyond identity, and
a constant offset of every point, for faces differ by more than the built-in head can. Then poses and expressions of
all frames (`frames.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from tdmm.corpus.tracking.fit_options import FitOptions as FitOptions
from tdmm.corpus.tracking.frames import Frames
from tdmm.corpus.tracking.landmark_rig import LandmarkRig, load_rig
from tdmm.corpus.tracking.sighting import Floats

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Fitted:
    """What was found of T frames.

    Attributes:
        identity: (I,) standard deviations.
        expression: (T, 52).
        rotation: (T, 3, 3) of the head, camera's axes.
        place: (T, 3) metres of the head's joint; the camera is the origin, +X right, +Y up, +Z toward the viewer.
        residual_mm: (T,) root mean square of what the points are off, at the face's distance.
        focal: pixels.
    """

    identity: Floats
    expression: Floats
    rotation: Floats
    place: Floats
    residual_mm: Floats
    focal: float


FOCALS = (0.8, 1.1, 1.6, 2.4, 4.0)
"""Focal lengths that are tried, in units of the picture's longer side."""

_USUAL_FOCAL, _FOCAL_SPREAD = 1.2, 0.8
"""Most cameras' focal length, and how far its logarithm scatters."""

_AT_ONCE = 128


def fit(
    points: Floats,
    size: tuple[int, int],
    *,
    focal: float | None = None,
    options: FitOptions | None = None,
    rig: LandmarkRig | None = None,
    progress: Progress | None = None,
) -> Fitted:
    """Fit the built-in head to the points of one face.

    Args:
        points: (T, 478, 3) pixels, x right, y down, z behind, as `Sighting` has them; frames of one video in order.
        size: width and height of its pictures.
        focal: pixels; None estimates it.
        options: how.
        rig: where the tracker sees points.
        progress: called with frames done and frames in all.
    """
    options, rig = options or FitOptions(), rig or load_rig()
    rig = replace(rig, scatter=rig.scatter * options.caution, together=rig.together * options.caution)
    seen = torch.from_numpy(np.ascontiguousarray(points, np.float32))
    width, height = size
    centred = torch.stack([seen[..., 0] - width / 2, height / 2 - seen[..., 1], -seen[..., 2]], -1)
    spread = np.unique(np.linspace(0, len(seen) - 1, min(options.key_frames, len(seen))).round().astype(int))
    keys = centred[torch.from_numpy(spread)]
    if focal is None:
        focal = _likeliest_focal(rig, keys, max(size), options)
    identity, own, _ = _person(rig, keys, focal, options)
    expressions, rotations, places, residuals = [], [], [], []
    before: Tensor | None = None
    for first in range(0, len(centred), _AT_ONCE):
        part = centred[first : first + _AT_ONCE]
        state = Frames(own, part, focal, options, before)
        for _ in range(options.rounds):
            state.step()
        before = state.expression[-1]
        expressions.append(state.expression)
        rotations.append(state.rotation)
        places.append(state.place)
        residuals.append(state.residual_mm())
        if progress is not None:
            progress(min(first + _AT_ONCE, len(centred)), len(centred))
    return Fitted(
        identity.numpy(),
        torch.cat(expressions).numpy(),
        torch.cat(rotations).numpy(),
        torch.cat(places).numpy(),
        torch.cat(residuals).numpy(),
        focal,
    )


def _likeliest_focal(rig: LandmarkRig, keys: Tensor, side: int, options: FitOptions) -> float:
    """Pixels. Perspective shows little in a face far away, so the usual is preferred unless it fits worse."""

    def cost(share: float) -> float:
        surprise = (math.log(share / _USUAL_FOCAL) / _FOCAL_SPREAD) ** 2
        return _person(rig, keys, share * side, options, rounds=3)[2] + surprise

    return min(FOCALS, key=cost) * side


def _person(
    rig: LandmarkRig, keys: Tensor, focal: float, options: FitOptions, rounds: int | None = None
) -> tuple[Tensor, LandmarkRig, float]:
    """Identity (I,), the rig of that person, and what the fit costs (negative log likelihood, twice)."""
    basis = torch.cat([rig.identity, rig.persons])
    shape, offset = keys.new_zeros(len(basis)), torch.zeros_like(rig.rest)
    state = Frames(rig, keys, focal, options, None, alone=True)
    for _ in range(rounds or options.rounds):
        state.step()
        shape = state.better_shape(basis, shape)
        rest = rig.rest + torch.einsum("i,ilc->lc", shape, basis)
        state.rig = replace(rig, rest=rest + offset)
        # Poses and expressions have to follow before anything is put down to offsets.
        state.step()
        offset = _offsets(rest, state, options)
        state.rig = replace(rig, rest=rest + offset)
    state.step()
    cost = state.cost() + float(shape.square().sum() + (offset / (options.offset_mm * 1e-3)).square().sum())
    return shape[: len(rig.identity)], state.rig, cost


def _offsets(rest: Tensor, state: Frames, options: FitOptions) -> Tensor:
    """Offsets (L, 3) that explain what the shape of a person, poses, expressions and errors together do not."""
    across, weight = state.across(), state.weight_of_all()
    lacking = state.lacking_of(replace(state.rig, rest=rest).points(state.expression))
    turned = torch.einsum("nlkc,ncd->nlkd", across, state.rotation)
    # (L, 3, 3) and (L, 3): each point's normal equations over the frames.
    squares = torch.einsum("nl,nlkc,nlkd->lcd", weight, turned, turned)
    sums = torch.einsum("nl,nlkc,nlk->lc", weight, turned, lacking)
    loose = torch.eye(3) / (options.offset_mm * 1e-3) ** 2
    found: Tensor = torch.linalg.solve(squares + loose, sums)
    return found
