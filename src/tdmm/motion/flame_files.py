"""FLAME parameters of other programs: into a motion on the rig `flame`, and out of one.

Read are `.npz`, `.pkl` and `.npy` with named arrays, after the names that trackers and generators use
(DECA, EMOCA, SMIRK, VHAP, DiffPoseTalk, smplx; `NAMES` lists them), and `.npy` of one array (T, 106): 100
expression components, the rotation of the head, the rotation of the jaw (ARTalk). A pickle is never run, see
`tdmm.face.inert_pickle`. Rotations there are rotation vectors (axis times angle, radians); ours are angles.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tdmm.errors import InvalidMotion
from tdmm.face.channels import FLAME
from tdmm.face.inert_objects import to_array
from tdmm.face.named_arrays import listed, read_mapping
from tdmm.files import written_aside
from tdmm.motion.clip import FaceMotion
from tdmm.motion.rotation import from_vectors, to_euler, to_quaternions, to_vectors

Doubles = npt.NDArray[np.float64]

NAMES: dict[str, tuple[str, ...]] = {
    "identity": ("shape", "betas", "shape_params", "shapecode", "shape_code", "identity"),
    "expression": ("expr", "exp", "expression", "expression_params", "expcode", "exp_code"),
    "translation": ("translation", "transl", "trans"),
    "root": ("rotation", "global_orient", "global_pose", "global_rot", "global"),
    "neck": ("neck_pose", "neck"),
    "jaw": ("jaw_pose", "jaw", "jaw_params"),
    "left_eye": ("leye_pose",),
    "right_eye": ("reye_pose",),
    "eyes": ("eyes_pose", "eye_pose", "eyes"),
    "pose": ("pose", "pose_params", "posecode", "pose_code", "full_pose"),
}
"""What an array is, and the names it is known by.

