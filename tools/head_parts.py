"""The parts of the built-in head that MakeHuman lacks or has too coarse: eyeballs, brows, colours, regions.

Every new vertex is a fixed linear combination of old ones, so all displacements (expression and
identity) pass through the same combination and the parts follow the skin exactly.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Polar angles of the rings of an eyeball, from the pupil outwards. MakeHuman's eyeball has a radius of
# 15 mm (a real one 12 mm), so iris and pupil are sized to look right between these lids.
PUPIL, IRIS, LIMBUS = np.deg2rad([10.0, 24.0, 27.0])
RINGS = np.array([PUPIL, 0.5 * (PUPIL + IRIS), IRIS, LIMBUS, *np.deg2rad([38, 52, 68, 86, 106])])
RING_MATERIALS = ("iris", "iris", "limbus", *["sclera"] * 5)  # between one ring and the next
SEGMENTS = 32

# The brow in the frontal plane, left side: millimetres from the eyeball's centre, from the nose outwards.
BROW_LINE = np.array([[-16.0, 19.0], [-9.0, 21.3], [0.0, 23.4], [9.0, 24.2], [17.0, 21.8], [23.5, 17.0]])
BROW_WIDTH = np.array([5.0, 6.4, 6.0, 4.9, 3.4, 1.2])
BROW_COLUMNS, BROW_ROWS, BROW_HEIGHT = 25, 5, 0.0011


def eyeball(centre: Array, radius: float) -> tuple[Array, Ints, list[str]]:
    """Vertices, triangles and material of every triangle of one eyeball looking along +Z."""
    around = np.arange(SEGMENTS) * 2 * np.pi / SEGMENTS
    points = [np.array([[0.0, 0.0, 1.0]])]
    for polar in RINGS:
        flat = np.sin(polar) * np.stack([np.cos(around), np.sin(around)], 1)
        points.append(np.c_[flat, np.full(SEGMENTS, np.cos(polar))])
    faces, materials = [], []
    for k in range(SEGMENTS):
        n = (k + 1) % SEGMENTS
        faces.append([0, 1 + k, 1 + n])
        materials.append("pupil")
    for ring in range(len(RINGS) - 1):
        inner, outer = 1 + ring * SEGMENTS, 1 + (ring + 1) * SEGMENTS
        material = RING_MATERIALS[ring]
        for k in range(SEGMENTS):
            n = (k + 1) % SEGMENTS
            faces += [[inner + k, outer + k, outer + n], [inner + k, outer + n, inner + n]]
            materials += [material, material]
    return centre + radius * np.concatenate(points), np.array(faces), materials


def fit_sphere(points: Array) -> tuple[Array, float]:
    """Centre and radius of the sphere through `points`, least squares."""
    solution = np.linalg.lstsq(np.c_[2 * points, np.ones(len(points))], (points**2).sum(1), rcond=None)[0]
    return solution[:3], float(np.sqrt(solution[3] + (solution[:3] ** 2).sum()))


def affine_operator(new: Array, old: Array) -> Array:
    """(N, M) matrix that moves `new` points by the affine map that best explains how `old` moved."""
    return np.c_[new, np.ones(len(new))] @ np.linalg.pinv(np.c_[old, np.ones(len(old))])


def nearest_operator(points: Array, vertices: Array, width: int, place: Ints) -> Array:
    """(N, width) matrix giving each point's foot on a surface: its four nearest vertices, near ones more."""
    distance = np.linalg.norm(vertices[None] - points[:, None], axis=2)
    near = distance.argsort(1)[:, :4]
    weight = 1 / (np.take_along_axis(distance, near, 1) + 2e-4) ** 2
    operator = np.zeros((len(points), width))
    np.put_along_axis(operator, place[near], weight / weight.sum(1, keepdims=True), 1)
    return operator


