"""A user's own FLAME file, read without running code: FLAME 2020, 2023 and 2023 Open, `.pkl` or `.npz`.

FLAME: Li, Bolkart, Black, Li, Romero, *Learning a model of facial shape and expression from 4D scans*
(SIGGRAPH Asia 2017). The files are the user's to download, each under its own licence; see docs/flame.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tdmm.errors import ArtifactProblem
from tdmm.face.inert_objects import to_array
from tdmm.face.named_arrays import listed, read_mapping

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

SHAPES = 300
"""Columns of `shapedirs` that are identity; they come first."""
EXPRESSIONS = 100
"""Columns of `shapedirs` that are expression; they come after the identity."""
JOINTS = ("root", "neck", "jaw", "left_eye", "right_eye")
"""FLAME's joints in the order of its files."""

_NAMES = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table", "f")
_BODIES = {16: "MANO, a hand", 24: "SMPL, a body", 52: "SMPL+H, a body", 55: "SMPL-X, a body"}


@dataclass(frozen=True)
class FlameFile:
    """The arrays of a FLAME file; read-only. V vertices (5,023 in the published files), F triangles, J = 5 joints.

    Attributes:
        template: (V, 3) metres, the average head. +X the face's own left, +Y up, +Z out of the face.
        shapedirs: (V, 3, 400) metres for one standard deviation; 300 of identity, then 100 of expression.
        posedirs: (V, 3, 36) metres, for each entry of R - I of the four joints after the root, row by row.
        joint_regressor: (5, V), joints from the vertices of the unposed head.
        weights: (V, 5) of the joints on each vertex; rows sum to 1.
        parents: (5,) parent of each joint; -1 for the root.
        faces: (F, 3), counter-clockwise from outside.
        version: what the file's name suggests (`2020`, `2023`, `2023 Open`); empty if nothing.
    """

    template: Floats
    shapedirs: Floats
    posedirs: Floats
    joint_regressor: Floats
    weights: Floats
    parents: tuple[int, ...]
    faces: Ints
    version: str = ""


def read_flame(path: Path) -> FlameFile:
    """Read a FLAME file; a pickle is never run, see `tdmm.face.inert_pickle`.

    Raises:
        UnknownFormat: neither `.pkl` nor `.npz`.
        FileProblem: the file is missing or cannot be read.
        ArtifactProblem: it is damaged, asks for code, lacks an array, is of a body, or an array has a wrong
            shape or content; the message names it.
    """
    content = read_mapping(path)
    _check_names(path, content)
    arrays = {name: to_array(content[name], f"{path}: '{name}'") for name in _NAMES}
    _check_shapes(path, arrays)
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ArtifactProblem(f"{path}: '{name}' holds a value that is not finite. Download the file again.")
    _check_content(path, arrays)
    return FlameFile(
        template=_floats(arrays["v_template"]),
        shapedirs=_floats(arrays["shapedirs"]),
        posedirs=_floats(arrays["posedirs"]),
        joint_regressor=_floats(arrays["J_regressor"]),
        weights=_floats(arrays["weights"]),
        parents=_parents(path, arrays["kintree_table"]),
        faces=_faces(arrays["f"]),
        version=_version(path),
    )


def _check_names(path: Path, content: Mapping[str, Any]) -> None:
    missing = [name for name in _NAMES if name not in content]
    if not missing:
        return
    raise ArtifactProblem(
        f"{path}: is not a FLAME model: it lacks {', '.join(missing)} (it holds {listed(content)}). "
        "Give generic_model.pkl of FLAME 2020, the .pkl of FLAME 2023 or 2023 Open, or an .npz of the same arrays."
    )


def _check_shapes(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    kintree = arrays["kintree_table"].shape
    joints = kintree[-1] if kintree else 0
    if joints in _BODIES:
        raise ArtifactProblem(f"{path}: has {joints} joints: it is {_BODIES[joints]}. A FLAME head is needed here.")
    vertices = len(arrays["v_template"]) if arrays["v_template"].ndim else 0
    count = len(JOINTS)
    for name, shape in {
        "kintree_table": (2, count),
        "v_template": (vertices, 3),
        "shapedirs": (vertices, 3, SHAPES + EXPRESSIONS),
        "posedirs": (vertices, 3, 9 * (count - 1)),
        "J_regressor": (count, vertices),
        "weights": (vertices, count),
        "f": (len(arrays["f"]) if arrays["f"].ndim else 0, 3),
    }.items():
        if arrays[name].shape != shape or 0 in shape:
            raise ArtifactProblem(
                f"{path}: '{name}' has shape {arrays[name].shape}; a FLAME head of {vertices} vertices has {shape}. "
                "Give a FLAME file with all its components, as it was downloaded."
            )


def _check_content(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    faces, vertices = arrays["f"], len(arrays["v_template"])
    if faces.min() < 0 or faces.max() >= vertices or (faces != np.round(faces)).any():
        raise ArtifactProblem(f"{path}: 'f' names vertices that are not there; {vertices} are. Download it again.")
    sums = arrays["weights"].sum(1)
    if np.abs(sums - 1).max() > 1e-3:
        raise ArtifactProblem(
            f"{path}: 'weights' of vertex {int(np.abs(sums - 1).argmax())} do not sum to 1. Download the file again."
        )


def _parents(path: Path, kintree: npt.NDArray[Any]) -> tuple[int, ...]:
    """The first row holds parents; that of the root is a very large number, -1 written without a sign."""
    parents = (-1, *(int(parent) for parent in kintree[0, 1:]))
    if any(not 0 <= parent < joint for joint, parent in enumerate(parents) if joint):
        raise ArtifactProblem(f"{path}: 'kintree_table' is no tree of joints ({parents}). Download the file again.")
    return parents


def _version(path: Path) -> str:
    name = path.stem.lower()
    if "2023" in name:
        return "2023 Open" if "open" in name else "2023"
    return "2020" if "2020" in name or name == "generic_model" else ""


def _floats(array: npt.NDArray[Any]) -> Floats:
    floats: Floats = np.array(array, np.float32, order="C")
    floats.flags.writeable = False
    return floats


def _faces(array: npt.NDArray[Any]) -> Ints:
    faces: Ints = np.array(array, np.int32, order="C")
    faces.flags.writeable = False
    return faces
