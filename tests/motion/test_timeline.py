from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tdmm.errors import InvalidMotion
from tdmm.face.channels import ARKIT
from tdmm.motion.clip import FaceMotion
from tdmm.motion.timeline import in_sight, resample, trim

rates = st.sampled_from([10.0, 23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 59.94, 60.0, 120.0])


@st.composite
def motions(draw: st.DrawFn) -> FaceMotion:
    frames = draw(st.integers(1, 30))
    unit = st.floats(0, 1, width=32)
    return FaceMotion(
        channels=ARKIT[:3],
        expression=draw(arrays(np.float32, (frames, 3), elements=unit)),
        head=draw(arrays(np.float32, (frames, 3), elements=st.floats(-1.25, 1.25, width=32))),
        translation=draw(arrays(np.float32, (frames, 3), elements=st.floats(-0.25, 0.25, width=32))),
        confidence=draw(arrays(np.float32, frames, elements=unit)),
        fps=draw(rates),
    )


@given(motions(), rates)
def test_nothing_leaves_the_range_of_the_data(motion: FaceMotion, fps: float) -> None:
    other = resample(motion, fps)
    for name in ("expression", "translation", "confidence"):
        before, after = getattr(motion, name), getattr(other, name)
        assert (after >= before.min(axis=0) - 1e-6).all(), name
        assert (after <= before.max(axis=0) + 1e-6).all(), name


@given(motions(), rates)
def test_duration_and_first_frame_are_kept(motion: FaceMotion, fps: float) -> None:
    other = resample(motion, fps)
    assert other.fps == fps
    assert abs(other.seconds - motion.seconds) <= max(0.5 / fps, (1 / fps - motion.seconds)) + 1e-9
    assert np.array_equal(other.expression[0], motion.expression[0])
    assert np.array_equal(other.head[0], motion.head[0])


@given(motions())
def test_the_same_rate_changes_nothing(motion: FaceMotion) -> None:
    assert resample(motion, motion.fps) is motion


@given(motions(), st.integers(2, 4))
def test_up_by_a_whole_number_and_down_again_is_the_same(motion: FaceMotion, times: int) -> None:
    back = resample(resample(motion, motion.fps * times), motion.fps)
    assert back.frames == motion.frames
    assert np.allclose(back.expression, motion.expression, atol=1e-5)
    assert np.allclose(back.head, motion.head, atol=1e-4)


def test_the_last_frame_is_kept_to_the_last_digit() -> None:
    expression = np.array([[0.5], [8.358718e-15]], np.float32)
    motion = FaceMotion(("jawOpen",), expression, np.zeros((2, 3), np.float32), 10.0)
    assert resample(motion, 40.0).expression[-1] == expression[-1]


@given(motions())
def test_the_last_frame_is_held_to_the_end(motion: FaceMotion) -> None:
    other = resample(motion, motion.fps * 4)
    assert np.array_equal(other.expression[-1], motion.expression[-1])


def smooth(frames: int, fps: float) -> FaceMotion:
    time = np.arange(frames) / fps
    return FaceMotion(
        channels=("jawOpen",),
        expression=0.5 + 0.5 * np.sin(2 * np.pi * time)[:, None],
        head=np.stack([0.3 * np.sin(2 * np.pi * time), 0.5 * np.cos(2 * np.pi * time), 0 * time], axis=1),
        fps=fps,
    )


@pytest.mark.parametrize(("frames", "fps"), [(180, 60.0), (90, 30.0), (75, 25.0)])
def test_a_smooth_motion_resampled_is_the_motion_drawn_at_the_other_rate(frames: int, fps: float) -> None:
    other = resample(smooth(frames, fps), 25.0)
    truth = smooth(75, 25.0)
    assert other.frames == 75
    # Half a percent of the range; the last frame leans on the one before it.
    assert np.abs(other.expression - truth.expression)[:-1].max() < 0.005
    assert np.abs(other.head - truth.head)[:-1].max() < 0.005


def test_a_turn_takes_the_short_way_round() -> None:
    head = np.deg2rad([[0, 170.0, 0], [0, 190.0, 0]])
    motion = FaceMotion(channels=("jawOpen",), expression=np.zeros((2, 1)), head=head, fps=10)
    yaw = np.rad2deg(resample(motion, 40).head[:5, 1]) % 360
    assert yaw == pytest.approx([170, 175, 180, 185, 190], abs=1e-3)


@pytest.mark.parametrize("fps", [0.0, -25.0, float("nan"), float("inf"), 1e6])
def test_a_rate_that_makes_no_sense_is_refused(fps: float) -> None:
    with pytest.raises(InvalidMotion, match="fps is"):
        resample(smooth(10, 25), fps)


def test_trim_keeps_the_part_asked_for() -> None:
    motion = smooth(50, 25.0)
    part = trim(motion, 0.4, 1.2)
    assert part.frames == 20
    assert np.array_equal(part.expression, motion.expression[10:30])
    assert trim(motion, 1.0).frames == 25
    assert trim(motion, 0, 99).frames == 50
    assert trim(motion, 0.5, 0.501).frames == 1


@pytest.mark.parametrize(("start", "end"), [(2.0, None), (-1.0, 1.0), (1.0, 1.0), (1.0, 0.5), (float("nan"), 1.0)])
def test_an_empty_part_is_refused(start: float, end: float | None) -> None:
    with pytest.raises(InvalidMotion, match=r"start is|is empty"):
        trim(smooth(50, 25.0), start, end)


def seen(*runs: tuple[int, float], fps: float = 25.0) -> FaceMotion:
    """A motion of runs of frames, each with its confidence."""
    confidence = np.concatenate([np.full(frames, value, np.float32) for frames, value in runs])
    frames = len(confidence)
    return FaceMotion(
        ("jawOpen",), np.zeros((frames, 1), np.float32), np.zeros((frames, 3), np.float32), fps, confidence=confidence
    )


@pytest.mark.parametrize(
    ("motion", "stretches"),
    [
        (seen((50, 0.5)), [(0.0, 2.0)]),
        (seen((50, 0.5)).with_(confidence=None), [(0.0, 2.0)]),
        (seen((25, 0.0), (50, 1.0)), [(1.0, 3.0)]),
        (seen((50, 1.0), (25, 0.0), (25, 0.1)), [(0.0, 2.0), (3.0, 4.0)]),
        (seen((50, 1.0), (12, 0.0), (13, 1.0)), [(0.0, 3.0)]),  # shorter than half a second
        (seen((50, 1.0), (25, 0.0), (2, 1.0)), [(0.0, 2.0)]),  # a glimpse
        (seen((25, 0.0), (2, 1.0), (25, 0.0)), [(1.0, 1.08)]),  # and nothing but a glimpse
        (seen((60, 1.0), (30, 0.0), (60, 1.0), fps=60.0), [(0.0, 1.0), (1.5, 2.5)]),
    ],
)
def test_when_the_face_is_in_sight(motion: FaceMotion, stretches: list[tuple[float, float]]) -> None:
    assert in_sight(motion) == [pytest.approx(each) for each in stretches]


def test_a_face_that_is_never_in_sight_is_refused() -> None:
    with pytest.raises(InvalidMotion, match="none of the 25 frames"):
        in_sight(seen((25, 0.0)))
