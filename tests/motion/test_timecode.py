from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdmm.errors import InvalidMotion
from tdmm.motion import timecode


def seconds_of(*texts: str) -> tuple[list[float], int]:
    seconds, base = timecode.to_seconds([timecode.parse(text) for text in texts])
    return seconds.tolist(), base


def stream(fps: float, base: int, count: int = 200, start: float = 5.0) -> list[str]:
    return [timecode.write(start + index / fps, base) for index in range(count)]


@pytest.mark.parametrize(("fps", "base"), [(30, 60), (60, 60), (25, 60), (24, 24), (25, 25), (30, 30), (50, 50)])
def test_rate_and_clock_come_back(fps: float, base: int) -> None:
    seconds, found = seconds_of(*stream(fps, base))
    assert found == base
    assert np.diff(seconds) == pytest.approx(1 / fps, abs=1e-4)


def test_a_clip_within_one_second_counts_in_the_apps_sixtieths() -> None:
    seconds, base = seconds_of("10:00:00:10.000", "10:00:00:12.000")
    assert base == 60
    assert seconds == pytest.approx([0, 1 / 30])


def test_forms() -> None:
    assert seconds_of("00:00:01:30", "00:00:02:00")[0] == pytest.approx([0, 0.5])
    assert seconds_of("1:2:3.250", "1:2:3.500")[0] == pytest.approx([0, 0.25])
    assert seconds_of("00:00:01", "00:00:03")[0] == pytest.approx([0, 2])


def test_midnight_is_no_jump() -> None:
    assert seconds_of("23:59:59:45.000", "00:00:00:15.000")[0] == pytest.approx([0, 0.5])


def test_drop_frame_numbers_left_out_are_no_gap() -> None:
    frames = [f"00:00:59;{frame:02d}" for frame in range(20, 30)] + [f"00:01:00;{frame:02d}" for frame in range(2, 12)]
    seconds, base = seconds_of(*frames)
    assert base == 30
    assert np.diff(seconds) == pytest.approx(1001 / 30000, abs=1e-9)


@pytest.mark.parametrize("text", ["", "12", "a:b:c:d", "00:61:00:00.000", "00:00:00:00:00", "-1:00:00:00", "0:0:0:١٢x"])
def test_what_is_no_timecode_is_refused(text: str) -> None:
    with pytest.raises(InvalidMotion, match="is not a timecode"):
        timecode.parse(text)


@given(st.floats(0, 86_000), st.sampled_from(timecode.BASES))
def test_what_is_written_is_read_again(seconds: float, base: int) -> None:
    code = timecode.parse(timecode.write(seconds, base))
    assert code.frames is not None
    assert code.seconds + code.frames / base == pytest.approx(seconds, abs=1e-3)


@given(st.text(max_size=20))
def test_any_text_is_a_timecode_or_a_clear_error(text: str) -> None:
    with contextlib.suppress(InvalidMotion):
        timecode.to_seconds([timecode.parse(text)])
