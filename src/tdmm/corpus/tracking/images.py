"""Pictures of image files: a still, an animated image, a folder of images."""

from __future__ import annotations

import re
import struct
import warnings
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tdmm.corpus.tracking.source import (
    DEFAULT_FPS,
    Broken,
    Pixels,
    Source,
    over_black,
    require_decodable,
    size_within,
)
from tdmm.errors import FileProblem, InvalidVideo

IMAGE_EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
"""Extensions of images, which are not read as videos. A `.gif` is: FFmpeg knows its times."""

VIDEO_EXTENSIONS = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".gif")
"""Extensions of videos: a folder without images is searched for them, to point at what was meant."""

_FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
_TURNED_BY_EXIF = ("JPEG", "MPO", "WEBP")
_ORIENTATION_TAG = 0x0112
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)
"""What Pillow raises on damaged files, by format and place."""


def is_footage(path: Path) -> bool:
    """Whether a path is a folder, or named like a video or an image."""
    return path.is_dir() or path.suffix.lower() in (*VIDEO_EXTENSIONS, *IMAGE_EXTENSIONS)


def image_source(path: Path, fps: float | None, largest_side: int) -> Source:
    """One image file: one picture, or those of an animated png or webp with their own durations.

    Raises:
        InvalidVideo: not an image, or absurdly large.
    """
    with _opened(path) as image:
        pictures: int = getattr(image, "n_frames", 1) if image.format in ("PNG", "WEBP") else 1
    return Source(fps or DEFAULT_FPS, pictures, partial(_read_frames, path, largest_side, pictures))


def folder_source(folder: Path, fps: float | None, largest_side: int) -> Source:
    """The images in `folder`, in the order of the numbers in their names (2 before 10), `fps` a second (25 by default).

    Hidden files are left out. Every header is read, so that an image of another size is found before the work.

    Raises:
        FileProblem: the folder cannot be listed.
        InvalidVideo: no images in it, one that is not an image, one that is absurdly large, or two sizes.
    """
    try:
        files = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    except OSError as error:
        raise FileProblem(f"{folder}: cannot be listed ({error.strerror or error}). Check its permissions.") from error
    images = sorted((path for path in files if path.suffix.lower() in IMAGE_EXTENSIONS), key=_natural)
    if not images:
        videos = sorted((path for path in files if path.suffix.lower() in VIDEO_EXTENSIONS), key=_natural)
        if videos:
            held = "one video" if len(videos) == 1 else f"{len(videos)} videos"
            raise InvalidVideo(f"{folder}: is a folder without images, with {held} in it. Give the file: {videos[0]}")
        raise InvalidVideo(
            f"{folder}: no images in this folder. Give one that holds them directly ({', '.join(IMAGE_EXTENSIONS)})."
        )
    first: tuple[int, int] | None = None
    for path in images:
        with _opened(path) as image:
            size = _upright_size(image)
        first = first or size
        if size != first:
            raise InvalidVideo(
                f"{path}: is {size[0]} x {size[1]}, while {images[0].name} is {first[0]} x {first[1]}. The pictures of "
                "one take are all of one size: move it out of the folder, or scale it."
            )
    return Source(fps or DEFAULT_FPS, len(images), partial(_read_folder, images, largest_side))


def _natural(path: Path) -> tuple[list[str | int], str]:
    """Order names as a person does: take2 before take10."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], path.name


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Yield an image of which only the header was read."""
    try:
        with warnings.catch_warnings():
            # Pillow's own limit lies above ours, and warns before it refuses.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path, formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise InvalidVideo(f"{path}: is too large to be decoded. Make it smaller first. ({error})") from error
    except _DAMAGE as error:
        empty = path.is_file() and path.stat().st_size == 0
        what = "is empty (0 bytes)" if empty else "is not an image that can be read"
        raise InvalidVideo(
            f"{path}: {what}. Save it again as png or jpg, or leave it out; a video keeps its own extension (.mp4)."
        ) from error
    with image:
        require_decodable(path, image.width, image.height)
        yield image


def _upright_size(image: Image.Image) -> tuple[int, int]:
    """Return (width, height) as seen: cameras store portraits lying, with a note which side is up."""
    if image.format in _TURNED_BY_EXIF and image.getexif().get(_ORIENTATION_TAG, 1) >= 5:
        return image.height, image.width
    return image.width, image.height


def _read_folder(images: list[Path], largest_side: int) -> Generator[tuple[Pixels, float | None]]:
    for path in images:
        try:
            with _opened(path) as image:
                pixels = _pixels(image, largest_side)
        except (*_DAMAGE, InvalidVideo) as error:
            raise Broken(f"{path.name} cannot be decoded ({error})") from error
        yield pixels, None


def _read_frames(path: Path, largest_side: int, pictures: int) -> Generator[tuple[Pixels, float | None]]:
    milliseconds = 0.0
    with _opened(path) as image:
        for index in range(pictures):
            try:
                if pictures > 1:
                    image.seek(index)
                pixels = _pixels(image, largest_side)
            except _DAMAGE as error:
                raise Broken(str(error)) from error
            yield pixels, milliseconds / 1000
            milliseconds += float(image.info.get("duration", 0.0))


def _pixels(image: Image.Image, largest_side: int) -> Pixels:
    """Decode, turn upright, lay over black, scale down."""
    size = size_within(*_upright_size(image), largest_side)
    image.draft("RGB", (max(size), max(size)))  # a jpeg much larger than needed is decoded at a half, quarter or eighth
    image.load()
    upright = ImageOps.exif_transpose(image) if image.format in _TURNED_BY_EXIF else image
    flat = Image.fromarray(_flattened(upright))
    if flat.size != size:
        flat = flat.resize(size, Image.Resampling.BOX)
    return np.array(flat, dtype=np.uint8)


def _flattened(image: Image.Image) -> Pixels:
    if image.mode.startswith("I"):  # 16 bits of gray, which Pillow would clip to 8
        gray = (np.asarray(image) >> 8).astype(np.uint8)
        return np.repeat(gray[..., None], 3, axis=2)
    if "A" in image.getbands() or "transparency" in image.info:
        return over_black(np.asarray(image.convert("RGBA")))
    return np.asarray(image.convert("RGB"))
