from __future__ import annotations

import numpy as np
import pytest

from tdmm.errors import InvalidMotion
from tdmm.face.channels import ARKIT
from tdmm.motion.features import FEATURES, from_features, to_features


def test_features_are_the_channels_then_the_head() -> None:
    assert len(FEATURES) == 58
    assert FEATURES[:52] == ARKIT
    assert FEATURES[52:] == (
        "head_pitch", "head_yaw", "head_roll", "translation_x", "translation_y", "translation_z",
    )  # fmt: skip


def test_there_and_back_is_the_same() -> None:
    values = np.random.default_rng(0).random((9, 58)).astype(np.float32)
    motion = from_features(values, text="a smile", identity=[0.5, 1.0])
    assert motion.text == "a smile"
    assert motion.identity is not None
    assert np.array_equal(to_features(motion), values)


def test_columns_follow_names_whatever_the_order_of_the_motion() -> None:
    motion = from_features(np.random.default_rng(0).random((3, 58)))
    shuffled = motion.with_(channels=motion.channels[::-1], expression=motion.expression[:, ::-1])
    assert np.array_equal(to_features(shuffled), to_features(motion))


def test_another_rate_says_how_to_resample() -> None:
    with pytest.raises(InvalidMotion, match=r"30 fps, 25 is needed.*resample"):
        to_features(from_features(np.zeros((3, 58)), fps=30))


def test_what_is_no_arkit_motion_is_refused() -> None:
    motion = from_features(np.zeros((3, 58)))
    with pytest.raises(InvalidMotion, match="not on 'flame'"):
        to_features(motion.with_(rig="flame"))
    with pytest.raises(InvalidMotion, match="tongueOut"):
        to_features(motion.with_(channels=motion.channels[:-1], expression=motion.expression[:, :-1]))
    with pytest.raises(InvalidMotion, match=r"\(T, 58\)"):
        from_features(np.zeros((3, 57)))
