"""Rotations and linear blend skinning. Pure functions on torch tensors; any dtype, any device.

Axes: +X the face's own left, +Y up, +Z out of the face. Angles in radians by the right-hand rule.
"""

from __future__ import annotations

import torch
from torch import Tensor

_FACES_AT_ONCE = 8
"""What blending keeps for so many faces stays in a CPU's cache; twice to ten times faster than all at once."""


def euler_to_matrix(angles: Tensor) -> Tensor:
    """Rotation matrices of (pitch, yaw, roll).

    `R = Ry(yaw) @ Rx(pitch) @ Rz(roll)`, acting on column vectors: the head tilts, then nods, then turns.
    pitch > 0 chin down, yaw > 0 to the face's own left, roll > 0 toward its own right shoulder.

    Args:
        angles: (..., 3) radians.

    Returns:
        (..., 3, 3).
    """
    (cp, cy, cr), (sp, sy, sr) = angles.cos().unbind(-1), angles.sin().unbind(-1)
    rows = (
        (cy * cr + sy * sp * sr, sy * sp * cr - cy * sr, sy * cp),
        (cp * sr, cp * cr, -sp),
        (cy * sp * sr - sy * cr, sy * sr + cy * sp * cr, cy * cp),
    )
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def matrix_to_euler(matrix: Tensor) -> Tensor:
    """(pitch, yaw, roll) of rotation matrices; the inverse of `euler_to_matrix` for |pitch| < pi / 2.

    Args:
        matrix: (..., 3, 3).

    Returns:
        (..., 3) radians. At a pitch of +-pi / 2 yaw and roll cannot be told apart.
    """
    pitch = torch.asin((-matrix[..., 1, 2]).clamp(-1, 1))
    yaw = torch.atan2(matrix[..., 0, 2], matrix[..., 2, 2])
    roll = torch.atan2(matrix[..., 1, 0], matrix[..., 1, 1])
    return torch.stack([pitch, yaw, roll], -1)


def vector_to_matrix(vectors: Tensor) -> Tensor:
    """Rotation matrices of rotation vectors (axis times angle), by Rodrigues' formula.

    `R = I + sin(t)/t K + (1 - cos(t))/t^2 K^2`, where t is the length of the vector and K v the cross
    product with it. Exact and differentiable at zero too.

    Args:
        vectors: (..., 3) radians.

    Returns:
        (..., 3, 3).
    """
    square = vectors.square().sum(-1)
    tiny = square < 1e-8  # below this angle the series is exact to 1e-17, and the quotients are not
    angle = torch.where(tiny, torch.ones_like(square), square).sqrt()
    first = torch.where(tiny, 1 - square / 6, angle.sin() / angle)
    half = (angle / 2).sin() / angle  # 1 - cos(t) = 2 sin(t/2)^2 loses no digits
    second = torch.where(tiny, 0.5 - square / 24, 2 * half.square())
    x, y, z = vectors.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*vectors.shape, 3)
    straight = torch.eye(3, dtype=vectors.dtype, device=vectors.device)
    turned: Tensor = straight + first[..., None, None] * cross + second[..., None, None] * (cross @ cross)
    return turned


def rotate_about(rotation: Tensor, joint: Tensor) -> Tensor:
    """Affine transforms (..., 3, 4) that turn space by `rotation` (..., 3, 3) about `joint` (..., 3)."""
    moved = joint - (rotation @ joint[..., None])[..., 0]
    return torch.cat([rotation, moved[..., None]], -1)


def compose(outer: Tensor, inner: Tensor) -> Tensor:
    """The affine transform (..., 3, 4) that applies `inner`, then `outer`."""
    rotation = outer[..., :3] @ inner[..., :3]
    moved = outer[..., :3] @ inner[..., 3:] + outer[..., 3:]
    return torch.cat([rotation, moved], -1)


def blend(vertices: Tensor, transforms: Tensor, weights: Tensor) -> Tensor:
    """Linear blend skinning.

    Args:
        vertices: (N, V, 3) at rest.
        transforms: (N, J, 3, 4) affine, one for every joint.
        weights: (V, J), rows sum to 1.

    Returns:
        (N, V, 3).
    """
    if vertices.device.type != "cpu" or len(vertices) <= _FACES_AT_ONCE:
        return _blend_few(vertices, transforms, weights).contiguous()
    starts = range(0, len(vertices), _FACES_AT_ONCE)
    parts = [(vertices[i : i + _FACES_AT_ONCE], transforms[i : i + _FACES_AT_ONCE]) for i in starts]
    return torch.cat([_blend_few(some, carried, weights) for some, carried in parts])


def _blend_few(vertices: Tensor, transforms: Tensor, weights: Tensor) -> Tensor:
    # Coordinate by coordinate, V numbers in a row: products of 3 x 3 for each vertex are several times slower.
    x, y, z = vertices.mT[:, :, None].unbind(1)
    along_x, along_y, along_z, moved = (transforms.permute(0, 2, 3, 1) @ weights.mT).unbind(2)
    return (along_x * x + along_y * y + along_z * z + moved).mT
