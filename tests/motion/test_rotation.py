from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tdmm.motion.rotation import slerp, to_euler, to_quaternions

heads = arrays(np.float64, st.tuples(st.integers(1, 12), st.just(3)), elements=st.floats(-1.5, 1.5))


def matrix(head: np.ndarray) -> np.ndarray:
    """R = Ry(yaw) Rx(pitch) Rz(roll), written out."""
    (sp, sy, sr), (cp, cy, cr) = np.sin(head), np.cos(head)
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return about_y @ about_x @ about_z


def turned(quaternion: np.ndarray, point: np.ndarray) -> np.ndarray:
    axis, w = quaternion[:3], quaternion[3]
    return point + 2 * np.cross(axis, np.cross(axis, point) + w * point)


@given(heads)
def test_a_quaternion_turns_points_as_the_matrix_does(head: np.ndarray) -> None:
    point = np.array([0.1, -0.4, 0.9])
    for angles, quaternion in zip(head, to_quaternions(head), strict=True):
        assert np.allclose(turned(quaternion, point), matrix(angles) @ point, atol=1e-12)


@given(heads)
def test_angles_survive_the_way_there_and_back(head: np.ndarray) -> None:
    assert np.allclose(to_euler(to_quaternions(head)), head, atol=1e-6)


@given(heads)
def test_tracks_are_continuous_and_of_unit_length(head: np.ndarray) -> None:
    track = to_quaternions(head)
    assert np.allclose(np.linalg.norm(track, axis=1), 1)
    assert (np.sum(track[1:] * track[:-1], axis=1) >= 0).all()


def test_pitch_is_chin_down_yaw_to_the_own_left_roll_to_the_own_right_shoulder() -> None:
    nose, crown = np.array([0, 0, 1.0]), np.array([0, 1.0, 0])
    down, left, right = to_quaternions(np.eye(3) * 0.3)
    assert turned(down, nose)[1] < 0
    assert turned(left, nose)[0] > 0
    assert turned(right, crown)[0] < 0


@given(heads, st.floats(0, 1))
def test_half_way_is_half_the_angle(head: np.ndarray, share: float) -> None:
    track = to_quaternions(head)
    start, end = track[:1], track[-1:]
    between = slerp(start, end, np.array([share]))

    def angle(first: np.ndarray, second: np.ndarray) -> float:
        return 2 * float(np.arctan2(*_sine_and_cosine(first[0], second[0])))

    assert np.isclose(angle(start, between), share * angle(start, end), atol=1e-6)


def _sine_and_cosine(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    cosine = abs(float(first @ second))
    sine = float(np.linalg.norm(second - first * (first @ second)))
    return sine, cosine
