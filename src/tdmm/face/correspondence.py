"""Which point of one head is which point of another: found once for a pair of neutral heads.

Three steps. The landmarks that both have align them (turn, scale, shift). What is left between the landmarks bends the
first head smoothly onto the second. Then each point takes the nearest point of the other's skin that faces the same
way and goes with the jaw as much as it does, so that no upper lip meets a lower one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tdmm.errors import ArtifactProblem
from tdmm.face.head_surface import SIDES, Floats, HeadSurface, Ints, Mask, Places
from tdmm.face.seen_landmarks import seen_landmarks

Doubles = npt.NDArray[np.float64]

_REACH_M = 0.02
"""How far the pull of one landmark reaches (the standard deviation of its bell)."""
_STIFFNESS = 0.05
"""How much the bend may miss landmarks, whose schemes differ by a millimetre or two between heads."""
_FAR_MM = 8.0
"""Pairs further apart than this once bent are no pairs."""
_ALIKE = 0.5
"""Least cosine between the normals of a pair."""
_JAW_SLACK = 0.35
"""Most that the shares of a pair in the opening of the jaw may differ."""
_CANDIDATES = 24
"""Triangles, nearest by their middles, of which the nearest point is taken."""
_FACE_REACH = 1.15
"""Widths between the eyes, from between the eyes down; how far a face without regions reaches."""


@dataclass(frozen=True)
class Similarity:
    """A turn (3, 3), a scale and a shift (3,): `scale * points @ turn.T + shift`."""

    turn: Doubles
    scale: float
    shift: Doubles

    def of(self, points: npt.NDArray[np.floating]) -> Doubles:
        """Points (..., 3) of the first head where they are on the second."""
        moved: Doubles = self.scale * (points @ self.turn.T) + self.shift
        return moved

    def inverted(self) -> Similarity:
        """The way back."""
        return Similarity(self.turn.T, 1 / self.scale, -(self.shift @ self.turn) / self.scale)


@dataclass(frozen=True)
class Correspondence:
    """Pairs of points of two neutral heads. P pairs.

    Attributes:
        source, target: the points on each.
        alignment: from the source's frame to the target's.
        region: (P,) place in `region_names`.
        region_names: regions of the face; `face` alone where neither head has regions.
        gaps_mm: (P,) how far apart the points were once the source was bent onto the target.
        landmarks: names of the landmarks that were used.
        refused: how many points found no partner.
    """

    source: Places
    target: Places
    alignment: Similarity
    region: Ints
    region_names: tuple[str, ...]
    gaps_mm: Floats
    landmarks: tuple[str, ...]
    refused: int

    def flipped(self) -> Correspondence:
        """The same pairs, from the target to the source."""
        return Correspondence(
            self.target, self.source, self.alignment.inverted(), self.region, self.region_names,
            self.gaps_mm / np.float32(self.alignment.scale), self.landmarks, self.refused,
        )  # fmt: skip


def match(source: HeadSurface, target: HeadSurface) -> Correspondence:
    """Find the pairs of two heads.

    Points are taken on the head that knows its regions, if one does; the other way round the same pairs come out.

    Raises:
        ArtifactProblem: the heads have too little in common; the message says what.
    """
    if target.regions and not source.regions:
        return match(target, source).flipped()
    one, other = _landmarks(source), _landmarks(target)
    shared = tuple(name for name in one if name in other)
    here, there = np.stack([one[name] for name in shared]), np.stack([other[name] for name in shared])
    alignment = align(here, there)
    bend = _Bend.between(alignment.of(here), there)
    vertices, region, names = _samples(source)
    bent = bend.of(alignment.of(source.vertices[vertices]))
    normals = source.normals[vertices] @ alignment.turn.T
    places, gaps = _nearest(target, bent, normals, source.jaw_share[vertices])
    kept = gaps * 1e3 < _FAR_MM
    if kept.mean() < 0.5:
        raise ArtifactProblem(
            f"Only {kept.mean():.0%} of the face of '{source.name}' finds a place on '{target.name}'. Both must be "
            "neutral human faces in metres, +X the face's own left, +Y up, +Z out of the face."
        )
    first = np.repeat(vertices[kept][:, None], 3, 1)
    return Correspondence(
        source=Places(first, np.tile(np.array([1, 0, 0], np.float32), (len(first), 1))),
        target=places.take(kept),
        alignment=alignment,
        region=region[kept],
        region_names=names,
        gaps_mm=(gaps[kept] * 1e3).astype(np.float32),
        landmarks=shared,
        refused=int((~kept).sum()),
    )


def align(source: Doubles, target: Doubles) -> Similarity:
    """The turn, scale and shift that bring points (L, 3) nearest to others, by least squares.

    S. Umeyama, *Least-squares estimation of transformation parameters between two point patterns* (PAMI 1991).
    """
    here, there = source.mean(0), target.mean(0)
    a, b = source - here, target - there
    left, sizes, right = np.linalg.svd(b.T @ a)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    turn = (left * signs) @ right
    scale = float((sizes * signs).sum() / (a**2).sum())
    return Similarity(turn, scale, there - scale * turn @ here)


@dataclass(frozen=True)
class _Bend:
    """A smooth displacement of space: a bell of pull about each centre."""

    centres: Doubles
    pulls: Doubles

    @staticmethod
    def between(source: Doubles, target: Doubles) -> _Bend:
        bells = _bells(source, source) + _STIFFNESS * np.eye(len(source))
        return _Bend(source, np.linalg.solve(bells, target - source).astype(np.float64))

    def of(self, points: Doubles) -> Doubles:
        bent: Doubles = points + _bells(points, self.centres) @ self.pulls
        return bent


def _bells(points: Doubles, centres: Doubles) -> Doubles:
    square = ((points[:, None] - centres) ** 2).sum(-1)
    bells: Doubles = np.exp(-square / (2 * _REACH_M**2))
    return bells


def _landmarks(head: HeadSurface) -> dict[str, Doubles]:
    every: Mapping[str, tuple[Ints, Floats]] = {**seen_landmarks(head), **head.landmarks}
    found = {
        name: (head.vertices[corners].astype(np.float64) * shares[:, None]).sum(0)
        for name, (corners, shares) in every.items()
    }
    return found | {f"eye_{side}": head.eye_centre(side).astype(np.float64) for side in SIDES}


def _samples(head: HeadSurface) -> tuple[Ints, Ints, tuple[str, ...]]:
    """Vertices of the face, the place of their region, and the regions' names."""
    skin: Mask = np.zeros(len(head.vertices), bool)
    skin[head.skin] = True
    if head.regions:
        names = tuple(head.regions)
        region = np.full(len(skin), -1)
        for place, name in enumerate(names):
            region[head.regions[name] & skin] = place
        vertices = np.flatnonzero(region >= 0)
        return vertices, region[vertices], names
    centres = np.stack([head.eye_centre(side) for side in SIDES])
    between = float(np.linalg.norm(centres[0] - centres[1]))
    middle = centres.mean(0) - np.array([0, 0.6 * between, 0])
    near = np.linalg.norm((head.vertices - middle)[:, :2], axis=1) < _FACE_REACH * between * 1.1
    vertices = np.flatnonzero(skin & near & (head.vertices[:, 2] > middle[2] - 0.5 * between))
    vertices = vertices[:: max(1, len(vertices) // 2500)]
    return vertices, np.zeros(len(vertices), np.int64), ("face",)


def _nearest(head: HeadSurface, points: Doubles, normals: Doubles, jaw_share: Floats) -> tuple[Places, Doubles]:
    """The nearest points of the skin that may be partners, and how far they are; infinitely where none may."""
    # Most of a head is nowhere near its face.
    corners = head.vertices[head.skin].astype(np.float64)
    margin = 2e-3 * _FAR_MM
    near = ((corners.max(1) > points.min(0) - margin) & (corners.min(1) < points.max(0) + margin)).all(1)
    skin, triangles = head.skin[near], corners[near]
    facing = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    facing /= np.linalg.norm(facing, axis=1, keepdims=True) + 1e-20
    middles, share = triangles.mean(1), head.jaw_share[skin].mean(1)
    length = (middles**2).sum(1)
    best, gaps = np.zeros((len(points), 3)), np.full(len(points), np.inf)
    chosen = np.zeros(len(points), np.int64)
    for start in range(0, len(points), 256):
        part = slice(start, start + 256)
        far = length - 2 * points[part] @ middles.T  # the square of the distance, but for the point's own part
        far[normals[part] @ facing.T < _ALIKE] = np.inf
        far[np.abs(jaw_share[part, None] - share) > _JAW_SLACK] = np.inf
        candidates = np.argpartition(far, _CANDIDATES, axis=1)[:, :_CANDIDATES]
        shares = _closest(points[part, None], triangles[candidates])
        found = (triangles[candidates] * shares[..., None]).sum(-2)
        gap = np.linalg.norm(found - points[part, None], axis=-1)
        gap[np.isinf(np.take_along_axis(far, candidates, 1))] = np.inf
        row, pick = np.arange(len(gap)), gap.argmin(1)
        gaps[part], chosen[part], best[part] = gap[row, pick], candidates[row, pick], shares[row, pick]
    return Places(skin[chosen], best.astype(np.float32)), gaps


def _closest(points: Doubles, triangles: Doubles) -> Doubles:
    """Shares (..., 3) of the corners at the point of each triangle (..., 3, 3) that is nearest to a point (..., 3).

    Inside, the foot of the perpendicular; else the nearest point of the three edges.
    """
    a, b, c = np.moveaxis(triangles, -2, 0)
    ab, ac, ap = b - a, c - a, points - a
    d00, d01, d11 = (ab * ab).sum(-1), (ab * ac).sum(-1), (ac * ac).sum(-1)
    d20, d21 = (ap * ab).sum(-1), (ap * ac).sum(-1)
    area = d00 * d11 - d01 * d01 + 1e-30
    second, third = (d11 * d20 - d01 * d21) / area, (d00 * d21 - d01 * d20) / area
    options = [np.stack([1 - second - third, second, third], -1)]
    for first, last in ((0, 1), (1, 2), (2, 0)):
        p, q = triangles[..., first, :], triangles[..., last, :]
        along = (((points - p) * (q - p)).sum(-1) / (((q - p) ** 2).sum(-1) + 1e-30)).clip(0, 1)
        shares = np.zeros((*along.shape, 3))
        shares[..., first], shares[..., last] = 1 - along, along
        options.append(shares)
    every = np.stack(options, -2)
    gap = np.linalg.norm(np.einsum("...ok,...kc->...oc", every, triangles) - points[..., None, :], axis=-1)
    gap[..., 0] = np.where((every[..., 0, :] >= 0).all(-1), gap[..., 0], np.inf)
    nearest: Doubles = np.take_along_axis(every, gap.argmin(-1)[..., None, None], -2)[..., 0, :]
    return nearest
