"""Measured errors are those that were made, and what they spoil errs as much."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdmm.face.channels import ARKIT, INDEX
from tdmm.motion.features import FEATURES
from tdmm.motion.tracking_noise import TrackingNoise, tracking_noise

Clip = npt.NDArray[np.float64]
_SMILE = [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]
_CHEEKS = [INDEX["cheekSquintLeft"], INDEX["cheekSquintRight"]]
_FUNNEL = INDEX["mouthFunnel"]
_YAW = FEATURES.index("head_yaw")


def acted(seed: int, frames: int = 80, turning: float = 0.25) -> Clip:
    """A smile that comes and goes, and a head that turns to both sides afterwards."""
    draw, times = np.random.default_rng(seed), np.arange(frames)
    clip = np.zeros((frames, len(FEATURES)))
    apex = draw.uniform(25, 55)
    clip[:, _SMILE] = draw.uniform(0.5, 0.9) * np.exp(-(((times - apex) / 8) ** 2))[:, None]
    clip[:, _YAW] = turning * np.sin(times / draw.uniform(6, 9)) * (times > 60)
    return clip


def tracked(
    seed: int, gain: float = 0.7, cheeks: float = 0.0, funnel: float = 0.0, turning: float = 0.25
) -> tuple[Clip, Clip]:
    """A clip and what a tracker makes of it."""
    truth = acted(seed, turning=turning)
    told = truth.copy()
    told[:, _SMILE] *= gain
    told[:, _CHEEKS] = cheeks * truth[:, _SMILE]
    told[:, _FUNNEL] = funnel
    return truth, told


def measured(**errors: float) -> TrackingNoise:
    """The noise of twenty clips tracked alike."""
    return TrackingNoise.measured(*zip(*(tracked(seed, **errors) for seed in range(20)), strict=True))


def share(told: Clip, truth: Clip, channels: list[int]) -> float:
    """How much of a smile some channels show."""
    smile = truth[:, _SMILE].mean(1)
    return float((told[:, channels].mean(1) * smile).sum() / (smile**2).sum())


def test_a_faultless_tracker_changes_nothing() -> None:
    truth = acted(77)
    noise = measured(gain=1.0)
    assert np.abs(noise.spoilt(truth, np.random.default_rng(0)) - truth).max() < 1e-6


def test_a_movement_told_too_small_is_spoilt_alike() -> None:
    truth, noise = acted(77), measured(gain=0.6)
    told = noise.spoilt(truth, np.random.default_rng(0))
    assert share(told, truth, _SMILE) == pytest.approx(0.6, abs=0.02)
    assert np.abs(told[:, _YAW] - truth[:, _YAW]).max() < 0.01, "heads were told rightly"


def test_what_goes_astray_moves_with_the_movement() -> None:
    truth, noise = acted(77, turning=0.0), measured(gain=1.0, cheeks=0.4, turning=0.0)
    told = noise.spoilt(truth, np.random.default_rng(0))
    assert share(told, truth, _CHEEKS) == pytest.approx(0.4, abs=0.1)
    assert share(told, truth, _SMILE) == pytest.approx(1.0, abs=0.02)
    assert np.corrcoef(told[:, _CHEEKS[0]], truth[:, _SMILE[0]])[0, 1] > 0.99


def test_what_lasts_is_there_in_every_frame() -> None:
    told = measured(gain=1.0, funnel=0.15).spoilt(acted(77), np.random.default_rng(0))
    assert told[:, _FUNNEL] == pytest.approx(0.15, abs=0.01)


def test_what_passes_is_as_large_and_as_steady_as_it_was() -> None:
    def trembling(seed: int) -> tuple[Clip, Clip]:
        truth, told = tracked(seed, gain=1.0)
        draw, value = np.random.default_rng(1000 + seed), 0.0
        for frame in range(len(told)):
            value = 0.8 * value + 0.6 * 0.05 * draw.normal()
            told[frame, _FUNNEL] += value
        return truth, told

    noise = TrackingNoise.measured(*zip(*(trembling(seed) for seed in range(60)), strict=True))
    truth = np.zeros((4000, len(FEATURES)))
    told = np.concatenate([noise.spoilt(truth[:100], np.random.default_rng(seed))[:, _FUNNEL] for seed in range(40)])
    assert told.std() == pytest.approx(0.05, rel=0.25)
    assert np.corrcoef(told[:-1], told[1:])[0, 1] == pytest.approx(0.8, abs=0.12)


def test_sides_miss_together_where_they_were_missed_together() -> None:
    pairs = [tracked(seed, gain=float(seed % 2)) for seed in range(40)]
    noise = TrackingNoise.measured(*zip(*pairs, strict=True))
    truth = acted(77)
    told = [noise.spoilt(truth, np.random.default_rng(seed)) for seed in range(40)]
    left, right = ([share(each, truth, [side]) for each in told] for side in _SMILE)
    assert np.corrcoef(left, right)[0, 1] > 0.95
    assert min(left) < 0.1
    assert max(left) > 0.9


@given(seed=st.integers(0, 2**32 - 1), frames=st.integers(1, 120))
@settings(max_examples=40, deadline=None)
def test_any_clip_can_be_spoilt_and_the_draw_decides_how(seed: int, frames: int) -> None:
    draw = np.random.default_rng(seed)
    clip = draw.random((frames, len(FEATURES)))
    first, again = (tracking_noise().spoilt(clip, np.random.default_rng(seed)) for _ in range(2))
    assert first.shape == clip.shape
    assert np.isfinite(first).all()
    assert np.array_equal(first, again)


def test_our_tracker_seldom_moves_a_face_at_rest() -> None:
    rest = np.zeros((75, len(FEATURES)))
    told = [tracking_noise().spoilt(rest, np.random.default_rng(seed))[:, : len(ARKIT)] for seed in range(50)]
    assert np.mean(np.clip(told, 0, 1)) < 0.02
    assert np.mean([each.max() > 0.3 for each in told]) < 0.2


def test_it_comes_back_from_a_file(tmp_path: Path) -> None:
    noise = measured(cheeks=0.2)
    noise.save(tmp_path / "noise.npz")
    back = TrackingNoise.load(tmp_path / "noise.npz")
    first, again = (each.spoilt(acted(5), np.random.default_rng(3)) for each in (noise, back))
    assert np.abs(first - again).max() < 2e-3


def test_clips_that_were_not_tracked_whole_are_refused() -> None:
    truth, told = tracked(0)
    with pytest.raises(ValueError, match="all of its frames"):
        TrackingNoise.measured([truth, truth], [told, told[:-1]])
    with pytest.raises(ValueError, match="two clips"):
        TrackingNoise.measured([truth], [told])
