from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tdmm import artifact
from tdmm.corpus.tracking.refiner import MIRROR, Refiner, RefinerConfig, Shown, load_refiner, save, told
from tdmm.errors import ArtifactProblem
from tdmm.face.channels import ARKIT, INDEX

SMALL = RefinerConfig(hidden=16, dilations=(1, 2), patterns=4)


def shown(frames: int, seed: int) -> Shown:
    rng = np.random.default_rng(seed)
    parts = (rng.random((frames, 52)), rng.random((frames, 52)), rng.normal(size=(frames, 3)))
    return Shown(*(part.astype(np.float32) for part in parts), rng.normal(size=(frames, 478, 3)).astype(np.float32))


@pytest.fixture(scope="module")
def small() -> Refiner:
    torch.manual_seed(3)
    refiner = Refiner(SMALL)
    refiner.patterns.normal_()
    refiner.opposite.copy_(torch.arange(478).flip(0))
    return refiner


@given(frames=st.integers(1, 40), seed=st.integers(0, 5))
@settings(max_examples=15, deadline=None)
def test_a_face_in_a_mirror_does_the_same_on_the_other_side(small: Refiner, frames: int, seed: int) -> None:
    face = shown(frames, seed)
    refined = small.refined(face)
    assert refined.shape == (frames, len(ARKIT))
    assert ((refined >= 0) & (refined <= 1)).all()
    np.testing.assert_allclose(small.refined(small.mirrored(face))[:, MIRROR], refined, atol=1e-5)


@given(seed=st.integers(0, 20))
@settings(max_examples=15, deadline=None)
def test_eyes_look_where_irises_are_seen(small: Refiner, seed: int) -> None:
    face = shown(20, seed)
    gaze = [INDEX[name] for name in ARKIT if name.startswith("eyeLook")]
    assert len(gaze) == 8
    none = np.zeros((20, len(gaze)), np.float32)
    face.expression[:, gaze[:4]], face.scores[:, gaze[:4]] = none[:, :4], none[:, :4]
    refined = small.refined(face)
    assert (refined[:, gaze] <= np.maximum(face.expression, face.scores)[:, gaze] + 0.15 + 1e-6).all()


def test_what_never_changes_is_told_as_rest() -> None:
    still = np.full((30, 52), 0.4, np.float32)
    numbers = told(still, still, np.ones((30, 3), np.float32), np.ones((30, 4), np.float32))
    assert numbers.shape == (30, SMALL.inputs)
    assert numbers[:, :52] == pytest.approx(0.4)
    assert np.abs(numbers[:, 52:104]).max() == 0
    assert np.abs(numbers[:, 208:]).max() == 0


def test_it_is_stored_whole(small: Refiner, tmp_path: Path) -> None:
    save(small, tmp_path / "refiner", {"films": 0})
    again = load_refiner(tmp_path / "refiner")
    np.testing.assert_allclose(again.refined(shown(9, 1)), small.refined(shown(9, 1)), atol=5e-3)
    assert artifact.load(tmp_path / "refiner", kind="refiner").provenance["films"] == 0
    with pytest.raises(ArtifactProblem, match="no such weights folder"):
        load_refiner(tmp_path / "none")


def test_the_bundled_one_leaves_a_resting_face_at_rest() -> None:
    still = np.zeros((50, 52), np.float32)
    still[:, INDEX["browDownLeft"]] = still[:, INDEX["browDownRight"]] = 0.08
    face = Shown(still, np.zeros_like(still), np.zeros((50, 3), np.float32), np.zeros((50, 478, 3), np.float32))
    assert load_refiner().refined(face).max() < 0.15


@pytest.mark.parametrize(
    ("name", "strength"),
    [
        ("jawOpen", 0.7),
        ("mouthSmileLeft", 0.7),
        ("eyeBlinkLeft", 0.9),
        ("browInnerUp", 0.8),
    ],
)
def test_the_bundled_one_keeps_what_comes_and_goes(name: str, strength: float) -> None:
    course = strength * np.exp(-((np.arange(60) - 30) ** 2) / 100)
    moving = np.zeros((60, 52), np.float32)
    for each in {name, ARKIT[MIRROR[INDEX[name]]]}:
        moving[:, INDEX[each]] = course
    face = Shown(moving, moving, np.zeros((60, 3), np.float32), np.zeros((60, 478, 3), np.float32))
    refined = load_refiner().refined(face)[:, INDEX[name]]
    assert refined.max() > 0.6 * strength
    assert abs(int(refined.argmax()) - 30) <= 3
    assert refined[:8].max() < 0.2
