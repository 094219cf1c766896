from __future__ import annotations

import numpy as np
import pytest

from tdmm.errors import InvalidMotion
from tdmm.face.channels import ARKIT
from tdmm.motion.clip import FaceMotion
from tdmm.motion.joining import concatenated, met


def motion(level: float, frames: int = 30, turn: float = 0.0) -> FaceMotion:
    return FaceMotion(ARKIT, np.full((frames, 52), level), np.full((frames, 3), turn))


def test_joined_motions_are_as_long_as_both() -> None:
    both = concatenated([motion(0.2), motion(0.6, 10)])
    assert both.frames == 40
    assert both.expression[29, 0] == pytest.approx(0.2)
    assert both.expression[30, 0] == pytest.approx(0.6)


def test_what_cannot_follow_is_refused() -> None:
    with pytest.raises(InvalidMotion, match="60 fps"):
        concatenated([motion(0.2), motion(0.2).with_(fps=60)])
    with pytest.raises(InvalidMotion, match="no motion"):
        concatenated([])


def test_a_motion_that_meets_its_neighbours_has_no_jump() -> None:
    between = met(motion(0.5, 40, 0.3), motion(0.1, turn=0.0), motion(0.9, turn=-0.2))
    whole = concatenated([motion(0.1), between, motion(0.9, turn=-0.2)])
    steps = np.abs(np.diff(whole.expression[:, 0]))
    assert steps.max() < 0.1
    assert np.abs(np.diff(whole.head[:, 1])).max() < 0.12
    assert between.expression[20, 0] == pytest.approx(0.5)  # away from the ends nothing changes


def test_coefficients_stay_in_range() -> None:
    uneven = motion(0.0, 20).with_(expression=np.linspace(0, 1, 20 * 52).reshape(20, 52))
    moved = met(uneven, motion(1.0), motion(1.0))
    assert moved.expression.min() >= 0
    assert moved.expression.max() <= 1
