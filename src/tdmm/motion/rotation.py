"""Head rotations as quaternions and as rotation vectors, in numpy.

Pitch, yaw and roll compose as ``R = Ry(yaw) @ Rx(pitch) @ Rz(roll)``. Quaternions are (x, y, z, w),
glTF's order, of unit length.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_NEARLY_PARALLEL = 1.0 - 1e-9


def to_quaternions(head: npt.ArrayLike) -> Floats:
    """(T, 3) pitch, yaw, roll in radians to (T, 4) quaternions.

    Of the two quaternions of a rotation each frame has the one nearer to the frame before it, so the
    track can be interpolated.
    """
    half = np.asarray(head, dtype=np.float64) / 2
    (sp, sy, sr), (cp, cy, cr) = np.sin(half).T, np.cos(half).T
    quaternions = np.stack(
        [cy * sp * cr + sy * cp * sr, sy * cp * cr - cy * sp * sr,
         cy * cp * sr - sy * sp * cr, cy * cp * cr + sy * sp * sr],
        axis=1,
    )  # fmt: skip
    turns = np.sum(quaternions[1:] * quaternions[:-1], axis=1) < 0
    quaternions[1:][np.cumsum(turns) % 2 == 1] *= -1
    return quaternions


def to_euler(quaternions: npt.ArrayLike) -> Floats:
    """(T, 4) quaternions to (T, 3) pitch, yaw, roll in radians.

    Pitch lies within ±90 degrees; yaw and roll within ±180.
    """
    x, y, z, w = np.asarray(quaternions, dtype=np.float64).T
    pitch = np.arcsin(np.clip(2 * (w * x - y * z), -1, 1))
    yaw = np.arctan2(2 * (x * z + w * y), 1 - 2 * (x * x + y * y))
    roll = np.arctan2(2 * (x * y + w * z), 1 - 2 * (x * x + z * z))
    return np.stack([pitch, yaw, roll], axis=1)


def from_vectors(vectors: npt.ArrayLike) -> Floats:
    """(T, 3) rotation vectors (axis times angle, radians) to (T, 4) quaternions."""
    turns = np.asarray(vectors, dtype=np.float64)
    half = np.linalg.norm(turns, axis=1, keepdims=True) / 2
    # numpy's sinc is sin(pi x) / (pi x), and 1 at 0.
    return np.concatenate([turns / 2 * np.sinc(half / np.pi), np.cos(half)], axis=1)


def to_vectors(quaternions: npt.ArrayLike) -> Floats:
    """(T, 4) quaternions to (T, 3) rotation vectors (axis times angle, radians) of at most half a turn."""
    found = np.asarray(quaternions, dtype=np.float64)
    found = np.where(found[:, 3:] < 0, -found, found)
    sine = np.linalg.norm(found[:, :3], axis=1, keepdims=True)
    angle = 2 * np.arctan2(sine, found[:, 3:])
    # Near zero the angle is twice the sine.
    tiny = sine < np.finfo(np.float64).tiny
    vectors: Floats = found[:, :3] * np.where(tiny, 2.0, angle / np.where(tiny, 1.0, sine))
    return vectors


def slerp(start: npt.ArrayLike, end: npt.ArrayLike, fraction: npt.ArrayLike) -> Floats:
    """Quaternions (N, 4) on the way from `start` to `end` (N, 4); `fraction` (N,) is 0 at the start."""
    first, second = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    share = np.asarray(fraction, dtype=np.float64)[:, None]
    cosine = np.sum(first * second, axis=1, keepdims=True)
    second = np.where(cosine < 0, -second, second)
    cosine = np.abs(cosine)
    # Nearly equal rotations have no plane to turn in; a straight line is exact enough there.
    parallel = cosine > _NEARLY_PARALLEL
    angle = np.arccos(np.where(parallel, 0.0, np.minimum(cosine, 1.0)))
    sine = np.sin(angle)
    between = np.where(
        parallel,
        (1 - share) * first + share * second,
        (np.sin((1 - share) * angle) * first + np.sin(share * angle) * second) / np.where(parallel, 1.0, sine),
    )
    unit: Floats = between / np.linalg.norm(between, axis=1, keepdims=True)
    return unit
