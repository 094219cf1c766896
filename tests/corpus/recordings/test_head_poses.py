"""Heads of 6DRepNet: signs as its drawing function draws them, matrices as angles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tdmm.corpus.recordings.head_poses import read_head_poses, with_head_poses
from tdmm.errors import ArtifactProblem, InvalidMotion
from tdmm.motion.clip import FaceMotion
from tdmm.motion.rotation import to_quaternions

ANGLES = arrays(np.float64, (4, 3), elements=st.floats(-75, 75))


def network(degrees: np.ndarray) -> np.ndarray:
    """(T, 3, 3) as 6DRepNet's training targets are made: Rz(roll) Ry(yaw) Rx(pitch)."""
    matrices = []
    for pitch, yaw, roll in np.radians(degrees):
        about_x = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
        about_y = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
        about_z = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
        matrices.append(np.array(about_z) @ np.array(about_y) @ np.array(about_x))
    return np.array(matrices)


def drawn(degrees: np.ndarray) -> np.ndarray:
    """(T, 3, 2) where `draw_axis` puts the ends of the head's axes: right in the picture, down, and out of the face."""
    ends = []
    for pitch, yaw, roll in np.radians(degrees * [1, -1, 1]):
        right = [
            np.cos(yaw) * np.cos(roll), np.cos(pitch) * np.sin(roll) + np.cos(roll) * np.sin(pitch) * np.sin(yaw)
        ]  # fmt: skip
        down = [
            -np.cos(yaw) * np.sin(roll), np.cos(pitch) * np.cos(roll) - np.sin(pitch) * np.sin(yaw) * np.sin(roll)
        ]  # fmt: skip
        ends.append([right, down, [np.sin(yaw), -np.cos(yaw) * np.sin(pitch)]])
    return np.array(ends)


def seen(head: np.ndarray) -> np.ndarray:
    """The same ends, of our angles."""
    x, y, z, w = to_quaternions(head).astype(np.float64).T
    columns = np.stack(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y + z * w)],
            [2 * (x * y - z * w), 1 - 2 * (x * x + z * z)],
            [2 * (x * z + y * w), 2 * (y * z - x * w)],
        ]
    )
    across = columns.transpose(2, 0, 1) * [1.0, -1.0]  # down in the picture
    return across * np.array([1.0, -1.0, 1.0])[:, None]  # its second axis points down


@given(ANGLES)
def test_heads_point_where_they_are_drawn(tmp_path_factory: pytest.TempPathFactory, degrees: np.ndarray) -> None:
    folder = tmp_path_factory.mktemp("poses")
    np.save(folder / "angles.npy", degrees)
    np.save(folder / "matrices.npy", network(degrees)[:, None].astype(np.float32))
    found = read_head_poses(folder / "angles.npy")
    np.testing.assert_allclose(seen(found), drawn(degrees), atol=1e-5)
    np.testing.assert_allclose(seen(read_head_poses(folder / "matrices.npy")), drawn(degrees), atol=1e-4)


def test_one_turn_at_a_time(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.diag([20.0, 30.0, 10.0]))
    np.testing.assert_allclose(read_head_poses(tmp_path / "a.npy"), -np.radians(np.diag([20.0, 30.0, 10.0])), atol=1e-6)


def test_they_take_the_place_of_a_motions_own(tmp_path: Path) -> None:
    motion = FaceMotion(("jawOpen",), np.full((3, 1), 0.5), np.zeros((3, 3)))
    np.save(tmp_path / "a.npy", np.full((3, 3), 5.0))
    changed = with_head_poses(motion, tmp_path / "a.npy")
    assert np.abs(changed.head).min() > 0.05
    np.testing.assert_array_equal(changed.expression, motion.expression)
    with pytest.raises(InvalidMotion, match="3 head poses, and the motion has 2 frames"):
        with_head_poses(FaceMotion(("jawOpen",), np.zeros((2, 1)), np.zeros((2, 3))), tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((4, 2)), "shape"), (np.zeros((0, 3)), "shape"), (np.full((2, 3), np.nan), "finite"),
        (np.ones((2, 3, 3)), "not rotations"), (np.array([["a", "b", "c"]]), "numbers"),
    ],
)  # fmt: skip
def test_what_are_no_heads_is_refused(tmp_path: Path, array: np.ndarray, said: str) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises((InvalidMotion, ArtifactProblem), match=said):
        read_head_poses(tmp_path / "a.npy")
