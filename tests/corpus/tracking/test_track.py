from __future__ import annotations

import math
from pathlib import Path

import av
import numpy as np
import pytest
from faces import SIZE, Told, seen
from hypothesis import given
from hypothesis import strategies as st
from recordings import record

from tdmm.corpus.tracking.footage import Footage
from tdmm.corpus.tracking.overlay import projected, write_overlay
from tdmm.corpus.tracking.sighting import Sighting
from tdmm.corpus.tracking.track import TrackOptions, most_frequent, track
from tdmm.errors import InvalidInput, InvalidVideo
from tdmm.face.channels import INDEX

FOCAL = 1.2


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifty empty pictures at 25 fps."""
    picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    return record(tmp_path_factory.mktemp("video") / "take.mp4", [picture] * 50)


def smiling(seconds: float) -> list[Sighting]:
    """A smile that comes and goes, then a turn of the head to the own left; a blink at one second."""
    smile = 0.8 * math.exp(-(((seconds - 0.6) / 0.25) ** 2))
    yaw = 0.35 * math.exp(-(((seconds - 1.5) / 0.2) ** 2))
    blink = 0.9 * math.exp(-(((seconds - 1.0) / 0.06) ** 2))
    told = {
        "mouthSmileLeft": smile, "mouthSmileRight": smile, "eyeBlinkLeft": blink, "eyeBlinkRight": blink,
    }  # fmt: skip
    return [seen(told, head=(0.0, yaw, 0.0), noise=0.3, seed=round(seconds * 1000))]


def test_what_a_face_does_is_found(video: Path) -> None:
    (found,) = track(video, Told(smiling), TrackOptions(focal=FOCAL))
    motion = found.motion
    assert (motion.frames, motion.fps, motion.rig) == (50, 25.0, "arkit")
    smile, blink = motion.expression[:, INDEX["mouthSmileLeft"]], motion.expression[:, INDEX["eyeBlinkRight"]]
    assert smile.max() > 0.5
    assert abs(int(smile.argmax()) - 15) <= 1
    assert smile[:5].max() < 0.2
    assert blink.max() > 0.6
    assert abs(int(blink.argmax()) - 25) <= 1
    assert motion.head[:, 1].max() == pytest.approx(0.35, abs=0.04)
    assert abs(int(motion.head[:, 1].argmax()) - 37) <= 1
    assert found.residual_mm < 1.5
    assert found.gaps == ()
    assert found.warnings == () or "pixels large" not in found.warnings[0]


def test_a_head_that_is_held_low_is_level_unless_asked(video: Path) -> None:
    said = Told(lambda _: [seen(head=(0.12, 0.0, 0.0))])
    (level,) = track(video, said, TrackOptions(focal=FOCAL))
    (as_seen,) = track(video, said, TrackOptions(focal=FOCAL, level=False))
    assert np.abs(level.motion.head[:, 0]).max() < 0.02
    assert as_seen.motion.head[:, 0].mean() == pytest.approx(0.12, abs=0.05)


def test_a_face_that_leaves_is_a_gap_without_confidence(video: Path) -> None:
    said = Told(lambda seconds: [] if 0.6 <= seconds < 1.2 else smiling(seconds))
    (found,) = track(video, said, TrackOptions(focal=FOCAL))
    assert found.gaps == ((0.6, 1.2),)
    assert found.motion.confidence is not None
    assert (found.motion.confidence[16:29] == 0).all()
    assert (found.motion.confidence[:14] > 0).all()
    assert np.isfinite(found.motion.expression).all()
    assert "missing from 15 of 50" in found.warnings[0]


def test_what_a_face_does_is_told_alike_whether_it_stays_or_leaves(video: Path, tmp_path: Path) -> None:
    longer = record(tmp_path / "longer.mp4", [np.zeros((SIZE[1], SIZE[0], 3), np.uint8)] * 150)

    def says(seconds: float) -> list[Sighting]:
        smile = min(1.0, max(0.0, seconds - 0.8) / 0.4)
        told = {"mouthSmileLeft": smile, "mouthSmileRight": smile, "mouthPucker": 0.3 * (1.0 - smile)}
        return [seen(told, noise=0.3, seed=round(seconds * 1000))] if seconds < 2.0 else []

    (stays,) = track(video, Told(says), TrackOptions(focal=FOCAL))
    (leaves,) = track(longer, Told(says), TrackOptions(focal=FOCAL))
    assert leaves.gaps == ((2.0, 6.0),)
    assert leaves.motion.frames == 150
    # The quarter of a second for which a face that left is taken to stay is all that differs.
    np.testing.assert_allclose(leaves.motion.expression[:50], stays.motion.expression, atol=0.1)


def test_pictures_that_are_far_apart_are_no_gaps(tmp_path: Path) -> None:
    pictures = [np.zeros((SIZE[1], SIZE[0], 3), np.uint8)] * 6
    slow = record(tmp_path / "slow.mkv", pictures, milliseconds=(0, 1000, 1100, 1220, 2000, 3000))
    (whole,) = track(slow, Told(smiling), TrackOptions(focal=FOCAL))
    assert whole.motion.confidence is not None
    assert (whole.motion.confidence > 0).all()
    (parted,) = track(slow, Told(lambda at: [] if at == 2.0 else smiling(at)), TrackOptions(focal=FOCAL))
    assert parted.motion.confidence is not None
    assert np.flatnonzero(parted.motion.confidence == 0).tolist() == list(range(41, 63))


def test_no_face_at_all_says_what_a_face_needs(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tdmm.corpus.tracking.track._KEEP_EVERY", 10)
    with pytest.raises(InvalidVideo, match=r"no face was found in any of its 50 pictures.*pixels large.*crop"):
        track(video, Told(lambda _: []), keep=tmp_path / "seen")
    assert not list(tmp_path.iterdir())


def test_a_crowd_is_warned_of(tmp_path: Path) -> None:
    one = record(tmp_path / "one.mp4", [np.zeros((SIZE[1], SIZE[0], 3), np.uint8)])
    crowd = [seen(place=(0.1 * across, 0.1 * down, -1.5)) for across in range(4) for down in range(2)]
    for faces, warned in ((crowd, True), (crowd[:7], False)):
        (found,) = track(one, Told(lambda _, faces=faces: faces), TrackOptions(face=3, focal=FOCAL))  # type: ignore[misc]
        assert any("no more are looked for" in warning for warning in found.warnings) == warned


def test_one_picture_is_a_motion_of_one_frame(tmp_path: Path) -> None:
    still = record(tmp_path / "still.mp4", [np.zeros((SIZE[1], SIZE[0], 3), np.uint8)])
    (found,) = track(still, Told(lambda _: [seen({"jawOpen": 0.7})]), TrackOptions(focal=FOCAL))
    assert found.motion.frames == 1


def test_two_people_are_two_motions(video: Path) -> None:
    def both(seconds: float) -> list[Sighting]:
        (left,) = smiling(seconds)
        return [seen({"jawOpen": 0.6 if seconds > 0.5 else 0.0}, place=(0.12, 0.0, -0.9)), left]

    nodding, talking = track(video, Told(both), TrackOptions(face="all", focal=FOCAL))
    assert nodding.motion.expression[:, INDEX["jawOpen"]].mean() < 0.15
    assert talking.motion.expression[:, INDEX["jawOpen"]].mean() > 0.3
    (second,) = track(video, Told(both), TrackOptions(face=2, focal=FOCAL))
    np.testing.assert_array_equal(second.motion.expression, talking.motion.expression)
    with pytest.raises(InvalidInput, match="--face 3"):
        track(video, Told(both), TrackOptions(face=3, focal=FOCAL))


def test_an_open_jaw_stays_open_when_refined(video: Path) -> None:
    said = Told(lambda seconds: [seen({"jawOpen": 0.6 if seconds > 0.5 else 0.0}, place=(0.12, 0.0, -0.9))])
    (found,) = track(video, said, TrackOptions(focal=FOCAL))
    assert found.motion.expression[:, INDEX["jawOpen"]].mean() > 0.3


def test_an_interrupted_track_goes_on(video: Path, tmp_path: Path) -> None:
    keep = tmp_path / "seen"

    def until(seconds: float) -> list[Sighting]:
        if seconds > 1.0:
            raise KeyboardInterrupt
        return smiling(seconds)

    with pytest.raises(KeyboardInterrupt):
        track(video, Told(until), TrackOptions(focal=FOCAL), keep=keep)
    assert keep.exists()
    rest = Told(smiling)
    (resumed,) = track(video, rest, TrackOptions(focal=FOCAL), keep=keep)
    assert rest.asked == 24
    assert not keep.exists()
    (whole,) = track(video, Told(smiling), TrackOptions(focal=FOCAL))
    np.testing.assert_array_equal(resumed.motion.expression, whole.motion.expression)


def test_sixty_pictures_a_second_become_twenty_five_frames(tmp_path: Path) -> None:
    picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    times = [round(1000 * place / 60) for place in range(60)]
    fast = record(tmp_path / "fast.mp4", [picture] * 60, milliseconds=times)
    (found,) = track(fast, Told(smiling), TrackOptions(focal=FOCAL))
    assert found.motion.fps == 25
    assert found.motion.seconds == pytest.approx(1.0, abs=0.05)
    assert abs(int(found.motion.expression[:, INDEX["mouthSmileLeft"]].argmax()) - 15) <= 1


def test_pictures_that_come_unevenly_keep_their_times(tmp_path: Path) -> None:
    picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    times = [40 * place for place in range(50) if place % 7 not in (2, 3)]
    uneven = record(tmp_path / "uneven.mp4", [picture] * len(times), milliseconds=times)
    (found,) = track(uneven, Told(smiling), TrackOptions(focal=FOCAL))
    assert found.motion.frames == 50
    assert abs(int(found.motion.expression[:, INDEX["mouthSmileLeft"]].argmax()) - 15) <= 2


def test_the_overlay_lies_on_the_face(video: Path, tmp_path: Path) -> None:
    (found,) = track(video, Told(smiling), TrackOptions(focal=FOCAL))
    pixels, depth = projected(found, 0, *SIZE)
    points = smiling(0.0)[0].points[:, :2]
    nose = pixels[depth.argmin()]
    assert np.linalg.norm(nose - points[1]) < 8
    write_overlay(Footage.open(video), found, tmp_path / "check.mp4")
    with av.open(str(tmp_path / "check.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 50
    left, top, right, bottom = (round(each) for each in smiling(0.0)[0].box)
    assert frames[0][top:bottom, left:right].max() > 60
    assert frames[0][:, : max(left - 30, 1)].max() < 40


@given(st.lists(st.floats(-0.01, 0.01), min_size=12, max_size=30), st.floats(-1, 1))
def test_the_most_frequent_is_where_most_are(near: list[float], middle: float) -> None:
    values = [middle + each for each in near] + [middle + 3, middle - 5, middle + 7]
    assert most_frequent(values) == pytest.approx(middle, abs=0.011)
