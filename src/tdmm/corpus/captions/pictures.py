"""Pictures of a clip for models that take images and no videos: sheets of frames, a second on each."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tdmm.corpus.tracking.footage import Footage
from tdmm.corpus.tracking.source import Pixels

LEAST_FPS = 10.0
"""Pictures a second below which blinks (a quarter of a second) are missed."""
_COLUMNS = 5
_SIDE = 224
_QUALITY = 85


@dataclass(frozen=True)
class Sheet:
    """Frames side by side, in rows of five from the top left.

    Attributes:
        jpeg: the image.
        seconds: of each frame.
    """

    jpeg: bytes
    seconds: tuple[float, ...]


def sampled(seconds: Sequence[float], fps: float) -> list[int]:
    """Numbers of the pictures that stand nearest to an even clock of `fps`; each at most once, all where there are
    fewer.

    Args:
        seconds: of each picture, increasing.
        fps: wanted.
    """
    if not seconds:
        return []
    times = np.asarray(seconds)
    even = times[0] + np.arange(math.floor((times[-1] - times[0]) * fps + 1e-6) + 1) / fps
    after = np.clip(np.searchsorted(times, even), 0, len(times) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(even - times[before] < times[after] - even, before, after)
    return sorted(set(nearest.tolist()))


def sheets(video: Path, fps: float = LEAST_FPS) -> list[Sheet]:
    """A clip as sheets, each of at most a second.

    Raises:
        FileProblem, InvalidVideo: it cannot be read.
    """
    footage = Footage.open(video, largest_side=1280)
    pictures = [(picture.seconds, _small(picture.rgb)) for picture in footage]
    chosen = [pictures[number] for number in sampled([seconds for seconds, _ in pictures], fps)]
    count = math.ceil(fps)
    return [_sheet(chosen[start : start + count]) for start in range(0, len(chosen), count)]


def _small(rgb: Pixels) -> Image.Image:
    image = Image.fromarray(rgb)
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    return image


def _sheet(frames: Sequence[tuple[float, Image.Image]]) -> Sheet:
    rows = math.ceil(len(frames) / _COLUMNS)
    width, height = frames[0][1].size
    canvas = Image.new("RGB", (min(len(frames), _COLUMNS) * width, rows * height))
    for place, (_, image) in enumerate(frames):
        canvas.paste(image, (place % _COLUMNS * width, place // _COLUMNS * height))
    stream = io.BytesIO()
    canvas.save(stream, "JPEG", quality=_QUALITY)
    return Sheet(stream.getvalue(), tuple(seconds for seconds, _ in frames))
