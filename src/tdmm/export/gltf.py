"""A moving head as one `.glb`: for Blender, Unity, Godot, three.js and every glTF viewer.

Inside: a mesh in one primitive per material, ARKit's 52 shapes as sparse morph targets named in
`extras.targetNames`, and one animation with three tracks: the weights, the head joint's rotation and
the root's translation. The neck bends with the head through skin weights, so nothing tears. Identity is in
the base mesh. Metres, +Y up, +Z out of the face, as glTF wants it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import tdmm
from tdmm.errors import InvalidMotion
from tdmm.export.formats import ExportOptions
from tdmm.export.glb import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER, Glb
from tdmm.face.channels import ARKIT
from tdmm.face.head_asset import HeadAsset, load_asset
from tdmm.face.render import vertex_normals
from tdmm.files import written_aside
from tdmm.motion.clip import FaceMotion
from tdmm.motion.rotation import to_quaternions

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

_ROUGHNESS = {
    "skin": 0.55, "sclera": 0.15, "limbus": 0.1, "iris": 0.1, "pupil": 0.05,
    "teeth": 0.2, "tongue": 0.35, "mouth": 0.4, "lashes": 0.8, "brows": 0.85, "hair": 0.75,
}  # fmt: skip
_THIN = {"lashes", "brows"}
"""Materials of sheets without thickness, seen from both sides."""

_NORMAL_STEP = 0.02
"""Turns of a normal below this (about a degree) are not stored: they cannot be seen."""

_MESH, _ROOT, _NECK, _HEAD = range(4)
"""Node numbers."""


@dataclass(frozen=True)
class _Rest:
    """The head at rest in its identity: (V, 3) vertices and normals, the neck joint, 52 targets of each."""

    vertices: Floats
    normals: Floats
    neck: Floats
    shapes: Floats
    turns: Floats


def write_glb(motion: FaceMotion, path: Path, _: ExportOptions) -> None:
    """Write the built-in head doing `motion`.

    Raises:
        InvalidMotion: another rig, a missing ARKit channel, or an identity of another length.
        FileProblem: the folder cannot be written, or the disk is full; nothing is left behind.
    """
    content = to_glb(motion)
    with written_aside(path) as temporary:
        temporary.write_bytes(content)


def to_glb(motion: FaceMotion) -> bytes:
    """The bytes of the `.glb`.

    Raises:
        InvalidMotion: as `write_glb`.
    """
    if motion.rig != "arkit":
        raise InvalidMotion(f"A .glb shows the arkit rig, not '{motion.rig}'. Retarget the motion first.")
    weights = motion.in_order(ARKIT)
    asset = load_asset()
    rest = _rest(asset, motion.identity)
    glb = Glb()
    used = [number for number in range(len(asset.materials)) if (asset.face_material == number).any()]
    document: dict[str, Any] = {
        "asset": {
            "version": "2.0",
            "generator": f"tdmm {tdmm.__version__}",
            "extras": {"text": motion.text, "fps": motion.fps, "frames": motion.frames},
        },
        "scene": 0,
        "scenes": [{"name": "face", "nodes": [_MESH, _ROOT]}],
        "nodes": _nodes(rest),
        "skins": [_skin(glb, rest)],
        "meshes": [
            {
                "name": "head",
                "primitives": [_primitive(glb, asset, rest, number, used.index(number)) for number in used],
                "weights": [0.0] * len(ARKIT),
                "extras": {"targetNames": list(ARKIT)},
            }
        ],
        "materials": [_material(asset, number) for number in used],
        "animations": [_animation(glb, motion, weights)],
    }
    return glb.to_bytes(document)


def _rest(asset: HeadAsset, identity: Floats | None) -> _Rest:
    coefficients = np.zeros(len(asset.identity), np.float32) if identity is None else identity
    if coefficients.shape != (len(asset.identity),):
        raise InvalidMotion(f"The head has {len(asset.identity)} identity components, not {coefficients.shape}.")
    vertices = asset.vertices + np.einsum("i,ivc->vc", coefficients, asset.identity)
    normals = vertex_normals(vertices, asset.faces)
    turns = np.zeros_like(asset.expression)
    for target, shape in zip(turns, asset.expression, strict=True):
        turned = vertex_normals(vertices + shape, asset.faces) - normals
        seen = np.abs(turned).max(axis=1) > _NORMAL_STEP
        target[seen] = turned[seen]
    neck = asset.neck_joint + coefficients @ asset.neck_joint_identity
    return _Rest(vertices, normals, neck.astype(np.float32), asset.expression, turns)


def _nodes(rest: _Rest) -> list[dict[str, Any]]:
    neck = [float(value) for value in rest.neck]
    return [
        {"name": "face", "mesh": 0, "skin": 0},
        {"name": "root", "children": [_NECK]},
        {"name": "neck", "children": [_HEAD], "translation": neck},
        # The head joint is the origin of the built-in head.
        {"name": "head", "translation": [-value for value in neck]},
    ]


def _skin(glb: Glb, rest: _Rest) -> dict[str, Any]:
    inverse = np.tile(np.eye(4, dtype=np.float32), (3, 1, 1))
    inverse[1, :3, 3] = -rest.neck
    matrices = inverse.transpose(0, 2, 1).reshape(3, 16)  # glTF stores columns
    return {"name": "neck", "joints": [_ROOT, _NECK, _HEAD], "inverseBindMatrices": glb.add(matrices, "MAT4")}


def _primitive(glb: Glb, asset: HeadAsset, rest: _Rest, material: int, place: int) -> dict[str, Any]:
    """The triangles of one material with the vertices they need, renumbered."""
    corners = asset.faces[asset.face_material == material]
    kept, renumbered = np.unique(corners, return_inverse=True)
    joints = np.tile(np.arange(4, dtype=np.uint8), (len(kept), 1))
    weights = np.zeros((len(kept), 4), np.float32)
    weights[:, :3] = asset.joint_weights[kept]
    joints[weights == 0] = 0  # an unused joint must be joint 0
    attributes = {
        "POSITION": glb.add(rest.vertices[kept], "VEC3", target=ARRAY_BUFFER, bounds=True),
        "NORMAL": glb.add(rest.normals[kept], "VEC3", target=ARRAY_BUFFER),
        "JOINTS_0": glb.add(joints, "VEC4", target=ARRAY_BUFFER),
        "WEIGHTS_0": glb.add(weights, "VEC4", target=ARRAY_BUFFER),
    }
    tint = asset.tint[kept]
    if (tint < 1).any():
        attributes["COLOR_0"] = glb.add(_linear_bytes(tint), "COLOR", target=ARRAY_BUFFER)
    targets = [
        {
            "POSITION": glb.add_sparse(shape[kept], "VEC3", bounds=True),
            "NORMAL": glb.add_sparse(turn[kept], "VEC3"),
        }
        for shape, turn in zip(rest.shapes, rest.turns, strict=True)
    ]
    index = renumbered.reshape(-1).astype(np.uint16)
    indices = glb.add(index, "SCALAR", target=ELEMENT_ARRAY_BUFFER)
    return {"attributes": attributes, "indices": indices, "material": place, "targets": targets}


def _material(asset: HeadAsset, number: int) -> dict[str, Any]:
    material = asset.materials[number]
    content: dict[str, Any] = {
        "name": material.name,
        "pbrMetallicRoughness": {
            "baseColorFactor": [round(float(value), 5) for value in (*_linear(np.array(material.srgb)), 1.0)],
            "metallicFactor": 0.0,
            "roughnessFactor": _ROUGHNESS.get(material.name, 0.6),
        },
    }
    if material.name in _THIN:
        content["doubleSided"] = True
    return content


def _animation(glb: Glb, motion: FaceMotion, weights: Floats) -> dict[str, Any]:
    times = (np.arange(motion.frames) / motion.fps).astype(np.float32)
    clock = glb.add(times, "SCALAR", bounds=True)
    tracks = [
        (_MESH, "weights", glb.add(weights.reshape(-1), "SCALAR")),
        (_HEAD, "rotation", glb.add(to_quaternions(motion.head).astype(np.float32), "VEC4")),
        # Translation moves everything, as it does in `tdmm.face.arkit`.
        (_ROOT, "translation", glb.add(motion.translation_or_zeros(), "VEC3")),
    ]
    return {
        "name": motion.text[:60] or "motion",
        "samplers": [{"input": clock, "output": output, "interpolation": "LINEAR"} for _, _, output in tracks],
        "channels": [
            {"sampler": sampler, "target": {"node": node, "path": path}}
            for sampler, (node, path, _) in enumerate(tracks)
        ],
        "extras": {"text": motion.text, "fps": motion.fps},
    }


def _linear(srgb: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """SRGB, 0 to 1, to linear light (IEC 61966-2-1)."""
    value: npt.NDArray[np.float64] = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return value


def _linear_bytes(tint: Floats) -> npt.NDArray[np.uint8]:
    alpha = np.ones((len(tint), 1))
    return (np.concatenate([_linear(tint), alpha], axis=1) * 255).round().astype(np.uint8)
