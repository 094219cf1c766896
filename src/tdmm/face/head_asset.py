"""The built-in head as stored: arrays of `assets/head.safetensors`, names of `assets/head.json`.

Built by `tools/build_head.py`; CC0. Metres, +X the face's own left, +Y up, +Z out of the face; the
origin is the head joint, for every identity.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from tdmm.errors import ArtifactProblem
from tdmm.face.channels import ARKIT

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Material:
    """What a triangle is made of: a name and an sRGB colour, 0 to 1."""

    name: str
    srgb: tuple[float, float, float]


@dataclass(frozen=True)
class HeadAsset:
    """Arrays of the built-in head; read-only. V vertices, F triangles, I identity components.

    Attributes:
        vertices: (V, 3) metres, the average adult, neutral.
        faces: (F, 3), counter-clockwise from outside.
        face_material: (F,) place in `materials`.
        materials: names and colours.
        tint: (V, 3) sRGB factors on the material's colour, 0 to 1 (lips, ears).
        region: (V,) place in `region_names`; 0 is "none".
        region_names: none, brows, lids, gaze, nose, cheeks, mouth, jaw, tongue.
        joint_weights: (V, 3) of root, neck and head; rows sum to 1.
        neck_joint: (3,) metres. neck_joint_identity: (I, 3) metres a unit.
        identity: (I, V, 3) metres for one standard deviation of each component.
        expression: (52, V, 3) metres for 1.0 of each of `channels.ARKIT`.
        parts: part (skin, eye-l, brow-l, helper-tongue ...) to its first vertex and one past its last.
        landmark_faces: (478,) triangle of each MediaPipe landmark. landmark_weights: (478, 3) barycentric.
        provenance: where it came from.
    """

    vertices: Floats
    faces: Ints
    face_material: npt.NDArray[np.uint8]
    materials: tuple[Material, ...]
    tint: Floats
    region: npt.NDArray[np.uint8]
    region_names: tuple[str, ...]
    joint_weights: Floats
    neck_joint: Floats
    neck_joint_identity: Floats
    identity: Floats
    expression: Floats
    parts: Mapping[str, tuple[int, int]]
    landmark_faces: Ints
    landmark_weights: Floats
    provenance: Mapping[str, object]

    def part_mask(self, *prefixes: str) -> npt.NDArray[np.bool_]:
        """(V,) vertices of the parts whose names start so ("eye", "helper-tongue")."""
        mask = np.zeros(len(self.vertices), bool)
        for name, (start, stop) in self.parts.items():
            if name.startswith(prefixes):
                mask[start:stop] = True
        return mask


@cache
def load_asset() -> HeadAsset:
    """The built-in head, read once a process.

    Raises:
        ArtifactProblem: the file in the package is missing or was built for other channels.
    """
    from safetensors.numpy import load

    folder = resources.files("tdmm.face") / "assets"
    try:
        arrays = load((folder / "head.safetensors").read_bytes())
        described = json.loads((folder / "head.json").read_text())
    except FileNotFoundError as error:
        raise ArtifactProblem(f"The built-in head is missing ({error}). Reinstall tdmm.") from error
    if tuple(described["channels"]) != ARKIT:
        raise ArtifactProblem("The built-in head has other channels. Run tools/build_head.py again.")
    count = len(arrays["vertices"])
    expression = np.zeros((len(ARKIT), count, 3), np.float32)
    expression[arrays["expression_channel"], arrays["expression_vertex"]] = arrays["expression_mm"]
    weights = arrays["joint_weights"].astype(np.float32)
    ready = {
        "vertices": arrays["vertices"],
        "faces": arrays["faces"].astype(np.int32),
        "face_material": arrays["face_material"],
        "tint": arrays["tint"].astype(np.float32) / 255,
        "region": arrays["region"],
        "joint_weights": weights / weights.sum(1, keepdims=True),
        "neck_joint": arrays["neck_joint"],
        "neck_joint_identity": arrays["neck_joint_identity_mm"].astype(np.float32) * 1e-3,
        "identity": arrays["identity_mm"].astype(np.float32) * 1e-3,
        "expression": expression * np.float32(1e-3),
        "landmark_faces": arrays.get("landmark_face", np.zeros(0, np.uint16)).astype(np.int32),
        "landmark_weights": arrays.get("landmark_weights", np.zeros((0, 3))).astype(np.float32),
    }
    for array in ready.values():
        array.flags.writeable = False
    return HeadAsset(
        materials=tuple(Material(m["name"], tuple(m["srgb"])) for m in described["materials"]),
        region_names=tuple(described["regions"]),
        parts={name: (start, stop) for name, (start, stop) in described["parts"].items()},
        provenance=described["provenance"],
        **ready,
    )
