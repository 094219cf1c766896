"""Pictures of video files, through FFmpeg's libraries."""

from __future__ import annotations

import contextlib
import math
import re
import struct
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np

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

_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""Bytes that no text has."""

_EXPECTED = "Give a video (mp4, mov, mkv, webm, avi, gif), an image (png, jpg, webp) or a folder of images."
_CONVERT = "Convert it first: ffmpeg -i INPUT -c:v libx264 -pix_fmt yuv420p OUTPUT.mp4"

_UNORDERED = ("avi",)
"""Containers that store times of decoding only: with B-frames these come out shuffled, and their rate is constant."""

_FASTEST = 1000.0
"""Rates above it are units of time that a file gives for want of a rate."""


def container_source(path: Path, fps: float | None, largest_side: int) -> Source:
    """Read the header of a video; no picture is decoded by it.

    Args:
        path: the file.
        fps: the rate to use where the file's own time stamps are missing; its own nominal rate by default.
        largest_side: longer pictures are scaled down to it, in pixels.

    Raises:
        InvalidVideo: not a video, without pictures, or absurdly large; the message says which and the way out.
    """
    with _opened(path) as (container, stream):
        require_decodable(path, stream.codec_context.width, stream.codec_context.height)
        rate = _nominal_rate(stream)
        seconds: float | None = None
        if stream.duration and stream.time_base:
            seconds = float(stream.duration * stream.time_base)
        elif container.duration:
            seconds = container.duration / av.time_base
        # Sound may outlast the pictures: the length of the whole file promises pictures only where it has no sound.
        promised = seconds if stream.duration or not container.streams.audio else None
        pictures = int(stream.frames) or (max(1, round(seconds * rate)) if seconds else None)
    return Source(fps or rate, pictures, partial(_read, path, largest_side, promised))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """Yield the open container and its stream of pictures; it is closed whatever happens."""
    _require_binary(path)
    try:
        # An absolute path, because FFmpeg takes what precedes a colon for a protocol.
        container = av.open(str(path.absolute()), metadata_errors="replace", options={"protocol_whitelist": "file"})
    except av.FFmpegError as error:
        raise InvalidVideo(_why_unreadable(path, error)) from error
    with container:
        yield container, _stream_of_pictures(path, container)


def _require_binary(path: Path) -> None:
    """Refuse text before FFmpeg sees it.

    It draws text as character art, and follows playlists to other files and addresses, for minutes. No container but
    the raw one that starts with its name is free of control characters.
    """
    try:
        with path.open("rb") as handle:
            head = handle.read(4096)
    except OSError as error:
        raise FileProblem(
            f"{path}: cannot be read ({error.strerror or error}). Check the file and its disk."
        ) from error
    if not head:
        raise InvalidVideo(f"{path}: is empty (0 bytes). Copy it again from where it came from.")
    if not _CONTROL.search(head) and not head.startswith(b"YUV4MPEG2"):
        raise InvalidVideo(f"{path}: is not a video but text. {_EXPECTED}")


def _stream_of_pictures(path: Path, container: Any) -> Any:
    streams = [stream for stream in container.streams.video if not stream.disposition & _attached_picture()]
    if not streams:
        found = "only sound" if container.streams.audio else "no stream of pictures"
        raise InvalidVideo(f"{path}: holds {found}. {_EXPECTED}")
    readable = [stream for stream in streams if stream.codec_context is not None]
    if not readable:
        raise InvalidVideo(f"{path}: its pictures are coded in a way that cannot be decoded here. {_CONVERT}")
    return max(readable, key=lambda stream: stream.codec_context.width * stream.codec_context.height)


def _attached_picture() -> Any:
    """The mark of a cover: a still that music files carry as if it were a video."""
    return av.stream.Disposition.attached_pic


def _why_unreadable(path: Path, error: av.FFmpegError) -> str:
    with contextlib.suppress(OSError), path.open("rb") as handle:
        if handle.read(8)[4:] == b"ftyp":
            return (
                f"{path}: the recording is not complete, its index ('moov') is missing or damaged: recording or "
                "copying stopped before the end. Copy it again, or rebuild it with a tool such as untrunc."
            )
    return f"{path}: is not a video that can be read ({error.strerror or error}). {_EXPECTED}"


def _nominal_rate(stream: Any) -> float:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= _FASTEST:
            return float(rate)
    return DEFAULT_FPS


def _read(path: Path, largest_side: int, promised: float | None) -> Generator[tuple[Pixels, float | None]]:
    with _opened(path) as (container, stream):
        stream.thread_type = "AUTO"
        ordered = container.format.name not in _UNORDERED
        aspect = float(stream.sample_aspect_ratio or 1)
        shape: tuple[int, int] | None = None
        for frame in _frames(container, stream, promised):
            require_decodable(path, frame.width, frame.height)
            rgb = _upright(frame, aspect, largest_side, shape)
            shape = (rgb.shape[0], rgb.shape[1])
            yield rgb, frame.time if ordered else None


def _frames(container: Any, stream: Any, promised: float | None) -> Iterator[Any]:
    """Yield decoded frames; say by `Broken` when they end before the file should.

    Not every container notices that it was cut: mp4 and avi mark the last packet, while Matroska just ends, before
    the `promised` seconds of its header.
    """
    begun, cut, end = False, False, 0.0
    undecoded: av.FFmpegError | None = None
    try:
        for packet in container.demux(stream):
            if packet.size:
                cut = packet.is_corrupt
                if packet.pts is not None and packet.time_base:
                    end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            try:
                frames = packet.decode()
            except av.FFmpegError as error:
                if begun:
                    raise
                undecoded = error  # a recording may start between two key frames: its first packets decode to nothing
                continue
            for frame in frames:
                begun = True
                yield frame
    except av.FFmpegError as error:
        yield from _held_back(stream)
        raise Broken(error.strerror or str(error)) from error
    if undecoded is not None and not begun:
        raise Broken(undecoded.strerror or str(undecoded)) from undecoded
    if cut:
        raise Broken("the file ends in the middle of a picture")
    if begun and promised is not None and end < 0.99 * promised - 0.5:
        raise Broken(f"the file says that it lasts {promised:.2f} s, and ends here")


def _held_back(stream: Any) -> Iterator[Any]:
    """Yield what a decoder still holds: threads and B-frames keep it a few pictures behind."""
    with contextlib.suppress(av.FFmpegError):
        yield from stream.decode(None)


def _upright(frame: Any, aspect: float, largest_side: int, shape: tuple[int, int] | None) -> Pixels:
    """Return a frame as it is meant to be seen: square pixels, turned upright, on black.

    Args:
        frame: as decoded.
        aspect: width of a pixel over its height.
        largest_side: longer pictures are scaled down to it.
        shape: (H, W) of the pictures before it. A stream may change its size on the way (a call, a phone that was
            turned): such a picture is fitted into that shape, undistorted, with black beside it.
    """
    transposed, mirrored, upended = _orientation(frame)
    width, height = size_within(frame.width * aspect, frame.height, largest_side)
    if shape is not None:
        room_height, room_width = shape[::-1] if transposed else shape
        scale = min(room_width / width, room_height / height)
        if not math.isclose(scale, 1.0) or (width, height) != (room_width, room_height):
            width = min(room_width, max(1, round(width * scale)))
            height = min(room_height, max(1, round(height * scale)))
    see_through = frame.format.has_palette or any(component.is_alpha for component in frame.format.components)
    scaled = frame.reformat(width, height, format="rgba" if see_through else "rgb24", interpolation="AREA")
    pixels: Pixels = scaled.to_ndarray()
    if see_through:
        pixels = over_black(pixels)
    if transposed:
        pixels = pixels.transpose(1, 0, 2)
    pixels = np.ascontiguousarray(pixels[:: -1 if upended else 1, :: -1 if mirrored else 1])
    if shape is None or pixels.shape[:2] == shape:
        return pixels
    canvas = np.zeros((*shape, 3), np.uint8)
    top, left = ((room - side) // 2 for room, side in zip(shape, pixels.shape, strict=False))
    canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return canvas


def _orientation(frame: Any) -> tuple[bool, bool, bool]:
    """Return (transposed, mirrored left to right, upended): what turns a stored frame into the one to be seen.

    The display matrix (a, b, u, c, d, v, x, y, w) sends a stored point (p, q), y down, to (a p + c q, b p + d q). The
    whole matrix is read, not its angle: a front camera may store a mirror image. Angles between quarter turns count
    as the nearest one.
    """
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            a, b, _, c, d = struct.unpack_from("=5i", bytes(data))
            if abs(b) + abs(c) > abs(a) + abs(d):
                return True, c < 0, b < 0
            return False, a < 0, d < 0
    return False, False, False
