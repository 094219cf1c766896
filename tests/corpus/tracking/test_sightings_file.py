from __future__ import annotations

from pathlib import Path

import numpy as np
from faces import seen

from tdmm.corpus.tracking.sighting import Sighting
from tdmm.corpus.tracking.sightings_file import Seen, key_of


def test_what_was_seen_is_there_again(tmp_path: Path) -> None:
    kept = Seen("a key")
    kept.add(0.0, [seen({"jawOpen": 0.5}), Sighting(seen().points)])
    kept.add(0.04, [])
    kept.add(0.08, [seen()])
    kept.write(tmp_path / "seen")
    again = Seen.read(tmp_path / "seen", "a key")
    assert again.seconds == [0.0, 0.04, 0.08]
    assert [len(faces) for faces in again.faces] == [2, 0, 1]
    np.testing.assert_array_equal(again.faces[0][0].points, kept.faces[0][0].points)
    assert again.faces[0][0].scores is not None
    assert again.faces[0][1].scores is None


def test_pictures_without_a_face_are_kept_too(tmp_path: Path) -> None:
    kept = Seen("a key")
    kept.add(0.0, [])
    kept.write(tmp_path / "seen")
    again = Seen.read(tmp_path / "seen", "a key")
    assert (again.seconds, again.faces) == ([0.0], [[]])


def test_of_another_video_or_broken_it_is_nothing(tmp_path: Path) -> None:
    kept = Seen("a key")
    kept.add(0.0, [seen()])
    path = tmp_path / "seen"
    kept.write(path)
    assert Seen.read(path, "another").seconds == []
    path.write_bytes(path.read_bytes()[:500])
    assert Seen.read(path, "a key").seconds == []
    assert Seen.read(tmp_path / "none", "a key").seconds == []


def test_a_key_names_video_and_tracker(tmp_path: Path) -> None:
    video = tmp_path / "a.mp4"
    video.write_bytes(b"one")
    key = key_of(video, "tracker", 640)
    assert key == key_of(video, "tracker", 640)
    assert key != key_of(video, "another", 640)
    video.write_bytes(b"other")
    assert key != key_of(video, "tracker", 640)
