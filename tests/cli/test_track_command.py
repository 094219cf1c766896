"""`tdmm track` and `tdmm describe VIDEO`: files, messages, exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tdmm import api


def tdmm(*arguments: str, cwd: Path, task: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(cwd.with_name(f"{cwd.name}-cache"))}
    if task is not None:
        environment["TDMM_LANDMARKER"] = str(task)
    command = [sys.executable, "-m", "tdmm.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, env=environment)


@pytest.fixture
def task(shared_data: Path) -> Path:
    pytest.importorskip("mediapipe", reason="the extra [video] is not installed", exc_type=ImportError)
    return shared_data / "mediapipe_task" / "face_landmarker.task"


def test_a_video_becomes_a_motion_and_a_sentence(tmp_path: Path, task: Path, shared_data: Path) -> None:
    video = str(shared_data / "diverhansun" / "surprise.mp4")
    done = tdmm("track", video, "-o", "a.npz", "a.csv", "--overlay", "check.mp4", cwd=tmp_path, task=task)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.npz", "check.mp4"]
    assert "face in 150 of 150 pictures" in done.stdout
    motion = api.load(tmp_path / "a.npz")
    assert motion.seconds == pytest.approx(5.0, abs=0.05)
    assert motion.channel("jawOpen").max() > 0.4
    assert motion.channel("mouthSmileLeft").max() < 0.4
    said = tdmm("describe", str(shared_data / "emotiontrainer" / "happy.mp4"), cwd=tmp_path, task=task)
    assert said.returncode == 0, said.stderr
    assert said.stdout.strip()
    assert "face in 3 of 3 pictures" in said.stderr


def test_no_face_is_exit_code_2_and_no_file(tmp_path: Path, task: Path, shared_data: Path) -> None:
    done = tdmm("track", str(shared_data / "pyfeat" / "no_face.mp4"), "-o", "a.npz", cwd=tmp_path, task=task)
    assert done.returncode == 2
    assert "no face was found" in done.stderr
    assert "Traceback" not in done.stderr
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
def test_what_cannot_be_tracked_says_why(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    (tmp_path / "text.mp4").write_text("not a video")
    done = tdmm(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text.mp4"]
