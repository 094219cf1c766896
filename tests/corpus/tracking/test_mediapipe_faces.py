from __future__ import annotations

from itertools import islice
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

from tdmm.corpus.tracking import mediapipe_faces
from tdmm.corpus.tracking.footage import Footage
from tdmm.corpus.tracking.mediapipe_faces import TASK_VARIABLE, cache_folder, checked, fetched, open_tracker
from tdmm.corpus.tracking.track import TrackOptions, track
from tdmm.errors import ArtifactProblem, FileProblem, InvalidVideo, MissingDependency
from tdmm.face.arkit import load_head
from tdmm.face.channels import INDEX
from tdmm.face.render import render


@pytest.fixture
def task(shared_data: Path) -> Path:
    pytest.importorskip("mediapipe", reason="the extra [video] is not installed", exc_type=ImportError)
    return shared_data / "mediapipe_task" / "face_landmarker.task"


def test_another_task_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "face_landmarker.task").write_bytes(b"something else")
    with pytest.raises(ArtifactProblem, match=r"SHA-256 .* not 64184e229b26.*https://"):
        checked(tmp_path / "face_landmarker.task")
    with pytest.raises(FileProblem, match=r"cannot be read.*--landmarker"):
        checked(tmp_path / "none.task")


def test_without_a_network_it_says_how_to_get_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object, **__: object) -> None:
        raise URLError("no route")

    monkeypatch.setattr("urllib.request.urlopen", nothing)
    with pytest.raises(FileProblem, match=r"no route.*--landmarker FILE.*TDMM_LANDMARKER"):
        fetched(tmp_path / "cache" / "face_landmarker.task")
    assert not list(tmp_path.rglob("*.task"))


def test_without_mediapipe_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "mediapipe", None)
    with pytest.raises(MissingDependency, match=r"tdmm\[video\]"):
        open_tracker()


def test_the_cache_is_where_the_system_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "tdmm"


def test_the_variable_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mediapipe_faces, "_mediapipe", lambda: object())
    monkeypatch.setenv(TASK_VARIABLE, str(tmp_path / "mine.task"))
    with pytest.raises(FileProblem, match=r"mine\.task: cannot be read"):
        open_tracker()


def test_one_face_looked_for_is_no_start_for_several(task: Path) -> None:
    names = []
    for faces in (1, 8):
        tracker = open_tracker(task, faces=faces)
        names.append(tracker.name)
        tracker.close()
    assert names[0] != names[1]


def test_a_rendered_face_is_seen_where_it_is(task: Path) -> None:
    import torch

    expression = torch.zeros(1, 52)
    expression[0, INDEX["eyeBlinkLeft"]] = 1.0
    picture = render(load_head()(expression=expression)[0].numpy(), (384, 384))
    tracker = open_tracker(task)
    try:
        (face,) = tracker.faces(picture, 0.0)
        assert tracker.faces(np.zeros_like(picture), 1.0) == []
    finally:
        tracker.close()
    left, top, right, bottom = face.box
    assert 0 < left < 192 < right < 384
    assert 0 < top < 192 < bottom < 384
    assert face.scores is not None
    assert face.scores[INDEX["eyeBlinkLeft"]] > face.scores[INDEX["eyeBlinkRight"]] + 0.2


def test_the_mesh_inside_an_older_wheel_needs_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    mediapipe = pytest.importorskip("mediapipe", reason="the extra [video] is not installed", exc_type=ImportError)
    if not hasattr(mediapipe, "solutions"):
        pytest.skip("this MediaPipe has no face mesh inside; 0.10.21 has")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(TASK_VARIABLE, raising=False)
    picture = render(load_head().template.numpy(), (384, 384))
    tracker = open_tracker(download=False)
    try:
        (face,) = tracker.faces(picture, 0.0)
        assert tracker.faces(np.zeros_like(picture), 0.04) == []
        (again,) = tracker.faces(picture, 0.08)
    finally:
        tracker.close()
    assert "face mesh" in tracker.name
    assert face.scores is None
    left, top, right, bottom = face.box
    assert 0 < left < 192 < right < 384
    assert 0 < top < 192 < bottom < 384
    assert again.box == pytest.approx(face.box, abs=4)
    # The face's own left is on the right of the picture; MediaPipe's point 263 is the corner of that eye.
    assert face.points[263, 0] > face.points[33, 0]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("name", "gap"), [("face_noface.mov", (2.4, 6.4)), ("noface_face.mov", (0.0, 3.94))])
def test_a_real_face_that_comes_or_goes_leaves_a_gap(
    task: Path, shared_data: Path, name: str, gap: tuple[float, float]
) -> None:
    tracker = open_tracker(task)
    try:
        (found,) = track(shared_data / "pyfeat" / name, tracker, TrackOptions(largest_side=320, focal=1.2))
    finally:
        tracker.close()
    assert found.gaps[0] == pytest.approx(gap, abs=0.25)
    assert found.residual_mm < 1.5


def test_a_video_without_a_face_says_so(task: Path, shared_data: Path) -> None:
    tracker = open_tracker(task)
    try:
        with pytest.raises(InvalidVideo, match="no face was found"):
            track(shared_data / "pyfeat" / "no_face.mp4", tracker, TrackOptions(largest_side=320))
    finally:
        tracker.close()


def test_a_real_face_that_is_far_away_is_found(task: Path, shared_data: Path) -> None:
    video = shared_data / "intel_sample_videos" / "asl_gestures" / "book.mkv"
    tracker = open_tracker(task)
    try:
        seen = [tracker.faces(picture.rgb, picture.seconds) for picture in islice(Footage.open(video), 30)]
    finally:
        tracker.close()
    assert [len(faces) for faces in seen] == [1] * 30
    assert all(50 < face.size < 70 for (face,) in seen)
