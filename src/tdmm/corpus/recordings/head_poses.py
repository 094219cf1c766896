"""Heads as 6DRepNet turns them, beside the files of a tracker whose own heads are worse (SPECTRE's, in the release)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from tdmm.errors import InvalidMotion
from tdmm.face.inert_objects import to_array
from tdmm.face.named_arrays import read_mapping
from tdmm.face.skinning import matrix_to_euler
from tdmm.motion.clip import FaceMotion

EXTENSION = ".npy"
_ROTATION = 1e-2
"""How far a matrix may be from a rotation: those of a network are orthogonal by construction, single precision."""


def read_head_poses(path: Path) -> npt.NDArray[np.float32]:
    """Read heads of 6DRepNet as ours.

    Its matrices are `Rz(roll) Ry(yaw) Rx(pitch)` of angles after 300W-LP: pitch looks up, yaw turns to the face's own
    right, roll tilts to its own left, as `draw_axis` of Hopenet and of 6DRepNet draws them. With +X right, +Y up and +Z
    toward the viewer the head's rotation is the transpose of such a matrix.

    Args:
        path: `.npy` of (T, 3) pitch, yaw and roll in degrees, as the package `sixdrepnet` predicts them, or of matrices
            (T, 3, 3) or (T, 1, 3, 3), as its network does.

    Returns:
        (T, 3) pitch, yaw, roll in radians, in the conventions of `FaceMotion.head`.

    Raises:
        FileProblem, ArtifactProblem: the file cannot be read, or asks for code.
        InvalidMotion: it holds something else.
    """
    content = read_mapping(path)
    if len(content) != 1:
        raise InvalidMotion(f"{path}: holds {len(content)} arrays; head poses are one array.")
    ((name, value),) = content.items()
    array = np.asarray(to_array(value, f"{path}: '{name}'"))
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise InvalidMotion(f"{path}: holds what are not numbers, or not all finite.")
    if array.ndim == 4 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2 and array.shape[1] == 3 and len(array):
        matrices = _matrices(np.radians(array.astype(np.float64)))
    elif array.ndim == 3 and array.shape[1:] == (3, 3) and len(array):
        matrices = array.astype(np.float64)
        if np.abs(matrices @ matrices.swapaxes(1, 2) - np.eye(3)).max() > _ROTATION:
            raise InvalidMotion(f"{path}: holds matrices that are not rotations.")
    else:
        raise InvalidMotion(
            f"{path}: has shape {array.shape}; head poses are (T, 3) angles in degrees, or (T, 3, 3) matrices."
        )
    turned = torch.from_numpy(np.ascontiguousarray(matrices.swapaxes(1, 2)))
    found: npt.NDArray[np.float32] = matrix_to_euler(turned).numpy().astype(np.float32)
    return found


def with_head_poses(motion: FaceMotion, path: Path) -> FaceMotion:
    """A motion with the heads of a file in the place of its own.

    Raises:
        FileProblem, ArtifactProblem, InvalidMotion: see `read_head_poses`; or there are not as many as frames.
    """
    head = read_head_poses(path)
    if len(head) != motion.frames:
        raise InvalidMotion(f"{path}: holds {len(head)} head poses, and the motion has {motion.frames} frames.")
    return motion.with_(head=head)


def _matrices(angles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(T, 3, 3) `Rz(roll) Ry(yaw) Rx(pitch)` of (T, 3) pitch, yaw and roll."""
    about = [np.tile(np.eye(3), (len(angles), 1, 1)) for _ in range(3)]
    for axis, matrix in enumerate(about):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        cosine, sine = np.cos(angles[:, axis]), np.sin(angles[:, axis])
        matrix[:, first, first] = matrix[:, second, second] = cosine
        matrix[:, second, first], matrix[:, first, second] = sine, -sine
    pitch, yaw, roll = about
    product: npt.NDArray[np.float64] = roll @ yaw @ pitch
    return product
