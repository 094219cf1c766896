"""Points of a face through time to identity, expressions and head poses of the built-in head.

Gauss-Newton over all frames at once, each frame its own problem of pose and expression: the pose is taken out by its
Schur complement, the expression is solved within its bounds. The points are seen through a pinhole; what a frame's
neighbours show pulls gently. Faces do not differ by identity alone, so each clip also has a constant offset of every
point, found together with the identity on frames spread over the clip.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tdmm.corpus.tracking.landmark_rig import LandmarkRig, load_rig
from tdmm.corpus.tracking.sighting import Floats
from tdmm.face.bounded import solve_bounded
from tdmm.face.channels import ARKIT, INDEX
from tdmm.motion.clip import FPS

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FitOptions:
    """How a face is fitted.

    Attributes:
        alike: points that err together as one; the tracker draws a mesh, not points.
        strength: standard deviation of a coefficient that nothing is known of.
        rare: mean of a coefficient that nothing is known of (of an exponential prior: most are zero at any time).
        uneven: standard deviation of the difference of the two sides of a shape.
        change: standard deviation of what a coefficient changes by from frame to frame, beyond the trend of its
            neighbours. lid_change: the same of the lids, which are quicker.
        offset_mm: standard deviation of a point's constant offset in a clip.
        robust: scatters beyond which an error counts less (Huber).
        key_frames: frames that identity and offsets are found on. search_frames: those that are asked which brows and
            which focal length explain them best.
        rounds: of Gauss-Newton.
    """

    alike: float = 4.0
    strength: float = 0.5
    rare: float = 0.5
    uneven: float = 0.12
    change: float = 0.15
    lid_change: float = 0.6
    offset_mm: float = 0.8
    robust: float = 2.5
    key_frames: int = 40
    search_frames: int = 16
    rounds: int = 6


@dataclass(frozen=True)
class Fitted:
    """What was found of T frames.

    Attributes:
        identity: (I,) standard deviations.
        expression: (T, 52).
        rotation: (T, 3, 3) of the head, camera's axes.
        place: (T, 3) metres of the head's joint; the camera is the origin, +X right, +Y up, +Z toward the viewer.
        residual_mm: (T,) root mean square of what the points are off, at the face's distance.
        lacking: (T, L, 3) the same by point, metres across the view in the head's own frame.
        focal: pixels.
    """

    identity: Floats
    expression: Floats
    rotation: Floats
    place: Floats
    residual_mm: Floats
    lacking: Floats
    focal: float


FOCALS = (0.8, 1.1, 1.6, 2.4, 4.0)
"""Focal lengths that are tried, in units of the picture's longer side."""

_USUAL_FOCAL, _FOCAL_SPREAD = 1.2, 0.8
"""Most cameras' focal length, and how far its logarithm scatters."""

_LOW_BROWS = 0.8
"""How much lower the brows of people rest than where the tracker puts those of the built-in head, in units of
`browDown`: with it, resting recordings of people come to the brow that the tracker's own scores give them."""

_SAME_AGAIN = 4.0
"""Pictures of a recording that show the same expression again, and so tell nothing new."""

_LEAST_GAP = 0.25
"""Pictures are never taken to be nearer in time than this, in frames at 25 a second: clocks of recordings err."""

_AT_ONCE = 128


