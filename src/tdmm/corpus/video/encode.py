"""Video files of clips: written aside, and looked through before anybody relies on them."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from tdmm.corpus.video.backend import VideoFile
from tdmm.errors import FileProblem, InvalidVideo
from tdmm.files import written_aside

ENCODER = {"codec": "libx264", "crf": "18", "preset": "veryfast"}
_RATE_DENOMINATOR = 1001

Pictures = Iterable[npt.NDArray[np.uint8]]


def write_video(pictures: Pictures, path: Path, fps: float) -> None:
    """Write pictures (H, W, 3) uint8 sRGB of one even size as H.264, 4:2:0.

    Raises:
        FileProblem: the folder cannot be written, or the disk is full; nothing is left behind.
    """
    options = {"crf": ENCODER["crf"], "preset": ENCODER["preset"]}
    rate = Fraction(fps).limit_denominator(_RATE_DENOMINATOR)
    with written_aside(path) as aside:
        try:
            with av.open(str(aside), "w", format="mp4") as container:
                stream = container.add_stream(ENCODER["codec"], rate=rate, options=options)
                stream.pix_fmt = "yuv420p"
                for number, picture in enumerate(pictures):
                    if number == 0:
                        stream.height, stream.width = picture.shape[:2]
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
                container.mux(stream.encode())
        except av.FFmpegError as error:
            raise FileProblem(
                f"{path}: the video could not be written ({error.strerror or error}); nothing was left behind."
            ) from error


def made_clip(clip_id: str, path: Path, provenance: Mapping[str, Any], truth: Path | None = None) -> VideoFile:
    """Look a finished video through to its last picture and say what it is.

    A file that is no whole video is removed, so that the clip is made again.

    Raises:
        InvalidVideo: it is missing, empty, no video, or breaks off.
    """
    try:
        fps, frames, width, height = _measured(path)
    except (av.FFmpegError, OSError, ValueError) as error:
        size = path.stat().st_size if path.exists() else None
        path.unlink(missing_ok=True)
        found = "no file" if size is None else f"{size:,} bytes that are not a whole video"
        reason = getattr(error, "strerror", None) or error
        raise InvalidVideo(
            f"{path}: the generator left {found} for clip {clip_id} ({reason}). The clip has to be made again."
        ) from error
    return VideoFile(clip_id, path, fps, frames, width, height, truth, {**provenance, "fps": fps, "frames": frames})


def _measured(path: Path) -> tuple[float, int, int, int]:
    """Frame rate, frames, width and height of a video that can be decoded to its end."""
    if not path.stat().st_size:
        raise ValueError("it is empty")
    # An absolute path, because FFmpeg takes what precedes a colon for a protocol.
    with av.open(str(path.absolute()), options={"protocol_whitelist": "file"}) as container:
        if not container.streams.video:
            raise ValueError("it holds no pictures")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        promised = int(stream.frames)
        frames = sum(1 for _ in container.decode(stream))
        fps = stream.average_rate or stream.guessed_rate
        if not frames or frames < promised:
            raise ValueError(f"{frames} of {promised} pictures can be decoded")
        if not fps:
            raise ValueError("it has no frame rate")
        return float(fps), frames, int(stream.codec_context.width), int(stream.codec_context.height)


def versions(*packages: str) -> dict[str, str]:
    """Versions of installed packages, by name, for provenance."""
    return {package: importlib.metadata.version(package) for package in ("tdmm", *packages)}
