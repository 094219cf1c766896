"""Points of a known face, as a tracker would see them, fitted back."""

import numpy as np
import pytest
import torch

from tdmm.corpus.tracking.fit import FitOptions, Fitted, fit
from tdmm.corpus.tracking.landmark_rig import load_rig
from tdmm.face.channels import ARKIT, INDEX
from tdmm.face.skinning import euler_to_matrix

SIZE = (640, 480)
FOCAL = 800.0
QUICK = FitOptions(key_frames=12, rounds=4)


def course(frames: int, **peaks: float) -> np.ndarray:
    """(T, 52) from rest to the peaks and back."""
    found = np.zeros((frames, len(ARKIT)), np.float32)
    for name, peak in peaks.items():
        found[:, INDEX[name]] = peak * np.sin(np.linspace(0, np.pi, frames)) ** 2
    return found


def seen(
    expression: np.ndarray, angles: np.ndarray, *, distance: float = 0.7, noise: float = 0.3, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Points (T, 478, 3) pixels and rotations (T, 3, 3) of somebody in front of a camera."""
    rng, rig = np.random.default_rng(seed), load_rig()
    identity = torch.from_numpy(rng.normal(size=len(rig.identity)).astype(np.float32)) * 0.8
    rest = torch.einsum("i,ilc->lc", identity, rig.identity)
    rotation = euler_to_matrix(torch.from_numpy(np.radians(angles).astype(np.float32)))
    own = rig.points(torch.from_numpy(expression)) + rest
    at = (own @ rotation.mT).numpy() + np.array([0.02, -0.01, -distance])
    pixels = at[..., :2] / -at[..., 2:] * FOCAL
    points = np.stack([SIZE[0] / 2 + pixels[..., 0], SIZE[1] / 2 - pixels[..., 1], at[..., 2] * -FOCAL / distance], -1)
    return (points + rng.normal(size=points.shape) * noise).astype(np.float32), rotation.numpy()


def swing(frames: int, *most: float) -> np.ndarray:
    """(T, 3) degrees of pitch, yaw and roll, there and back."""
    return np.sin(np.linspace(0, 2 * np.pi, frames))[:, None] * np.array(most)


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Degrees between rotations."""
    trace = np.einsum("tij,tij->t", one, other)
    return np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1)))


def fitted(points: np.ndarray, **more: object) -> Fitted:
    return fit(points, SIZE, focal=FOCAL, options=QUICK, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def smile() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    expression = course(30, mouthSmileLeft=0.8, mouthSmileRight=0.8, jawOpen=0.4)
    return (expression, *seen(expression, swing(30, 6, 14, 8)))


def test_expression_and_pose_come_back(smile: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    expression, points, rotation = smile
    found = fitted(points)
    assert np.abs(found.expression - expression).mean() < 0.03
    at = [INDEX[name] for name in ("mouthSmileLeft", "mouthSmileRight", "jawOpen")]
    # What is rare is taken for smaller than it is.
    assert np.abs(found.expression - expression)[:, at].max() < 0.3
    # How a head is held is only known to some degrees (it may as well be how the face slopes), how it turns is known.
    assert np.median(apart(found.rotation, rotation)) < 6
    assert apart(found.rotation @ found.rotation[0].T, rotation @ rotation[0].T).max() < 2
    assert found.expression.min() >= 0
    assert found.expression.max() <= 1
    assert found.residual_mm.max() < 1.0
    assert np.abs(np.diff(found.place, axis=0)).max() < 0.02
    assert np.abs(found.place[:, 2] + 0.7).max() < 0.1


def test_points_far_off_change_little(smile: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    expression, points, _ = smile
    rng, wild = np.random.default_rng(3), points.copy()
    hit = rng.random(points.shape[:2]) < 0.03
    wild[hit] += rng.normal(size=(int(hit.sum()), 3)).astype(np.float32) * 20
    assert np.abs(fitted(wild).expression - expression).mean() < 0.05


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_a_wink_keeps_its_side(side: str) -> None:
    other = {"Left": "Right", "Right": "Left"}[side]
    expression = course(20, **{f"eyeBlink{side}": 0.9})
    points, _ = seen(expression, swing(20, 2, 5, 2), seed=1)
    found = fitted(points).expression
    assert found[:, INDEX[f"eyeBlink{side}"]].max() > 0.5
    # Sides are believed to be alike, so the other lid follows a little.
    assert found[:, INDEX[f"eyeBlink{other}"]].max() < 0.35


def test_one_frame() -> None:
    points, rotation = seen(course(3, jawOpen=0.8)[1:2], np.array([[0.0, 10.0, 0.0]]), seed=2)
    found = fitted(points)
    assert found.expression.shape == (1, len(ARKIT))
    assert found.expression[0, INDEX["jawOpen"]] > 0.3
    assert apart(found.rotation, rotation)[0] < 8


def test_more_frames_than_fit_at_once() -> None:
    expression = course(150, jawOpen=0.7)
    points, _ = seen(expression, swing(150, 3, 10, 3))
    calls: list[tuple[int, int]] = []
    found = fitted(points, progress=lambda done, whole: calls.append((done, whole)))
    assert calls[-1] == (150, 150)
    assert len(calls) > 1
    # Where one part ends and the next begins, nothing jumps.
    assert np.abs(np.diff(found.expression[:, INDEX["jawOpen"]])).max() < 0.08


def test_the_focal_length_of_a_near_face() -> None:
    points, _ = seen(course(16, jawOpen=0.5), swing(16, 12, 25, 8), distance=0.35, noise=0.1)
    found = fit(points, SIZE, options=QUICK)
    assert 0.6 * FOCAL < found.focal < 1.7 * FOCAL
