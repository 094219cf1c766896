"""Distances between expressions in millimetres."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdmm.errors import InvalidInput
from tdmm.face.channels import ARKIT, INDEX
from tdmm.face.geometry import (
    FACE_REGIONS,
    REGIONS,
    GeometryBasis,
    head_mm_per_radian,
    moving,
    regions,
    vertex_error_curves_mm,
    vertex_errors_mm,
)
from tdmm.face.head_asset import load_asset


def frame(**values: float) -> np.ndarray:
    expression = np.zeros((1, len(ARKIT)), np.float32)
    for name, value in values.items():
        expression[0, INDEX[name]] = value
    return expression


def test_regions_are_disjoint_and_symmetric() -> None:
    masks, x = regions(), load_asset().vertices[:, 0]
    assert tuple(masks) == REGIONS
    assert np.sum(list(masks.values()), axis=0).max() == 1
    for name, mask in masks.items():
        assert mask.sum() > 100, name
        left, right = (mask & (x > 0.001)).sum(), (mask & (x < -0.001)).sum()
        assert abs(int(left) - int(right)) <= 0.06 * left, name


@pytest.mark.parametrize(
    ("channel", "region"),
    [
        ("browDownLeft", "brows"),
        ("browInnerUp", "brows"),
        ("eyeBlinkRight", "lids"),
        ("eyeLookOutLeft", "gaze"),
        ("noseSneerLeft", "nose"),
        ("cheekSquintLeft", "cheeks"),
        ("mouthPucker", "mouth"),
        ("mouthSmileLeft", "mouth"),
        ("jawForward", "jaw"),
        ("jawOpen", "jaw"),
        ("tongueOut", "tongue"),
    ],
)
def test_a_channel_is_felt_in_its_own_region(channel: str, region: str) -> None:
    errors = vertex_errors_mm(frame(**{channel: 1.0}), frame())
    own = errors.pop(region)
    errors.pop("face")
    assert own > 0.8 * max(errors.values())


def test_errors_are_what_the_mesh_says() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((5, 52), np.float32), rng.random((5, 52), np.float32)
    asset = load_asset()
    moved = np.tensordot(a - b, asset.expression, 1)
    distance = np.linalg.norm(moved, axis=2) * 1e3
    found = vertex_errors_mm(a, b)
    assert found["face"] == pytest.approx(distance[:, moving()].mean(), rel=1e-4)
    lids = regions()["lids"] & moving()
    assert found["lids"] == pytest.approx(distance[:, lids].mean(), rel=1e-4)
    np.testing.assert_allclose(vertex_error_curves_mm(a, b)["face"], distance[:, moving()].mean(1), rtol=1e-4)


def test_equal_expressions_are_no_distance_apart() -> None:
    a = np.random.default_rng(1).random((3, 52), np.float32)
    assert set(vertex_errors_mm(a, a)) == {*REGIONS, "face"}
    assert all(value == 0 for value in vertex_errors_mm(a, a).values())
    assert vertex_errors_mm(a[0], a[0])["face"] == 0  # one frame


@given(scale=st.floats(0.01, 3.0), row=st.integers(0, 51))
def test_distance_grows_with_the_difference(scale: float, row: int) -> None:
    a = np.zeros((1, 52), np.float32)
    a[0, row] = 1.0
    once, scaled = vertex_errors_mm(a, a * 0)["mouth"], vertex_errors_mm(a * scale, a * 0)["mouth"]
    assert scaled == pytest.approx(once * scale, rel=1e-3, abs=1e-6)


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(InvalidInput, match=r"expression_b has shape \(2, 51\)"):
        vertex_errors_mm(np.zeros((2, 52), np.float32), np.zeros((2, 51), np.float32))
    with pytest.raises(InvalidInput, match="must be equal"):
        vertex_errors_mm(np.zeros((2, 52), np.float32), np.zeros((3, 52), np.float32))


def test_plain_basis_is_the_root_mean_square_of_the_mesh() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.random((4, 52), np.float32), rng.random((4, 52), np.float32)
    moved = np.tensordot(a - b, load_asset().expression[:, moving()], 1) * 1e3
    expected = np.sqrt((moved**2).sum(2).mean(1))
    np.testing.assert_allclose(GeometryBasis.plain().distance_mm(a, b), expected, rtol=1e-3)


def test_balanced_basis_gives_small_movements_their_due() -> None:
    plain, balanced = GeometryBasis.plain(), GeometryBasis.balanced()
    assert plain.matrix.shape[1] == balanced.matrix.shape[1] == 52
    assert set(balanced.region_weight) == set(REGIONS)
    assert set(plain.region_weight) == set(FACE_REGIONS)

    def ratio(basis: GeometryBasis) -> float:
        brow = basis.distance_mm(frame(browDownLeft=1.0, browDownRight=1.0), frame())[0]
        jaw = basis.distance_mm(frame(jawOpen=1.0), frame())[0]
        return float(jaw / brow)

    assert ratio(balanced) < ratio(plain) / 2
    sizes = np.linalg.norm(balanced.matrix, axis=0)
    assert (sizes > 0.2).all()  # no channel is invisible


def test_a_radian_of_head_rotation_moves_the_face_by_centimetres() -> None:
    assert 50 < head_mm_per_radian() < 120
