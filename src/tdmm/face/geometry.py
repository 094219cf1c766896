"""How far apart two expressions are, in millimetres of the built-in head.

The rig is linear, so everything about distance is in the displacement matrix: 52 numbers in,
millimetres out. Head rotation is left out here; `HEAD_MM_PER_RADIAN` turns radians into the millimetres
by which they move the face.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from tdmm.errors import InvalidInput
from tdmm.face.channels import ARKIT
from tdmm.face.head_asset import load_asset

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

REGIONS: tuple[str, ...] = ("brows", "lids", "gaze", "nose", "cheeks", "mouth", "jaw", "tongue")
"""Regions of the face; each vertex is in one at most. Gaze is the front of the eyeballs."""
FACE_REGIONS: tuple[str, ...] = REGIONS[:-1]
"""The regions that make up the face as it is seen; the tongue is mostly hidden."""
MOVES_MM = 0.05
"""A vertex belongs to the moving face if one channel at 1.0 moves it further than this."""


@cache
def regions() -> dict[str, Mask]:
    """Region name to (V,) mask. Disjoint; teeth, lashes, painted brows and the mouth's lining are in none.

    Skin belongs to the region whose channels move it most, each channel relative to its own peak.
    """
    asset = load_asset()
    return {name: asset.region == asset.region_names.index(name) for name in REGIONS}


@cache
def moving() -> Mask:
    """(V,) the face as errors are averaged over it: skin and eyeball fronts that some channel moves."""
    asset = load_asset()
    reach_mm = np.sqrt(np.einsum("kvc,kvc->kv", asset.expression, asset.expression)).max(0) * 1e3
    mask: Mask = (reach_mm > MOVES_MM) & np.logical_or.reduce([regions()[name] for name in FACE_REGIONS])
    return mask


def vertex_errors_mm(expression_a: Floats, expression_b: Floats) -> dict[str, float]:
    """Mean distance between the vertices of two expressions, by region.

    Args:
        expression_a, expression_b: (T, 52) in `channels.ARKIT` order (or (52,), one frame).

    Returns:
        Millimetres, averaged over vertices and frames, for every name of `REGIONS`, and `face`, the mean over
        `moving()` vertices.

    Raises:
        InvalidInput: the shapes differ or are not (T, 52).
    """
    curves = vertex_error_curves_mm(expression_a, expression_b)
    return {name: float(values.mean()) for name, values in curves.items()}


def vertex_error_curves_mm(expression_a: Floats, expression_b: Floats) -> dict[str, Floats]:
    """As `vertex_errors_mm`, but a (T,) curve for every region.

    Raises:
        InvalidInput: the shapes differ or are not (T, 52).
    """
    difference = _difference(expression_a, expression_b)
    columns, spans = _stacked()
    # Most frames move few channels; those that none of them moves are left out of the product.
    used = np.flatnonzero(np.abs(difference).max(0) > 0)
    distance = np.empty((len(difference), columns.shape[1] // 3), np.float32)
    for start in range(0, len(difference), 256):
        moved = difference[start : start + 256, used] @ columns[used]
        moved = moved.reshape(len(moved), -1, 3)
        distance[start : start + 256] = np.sqrt(np.einsum("tvc,tvc->tv", moved, moved))
    curves: dict[str, Floats] = {name: distance[:, first:last].mean(1) for name, (first, last) in spans.items()}
    return curves


def _difference(a: Floats, b: Floats) -> Floats:
    for name, value in (("expression_a", a), ("expression_b", b)):
        if np.ndim(value) not in (1, 2) or np.shape(value)[-1] != len(ARKIT):
            raise InvalidInput(
                f"{name} has shape {np.shape(value)}; (T, {len(ARKIT)}) is needed, in channels.ARKIT order."
            )
    if np.shape(a) != np.shape(b):
        raise InvalidInput(f"expression_a has shape {np.shape(a)} and expression_b {np.shape(b)}; they must be equal.")
    difference: Floats = np.atleast_2d(np.asarray(a, np.float32) - np.asarray(b, np.float32))
    return difference


@cache
def _stacked() -> tuple[Floats, dict[str, tuple[int, int]]]:
    """Displacement (52, 3W) in mm of the measured vertices, region by region, and where each region lies.

    The regions of the face come first, so `face` is one span too.
    """
    asset, masks = load_asset(), regions()
    chosen, spans, at = [], {}, 0
    for name in REGIONS:
        members = np.flatnonzero(masks[name] & (moving() if name in FACE_REGIONS else True))
        spans[name] = (at, at + len(members))
        chosen.append(members)
        at += len(members)
    spans["face"] = (0, spans[FACE_REGIONS[-1]][1])
    matrix = asset.expression[:, np.concatenate(chosen)].reshape(len(ARKIT), -1) * np.float32(1e3)
    return np.ascontiguousarray(matrix), spans


@dataclass(frozen=True)
class GeometryBasis:
    """A small matrix whose product with coefficients measures faces instead of numbers.

    Attributes:
        matrix: (K, 52) float32. `||matrix @ (a - b)||` is the distance of two expressions in millimetres.
        region_weight: region to the factor its squared distances got.

    `plain()` is the root mean square over the moving vertices. It drowns the face in the jaw, which moves
    vertices ten times as far as a brow does. `balanced()` weighs the regions so that the channels that
    belong to a region count the same in every region, as they do to the eye; it still reads as millimetres,
    those of an average region.
    """

    matrix: Floats
    region_weight: dict[str, float]

    def distance_mm(self, expression_a: Floats, expression_b: Floats) -> Floats:
        """(T,) distances of two expressions (T, 52), in this basis' millimetres."""
        out: Floats = np.linalg.norm(_difference(expression_a, expression_b) @ self.matrix.T, axis=1)
        return out

    @staticmethod
    def plain() -> GeometryBasis:
        """Every moving vertex counts the same."""
        _, spans = _stacked()
        total = spans["face"][1]
        return _basis({name: (spans[name][1] - spans[name][0]) / total for name in FACE_REGIONS})

    @staticmethod
    def balanced() -> GeometryBasis:
        """Every region counts the same. Cached work; the result is the same every time."""
        return _balanced()