def fit(
    points: Floats,
    size: tuple[int, int],
    *,
    seconds: npt.ArrayLike | None = None,
    focal: float | None = None,
    options: FitOptions | None = None,
    rig: LandmarkRig | None = None,
    progress: Progress | None = None,
) -> Fitted:
    """Fit the built-in head to the points of one face.

    Args:
        points: (T, 478, 3) pixels, x right, y down, z behind, as `Sighting` has them; frames of one video in order.
        size: width and height of its pictures.
        seconds: (T,) when each was taken; None means 25 a second.
        focal: pixels; None estimates it.
        options: how.
        rig: where the tracker sees points.
        progress: called with frames done and frames in all.
    """
    options, rig = options or FitOptions(), rig or load_rig()
    seen = torch.from_numpy(np.ascontiguousarray(points, np.float32))
    width, height = size
    centred = torch.stack([seen[..., 0] - width / 2, height / 2 - seen[..., 1], -seen[..., 2]], -1)
    spread = np.unique(np.linspace(0, len(seen) - 1, min(options.key_frames, len(seen))).round().astype(int))
    keys = centred[torch.from_numpy(spread)]
    few = keys[:: max(1, len(keys) // options.search_frames)]
    rig = _likelier_brows(rig, few, focal or _USUAL_FOCAL * max(size), options)
    if focal is None:
        focal = _likeliest_focal(rig, few, max(size), options)
    person = _person(rig, keys, focal, options)
    times = np.arange(len(seen)) / FPS if seconds is None else np.asarray(seconds, np.float64)
    # How long before each frame the one before it was taken, in frames at 25 a second.
    gaps = torch.from_numpy(np.diff(times, prepend=times[0] - 1 / FPS) * FPS).float().clamp_min(_LEAST_GAP)
    expressions, rotations, places, residuals, lacking = [], [], [], [], []
    before: Tensor | None = None
    for first in range(0, len(centred), _AT_ONCE):
        part = centred[first : first + _AT_ONCE]
        state = _Frames(person.rig, part, focal, options, before, gaps[first : first + _AT_ONCE])
        for _ in range(options.rounds):
            state.step()
        before = state.expression[-1]
        expressions.append(state.expression)
        rotations.append(state.rotation)
        places.append(state.place)
        residuals.append(state.residual_mm())
        lacking.append(state.lacking() @ state.rotation[:, :2])
        if progress is not None:
            progress(min(first + _AT_ONCE, len(centred)), len(centred))
    return Fitted(
        person.identity.numpy(),
        torch.cat(expressions).numpy(),
        torch.cat(rotations).numpy(),
        torch.cat(places).numpy(),
        torch.cat(residuals).numpy(),
        torch.cat(lacking).numpy(),
        focal,
    )


@dataclass(frozen=True)
class _Person:
    """Whose face it is, and what that explains.

    Attributes:
        identity: (I,).
        rig: of that person.
        points, shape, expression: how surprising it is that the points lie where they do, that a person has that shape,
            and that the face moves so; twice the negative logarithms of likelihoods.
    """

    identity: Tensor
    rig: LandmarkRig
    points: float
    shape: float
    expression: float


def _likelier_brows(rig: LandmarkRig, keys: Tensor, focal: float, options: FitOptions) -> LandmarkRig:
    """The rig as it is, or with brows as low as most people's: whichever is the smaller surprise."""
    down = sum((rig.expression[INDEX[name]] for name in ("browDownLeft", "browDownRight")), torch.zeros_like(rig.rest))
    low = replace(rig, rest=rig.rest + _LOW_BROWS * down)

    def surprise(brows: LandmarkRig) -> float:
        person = _person(brows, keys, focal, options, rounds=4)
        return (person.points + person.expression) / _SAME_AGAIN + person.shape

    return min((rig, low), key=surprise)


def _likeliest_focal(rig: LandmarkRig, keys: Tensor, side: int, options: FitOptions) -> float:
    """Pixels. Perspective shows little in a face far away, so the usual is preferred unless it fits worse."""

    def surprise(share: float) -> float:
        person = _person(rig, keys, share * side, options, rounds=3)
        return person.points + person.shape + (math.log(share / _USUAL_FOCAL) / _FOCAL_SPREAD) ** 2

    return min(FOCALS, key=surprise) * side


def _person(rig: LandmarkRig, keys: Tensor, focal: float, options: FitOptions, rounds: int | None = None) -> _Person:
    identity, offset = keys.new_zeros(len(rig.identity)), torch.zeros_like(rig.rest)
    state = _Frames(rig, keys, focal, options, None, None)
    for _ in range(rounds or options.rounds):
        state.step()
        identity, offset = _own_shape(rig, state, identity, options)
        rest = rig.rest + torch.einsum("i,ilc->lc", identity, rig.identity) + offset
        state.rig = replace(rig, rest=rest)
    state.step()
    shape = float(identity.square().sum() + (offset / (options.offset_mm * 1e-3)).square().sum())
    return _Person(identity, state.rig, state.cost(), shape, state.surprise())


def _own_shape(rig: LandmarkRig, state: _Frames, identity: Tensor, options: FitOptions) -> tuple[Tensor, Tensor]:
    """Identity (I,) and offsets (L, 3) that explain what the poses and expressions of some frames do not."""
    # What the rig without either lacks, in the head's own frame, across the view only.
    across, weight = state.across(), state.weight()
    shape = rig.points(state.expression)
    lacking = state.lacking_of(shape)
    turned = torch.einsum("nkc,ncd->nkd", across.flatten(1, 2), state.rotation).view(*across.shape)
    # (L, 3, 3) and (L, 3): each point's normal equations over the frames.
    squares = torch.einsum("nl,nlkc,nlkd->lcd", weight, turned, turned)
    sums = torch.einsum("nl,nlkc,nlk->lc", weight, turned, lacking)
    # The offset is taken out of the identity's equations: its variance adds to that of the mean.
    loose = torch.eye(3) / (options.offset_mm * 1e-3) ** 2
    kept = squares - squares @ torch.linalg.solve(squares + loose, squares)
    left = sums - torch.einsum("lcd,ld->lc", squares, torch.linalg.solve(squares + loose, sums))
    basis = rig.identity
    normal = torch.einsum("ilc,lcd,jld->ij", basis, kept, basis) + torch.eye(len(basis))
    identity = torch.linalg.solve(normal, torch.einsum("ilc,lc->i", basis, left))
    rest = sums - torch.einsum("lcd,ild,i->lc", squares, basis, identity)
    return identity, torch.linalg.solve(squares + loose, rest)


class _Frames:
    """Poses and expressions of some frames, improved step by step.

    Args:
        rig: of the person.
        points: (N, L, 3) pixels from the middle of the picture, x right, y up, z toward the viewer.
        focal: pixels.
        options: how.
        before: (E,) the expression before the first frame.
        gaps: (N,) how long before each frame the one before it was, in frames at 25 a second; None where frames are not
            neighbours of each other.
    """

    def __init__(
        self,
        rig: LandmarkRig,
        points: Tensor,
        focal: float,
        options: FitOptions,
        before: Tensor | None,
        gaps: Tensor | None,
    ) -> None:
        self.rig, self._focal, self._options, self._before = rig, focal, options, before
        self._points = points[..., :2]
        self.expression = points.new_zeros(len(points), len(ARKIT))
        self.rotation, self.place = _begin(rig.rest, points, focal)
        change = torch.full((len(ARKIT),), options.change)
        change[[place for place, name in enumerate(ARKIT) if name.startswith("eye")]] = options.lid_change
        # (N, E) how firmly each frame holds on to the one before it: what changes adds up like a random walk.
        self._steady = None if gaps is None else 1.0 / (change.square() * gaps[:, None])
        self._loose = _loose(options)

    def step(self) -> None:
        """One round of Gauss-Newton."""
        across, lacking, weight = self.across(), self.lacking(), self.weight()
        # What a point shows across the view of a movement in the head's own frame, and of a movement of the head.
        shown = across @ self.rotation[:, None]
        weighed = (weight[..., None, None] * shown).mT
        by_pose = torch.cat([_cross(across, self._turned()), across], -1).flatten(1, 2)
        weights = weight.repeat_interleave(2, 1)[..., None]
        pose_square = by_pose.mT @ (weights * by_pose) + 1e-3 * torch.eye(6)
        pose_sum = (by_pose.mT @ (weights * lacking.flatten(1, 2)[..., None]))[..., 0]
        # Points' own shares first, 3 numbers or 3 x 3 a point; one product with the shapes for all points and frames.
        shapes = self.rig.expression.permute(1, 2, 0).flatten(0, 1)
        mixed = (weighed @ by_pose.view(*across.shape[:3], 6)).permute(0, 3, 1, 2).flatten(2) @ shapes
        sums = (weighed @ lacking[..., None])[..., 0].flatten(1) @ shapes
        square = _squares(weighed @ shown, self.rig.expression)
        inner = torch.linalg.solve(pose_square, torch.cat([mixed, pose_sum[..., None]], -1))
        square = square - mixed.mT @ inner[..., :-1]
        sums = sums - (mixed.mT @ inner[..., -1:])[..., 0]
        # The equations are about a change; bounds and what pulls are about the coefficients themselves.
        sums = sums + (square @ self.expression[..., None])[..., 0]
        square, sums = self._pulled(square, sums)
        expression = solve_bounded(square, sums, self.expression)
        change = expression - self.expression
        pose = inner[..., -1] - (inner[..., :-1] @ change[..., None])[..., 0]
        self.expression = expression
        self.rotation = torch.linalg.matrix_exp(_skew(pose[:, :3])) @ self.rotation
        self.place = self.place + pose[:, 3:]

    def _pulled(self, square: Tensor, sums: Tensor) -> tuple[Tensor, Tensor]:
        square = square + self._loose
        sums = sums - 1.0 / self._options.rare
        if self._steady is None:
            return square, sums
        first = self.expression[:1] if self._before is None else self._before[None]
        around = torch.cat([first, self.expression, self.expression[-1:]])
        to_before = self._steady / 2
        to_after = torch.cat([to_before[1:], to_before[-1:]])
        sums = sums + to_before * around[:-2] + to_after * around[2:]
        return square + torch.diag_embed(to_before + to_after), sums

    def _turned(self) -> Tensor:
        """(N, L, 3) points of the rig about the joint, in the camera's axes."""
        return self.rig.points(self.expression) @ self.rotation.mT

    def _depth(self) -> Tensor:
        """(N, 1) metres to the face's joint."""
        return -self.place[:, 2:]

    def across(self) -> Tensor:
        """(N, L, 2, 3): how points move across the view, in metres at the joint's distance, with where they are."""
        at = self._turned() + self.place[:, None]
        depth = -at[..., 2]
        scale = self._depth() / depth
        zero = torch.zeros_like(scale)
        right = torch.stack([scale, zero, scale * at[..., 0] / depth], -1)
        up = torch.stack([zero, scale, scale * at[..., 1] / depth], -1)
        return torch.stack([right, up], -2)

    def lacking(self) -> Tensor:
        """(N, L, 2) metres at the joint's distance from where the rig has the points to where they are seen."""
        return self._seen_from(self._turned())

    def lacking_of(self, shape: Tensor) -> Tensor:
        """The same for other points (N, L, 3) in the head's own frame."""
        return self._seen_from(shape @ self.rotation.mT)

    def _seen_from(self, turned: Tensor) -> Tensor:
        at = turned + self.place[:, None]
        projected = at[..., :2] / -at[..., 2:] * self._focal
        return (self._points - projected) * (self._depth() / self._focal)[..., None]

    def weight(self) -> Tensor:
        """(N, L) inverse variances; points that are far off count less."""
        off = self.lacking().norm(dim=-1) / (math.sqrt(2) * self.rig.scatter)
        share = (self._options.robust / off.clamp_min(1e-9)).clamp(max=1.0)
        variance = self.rig.scatter.square() * self._options.alike
        weight: Tensor = share / variance
        return weight

    def cost(self) -> float:
        """Twice the negative log likelihood of the points, up to a constant."""
        return float((self.weight() * self.lacking().square().sum(-1)).sum())

    def surprise(self) -> float:
        """The same of the expressions."""
        towards = torch.einsum("ne,ef,nf->", self.expression, self._loose, self.expression)
        return float(towards + 2.0 / self._options.rare * self.expression.sum())

    def residual_mm(self) -> Tensor:
        """(N,) root mean square distance of the points."""
        return torch.sqrt(self.lacking().square().sum(-1).mean(-1)) * 1e3


def _squares(shares: Tensor, expression: Tensor) -> Tensor:
    """(N, E, E) sums over the points of `shapes.T @ share @ shapes`, from their shares (N, L, 3, 3), symmetric."""
    products, upper = _products(expression)
    half = shares[..., *_AXES].flatten(1) @ products
    count = len(expression)
    square = shares.new_zeros(len(shares), count, count)
    square[:, upper[0], upper[1]] = half
    square[:, upper[1], upper[0]] = half
    return square


_AXES = ([0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2])
"""Rows and columns of the six numbers of a symmetric 3 x 3 matrix."""


@lru_cache(maxsize=2)  # a tensor is its own key; every frame of every recording uses the same one
def _products(expression: Tensor) -> tuple[Tensor, Tensor]:
    """(6 L, E (E + 1) / 2) products of pairs of shapes, by point and pair of axes; (2, ...) which pairs of shapes."""
    upper = torch.triu_indices(len(expression), len(expression))
    one, other = expression[upper[0]], expression[upper[1]]  # (pairs, L, 3)
    products = []
    for row, column in zip(*_AXES, strict=True):
        product = one[..., row] * other[..., column]
        products.append(product if row == column else product + one[..., column] * other[..., row])
    return torch.stack(products, -1).flatten(1).T.contiguous(), upper


def _loose(options: FitOptions) -> Tensor:
    """(E, E) inverse covariance of coefficients that nothing is known of: small, and alike on both sides.

    But for lids that shut: one alone is a wink.
    """
    matrix = torch.eye(len(ARKIT)) / options.strength**2
    for name in ARKIT:
        if name.endswith("Left") and f"{name[:-4]}Right" in INDEX and not name.startswith("eyeBlink"):
            pair = [INDEX[name], INDEX[f"{name[:-4]}Right"]]
            # Looking left is one eye's in and the other's out.
            if "LookIn" in name or "LookOut" in name:
                swapped = name.replace("In", "#").replace("Out", "In").replace("#", "Out")
                pair[1] = INDEX[f"{swapped[:-4]}Right"]
            difference = torch.zeros(len(ARKIT))
            difference[pair[0]], difference[pair[1]] = 1.0, -1.0
            matrix += torch.outer(difference, difference) / options.uneven**2
    return matrix


def _begin(rest: Tensor, points: Tensor, focal: float) -> tuple[Tensor, Tensor]:
    """Rotations (N, 3, 3) and places (N, 3) from the points with their depths, by similarity (Umeyama 1991)."""
    middle, own = points.mean(1, keepdim=True), rest - rest.mean(0)
    left, sizes, right = torch.linalg.svd((points - middle).mT @ own)
    signs = torch.ones(len(points), 3)
    signs[:, 2] = torch.det(left @ right).sign()
    rotation = left @ (signs[..., None] * right)
    pixels_a_metre = (sizes * signs).sum(-1) / own.square().sum()
    depth = focal / pixels_a_metre.clamp_min(1e-6)
    centre = torch.cat([middle[:, 0, :2] * (depth / focal)[:, None], -depth[:, None]], -1)
    return rotation, centre - (rotation @ rest.mean(0)[:, None])[..., 0]


def _skew(vectors: Tensor) -> Tensor:
    """(N, 3) to the matrices (N, 3, 3) of their cross products."""
    x, y, z = vectors.unbind(-1)
    zero = torch.zeros_like(x)
    rows = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1)
    return rows.view(*vectors.shape[:-1], 3, 3)


def _cross(across: Tensor, turned: Tensor) -> Tensor:
    """(N, L, 2, 3): how a small turn about each axis moves points across the view."""
    moved: Tensor = torch.linalg.cross(turned[:, :, None].expand_as(across), across)
    return moved