def brow(eye: Array, side: int, vertices: Array, triangles: Ints) -> tuple[Array, Array, Ints]:
    """One eyebrow as a strip on the skin.

    Args:
        eye: centre of the eyeball. side: +1 left, -1 right.
        vertices, triangles: the skin.

    Returns:
        Operator (N, V) onto the skin's vertices, offset (N, 3) above it in metres, triangles (F, 3).
    """
    t = np.linspace(0, 1, BROW_COLUMNS)
    knots = np.linspace(0, 1, len(BROW_LINE))
    line = np.stack([_smooth(t, knots, BROW_LINE[:, 0]), _smooth(t, knots, BROW_LINE[:, 1])], 1)
    width = np.maximum(_smooth(t, knots, BROW_WIDTH), 0.6)
    tangent = np.gradient(line, axis=0)
    across = np.stack([-tangent[:, 1], tangent[:, 0]], 1) / np.linalg.norm(tangent, axis=1, keepdims=True)
    rows = np.linspace(-0.5, 0.5, BROW_ROWS)
    plane = line[:, None] + rows[None, :, None] * width[:, None, None] * across[:, None]
    points = eye[:2] + plane.reshape(-1, 2) * np.array([side, 1.0]) * 1e-3
    operator, normals = _project(points, vertices, triangles)
    rim = 1 - np.abs(np.tile(rows, BROW_COLUMNS)) * 2  # 0 on the long edges, which lie on the skin
    ends = np.repeat(np.minimum(np.minimum(t, 1 - t) * 8, 1.0), BROW_ROWS)
    offset = normals * (BROW_HEIGHT * (0.35 + 0.65 * np.minimum(np.sqrt(rim), ends)))[:, None]
    faces = []
    for c in range(BROW_COLUMNS - 1):
        for r in range(BROW_ROWS - 1):
            a, b = c * BROW_ROWS + r, (c + 1) * BROW_ROWS + r
            faces += [[a, b, b + 1], [a, b + 1, a + 1]]
    triangles_out = np.array(faces)
    return operator, offset, triangles_out if side > 0 else triangles_out[:, ::-1]


def _smooth(t: Array, knots: Array, values: Array) -> Array:
    from scipy.interpolate import CubicSpline

    return np.asarray(CubicSpline(knots, values)(t))


def _project(points: Array, vertices: Array, triangles: Ints) -> tuple[Array, Array]:
    corners = vertices[triangles]
    operator, normals = np.zeros((len(points), len(vertices))), np.zeros((len(points), 3))
    face_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    vertex_normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(vertex_normals, triangles[:, k], face_normals)
    a, b, c = corners[:, 0, :2], corners[:, 1, :2], corners[:, 2, :2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    for row, p in enumerate(points):
        wb = ((p[0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (p[1] - a[:, 1]) * (c[:, 0] - a[:, 0])) / area
        wc = ((b[:, 0] - a[:, 0]) * (p[1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (p[0] - a[:, 0])) / area
        weights = np.stack([1 - wb - wc, wb, wc], 1)
        inside = np.flatnonzero((weights >= -1e-9).all(1) & (area > 0))
        depth = (weights[inside] * corners[inside, :, 2]).sum(1)
        face = inside[np.argmax(depth)]
        operator[row, triangles[face]] = weights[face]
        normals[row] = weights[face] @ vertex_normals[triangles[face]]
    return operator, normals / np.linalg.norm(normals, axis=1, keepdims=True)


def smooth_over_mesh(values: Array, edges: Ints, passes: int) -> Array:
    """Average every vertex with its neighbours, `passes` times."""
    out = values.copy()
    degree = np.bincount(edges.ravel(), minlength=len(values)).clip(1)
    for _ in range(passes):
        total = np.zeros_like(out)
        np.add.at(total, edges[:, 0], out[edges[:, 1]])
        np.add.at(total, edges[:, 1], out[edges[:, 0]])
        out = 0.5 * out + 0.5 * (total.T / degree).T
    return out
