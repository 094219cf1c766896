from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from recordings import assert_corners, corners, record

from tdmm.corpus.tracking.footage import Footage
from tdmm.corpus.tracking.source import over_black, size_within
from tdmm.errors import InvalidVideo


def plain(value: int, width: int = 16, height: int = 12) -> Image.Image:
    return Image.new("RGB", (width, height), (value, value, value))


def shown(footage: Footage) -> list[tuple[int, float]]:
    """The brightness and the time of every picture."""
    return [(round(float(picture.rgb.mean())), round(picture.seconds, 6)) for picture in footage]


@pytest.mark.parametrize("extension", ["png", "jpg", "JPEG", "webp", "bmp"])
def test_a_still_is_one_picture(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a.{extension}"
    Image.fromarray(corners()).save(path)
    footage = Footage.open(path)
    (picture,) = footage
    assert (footage.width, footage.height, footage.fps, footage.pictures) == (64, 48, 25, 1)
    assert picture.seconds == 0
    assert_corners(picture.rgb, tolerance=30)


@pytest.mark.parametrize("extension", ["jpg", "webp"])
def test_a_photo_taken_upright_is_upright(tmp_path: Path, extension: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise
    stored = np.rot90(corners(192, 256))
    Image.fromarray(stored).save(tmp_path / f"a.{extension}", exif=exif, quality=95)
    for side in (1280, 60):
        footage = Footage.open(tmp_path / f"a.{extension}", largest_side=side)
        assert footage.width * 4 == footage.height * 3
        assert footage.height == min(side, 256)
        assert_corners(next(iter(footage)).rgb, tolerance=30)


def test_pixels_of_all_kinds(tmp_path: Path) -> None:
    def read(image: Image.Image, **options: object) -> list[int]:
        image.save(tmp_path / "a.png", **options)
        rgb = next(iter(Footage.open(tmp_path / "a.png"))).rgb
        assert (rgb == rgb[0, 0]).all()
        return [int(value) for value in rgb[0, 0]]

    assert read(Image.new("L", (8, 8), 90)) == [90] * 3
    assert read(Image.new("1", (8, 8), 1)) == [255] * 3
    assert read(Image.fromarray(np.full((8, 8), 0x8012, np.uint16))) == [128] * 3
    assert read(Image.new("RGBA", (8, 8), (200, 100, 0, 128))) == [100, 50, 0]
    assert read(Image.new("LA", (8, 8), (200, 0))) == [0] * 3
    assert read(Image.new("P", (8, 8), 0), transparency=0) == [0] * 3


@pytest.mark.parametrize("extension", ["gif", "webp", "png"])
def test_an_animation_has_its_own_durations(tmp_path: Path, extension: str) -> None:
    pictures = [plain(value) for value in (0, 85, 170, 255)]
    durations = [100, 40, 300, 50]
    path = tmp_path / f"a.{extension}"
    options = {"lossless": True} if extension == "webp" else {}
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=durations, loop=0, **options)
    footage = Footage.open(path)
    assert footage.pictures == 4
    assert shown(footage) == [(0, 0.0), (85, 0.1), (170, 0.14), (255, 0.44)]
    assert shown(footage) == shown(footage)


def test_an_animation_lies_on_black(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (16, 12), (250, 250, 250, 0))
    solid = Image.new("RGBA", (16, 12), (255, 255, 255, 255))
    clear.save(tmp_path / "a.gif", save_all=True, append_images=[solid], duration=100, disposal=2)
    assert shown(Footage.open(tmp_path / "a.gif")) == [(0, 0.0), (255, 0.1)]


@given(names=st.sets(st.integers(0, 10**6), min_size=1, max_size=12))
def test_a_folder_is_read_in_the_order_of_its_numbers(
    names: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("take")
    order = sorted(names)
    for number in random.Random(0).sample(order, len(order)):
        plain(order.index(number) * 20, 2, 2).save(folder / f"Take {number}.png")
    (folder / "notes.txt").write_text("not an image")
    (folder / "._Take 1.png").write_bytes(b"what a Mac leaves behind")
    footage = Footage.open(folder, fps=10)
    assert (footage.fps, footage.pictures) == (10, len(order))
    assert shown(footage) == [(place * 20, pytest.approx(place / 10)) for place in range(len(order))]


def test_a_folder_runs_at_25_a_second_unless_told(tmp_path: Path) -> None:
    for index in range(3):
        plain(index).save(tmp_path / f"{index}.jpg")
    footage = Footage.open(tmp_path)
    assert footage.fps == 25
    assert [picture.seconds for picture in footage] == pytest.approx([0, 0.04, 0.08])


def test_folders_that_are_no_take(tmp_path: Path) -> None:
    with pytest.raises(InvalidVideo, match="no images in this folder"):
        Footage.open(tmp_path)
    video = record(tmp_path / "take.mp4", [corners()])
    with pytest.raises(InvalidVideo, match="one video in it") as caught:
        Footage.open(tmp_path)
    assert str(caught.value).endswith(f"Give the file: {video}")
    plain(0).save(tmp_path / "1.png")
    plain(0, 12, 16).save(tmp_path / "2.png")
    with pytest.raises(InvalidVideo, match=r"2\.png: is 12 x 16, while 1\.png is 16 x 12"):
        Footage.open(tmp_path)
    (tmp_path / "2.png").write_text("text")
    with pytest.raises(InvalidVideo, match=r"2\.png: is not an image that can be read"):
        Footage.open(tmp_path)


def test_a_damaged_image_ends_a_folder(tmp_path: Path) -> None:
    for index in range(3):
        Image.effect_noise((64, 48), 90).convert("RGB").save(tmp_path / f"{index}.png")
    whole = (tmp_path / "1.png").read_bytes()
    (tmp_path / "1.png").write_bytes(whole[: len(whole) // 2])
    footage = Footage.open(tmp_path)
    assert len(list(footage)) == 1
    assert footage.problem is not None
    assert "breaks off after 1 pictures, at 0.00 s (1.png cannot be decoded" in footage.problem
    with pytest.raises(InvalidVideo, match=r"1\.png: not one picture can be decoded"):
        Footage.open(tmp_path / "1.png")


@pytest.mark.parametrize(("side", "said"), [(9000, "9000 x 9000"), (10_000, "10000"), (60_000, "too large")])
def test_an_absurd_size_is_refused_before_it_is_decoded(tmp_path: Path, side: int, said: str) -> None:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InvalidVideo, match=said):
        Footage.open(tmp_path / "a.png")


def test_files_that_are_no_image(tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(InvalidVideo, match=r"empty\.png: is empty"):
        Footage.open(tmp_path / "empty.png")
    record(tmp_path / "a.mp4", [corners()]).rename(tmp_path / "a.jpg")
    with pytest.raises(InvalidVideo, match=r"a\.jpg: is not an image .* a video keeps its own extension"):
        Footage.open(tmp_path / "a.jpg")


@given(st.integers(0, 255), st.integers(0, 255))
def test_over_black(value: int, alpha: int) -> None:
    rgba = np.array([[[value, value, value, alpha]]], np.uint8)
    assert over_black(rgba)[0, 0, 0] == pytest.approx(value * alpha / 255, abs=0.5)


@given(st.floats(1, 1e5), st.floats(1, 1e5), st.integers(1, 4000))
def test_sizes_stay_within_and_keep_their_shape(width: float, height: float, side: int) -> None:
    small_width, small_height = size_within(width, height, side)
    assert 1 <= small_width <= max(side, 1)
    assert 1 <= small_height <= max(side, 1)
    scale = min(1.0, side / max(width, height))
    assert abs(small_width - width * scale) <= 1
    assert abs(small_height - height * scale) <= 1
