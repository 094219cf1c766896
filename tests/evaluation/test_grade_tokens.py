from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tdmm.evaluation.grade_tokens import grade_tokens, reconstruction_errors
from tdmm.face.channels import ARKIT
from tdmm.motion.clip import FaceMotion
from tdmm.motion.files import write_npz
from tdmm.tokens.autoencoder import AutoencoderConfig, GeometryAutoencoder
from tdmm.tokens.tokenizer import Tokenizer


def motion(frames: int = 4, **changes: object) -> FaceMotion:
    return FaceMotion(ARKIT, np.zeros((frames, 52)), np.zeros((frames, 3))).with_(**changes)


def test_a_motion_is_no_distance_from_itself() -> None:
    assert max(reconstruction_errors(motion(), motion()).values()) < 1e-5


def test_errors_carry_their_units() -> None:
    head = np.zeros((4, 3))
    head[:, 1] = np.deg2rad(0.25)
    moved = motion(head=head, translation=np.full((4, 3), [0.003, 0.0, 0.004]))
    errors = reconstruction_errors(motion(), moved)
    assert errors["head"] == pytest.approx(0.25, rel=1e-4)
    assert errors["translation"] == pytest.approx(5.0, rel=1e-4)
    assert errors["vertex"] == 0


def test_head_angles_are_true_rotations_not_differences_of_angles() -> None:
    # A roll after a quarter turn of yaw: the three angles differ, the rotation between is what counts.
    one = motion(head=np.tile([0.0, np.pi / 2, 0.0], (4, 1)))
    other = motion(head=np.tile([0.0, np.pi / 2, np.deg2rad(10)], (4, 1)))
    assert reconstruction_errors(one, other)["head"] == pytest.approx(10, rel=1e-4)
    half_turn = motion(head=np.tile([0.0, np.deg2rad(170), 0.0], (4, 1)))
    assert reconstruction_errors(motion(), half_turn)["head"] == pytest.approx(170, rel=1e-4)


def test_a_brow_error_is_in_the_brows() -> None:
    raised = np.zeros((4, 52))
    raised[:, [ARKIT.index("browOuterUpLeft"), ARKIT.index("browOuterUpRight")]] = 0.5
    errors = reconstruction_errors(motion(), motion(expression=raised))
    assert errors["coefficient"] == pytest.approx(2 * 0.5 / 52)
    assert errors["vertex_brows"] > 0.3 > errors["vertex"] > 0
    assert errors["vertex_brows"] > 10 * errors["vertex_jaw"]


def test_a_missing_tokenizer_is_said_and_nothing_is_made_up(tmp_path: Path) -> None:
    measured = grade_tokens(1, folders={"rvq": tmp_path / "nowhere"})
    assert {each.value for each in measured} == {None}
    assert all("nowhere" in each.note for each in measured)
    assert {each.definition.name.split(".")[2] for each in measured} == {"acted", "capture"}


def test_any_tokenizer_gets_every_figure(tmp_path: Path) -> None:
    config = AutoencoderConfig(levels=2, codebook_size=16, dim=8, width=16, encoder_blocks=1, decoder_blocks=1)
    basis = torch.randn(52, 52, generator=torch.Generator().manual_seed(1))
    Tokenizer(GeometryAutoencoder(config, basis), "untrained").save(tmp_path / "tiny", {})
    write_npz(motion(frames=10), tmp_path / "capture.npz")
    measured = grade_tokens(2, capture=tmp_path / "capture.npz", folders={"rvq": tmp_path / "tiny"})
    figures = {each.definition.name.removeprefix("tokens.rvq."): each for each in measured}
    assert figures.pop("acted.side").note == "nothing to measure it on"  # its only prompt names no side
    assert all(each.value is not None and each.value >= 0 for each in figures.values())
    assert figures["acted.bits"].value == 8
    assert figures["acted.vertex"].n == 2
    assert figures["acted.code_use"].value <= 1
    assert figures["capture.vertex"].note == "capture.npz, 0 s"