_OWN = {
    "brows": ("browDown", "browInnerUp", "browOuterUp"),
    "lids": ("eyeBlink", "eyeWide", "eyeSquint"),
    "gaze": ("eyeLook",),
    "nose": ("noseSneer",),
    "cheeks": ("cheekPuff", "cheekSquint"),
    "mouth": ("mouth",),
    "jaw": ("jawOpen", "jawForward", "jawLeft", "jawRight"),
    "tongue": ("tongueOut",),
}
"""Channels by which a region is judged to move much or little."""


@cache
def _balanced() -> GeometryBasis:
    columns, spans = _stacked()
    typical = {}
    for name, (first, last) in spans.items():
        if name == "face":
            continue
        own = [i for i, channel in enumerate(ARKIT) if channel.startswith(_OWN[name])]
        square = (columns[own, first * 3 : last * 3] ** 2).sum(1) / (last - first)
        typical[name] = float(square.mean())
    middle = float(np.exp(np.mean(np.log(list(typical.values())))))
    return _basis({name: middle / value / len(REGIONS) for name, value in typical.items()})


def _basis(weight: dict[str, float]) -> GeometryBasis:
    columns, spans = _stacked()
    gram = np.zeros((len(ARKIT), len(ARKIT)))
    for name, w in weight.items():
        first, last = spans[name]
        block = columns[:, first * 3 : last * 3].astype(np.float64)
        gram += w * (block @ block.T) / (last - first)
    values, vectors = np.linalg.eigh(gram)
    matrix = (np.sqrt(values.clip(0))[:, None] * vectors.T)[::-1]
    return GeometryBasis(np.ascontiguousarray(matrix, np.float32), dict(weight))


@cache
def head_mm_per_radian() -> float:
    """Millimetres the moving face moves for a radian of head rotation: mean over vertices and axes."""
    squares = load_asset().vertices[moving()].astype(np.float64) ** 2
    levers = [np.sqrt(squares.sum(1) - squares[:, axis]).mean() for axis in range(3)]
    return float(np.mean(levers) * 1e3)
