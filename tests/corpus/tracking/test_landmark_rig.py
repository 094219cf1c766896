"""The rig of tracked points: what was measured, and that it is the built-in head's."""

import torch

from tdmm.corpus.tracking.landmark_rig import load_rig, uncalibrated
from tdmm.face.arkit import load_head
from tdmm.face.channels import ARKIT, INDEX


def test_the_skins_points_are_the_heads() -> None:
    rig, head = uncalibrated(), load_head()
    expression = torch.zeros(2, len(ARKIT))
    expression[1, INDEX["jawOpen"]] = 0.6
    with torch.no_grad():
        wanted = head.landmarks(head(expression=expression))
    assert (rig.points(expression) - wanted).abs().max() < 1e-5


def test_what_was_measured_is_near_the_skin() -> None:
    rig, skin = load_rig(), uncalibrated()
    assert (rig.rest - skin.rest).norm(dim=-1).median() < 0.004
    assert rig.identity.shape == skin.identity.shape
    assert (rig.scatter > 0).all()
    assert rig.scatter.median() < 0.0015


def test_a_shape_moves_its_own_side() -> None:
    rig = load_rig()
    for name, sign in (("mouthSmileLeft", 1), ("mouthSmileRight", -1)):
        moved = rig.expression[INDEX[name]].norm(dim=-1)
        side = sign * rig.rest[:, 0]
        # The tracker's own idea of a face is even: the other side follows by a quarter.
        assert moved[side > 0.02].sum() > 2.5 * moved[side < -0.02].sum()
