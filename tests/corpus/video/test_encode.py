"""Videos are whole, or they are no clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from video_clips import pictures, small_video

from tdmm.corpus.video.encode import made_clip, write_video
from tdmm.errors import FileProblem, InvalidVideo


def test_what_is_written_can_be_seen_again(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    shades = [np.full((64, 96, 3), shade, np.uint8) for shade in (20, 120, 220)]
    write_video(iter(shades), path, 16.0)
    clip = made_clip("a", path, {"model": "m"})
    assert (clip.fps, clip.frames, clip.width, clip.height) == (16.0, 3, 96, 64)
    assert clip.provenance == {"model": "m", "fps": 16.0, "frames": 3}
    assert np.abs(pictures(path).mean((1, 2, 3)) - [20, 120, 220]).max() < 4


@pytest.mark.parametrize("what", ["empty", "text", "cut", "torn", "missing"])
def test_a_broken_video_is_an_error_and_is_removed(tmp_path: Path, what: str) -> None:
    path = tmp_path / "c.mp4"
    whole = small_video(path, frames=40)
    middle = len(whole) // 2
    broken = {
        "empty": b"",
        "text": b"<html>busy</html>" * 50,
        "cut": whole[:middle],
        "torn": whole[: middle - 4000] + bytes(8000) + whole[middle + 4000 :],
        "missing": None,
    }[what]
    path.unlink()
    if broken is not None:
        path.write_bytes(broken)
    with pytest.raises(InvalidVideo, match=r"clip c.*made again"):
        made_clip("c", path, {})
    assert not path.exists()


def test_a_video_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    odd = [np.zeros((31, 48, 3), np.uint8)]
    with pytest.raises(FileProblem, match="could not be written"):
        write_video(iter(odd), tmp_path / "b.mp4", 25.0)
    assert list(tmp_path.iterdir()) == []
