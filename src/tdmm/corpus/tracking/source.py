"""What every kind of footage is to its reader: a nominal rate, a count, and a way to read it from the start."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tdmm.errors import InvalidVideo

Pixels = npt.NDArray[np.uint8]
"""(H, W, 3) uint8, red, green and blue."""

MOST_PIXELS = 2**26
"""The largest picture that is decoded: 8192 x 8192. Above it a few bytes of header could fill the memory."""

DEFAULT_FPS = 25.0
"""The rate of pictures that carry no times: folders, stills, and streams that state none."""


class Broken(Exception):
    """The pictures end here because the file is damaged; the text is the reason alone, without the path."""


@dataclass(frozen=True)
class Source:
    """One kind of footage.

    Attributes:
        fps: nominal pictures per second.
        pictures: estimate of how many there are, or None.
        read: yields pictures from the start, all of one shape, each with its time stamp in seconds, or None where
            the file has none; stamps may start anywhere and may be out of order. Raises `Broken`.
    """

    fps: float
    pictures: int | None
    read: Callable[[], Generator[tuple[Pixels, float | None]]]


def require_decodable(path: Path, width: int, height: int) -> None:
    """Let pass what fits into memory; ask before anything is decoded.

    Raises:
        InvalidVideo: more than `MOST_PIXELS` pixels.
    """
    if width * height > MOST_PIXELS:
        raise InvalidVideo(
            f"{path}: its pictures are {width} x {height}, and no more than 8192 x 8192 pixels are decoded. "
            "Make it smaller first, for example: ffmpeg -i INPUT -vf scale=1280:-2 OUTPUT.mp4"
        )


def size_within(width: float, height: float, largest_side: int) -> tuple[int, int]:
    """Return (width, height) in whole pixels, scaled down until the longer side is at most `largest_side`."""
    scale = min(1.0, largest_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def over_black(rgba: Pixels) -> Pixels:
    """Lay (H, W, 4) pictures with straight alpha over black, (H, W, 3)."""
    product = rgba[..., :3].astype(np.uint16) * rgba[..., 3:] + 127
    return (product // 255).astype(np.uint8)