`eyes` are left, then right. `pose` is the root alone (3 columns), root and jaw (6), or all five joints (15)."""

_SHAPES, _EXPRESSIONS = 300, 100
_JOINTS = ("root", "neck", "jaw", "left_eye", "right_eye")
_TOGETHER: dict[tuple[str, int], tuple[str, ...]] = {
    ("eyes", 6): ("left_eye", "right_eye"),
    ("pose", 3): ("root",),
    ("pose", 6): ("root", "jaw"),
    ("pose", 15): _JOINTS,
}
_PACKED = _EXPRESSIONS + 6


def read_parameters(path: Path, fps: float | None = None) -> FaceMotion:
    """Read FLAME parameters as a motion on the rig `flame`.

    Fewer than 300 identity or 100 expression components are completed with zeros, which changes nothing. Where
    every frame has an identity of its own, their mean is taken. What a motion has no place for (offsets of
    vertices, eyelid shapes, cameras, textures) is left out and named in `provenance`.

    Args:
        path: `.npz`, `.pkl`, `.pickle` or `.npy`.
        fps: frames a second; needed unless the file has an `fps` of its own, which it replaces.

    Raises:
        UnknownFormat: another extension.
        FileProblem: the file is missing or cannot be read.
        ArtifactProblem: it is damaged, or asks for code.
        InvalidMotion: its arrays are not known, their shapes disagree, or no frame rate is given.
    """
    content = read_mapping(path)
    try:
        return _motion(path, content, fps)
    except InvalidMotion as error:
        raise InvalidMotion(f"{path}: {error}") from error


def write_parameters(motion: FaceMotion, path: Path) -> None:
    """Write a motion on the rig `flame` as an `.npz` with the names of VHAP and GaussianAvatars.

    `shape` (300,), `expr` (T, 100), `rotation`, `neck_pose`, `jaw_pose` (T, 3), `eyes_pose` (T, 6: left, right),
    `translation` (T, 3) metres, `fps`. Rotations are rotation vectors in radians. `read_parameters` reads it back.
    Text, confidence and provenance have no place in it.

    Raises:
        InvalidMotion: the motion is on another rig, lacks a channel, or has another number of identity components.
        FileProblem: the folder is missing or read-only, or the disk is full.
    """
    if motion.rig != "flame":
        raise InvalidMotion(f"This motion is on the '{motion.rig}' rig; only 'flame' motions have FLAME parameters.")
    identity = np.zeros(_SHAPES, np.float32) if motion.identity is None else motion.identity
    if identity.shape != (_SHAPES,):
        raise InvalidMotion(f"identity has {len(identity)} components; FLAME has {_SHAPES}.")
    columns = motion.in_order(FLAME)
    angles = columns[:, _EXPRESSIONS:].reshape(motion.frames, len(_JOINTS) - 1, 3)
    neck, jaw, left, right = (_vectors(angles[:, joint]) for joint in range(len(_JOINTS) - 1))
    arrays: dict[str, Any] = {
        "shape": identity,
        "expr": columns[:, :_EXPRESSIONS],
        "rotation": _vectors(motion.head),
        "neck_pose": neck,
        "jaw_pose": jaw,
        "eyes_pose": np.concatenate([left, right], 1),
        "translation": motion.translation_or_zeros(),
        "fps": np.array(motion.fps, np.float32),
    }
    with written_aside(path) as temporary, temporary.open("wb") as handle:
        # Not allow_pickle=False: NumPy before 2.1 stores that as one more array.
        np.savez_compressed(handle, **arrays)


def _motion(path: Path, content: Mapping[str, Any], fps: float | None) -> FaceMotion:
    found = _recognised(path, content)
    expression = _table(found, "expression", _EXPRESSIONS)
    tables = {"expression": expression, **_rotations(found)}
    if "translation" in found:
        tables["translation"] = _table(found, "translation", 3, complete=False)
    frames = max(len(table) for table in tables.values())
    for name, table in tables.items():
        if len(table) not in (1, frames):
            raise InvalidMotion(f"'{name}' has {len(table)} frames, but there are {frames}.")
    still = np.zeros((1, 3))
    joints = [np.broadcast_to(_angles(tables.get(joint, still)), (frames, 3)) for joint in _JOINTS]
    shift = tables.get("translation")
    used = {name for names in NAMES.values() for name in names} | {"", "fps"}
    return FaceMotion(
        channels=FLAME,
        expression=np.concatenate([np.broadcast_to(expression, (frames, _EXPRESSIONS)), *joints[1:]], 1),
        head=joints[0].astype(np.float32),
        fps=_fps(content, fps),
        rig="flame",
        translation=None if shift is None else np.broadcast_to(shift, (frames, 3)),
        identity=_table(found, "identity", _SHAPES).mean(0) if "identity" in found else None,
        provenance={
            "source": path.name,
            "left_out": sorted(name for name in content if name not in used),
        },
    )


def _recognised(path: Path, content: Mapping[str, Any]) -> dict[str, Doubles]:
    """Arrays by what they are; one packed array is taken apart."""
    if "channels" in content and "rig" in content:
        raise InvalidMotion("is a motion of tdmm already; read it with tdmm.load.")
    found: dict[str, Doubles] = {}
    for kind, names in NAMES.items():
        given = [name for name in names if name in content]
        if len(given) > 1:
            raise InvalidMotion(f"'{given[0]}' and '{given[1]}' both are its {kind}; keep one of them.")
        if given:
            found[kind] = _numbers(to_array(content[given[0]], f"{path}: '{given[0]}'"), given[0])
    if "expression" in found:
        return found
    if len(content) == 1:
        ((name, value),) = content.items()
        packed = _numbers(to_array(value, f"{path}: '{name}'"), name or "the array")
        if packed.ndim <= 2 and packed.shape[-1:] == (_PACKED,):
            packed = np.atleast_2d(packed)
            return {"expression": packed[:, :_EXPRESSIONS], "pose": packed[:, _EXPRESSIONS:]}
    known = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in NAMES.items())
    raise InvalidMotion(
        f"holds no FLAME parameters that are known: no expression. It holds {listed(content)}. "
        f"Known are one array (T, {_PACKED}) and these names - {known}. Rename its arrays."
    )


def _rotations(found: Mapping[str, Doubles]) -> dict[str, Doubles]:
    """Rotation vectors (T or 1, 3) of each joint that the file has."""
    rotations: dict[str, Doubles] = {}
    for kind in ("pose", *_JOINTS, "eyes"):
        if kind not in found:
            continue
        table = np.atleast_2d(found[kind])
        joints = (kind,) if kind in _JOINTS and table.shape[1] == 3 else _TOGETHER.get((kind, table.shape[1]))
        if joints is None or table.ndim != 2:
            known = [columns for name, columns in _TOGETHER if name == kind] or [3]
            raise InvalidMotion(
                f"its {kind} has shape {found[kind].shape}; columns of rotation vectors are needed "
                f"({' or '.join(map(str, known))})."
            )
        for place, joint in enumerate(joints):
            if joint in rotations:
                raise InvalidMotion(f"the rotation of its {joint} is given twice, once in an array of several joints.")
            rotations[joint] = table[:, 3 * place : 3 * place + 3]
    return rotations


def _table(found: Mapping[str, Doubles], kind: str, columns: int, complete: bool = True) -> Doubles:
    """(T or 1, columns); the components that are missing are zero."""
    table = np.atleast_2d(found[kind])
    given = table.shape[-1]
    if table.ndim != 2 or given > columns or (given < columns and not complete) or not table.size:
        needed = f"up to {columns}" if complete else str(columns)
        raise InvalidMotion(f"its {kind} has shape {found[kind].shape}; (frames, {needed}) is needed.")
    return np.pad(table, ((0, 0), (0, columns - given)))


def _numbers(array: npt.NDArray[Any], name: str) -> Doubles:
    numbers = array.astype(np.float64)
    if numbers.ndim == 3 and 1 in numbers.shape[:2]:  # a batch of one, or one row a frame
        numbers = numbers.reshape(-1, numbers.shape[2])
    if not np.isfinite(numbers).all():
        raise InvalidMotion(f"'{name}' holds a value that is not finite.")
    return numbers


def _fps(content: Mapping[str, Any], fps: float | None) -> float:
    if fps is not None:
        return fps
    if "fps" not in content:
        raise InvalidMotion("does not say how many frames a second it has. Give fps, for example fps=25.")
    value = np.asarray(to_array(content["fps"], "'fps'"))
    if value.size != 1:
        raise InvalidMotion(f"'fps' has shape {value.shape}; one number is needed.")
    return float(value.item())


def _angles(vectors: Doubles) -> Doubles:
    return to_euler(from_vectors(vectors))


def _vectors(angles: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return to_vectors(to_quaternions(angles)).astype(np.float32)
