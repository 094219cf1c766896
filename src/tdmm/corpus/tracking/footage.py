"""Reading the pictures of a recording, one after another, as a face tracker wants them.

Upright, square pixels, 8-bit RGB, not larger than needed, and with the time of each. High dynamic range is not tone
mapped: such pictures come out pale. Interlaced pictures are left as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tdmm.corpus.tracking.container import container_source
from tdmm.corpus.tracking.images import IMAGE_EXTENSIONS, folder_source, image_source
from tdmm.corpus.tracking.source import Broken, Pixels, Source
from tdmm.errors import FileProblem, InvalidInput, InvalidVideo
from tdmm.files import require_readable

_RESTART_SECONDS = 1.0
"""A clock that goes back further than this has restarted (files joined end to end); less is a wrong stamp."""


@dataclass(frozen=True)
class Picture:
    """One picture of a recording.

    Attributes:
        rgb: (H, W, 3) uint8, upright.
        seconds: time from the first picture.
    """

    rgb: Pixels
    seconds: float


class Footage:
    """A video, an animated image, a folder of images, or a still. Iterate it as often as wanted, from the start.

    All pictures have one size, and their times strictly increase. Nothing is held open between iterations, and an
    iteration that is left early closes the file.

    Attributes:
        path: the file or folder.
        width: of every picture, upright, in pixels.
        height: of every picture, upright, in pixels.
        fps: nominal pictures per second; the times of the pictures themselves count.
        pictures: estimate of how many there are, or None.
        problem: where and why the latest iteration ended before the file should, or None.
    """

    def __init__(self, path: Path, source: Source, *, width: int, height: int) -> None:
        self.path = path
        self.width = width
        self.height = height
        self.fps = source.fps
        self.pictures = source.pictures
        self.problem: str | None = None
        self._source = source

    @classmethod
    def open(cls, path: Path, *, fps: float | None = None, largest_side: int = 1280) -> Footage:
        """Look at a recording: its header is read and its first picture decoded, to be sure of the rest.

        Args:
            path: a video, an animated image, a still, or a folder of images.
            fps: pictures per second of a folder (25 by default); of a video, used where its time stamps are missing.
            largest_side: pictures longer than this on their longer side are scaled down to it, in pixels.

        Raises:
            FileProblem: no such file, or one that may not be read.
            InvalidVideo: no pictures can be had from it; the message says why and what to do.
            InvalidInput: `fps` or `largest_side` makes no sense.
        """
        if fps is not None and not (math.isfinite(fps) and 0 < fps <= 1000):
            raise InvalidInput(f"fps {fps} is not a rate. Give pictures per second between 0 and 1000, for example 25.")
        if largest_side < 1:
            raise InvalidInput(f"largest_side {largest_side} leaves no picture. Give pixels, for example 1280.")
        source = _source(path, fps, largest_side)
        try:
            with closing(source.read()) as pictures:
                rgb, _ = next(pictures)
        except StopIteration as error:
            raise InvalidVideo(f"{path}: is a video without a single picture. Record or export it again.") from error
        except Broken as error:
            raise InvalidVideo(
                f"{path}: not one picture can be decoded ({error}). Copy it again from where it came from, or "
                "convert it: ffmpeg -i INPUT -c:v libx264 -pix_fmt yuv420p OUTPUT.mp4"
            ) from error
        return cls(path, source, width=rgb.shape[1], height=rgb.shape[0])

    def __iter__(self) -> Iterator[Picture]:
        """Yield the pictures in order. Where the file is damaged they end, and `problem` says where and why.

        Raises:
            FileProblem: the file is gone since it was opened.
            InvalidVideo: it has changed since, and is no video any more.
        """
        self.problem = None
        clock = Clock(self.fps)
        count, seconds = 0, 0.0
        with closing(self._source.read()) as pictures:
            try:
                for rgb, stamp in pictures:
                    seconds = clock.tell(stamp)
                    count += 1
                    yield Picture(rgb, seconds)
            except Broken as error:
                self.problem = (
                    f"{self.path}: breaks off after {count} pictures, at {seconds:.2f} s ({error}). "
                    "What comes before is used; copy or convert the file again for the rest."
                )


def _source(path: Path, fps: float | None, largest_side: int) -> Source:
    if path.is_dir():
        return folder_source(path, fps, largest_side)
    require_readable(path)
    if not path.is_file():
        raise FileProblem(f"{path}: is not a regular file. Record into a file first, then give that.")
    if path.suffix.lower() in IMAGE_EXTENSIONS:
        return image_source(path, fps, largest_side)
    return container_source(path, fps, largest_side)


class Clock:
    """Seconds from the first picture, strictly increasing whatever the time stamps are.

    Stamps that increase are kept as they are. One that is missing, or not later than the last, becomes one nominal
    interval after the last; one that has gone back further than a second starts a new count there.
    """

    def __init__(self, fps: float) -> None:
        self._interval = 1 / fps
        self._last: float | None = None
        self._origin: float | None = None

    def tell(self, stamp: float | None) -> float:
        """Return the time of the next picture, given its stamp in seconds from anywhere, or None."""
        expected = 0.0 if self._last is None else self._last + self._interval
        now = expected
        if stamp is not None:
            if self._origin is None:
                self._origin = stamp - expected
            stated = stamp - self._origin
            if self._last is None or stated > self._last:
                now = stated
            elif self._last - stated > _RESTART_SECONDS:
                self._origin = stamp - expected
        self._last = now
        return now
