from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdmm.corpus.recordings.cutting import (
    CutOptions,
    Looked,
    cut,
    look,
    shots,
    windows,
    write_windows,
)
from tdmm.corpus.recordings.recording import Recording
from tdmm.corpus.tracking.sighting import Sighting
from tdmm.errors import InvalidInput, InvalidVideo

SIZE = (640, 480)


def face(x: float, y: float, size: float = 120.0) -> Sighting:
    """A face with its middle there: only its box matters here."""
    points = np.zeros((478, 3), np.float32)
    points[:, 0], points[:, 1] = (
        np.linspace(x - size / 2, x + size / 2, 478),
        np.linspace(y - size / 2, y + size / 2, 478),
    )
    return Sighting(points)


def looked(faces: list[list[Sighting]], fps: float = 25.0, cuts: tuple[int, ...] = ()) -> Looked:
    flags = np.zeros(len(faces), bool)
    flags[list(cuts)] = True
    return Looked([place / fps for place in range(len(faces))], faces, flags, SIZE, fps)


def test_a_face_throughout_is_divided_evenly() -> None:
    found = windows(looked([[face(300, 240)]] * 275))
    assert [(each.first, each.last) for each in found] == [(0, 136), (137, 274)]
    (one,) = windows(looked([[face(300, 240)]] * 175))
    assert one.seconds == pytest.approx(6.0)


def test_what_is_too_short_is_left() -> None:
    assert windows(looked([[face(300, 240)]] * 99)) == []
    assert len(windows(looked([[face(300, 240)]] * 100))) == 1


def test_a_cut_a_leap_and_an_absence_end_a_clip() -> None:
    here, there = [face(200, 240)], [face(420, 240)]
    assert [(each.first, each.last) for each in windows(looked([here] * 240, cuts=(110,)))] == [(0, 109), (110, 239)]
    assert [each.first for each in windows(looked([here] * 120 + [there] * 120))] == [0, 120]
    assert [each.first for each in windows(looked([here] * 120 + [[]] + [here] * 120))] == [0, 121]


def test_two_people_apart_are_two_clips_and_together_none() -> None:
    apart = windows(looked([[face(130, 240, 100), face(510, 240, 110)]] * 125), CutOptions(smallest_face=60))
    assert sorted(each.person for each in apart) == [1, 2]
    assert windows(looked([[face(280, 240, 100), face(400, 240, 100)]] * 125)) == []


def test_a_face_that_is_small_or_leaves_the_picture_is_passed_over() -> None:
    assert windows(looked([[face(300, 240, 60)]] * 125)) == []
    assert windows(looked([[face(20, 240, 120)]] * 125)) == []


def test_the_square_holds_the_face_wherever_it_goes() -> None:
    (found,) = windows(looked([[face(200 + place, 240)] for place in range(125)]))
    assert found.left <= 140
    assert found.left + found.side >= 324 + 60
    assert found.out == found.side


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_windows_keep_their_promises(data: st.DataObject) -> None:
    options = CutOptions(shortest=0.8, longest=data.draw(st.floats(1.05, 2.0)), smallest_face=40, largest_side=128)
    fps = data.draw(st.sampled_from([8.0, 12.5, 24.0, 29.97]))
    faces: list[list[Sighting]] = []
    for _ in range(data.draw(st.integers(1, 4))):
        shown = data.draw(st.booleans())
        x, y, step = data.draw(st.integers(60, 580)), data.draw(st.integers(60, 420)), data.draw(st.integers(-4, 4))
        faces += [[face(x + step * n, y, 90)] if shown else [] for n in range(data.draw(st.integers(1, 40)))]
    cuts = tuple(data.draw(st.lists(st.integers(0, len(faces) - 1), max_size=3)))
    seen = looked(faces, fps, cuts)
    found = windows(seen, options)
    for each in found:
        assert options.shortest - 1e-6 <= each.seconds <= options.longest + 1e-6
        assert each.seconds == pytest.approx((each.last - each.first + 1) / fps)
        assert not any(place in cuts for place in range(each.first + 1, each.last + 1))
        assert each.side % 2 == each.out % 2 == 0
        assert each.out <= options.largest_side
        assert min(each.left, each.top) >= 0
        assert each.left + each.side <= SIZE[0]
        assert each.top + each.side <= SIZE[1]
        for place in range(each.first, each.last + 1):
            (one,) = faces[place]
            left, top, right, bottom = one.box
            assert each.left <= left
            assert each.top <= top
            assert right <= each.left + each.side
            assert bottom <= each.top + each.side
    assert all(one.last < other.first for one, other in pairwise(found))


