from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdmm.face.channels import ARKIT, INDEX
from tdmm.motion.degradation import NOISE_ONLY, Faults, degraded

_NONE = Faults(tilt=0, gain=0, jitter=0, smoothing=0, rate=0, dropped=0, partial=0, measured=0, brows=0)


def clip(frames: int = 60) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """A slow smile, a blink of five frames and a turning head."""
    motion = np.zeros((frames, len(ARKIT) + 6), np.float32)
    times = np.arange(frames)
    motion[:, INDEX["mouthSmileLeft"]] = 0.4 + 0.4 * np.sin(times / 9)
    motion[frames // 2 : frames // 2 + 5, INDEX["eyeBlinkLeft"]] = (0.4, 0.9, 1.0, 0.8, 0.3)[: frames - frames // 2]
    motion[:, len(ARKIT)] = 0.2 * np.sin(times / 12)
    return motion


def only(**chosen: float) -> Faults:
    """Faults with those alone for certain."""
    return Faults(**{**asdict(_NONE), **chosen})


def test_no_faults_change_nothing() -> None:
    assert np.array_equal(degraded(clip(), np.random.default_rng(0), _NONE), clip())


@given(seed=st.integers(0, 2**32 - 1), frames=st.integers(2, 90))
@settings(max_examples=40, deadline=None)
def test_any_fault_keeps_length_and_range(seed: int, frames: int) -> None:
    spoilt = degraded(clip(max(frames, 10))[:frames], np.random.default_rng(seed))
    assert spoilt.shape == (frames, len(ARKIT) + 6)
    assert spoilt.dtype == np.float32
    assert np.isfinite(spoilt).all()
    assert spoilt[:, : len(ARKIT)].min() >= 0
    assert spoilt[:, : len(ARKIT)].max() <= 1


def test_the_draw_decides() -> None:
    first, again, other = (degraded(clip(), np.random.default_rng(seed), NOISE_ONLY) for seed in (4, 4, 5))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("fault", ["rate", "dropped"])
def test_lost_frames_leave_slow_motion_where_it_was(fault: str) -> None:
    spoilt = degraded(clip(), np.random.default_rng(3), only(**{fault: 1.0}))
    smile = INDEX["mouthSmileLeft"]
    assert np.abs(spoilt[:, smile] - clip()[:, smile]).max() < 0.1
    assert not np.array_equal(spoilt, clip())


def test_smoothing_flattens_blinks() -> None:
    blink = INDEX["eyeBlinkLeft"]
    assert degraded(clip(), np.random.default_rng(0), only(smoothing=1.0))[:, blink].max() < 0.95


def test_a_hidden_part_stands_still() -> None:
    hidden = [degraded(clip(), np.random.default_rng(seed), only(partial=1.0)) for seed in range(12)]
    still = {
        tuple(bool(motion[:, each].any()) for each in (INDEX["mouthSmileLeft"], INDEX["eyeBlinkLeft"], len(ARKIT)))
        for motion in hidden
    }
    assert still == {(False, True, True), (True, False, True), (True, True, False)}


def test_low_brows_are_a_frown_until_they_rise() -> None:
    raised = np.zeros((3, len(ARKIT) + 6), np.float32)
    raised[:, [INDEX["browInnerUp"], INDEX["browOuterUpLeft"], INDEX["browOuterUpRight"]]] = [[0.0], [0.3], [1.0]]
    told = degraded(raised, np.random.default_rng(0), only(brows=1.0, high_brows=-0.5, low_brows=0.5))
    for side in ("Left", "Right"):
        assert told[:, INDEX[f"browDown{side}"]] == pytest.approx([0.5, 0.2, 0.0])
        assert told[:, INDEX[f"browOuterUp{side}"]] == pytest.approx([0.0, 0.0, 0.5])
    assert told[:, INDEX["browInnerUp"]] == pytest.approx([0.0, 0.0, 0.5])


def test_high_brows_are_raised_until_they_frown() -> None:
    frown = np.zeros((2, len(ARKIT) + 6), np.float32)
    frown[:, [INDEX["browDownLeft"], INDEX["browDownRight"]]] = [[0.0], [0.5]]
    told = degraded(frown, np.random.default_rng(0), only(brows=1.0, high_brows=0.2, low_brows=-0.2))
    assert told[:, INDEX["browInnerUp"]] == pytest.approx([0.2, 0.0])
    assert told[:, INDEX["browOuterUpRight"]] == pytest.approx([0.2, 0.0])
    assert told[:, INDEX["browDownRight"]] == pytest.approx([0.0, 0.3])


def test_a_tilt_rests_on_the_face_all_the_time() -> None:
    spoilt = degraded(np.zeros((30, len(ARKIT) + 6), np.float32), np.random.default_rng(1), only(tilt=1.0))
    assert spoilt[:, : len(ARKIT)].mean() == pytest.approx(0.04, abs=0.02)
    assert np.ptp(spoilt, axis=0).max() == 0
