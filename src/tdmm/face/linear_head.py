"""Any head of linear blendshapes, from a folder: one `.obj`, the displacements in `.npz`, and what names mean.

    FOLDER/anything.obj      the neutral head; its materials say what is an eye, what is a tooth
    FOLDER/anything.npz      `names` (E,) text and `deltas` (E, V, 3) in the unit of the `.obj`: expressions
    FOLDER/identity*.npz     the same for identity, by one standard deviation; optional. Known by its names, which begin
                             with `identity`
    FOLDER/vertex_indices.json   optional; `idx_to_landmark_verts`, the vertices of the usual 68 landmarks
    FOLDER/rig.json          optional; `name`, `metres_per_unit`, `channels` (own name to ARKit's name)

This is how the ICT FaceKit's light release is laid out. Its axes must be ours: +X the face's own left, +Y up,
+Z out of the face.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from tdmm.errors import ArtifactProblem, FileProblem, InvalidInput
from tdmm.face.channels import ARKIT
from tdmm.face.model import FaceParameters, Moving, count_rows
from tdmm.face.skinning import euler_to_matrix
from tdmm.face.wavefront import read_obj

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

_UNITS = {1.0: "metres", 0.01: "centimetres", 0.001: "millimetres"}
_HEIGHT = (0.15, 0.7)
"""Metres that a head, or a head with its shoulders, is high; decides the unit of a file that does not say."""


@dataclass(frozen=True)
class LinearFile:
    """The arrays of a head of linear blendshapes; read-only. V vertices, F triangles, E channels, I of identity.

    Attributes:
        name: what motions of this rig call it.
        vertices: (V, 3) metres, neutral.
        faces: (F, 3), counter-clockwise from outside.
        materials: F names, one a triangle; empty text where the file names none.
        channels: E names, the file's own.
        expression: (E, V, 3) metres for 1.0 of each channel.
        identity: (I, V, 3) metres for one standard deviation.
        landmarks: (68,) vertices of the usual 68 landmarks, or none.
        meaning: own channel to ARKit's; channels that mean nothing there are left out.
        metres_per_unit: by which the file was scaled.
    """

    name: str
    vertices: Floats
    faces: Ints
    materials: tuple[str, ...]
    channels: tuple[str, ...]
    expression: Floats
    identity: Floats
    landmarks: Ints
    meaning: Mapping[str, str] = field(default_factory=dict)
    metres_per_unit: float = 1.0


def read_linear(folder: Path) -> LinearFile:
    """Read a folder as described above.

    Raises:
        FileProblem: the folder or a file in it is missing or cannot be read.
        ArtifactProblem: a file is damaged, arrays disagree, or the unit cannot be told; the message says what to do.
    """
    if not folder.is_dir():
        raise FileProblem(f"{folder}: there is no such folder. Give one with an .obj and the .npz of its shapes.")
    told = _json(folder / "rig.json")
    mesh = read_obj(_only(folder, "*.obj"))
    count = len(mesh.vertices)
    names, deltas, identity = _shapes(folder, count)
    scale = _scale(folder, mesh.vertices, told)
    meaning = {name: arkit for name in names if (arkit := _arkit(name)) in ARKIT}
    given = told.get("channels", {})
    if not isinstance(given, dict) or not set(given) <= set(names) or not set(given.values()) <= set(ARKIT):
        raise ArtifactProblem(f"{folder / 'rig.json'}: 'channels' must map names of the .npz to ARKit's names.")
    name = str(told.get("name", folder.resolve().name))
    if name in ("arkit", "flame"):
        raise ArtifactProblem(f"{folder}: '{name}' is the name of another rig. Name this one in rig.json.")
    return LinearFile(
        name=name,
        vertices=_frozen(mesh.vertices * scale),
        faces=mesh.faces,
        materials=mesh.materials,
        channels=names,
        expression=_frozen(deltas * np.float32(scale)),
        identity=_frozen(identity * np.float32(scale)),
        landmarks=_landmarks(folder / "vertex_indices.json", count),
        meaning={**meaning, **given},
        metres_per_unit=scale,
    )


class LinearHead(nn.Module):
    """Turns identity, expression and pose into vertices of a head of linear blendshapes, in metres.

    A FaceModel, except that `landmarks` refuses: nothing places MediaPipe's 478. It has no joints: `head`, and
    `neck` below it, turn everything about the origin of the file.
    """

    template: Tensor
    expression_basis: Tensor
    identity_basis: Tensor

    def __init__(self, file: LinearFile) -> None:
        super().__init__()
        self.file = file
        for name, array in {
            "template": file.vertices,
            "expression_basis": file.expression.reshape(-1, file.vertices.size),
            "identity_basis": file.identity.reshape(-1, file.vertices.size),
        }.items():
            self.register_buffer(name, torch.tensor(array), persistent=False)

    @property
    def name(self) -> str:
        """The name of the folder, or what its `rig.json` says."""
        return self.file.name

    @property
    def channels(self) -> tuple[str, ...]:
        """The file's own names."""
        return self.file.channels

    @property
    def identity_size(self) -> int:
        """I, 0 where there is no identity."""
        return len(self.file.identity)

    @property
    def faces(self) -> Ints:
        """(F, 3) triangles, counter-clockwise from outside."""
        return self.file.faces

    def pose(self, parameters: FaceParameters) -> Tensor:
        """Vertices (N, V, 3) in metres; differentiable in every parameter.

        Raises:
            InvalidInput: a field has the wrong size; the message names it.
        """
        p = parameters
        count = count_rows(
            {
                "identity": (p.identity, (self.identity_size,)),
                "expression": (p.expression, (len(self.channels),)),
                "head": (p.head, (3,)),
                "neck": (p.neck, (3,)),
                "translation": (p.translation, (3,)),
            }
        )
        shape = self.template.shape
        vertices = self.template + (p.expression @ self.expression_basis).view(-1, *shape)
        if p.identity is not None:
            vertices = vertices + (p.identity @ self.identity_basis).view(-1, *shape)
        for angles in (p.head, p.neck):
            if angles is not None:
                vertices = vertices @ euler_to_matrix(angles).mT
        if p.translation is not None:
            vertices = vertices + p.translation[:, None]
        return vertices.expand(count, -1, -1)

    def animate(self, motion: Moving) -> Tensor:
        """Vertices (T, V, 3) of every frame of a motion.

        Raises:
            InvalidInput: the motion is on another rig, lacks a channel, or has another identity size.
        """
        if motion.rig != self.name:
            raise InvalidInput(f"This motion is on the '{motion.rig}' rig; this head plays '{self.name}' motions.")

        def ready(values: object) -> Tensor:
            return torch.as_tensor(np.array(values)).to(self.template)

        return self.pose(
            FaceParameters(
                expression=ready(motion.in_order(self.channels)),
                identity=None if motion.identity is None else ready(motion.identity)[None],
                head=ready(motion.head),
                translation=ready(motion.translation_or_zeros()),
            )
        )

    def landmarks(self, vertices: Tensor) -> Tensor:
        """Refuses: nothing places all of MediaPipe's 478 landmarks on this head.

        Raises:
            InvalidInput: always; the message names what there is instead.
        """
        raise InvalidInput(
            f"MediaPipe's 478 landmarks have no places on the head '{self.name}' (of {vertices.shape[-2]} vertices). "
            "Convert its motion to the built-in head (docs/retargeting.md), which has them."
        )


