"""Poses and expressions of frames of one person, by Gauss-Newton.

Each frame is its own problem of pose, expression and the tracker's errors. A tracker draws a mesh, not points: its
errors are a few patterns that move many points at once, and are unknowns of the frame like its pose. Both are taken out
by their Schur complement, then the expression is solved within its bounds. The points are seen through a pinhole; what
a frame's neighbours show pulls gently.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tdmm.corpus.tracking.fit_options import FitOptions
from tdmm.corpus.tracking.landmark_rig import LandmarkRig
from tdmm.face.bounded import solve_bounded
from tdmm.face.channels import ARKIT, INDEX

_ABOVE_ZERO = 1e-3


class Frames:
    """Poses and expressions of some frames, improved step by step.

    Args:
        rig: of the person.
        points: (N, L, 3) pixels from the middle of the picture, x right, y up, z toward the viewer.
        focal: pixels.
        options: how.
        before: (E,) the expression before the first frame.
        alone: whether frames are not neighbours of each other.
    """

    def __init__(
        self,
        rig: LandmarkRig,
        points: Tensor,
        focal: float,
        options: FitOptions,
        before: Tensor | None,
        alone: bool = False,
    ) -> None:
        self.rig, self._focal, self._options, self._before, self._alone = rig, focal, options, before, alone
        self._points = points[..., :2]
        self.expression = points.new_zeros(len(points), len(ARKIT))
        self.rotation, self.place = _begin(rig.rest, points, focal)
        change = torch.full((len(ARKIT),), options.change)
        change[[place for place, name in enumerate(ARKIT) if name.startswith("eye")]] = options.lid_change
        self._steady = 1.0 / change.square()
        self._loose = _loose(rig.likeness, options)
        count = len(rig.together)
        self._errors = points.new_zeros(len(points), count)
        self._known = torch.diag(torch.cat([torch.full((6,), 1e-3), torch.ones(count)]))

    def step(self) -> None:
        """One round of Gauss-Newton."""
        across = self.across()
        by_expression = self._by_shapes(across, self.rig.expression)
        by_alone = self._by_alone(across)
        weighted = self.weight().repeat_interleave(2, 1)[..., None]
        error = self.lacking().flatten(1, 2)[..., None] * weighted
        alone_square = by_alone.mT @ (weighted * by_alone) + self._known
        mixed = by_alone.mT @ (weighted * by_expression)
        square = by_expression.mT @ (weighted * by_expression)
        inner = torch.linalg.solve(alone_square, torch.cat([mixed, by_alone.mT @ error], -1))
        square = square - mixed.mT @ inner[..., :-1]
        sums = (by_expression.mT @ error - mixed.mT @ inner[..., -1:])[..., 0]
        # The equations are about a change; bounds and what pulls are about the coefficients themselves.
        sums = sums + (square @ self.expression[..., None])[..., 0]
        square, sums = self._pulled(square, sums)
        expression = solve_bounded(square, sums, self.expression)
        change = expression - self.expression
        alone = inner[..., -1] - (inner[..., :-1] @ change[..., None])[..., 0]
        self.expression = expression
        self.rotation = torch.linalg.matrix_exp(_skew(alone[:, :3])) @ self.rotation
        self.place = self.place + alone[:, 3:6]
        self._errors = alone[:, 6:]

    def better_shape(self, basis: Tensor, shape: Tensor) -> Tensor:
        """Better weights (B,) of a basis of the face at rest.

        Poses, the tracker's errors and expressions that are above zero would follow: they are taken out by their Schur
        complement. Without that, what they explain wrongly is unlearnt in small steps only.

        Args:
            basis: (B, L, 3) metres, for one standard deviation each.
            shape: (B,) the weights that `rig.rest` has now.
        """
        across, active = self.across(), (self.expression > _ABOVE_ZERO).to(basis)
        by_expression = self._by_shapes(across, self.rig.expression) * active[:, None]
        # Differences of large numbers: single precision would lose them.
        by_other = torch.cat([self._by_alone(across), by_expression], -1).double()
        by_shape = self._by_shapes(across, basis).double()
        weighted = self.weight().double().repeat_interleave(2, 1)[..., None]
        error = weighted * self.lacking_alone().double().flatten(1, 2)[..., None]
        other_square = by_other.mT @ (weighted * by_other) + _blocks(self._known, self._loose)
        mixed = by_other.mT @ (weighted * by_shape)
        followed = torch.linalg.solve(other_square, mixed)
        square = by_shape.mT @ (weighted * by_shape) - mixed.mT @ followed
        pulls = (self.expression @ self._loose + 1.0 / self._options.rare) * active
        held = torch.cat([pulls.new_zeros(len(pulls), 6), self._errors, pulls], -1)[..., None]
        sums = (by_shape.mT @ error - followed.mT @ (by_other.mT @ error - held))[..., 0]
        known = torch.eye(len(basis))
        change: Tensor = torch.linalg.solve(square.sum(0) + known, sums.sum(0) - shape)
        return shape + change.to(shape)

    def _by_shapes(self, across: Tensor, shapes: Tensor) -> Tensor:
        """(N, 2 L, B) how shapes (B, L, 3) in the head's own frame move the points across the view."""
        own = torch.einsum("nlkc,ncd->nlkd", across, self.rotation)
        return torch.einsum("nlkd,bld->nlkb", own, shapes).flatten(1, 2)

    def _by_alone(self, across: Tensor) -> Tensor:
        """(N, 2 L, 6 + K) the same of what each frame has to itself: its pose, and the tracker's errors in it."""
        return torch.cat([_cross(across, self._turned()), across, self._errors_seen()], -1).flatten(1, 2)

    def _pulled(self, square: Tensor, sums: Tensor) -> tuple[Tensor, Tensor]:
        square = square + self._loose
        pull = torch.zeros_like(self.expression)
        sums = sums - 1.0 / self._options.rare
        if not self._alone:
            first = self.expression[:1] if self._before is None else self._before[None]
            around = torch.cat([first, self.expression, self.expression[-1:]])
            sums = sums + self._steady * (around[:-2] + around[2:]) / 2
            pull = pull + self._steady
        return square + torch.diag_embed(pull), sums

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

    def _errors_seen(self) -> Tensor:
        """(N, L, 2, K) the tracker's errors in the camera's axes, each for one standard deviation."""
        up = torch.nn.functional.normalize(self.rotation[:, :2, 1], dim=-1)
        right = torch.stack([up[:, 1], -up[:, 0]], -1)
        return torch.einsum("nck,elk->nlce", torch.stack([right, up], -1), self.rig.together)

    def lacking_alone(self) -> Tensor:
        """(N, L, 2) what the tracker's errors leave of `lacking`."""
        return self.lacking() - torch.einsum("nlce,ne->nlc", self._errors_seen(), self._errors)

    def weight(self) -> Tensor:
        """(N, L) inverse variances; points that are far off count less."""
        off = self.lacking_alone().norm(dim=-1) / (math.sqrt(2) * self.rig.scatter)
        share = (self._options.robust / off.clamp_min(1e-9)).clamp(max=1.0)
        weight: Tensor = share / self.rig.scatter.square()
        return weight

    def weight_of_all(self) -> Tensor:
        """(N, L) the same, with errors together counted as if each point had them for itself."""
        alone = self.rig.scatter.square()
        return self.weight() * (alone / (alone + self.rig.together.square().sum((0, 2)) / 2))

    def cost(self) -> float:
        """Twice the negative log likelihood of the points, up to a constant."""
        points = (self.weight() * self.lacking_alone().square().sum(-1)).sum()
        return float(points + self._errors.square().sum())

    def residual_mm(self) -> Tensor:
        """(N,) root mean square distance of the points."""
        return torch.sqrt(self.lacking().square().sum(-1).mean(-1)) * 1e3


