"""Rotation conventions and skinning."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oracles import flame as oracle
from tdmm.face.skinning import blend, compose, euler_to_matrix, matrix_to_euler, rotate_about, vector_to_matrix

angle = st.floats(-1.4, 1.4)
X, Y, Z = torch.eye(3, dtype=torch.float64)


def rotation(pitch: float = 0.0, yaw: float = 0.0, roll: float = 0.0) -> torch.Tensor:
    return euler_to_matrix(torch.tensor([pitch, yaw, roll], dtype=torch.float64))


def test_each_angle_turns_by_the_right_hand_rule() -> None:
    assert (rotation(yaw=0.4) @ Z)[0] > 0  # the nose goes to the face's own left
    assert (rotation(pitch=0.4) @ Z)[1] < 0  # and down
    assert (rotation(roll=0.4) @ Y)[0] < 0  # the crown goes to the face's own right


def test_order_is_roll_then_pitch_then_yaw() -> None:
    together = rotation(0.3, -0.5, 0.7)
    apart = rotation(yaw=-0.5) @ rotation(pitch=0.3) @ rotation(roll=0.7)
    torch.testing.assert_close(together, apart)


@given(pitch=angle, yaw=angle, roll=angle)
def test_euler_round_trip_and_proper_rotation(pitch: float, yaw: float, roll: float) -> None:
    angles = torch.tensor([pitch, yaw, roll], dtype=torch.float64)
    matrix = euler_to_matrix(angles)
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(3, dtype=torch.float64))
    assert math.isclose(float(torch.linalg.det(matrix)), 1.0, abs_tol=1e-9)
    torch.testing.assert_close(matrix_to_euler(matrix), angles, atol=1e-7, rtol=0)


def test_rotation_about_a_joint_keeps_the_joint() -> None:
    joint = torch.tensor([0.1, -0.2, 0.3], dtype=torch.float64)
    transform = rotate_about(rotation(0.3, 0.2, 0.1), joint)
    torch.testing.assert_close(transform[:, :3] @ joint + transform[:, 3], joint)


def test_compose_applies_the_inner_transform_first() -> None:
    outer, inner = rotate_about(rotation(yaw=0.5), X), rotate_about(rotation(pitch=0.4), Y)
    point = torch.tensor([0.3, 0.1, 0.7], dtype=torch.float64)
    stepwise = inner[:, :3] @ point + inner[:, 3]
    stepwise = outer[:, :3] @ stepwise + outer[:, 3]
    both = compose(outer, inner)
    torch.testing.assert_close(both[:, :3] @ point + both[:, 3], stepwise)


def test_blend_mixes_transforms_by_weight() -> None:
    still, moved = torch.eye(3, 4), torch.eye(3, 4)
    moved[0, 3] = 2.0
    vertices = torch.zeros(1, 3, 3)
    weights = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    out = blend(vertices, torch.stack([still, moved])[None], weights)
    assert out[0, :, 0].tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("faces", [0, 1, 7, 8, 9, 20])
def test_blend_is_the_sum_over_joints(faces: int) -> None:
    """However many faces are blended at once."""
    torch.manual_seed(faces)
    vertices, transforms, weights = torch.randn(faces, 6, 3), torch.randn(faces, 4, 3, 4), torch.rand(6, 4)
    found = blend(vertices, transforms, weights)
    expected = torch.zeros(faces, 6, 3)
    for joint in range(4):
        for v in range(6):
            carried = transforms[:, joint, :, :3] @ vertices[:, v, :, None] + transforms[:, joint, :, 3:]
            expected[:, v] += weights[v, joint] * carried[..., 0]
    torch.testing.assert_close(found, expected)
    assert found.is_contiguous()


@given(pitch=angle, yaw=angle, roll=angle, size=st.sampled_from([1e-9, 1e-5, 9e-5, 1.1e-4, 0.01, 1.0, 2.0]))
def test_a_rotation_vector_turns_about_itself(pitch: float, yaw: float, roll: float, size: float) -> None:
    vector = torch.tensor([pitch, yaw, roll], dtype=torch.float64) * size
    expected = torch.tensor(oracle.rotation(vector.numpy()))
    torch.testing.assert_close(vector_to_matrix(vector), expected, atol=1e-14, rtol=0)


def test_a_rotation_vector_has_a_gradient_at_rest() -> None:
    zeros = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(vector_to_matrix, (zeros,))
