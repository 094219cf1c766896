"""`tdmm track` and `tdmm describe VIDEO`: files, messages, exit codes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from one_process import Tdmm

from tdmm import api
from tdmm.corpus.tracking.closer import Closer
from tdmm.corpus.tracking.sighting import Sighting


@pytest.fixture(autouse=True)
def _no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.with_name(f"{tmp_path.name}-cache")))
    monkeypatch.delenv("TDMM_LANDMARKER", raising=False)


@pytest.fixture
def _task(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mediapipe", reason="the extra [video] is not installed", exc_type=ImportError)
    monkeypatch.setenv("TDMM_LANDMARKER", str(shared_data / "mediapipe_task" / "face_landmarker.task"))


@pytest.mark.usefixtures("_task")
def test_a_video_becomes_a_motion_and_a_sentence(tdmm: Tdmm, tmp_path: Path, shared_data: Path) -> None:
    video = str(shared_data / "diverhansun" / "surprise.mp4")
    done = tdmm("track", video, "-o", "a.npz", "a.csv", "--overlay", "check.mp4")
    assert done.code == 0, done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.npz", "check.mp4"]
    assert "face in 150 of 150 pictures" in done.out
    motion = api.load(tmp_path / "a.npz")
    assert motion.seconds == pytest.approx(5.0, abs=0.05)
    assert motion.channel("jawOpen").max() > 0.4
    assert motion.channel("browInnerUp").max() > 0.6
    assert motion.channel("mouthSmileLeft").max() < 0.4
    said = tdmm("describe", str(shared_data / "emotiontrainer" / "happy.mp4"))
    assert said.code == 0, said.err
    assert said.out.strip()
    assert "face in 3 of 3 pictures" in said.err


@pytest.mark.usefixtures("_task")
def test_a_smile_that_shows_teeth_opens_no_jaw(tdmm: Tdmm, tmp_path: Path, shared_data: Path) -> None:
    done = tdmm("track", str(shared_data / "pyfeat" / "single_face.mp4"), "-o", "a.npz")
    assert done.code == 0, done.err
    assert "face in 72 of 72 pictures" in done.out
    motion = api.load(tmp_path / "a.npz")
    assert motion.seconds == pytest.approx(2.4, abs=0.05)
    assert motion.channel("mouthSmileLeft").max() > 0.4
    assert motion.channel("jawOpen").max() < 0.4


@pytest.mark.usefixtures("_task")
def test_no_face_is_exit_code_2_and_no_file(tdmm: Tdmm, tmp_path: Path, shared_data: Path) -> None:
    done = tdmm("track", str(shared_data / "pyfeat" / "no_face.mp4"), "-o", "a.npz")
    assert done.code == 2
    assert "no face was found" in done.err
    assert not (tmp_path / "a.npz").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("track", "none.mp4", "-o", "a.npz"), "none.mp4"),
        (("track", "text.mp4", "-o", "a.npz"), "text.mp4"),
        (("track", "text.mp4", "-o", "a.unknown"), ".unknown"),
        (("track", "text.mp4", "-o", "a.npz", "--overlay", "a.gif"), ".mp4"),
        (("track", "text.mp4", "-o", "a.npz", "--face", "second"), "--face second"),
        (("describe", "text.mp4"), "text.mp4"),
    ],
)
def test_what_cannot_be_tracked_says_why(tdmm: Tdmm, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    (tmp_path / "text.mp4").write_text("not a video")
    done = tdmm(*arguments)
    assert done.code == 2, done.err
    assert words in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text.mp4"]


@pytest.mark.usefixtures("_task")
def test_what_was_seen_is_kept_for_the_next_time(
    tdmm: Tdmm, tmp_path: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []
    faces = Closer.faces

    def until(end: float) -> None:
        def looked(tracker: Closer, rgb: npt.NDArray[np.uint8], seconds: float) -> list[Sighting]:
            if seconds > end:
                raise KeyboardInterrupt
            seen.append(seconds)
            return faces(tracker, rgb, seconds)

        seen.clear()
        monkeypatch.setattr(Closer, "faces", looked)

    command = ("track", str(shared_data / "pyfeat" / "single_face.mp4"), "--face", "1", "-o", "a.npz")
    until(0.5)
    stopped = tdmm(*command)
    assert stopped.code == 130
    assert ".a.npz.seen; the same command goes on from there" in stopped.err
    assert not (tmp_path / "a.npz").exists()
    begun = len(seen)
    until(9.0)
    assert tdmm(*command[:3], "2", *command[4:]).code == 2
    assert len(seen) == 72 - begun
    seen.clear()
    assert tdmm(*command).code == 0
    assert seen == []
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