def _arkit(name: str) -> str:
    """ARKit's spelling of a name: `mouthSmile_L` is `mouthSmileLeft`, `browInnerUp_L` a half of `browInnerUp`."""
    for ending, side in (("_L", "Left"), ("_R", "Right")):
        if name.endswith(ending):
            whole = name.removesuffix(ending)
            return whole if whole in ARKIT else whole + side
    return name


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        listed = ", ".join(path.name for path in found) or "none"
        raise FileProblem(f"{folder}: one file {pattern} is needed, and there is {listed}.")
    return found[0]


def _shapes(folder: Path, count: int) -> tuple[tuple[str, ...], Floats, Floats]:
    """Names and displacements (E, V, 3) of the expressions, and displacements (I, V, 3) of the identity."""
    expressions: list[tuple[tuple[str, ...], Floats]] = []
    identity = np.zeros((0, count, 3), np.float32)
    for path in sorted(folder.glob("*.npz")):
        names, deltas = _npz(path)
        if deltas.shape != (len(names), count, 3) or not np.isfinite(deltas).all():
            raise ArtifactProblem(
                f"{path}: 'deltas' has shape {deltas.shape}; finite numbers ({len(names)}, {count}, 3) are needed, "
                "for the names in it and the vertices of the .obj."
            )
        if names and all(name.startswith("identity") for name in names):
            identity = deltas
        else:
            expressions.append((names, deltas))
    if len(expressions) != 1 or len(set(expressions[0][0])) != len(expressions[0][0]):
        raise ArtifactProblem(
            f"{folder}: {len(expressions)} files of expressions; one .npz with 'names' (each once) and 'deltas' is "
            "needed. Names of identity begin with 'identity'."
        )
    return *expressions[0], identity


def _npz(path: Path) -> tuple[tuple[str, ...], Floats]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names, deltas = arrays["names"], arrays["deltas"].astype(np.float32)
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ArtifactProblem(f"{path}: 'names' and 'deltas' cannot be read from it ({error}).") from error
    return tuple(str(name) for name in np.atleast_1d(names)), deltas


def _scale(folder: Path, vertices: npt.NDArray[np.float64], told: Mapping[str, Any]) -> float:
    if "metres_per_unit" in told:
        given = told["metres_per_unit"]
        if not isinstance(given, int | float) or not 0 < given < 1e3:
            raise ArtifactProblem(f"{folder / 'rig.json'}: 'metres_per_unit' is {given!r}; give a positive number.")
        return float(given)
    height = float(np.ptp(vertices[:, 1]))
    fitting = [unit for unit in _UNITS if _HEIGHT[0] <= height * unit <= _HEIGHT[1]]
    if len(fitting) != 1:
        raise ArtifactProblem(
            f"{folder}: the head is {height:g} units high, which is no head in {', '.join(_UNITS.values())}. "
            'Write its unit into rig.json: {"metres_per_unit": 0.01}.'
        )
    return fitting[0]


def _landmarks(path: Path, count: int) -> Ints:
    places = _json(path).get("idx_to_landmark_verts", [])
    found = np.asarray(places)
    if found.size == 0:
        return np.zeros(0, np.int32)
    if found.shape != (68,) or found.dtype.kind not in "iu" or found.min() < 0 or found.max() >= count:
        raise ArtifactProblem(f"{path}: 'idx_to_landmark_verts' must be the 68 vertices of the usual landmarks.")
    return found.astype(np.int32)


def _json(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactProblem(f"{path}: is not JSON ({error}).") from error
    if not isinstance(content, dict):
        raise ArtifactProblem(f"{path}: must be a JSON object.")
    return content


def _frozen(array: npt.NDArray[Any]) -> Floats:
    floats: Floats = np.array(array, np.float32, order="C")
    floats.flags.writeable = False
    return floats