@settings(max_examples=60)
@given(st.lists(st.floats(0, 1), max_size=40))
def test_shots_never_fail(differences: list[float]) -> None:
    assert len(shots(differences)) == len(differences)


def test_a_shaky_camera_is_no_cut_and_a_cut_is_one() -> None:
    assert not shots([0.0] + [0.12] * 30).any()
    assert shots([0.0] + [0.01] * 10 + [0.3] + [0.01] * 10).nonzero()[0].tolist() == [11]


class Sees:
    """A tracker that sees what a function of the time says."""

    name = "sees"

    def __init__(self, says: Callable[[float], list[Sighting]]) -> None:
        self._says = says

    def faces(self, rgb: np.ndarray, seconds: float) -> list[Sighting]:
        return self._says(seconds)

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shots of 1.2 s each at 30 fps: a red square on black, then a green one."""
    path = tmp_path_factory.mktemp("recording") / "two.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "16", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        sound = container.add_stream("aac", rate=16000)
        for place in range(72):
            picture = np.zeros((240, 320, 3), np.uint8)
            picture[60:180, 100:220] = (255, 0, 0) if place < 36 else (0, 255, 0)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        silence.rate = 16000
        container.mux(sound.encode(silence))
        container.mux(stream.encode())
        container.mux(sound.encode())
    return path


OPTIONS = CutOptions(shortest=0.8, longest=1.3, largest_side=96, smallest_face=40, margin=0.2)


def test_a_recording_becomes_clips_without_sound_at_its_own_rate(recording: Path, tmp_path: Path) -> None:
    listed = Recording("two", recording, labels={"emotion": "none"}, licence="CC0")
    clips = cut(listed, tmp_path, lambda: Sees(lambda _: [face(160, 120)]), OPTIONS)
    assert [clip.path.name for clip in clips] == ["two-0001.mp4", "two-0002.mp4"]
    assert clips[1].labels == {"emotion": "none", "start": "1.200", "end": "2.400"}
    assert {(clip.licence, clip.group, clip.person) for clip in clips} == {("CC0", "two", "two")}
    for clip, channel in zip(clips, (0, 1), strict=True):
        with av.open(str(clip.path)) as container:
            assert not container.streams.audio
            assert float(container.streams.video[0].average_rate) == pytest.approx(30, abs=0.5)
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert len(frames) == 36
        assert frames[0].shape == (96, 96, 3)
        for frame in (frames[0], frames[-1]):
            assert frame[48, 48, channel] > 200
            assert frame[48, 48, 1 - channel] < 60


def test_nothing_is_left_of_a_clip_that_could_not_be_finished(recording: Path, tmp_path: Path) -> None:
    planned = windows(look(recording, Sees(lambda _: [face(160, 120)]), OPTIONS), OPTIONS)
    late = replace(planned[1], last=planned[1].last + 50)
    with pytest.raises(InvalidVideo, match="ends before the clips that were planned"):
        write_windows(recording, [(planned[0], tmp_path / "a.mp4"), (late, tmp_path / "b.mp4")], OPTIONS)
    assert list(tmp_path.iterdir()) == []


def test_lengths_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"clips of 5 to 5 s make no sense"):
        CutOptions(shortest=5, longest=5)
