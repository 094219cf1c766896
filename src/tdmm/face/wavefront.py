"""Wavefront `.obj`: vertices, faces and the names of materials. Nothing else of the format is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tdmm.errors import ArtifactProblem
from tdmm.files import require_readable


@dataclass(frozen=True)
class Mesh:
    """(V, 3) vertices in the unit of the file, (F, 3) triangles, and the material of each triangle ('' for none)."""

    vertices: npt.NDArray[np.float64]
    faces: npt.NDArray[np.int32]
    materials: tuple[str, ...]


def read_obj(path: Path) -> Mesh:
    """Read a mesh; polygons are cut into triangles that share their first corner.

    Raises:
        FileProblem: the file is missing or cannot be read.
        ArtifactProblem: a line makes no sense, or a face names a vertex that is not there.
    """
    require_readable(path)
    vertices: list[tuple[float, float, float]] = []
    faces: list[tuple[int, int, int]] = []
    materials: list[str] = []
    material = ""
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        word, *rest = line.split() or [""]
        try:
            if word == "v":
                x, y, z = rest[:3]
                vertices.append((float(x), float(y), float(z)))
            elif word == "usemtl":
                material = " ".join(rest)
            elif word == "f":
                corners = [_place(corner, len(vertices)) for corner in rest]
                first, second, *_ = corners
                for third in corners[2:]:
                    faces.append((first, second, third))
                    materials.append(material)
                    second = third
        except ValueError as error:
            raise ArtifactProblem(f"{path}: line {number} makes no sense ({error}). Export the .obj again.") from error
    if not vertices or not faces:
        raise ArtifactProblem(f"{path}: holds no mesh ({len(vertices)} vertices, {len(faces)} faces).")
    points, triangles = np.array(vertices), np.array(faces, np.int32)
    if triangles.min() < 0 or triangles.max() >= len(points) or not np.isfinite(points).all():
        raise ArtifactProblem(f"{path}: a face names a vertex that is not there, or a vertex is not finite.")
    return Mesh(points, triangles, tuple(materials))


def _place(corner: str, vertices: int) -> int:
    """Places are counted from 1, or backwards from the last vertex so far."""
    place = int(corner.split("/")[0])
    if place == 0:
        raise ValueError("places are counted from 1")
    return place - 1 if place > 0 else vertices + place