def _loose(likeness: Tensor, options: FitOptions) -> Tensor:
    """(E, E) inverse covariance of coefficients that nothing is known of.

    They are small, come together as in acted clips, and are alike on both sides. Lids that shut are by themselves: they
    do so in any expression, and far, and one alone in a wink.
    """
    correlation = options.likeness * likeness + (1.0 - options.likeness) * torch.eye(len(ARKIT))
    strength = torch.full((len(ARKIT),), options.strength)
    for lid in (INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]):
        correlation[lid], correlation[:, lid], correlation[lid, lid] = 0.0, 0.0, 1.0
        strength[lid] = options.lid_strength
    matrix: Tensor = torch.linalg.inv(strength[:, None] * correlation * strength)
    for name in ARKIT:
        if name.startswith("eyeBlink"):
            continue
        if name.endswith("Left") and f"{name[:-4]}Right" in INDEX:
            pair = [INDEX[name], INDEX[f"{name[:-4]}Right"]]
            # Looking left is one eye's in and the other's out.
            if "LookIn" in name or "LookOut" in name:
                swapped = name.replace("In", "#").replace("Out", "In").replace("#", "Out")
                pair[1] = INDEX[f"{swapped[:-4]}Right"]
            difference = torch.zeros(len(ARKIT))
            difference[pair[0]], difference[pair[1]] = 1.0, -1.0
            matrix += torch.outer(difference, difference) / options.uneven**2
    return matrix


def _blocks(one: Tensor, other: Tensor) -> Tensor:
    """Two square matrices along the diagonal of one."""
    both = one.new_zeros(len(one) + len(other), len(one) + len(other))
    both[: len(one), : len(one)] = one
    both[len(one) :, len(one) :] = other
    return both


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
