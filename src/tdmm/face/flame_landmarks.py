"""Where landmarks lie on FLAME: points on triangles, from the files that are published beside the model.

- `flame_static_embedding.pkl` (`lmk_face_idx` (51,), `lmk_b_coords` (51, 3)): brows, nose, eyes and mouth;
- `flame_dynamic_embedding.npy` (the same names, (79, 17) and (79, 17, 3)): the contour, a row for each degree of yaw;
- `landmark_embedding.npy` (`static_lmk_...` and `dynamic_lmk_...`): both of them in one file;
- `mediapipe_landmark_embedding.npz` (`lmk_face_idx`, `lmk_b_coords`, `landmark_indices`): 105 of MediaPipe's 478.

None is needed to move a head. A pickle among them is never run, see `tdmm.face.inert_pickle`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tdmm.errors import ArtifactProblem
from tdmm.face.inert_objects import to_array
from tdmm.face.named_arrays import listed, read_mapping

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

STATIC = 51
"""Landmarks that stay on their triangles: the 68 without the contour of the face."""
CONTOUR = 17
"""Landmarks of the contour, which slide as the head turns; the first of the 68."""
CONTOUR_ROWS = 79
"""Rows of the contour: 0 to 39 degrees toward the face's own right, then 1 to 39 toward its own left."""


@dataclass(frozen=True)
class Embedding:
    """Points on triangles: `triangles` (..., L) and the shares of their corners, `shares` (..., L, 3)."""

    triangles: Ints
    shares: Floats


@dataclass(frozen=True)
class FlameLandmarks:
    """Where landmarks lie; None where no file said.

    Attributes:
        static: (51,) points.
        contour: (79, 17) points, a row for each degree of yaw.
        mediapipe: points of MediaPipe's face mesh; `mediapipe_places` says which of its 478 they are.
    """

    static: Embedding | None = None
    contour: Embedding | None = None
    mediapipe: Embedding | None = None
    mediapipe_places: tuple[int, ...] = ()


def read_landmarks(paths: Sequence[Path], faces: int) -> FlameLandmarks:
    """Read one or several landmark files; what a later one says replaces what an earlier one said.

    Args:
        paths: any of the files named above.
        faces: how many triangles the model has.

    Raises:
        UnknownFormat: another extension.
        FileProblem: a file is missing or cannot be read.
        ArtifactProblem: it is damaged, asks for code, or is no landmark file of this model.
    """
    found = FlameLandmarks()
    for path in paths:
        found = _add(found, path, read_mapping(path), faces)
    return found


def _add(found: FlameLandmarks, path: Path, content: Mapping[str, Any], faces: int) -> FlameLandmarks:
    known = False
    for kind, prefix, suffix in (("static", "static_lmk_faces_idx", "static_lmk_bary_coords"),
                                 ("contour", "dynamic_lmk_faces_idx", "dynamic_lmk_bary_coords")):  # fmt: skip
        if prefix in content and suffix in content:
            embedding = _embedding(path, content, prefix, suffix, faces)
            found = _placed(found, path, kind, embedding)
            known = True
    if "lmk_face_idx" in content and "lmk_b_coords" in content:
        embedding = _embedding(path, content, "lmk_face_idx", "lmk_b_coords", faces)
        if "landmark_indices" in content:
            places = to_array(content["landmark_indices"], f"{path}: 'landmark_indices'")
            if places.shape != embedding.triangles.shape or places.ndim != 1:
                raise ArtifactProblem(f"{path}: 'landmark_indices' has shape {places.shape}, not one for each point.")
            return replace(found, mediapipe=embedding, mediapipe_places=tuple(int(place) for place in places))
        return _placed(found, path, "contour" if embedding.triangles.ndim == 2 else "static", embedding)
    if not known:
        raise ArtifactProblem(
            f"{path}: is no landmark file of FLAME (it holds {listed(content)}). Known: flame_static_embedding.pkl, "
            "flame_dynamic_embedding.npy, landmark_embedding.npy, mediapipe_landmark_embedding.npz."
        )
    return found


def _placed(found: FlameLandmarks, path: Path, kind: str, embedding: Embedding) -> FlameLandmarks:
    needed = (CONTOUR_ROWS, CONTOUR) if kind == "contour" else (STATIC,)
    if embedding.triangles.shape != needed:
        raise ArtifactProblem(
            f"{path}: the {kind} landmarks have shape {embedding.triangles.shape}; {needed} is needed."
        )
    return replace(found, static=embedding) if kind == "static" else replace(found, contour=embedding)


def _embedding(path: Path, content: Mapping[str, Any], triangles: str, shares: str, faces: int) -> Embedding:
    places = to_array(content[triangles], f"{path}: '{triangles}'")
    corners = to_array(content[shares], f"{path}: '{shares}'")
    if corners.shape != (*places.shape, 3):
        raise ArtifactProblem(f"{path}: '{shares}' has shape {corners.shape}; {(*places.shape, 3)} is needed.")
    if places.size == 0 or places.min() < 0 or places.max() >= faces:
        raise ArtifactProblem(
            f"{path}: '{triangles}' names triangles that the model does not have; it has {faces}. "
            "Give the landmark files of the same model."
        )
    if not np.isfinite(corners).all() or np.abs(corners.sum(-1) - 1).max() > 1e-2:
        raise ArtifactProblem(f"{path}: '{shares}' are not shares of three corners that sum to 1.")
    return Embedding(places.astype(np.int64), corners.astype(np.float32))
