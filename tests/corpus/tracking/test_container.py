from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from recordings import assert_corners, corners, noise, record

from tdmm.corpus.tracking.footage import Footage
from tdmm.errors import InvalidVideo


def times(footage: Footage) -> list[float]:
    return [picture.seconds for picture in footage]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mov", "libx264"),
        ("a.mkv", "libx264"),
        ("a.webm", "libvpx"),
        ("a.avi", "mpeg4"),
        ("b_frames.avi", "libx264"),  # an avi has no times of presentation, and these come out of order
        ("a.h264", "libx264"),  # no times at all
        ("a.ts", "libx264"),  # starts at 1.4 seconds
    ],
)
def test_containers(tmp_path: Path, name: str, codec: str) -> None:
    footage = Footage.open(record(tmp_path / name, [corners()] * 8, codec=codec))
    assert (footage.width, footage.height, footage.fps) == (64, 48, 25)
    assert footage.pictures in (8, None)
    pictures = list(footage)
    np.testing.assert_allclose([picture.seconds for picture in pictures], np.arange(8) / 25, atol=1e-3)
    assert footage.problem is None
    rgb = pictures[-1].rgb
    assert rgb.shape == (48, 64, 3)
    assert rgb.dtype == np.uint8
    assert rgb.flags.c_contiguous
    assert_corners(rgb, tolerance=30 if name.endswith(("webm", "a.avi")) else 12)
    assert times(footage) == [picture.seconds for picture in pictures]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_variable_rate_keeps_its_times(tmp_path: Path, name: str) -> None:
    stamps = [0, 40, 100, 300, 320, 410, 700, 1000]
    footage = Footage.open(record(tmp_path / name, [corners()] * 8, milliseconds=stamps))
    np.testing.assert_allclose(times(footage), np.array(stamps) / 1000, atol=1e-3)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, -90])
@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
def test_a_turned_phone_comes_out_upright(tmp_path: Path, name: str, degrees: int, mirrored: bool) -> None:
    seen = corners(48, 64)
    stored = np.ascontiguousarray(np.rot90(seen[:, ::-1] if mirrored else seen, -degrees // 90))
    path = record(tmp_path / name, [stored] * 2, turned={"degrees": degrees, "hflip": mirrored})
    footage = Footage.open(path)
    assert (footage.width, footage.height) == (48, 64)
    for picture in footage:
        assert_corners(picture.rgb)


@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(1, 2)])
def test_pixels_become_square(tmp_path: Path, aspect: Fraction) -> None:
    footage = Footage.open(record(tmp_path / "a.mp4", [corners()], aspect=aspect))
    assert (footage.width, footage.height) == (round(64 * aspect), 48)
    assert_corners(next(iter(footage)).rgb, tolerance=25)


def test_a_turned_phone_with_oblong_pixels(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4", [corners()], aspect=Fraction(2), turned={"degrees": 90})
    footage = Footage.open(path, largest_side=100)
    assert (footage.width, footage.height) == (38, 100)
    assert next(iter(footage)).rgb.shape == (100, 38, 3)


def test_large_pictures_are_scaled_down_by_area(tmp_path: Path) -> None:
    board = np.zeros((240, 320, 3), np.uint8)
    board[::2, ::2] = board[1::2, 1::2] = 255
    path = record(tmp_path / "a.mkv", [board], codec="ffv1", pixels="bgr0")
    footage = Footage.open(path, largest_side=40)
    assert (footage.width, footage.height) == (40, 30)
    assert np.abs(next(iter(footage)).rgb.astype(int) - 127).max() < 8  # every fourth pixel alone would be black
    assert Footage.open(path).width == 320


@pytest.mark.parametrize(
    ("codec", "pixels"),
    [("ffv1", "yuv422p10le"), ("ffv1", "bgr0"), ("mjpeg", "yuvj420p"), ("ffv1", "yuv444p16le"), ("mpeg4", "yuv420p")],
)
def test_odd_pixel_formats(tmp_path: Path, codec: str, pixels: str) -> None:
    path = record(tmp_path / "a.mkv", [corners()], codec=codec, pixels=pixels)
    assert_corners(next(iter(Footage.open(path))).rgb, tolerance=20)


@pytest.mark.parametrize("pixels", ["gray", "gray10le"])
def test_gray(tmp_path: Path, pixels: str) -> None:
    ramp = np.repeat(np.tile(np.arange(0, 256, 4, dtype=np.uint8), (48, 1))[..., None], 3, axis=2)
    rgb = next(iter(Footage.open(record(tmp_path / "a.mkv", [ramp], codec="ffv1", pixels=pixels)))).rgb
    np.testing.assert_allclose(rgb.astype(int), ramp, atol=3)


def test_see_through_pixels_lie_on_black(tmp_path: Path) -> None:
    rgba = np.full((48, 64, 4), 200, np.uint8)
    rgba[:, :32, 3], rgba[:, 32:, 3] = 0, 128
    path = record(tmp_path / "a.mov", [rgba], codec="png", pixels="rgba", source="rgba")
    rgb = next(iter(Footage.open(path))).rgb
    assert (rgb[:, :32] == 0).all()
    assert (rgb[:, 32:] == 100).all()


def test_a_stream_that_changes_its_size_is_fitted_into_the_first(tmp_path: Path) -> None:
    first = record(tmp_path / "1.h264", [corners()] * 3).read_bytes()
    second = record(tmp_path / "2.h264", [corners(96, 128)] * 3).read_bytes()
    (tmp_path / "joined.h264").write_bytes(first + second)
    pictures = [picture.rgb for picture in Footage.open(tmp_path / "joined.h264")]
    assert [rgb.shape for rgb in pictures] == [(48, 64, 3)] * 6
    assert_corners(pictures[-1][:, 14:50], tolerance=25)  # 36 x 48, undistorted
    assert pictures[-1][:, :13].max() == 0


def test_files_joined_end_to_end_run_on(tmp_path: Path) -> None:
    part = record(tmp_path / "part.ts", [corners()] * 30).read_bytes()
    (tmp_path / "joined.ts").write_bytes(part * 2)
    seconds = times(Footage.open(tmp_path / "joined.ts"))
    assert len(seconds) == 60
    np.testing.assert_allclose(np.diff(seconds), 0.04, atol=0.05)
    assert np.all(np.diff(seconds) > 0)


def cut(path: Path, share: float) -> Path:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    return path


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4")])
def test_a_file_that_was_cut_gives_what_it_has_and_says_so(tmp_path: Path, name: str, codec: str) -> None:
    options = {"movflags": "+faststart"} if name == "a.mp4" else None
    path = record(tmp_path / name, [noise() for _ in range(60)], codec=codec, options=options)
    footage = Footage.open(path)
    assert len(list(footage)) == 60
    assert footage.problem is None
    cut(path, 0.5)
    seconds = times(footage)
    assert 20 <= len(seconds) <= 40
    assert footage.problem is not None
    assert f"{name}: breaks off after {len(seconds)} pictures, at {seconds[-1]:.2f} s" in footage.problem


def test_a_file_damaged_in_the_middle_gives_what_comes_before(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4", [noise() for _ in range(40)], options={"movflags": "+faststart"})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2))
    footage = Footage.open(path)
    seconds = times(footage)
    np.testing.assert_allclose(seconds, np.arange(len(seconds)) / 25, atol=1e-3)
    assert 15 <= len(seconds) <= 22
    assert footage.problem is not None
    assert "Invalid data" in footage.problem


def test_a_file_damaged_from_the_start_is_refused(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4", [noise() for _ in range(20)])
    whole = bytearray(path.read_bytes())
    start = whole.index(b"mdat") + 4
    whole[start : whole.index(b"moov") - 4] = bytes(whole.index(b"moov") - 4 - start)
    path.write_bytes(whole)
    with pytest.raises(InvalidVideo, match=r"a\.mp4: (not one picture can be decoded|is a video without)"):
        Footage.open(path)


def test_what_is_not_a_video_is_refused_with_the_way_out(tmp_path: Path) -> None:
    def refused(name: str, content: bytes) -> str:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InvalidVideo) as caught:
            Footage.open(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
        return str(caught.value)

    unfinished = cut(record(tmp_path / "a.mp4", [noise()] * 9), 0.5).read_bytes()
    assert "'moov'" in refused("unfinished.mp4", unfinished)
    assert "is empty (0 bytes)" in refused("empty.mp4", b"")
    assert "not a video but text" in refused("text.mp4", b"<html>Sign in to download</html>\n" * 20)
    assert "not a video but text" in refused("notes.txt", b"a note, which FFmpeg would draw\n" * 20)
    assert "not a video but text" in refused("list.mp4", b"ffconcat version 1.0\nfile a.mp4\n")
    assert "is not a video that can be read" in refused("bytes.mp4", bytes(range(256)) * 8)
    assert "10000 x 10000" in refused("huge.y4m", b"YUV4MPEG2 W10000 H10000 F25:1 C420\nFRAME\n")


def test_a_playlist_fetches_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n")
    with pytest.raises(InvalidVideo):
        Footage.open(tmp_path / "a.m3u8")


def test_no_pictures(tmp_path: Path) -> None:
    empty = record(tmp_path / "a.mp4", [], options={"movflags": "frag_keyframe+empty_moov"})
    with pytest.raises(InvalidVideo, match=r"a\.mp4: is a video without a single picture"):
        Footage.open(empty)


@pytest.mark.parametrize("cover", [False, True])
def test_sound_only(tmp_path: Path, cover: bool) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=8000, layout="mono")
        if cover:
            still = container.add_stream("mjpeg", rate=1)
            still.width, still.height, still.pix_fmt = 64, 48, "yuvj420p"
            still.disposition = av.stream.Disposition.attached_pic
            container.mux(still.encode(av.VideoFrame.from_ndarray(corners()).reformat(format="yuvj420p")))
            container.mux(still.encode())
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(sound.encode(frame))
        container.mux(sound.encode())
    with pytest.raises(InvalidVideo, match=r"song\.mp4: holds only sound"):
        Footage.open(path)
