"""Small recordings, written on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

RED, GREEN, BLUE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)
NOISE = np.random.default_rng(0)


def corners(width: int = 64, height: int = 48) -> np.ndarray:
    """Red at the top left, green at the top right, blue at the bottom left, black at the bottom right."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = RED
    picture[: height // 2, width // 2 :] = GREEN
    picture[height // 2 :, : width // 2] = BLUE
    return picture


def noise() -> np.ndarray:
    """A picture that does not compress, so that the middle of a file is in the middle of its pictures."""
    return NOISE.integers(0, 256, (48, 64, 3), dtype=np.uint8)


def assert_corners(rgb: np.ndarray, tolerance: int = 12) -> None:
    """`rgb` shows `corners`."""
    height, width = rgb.shape[:2]
    seen = [rgb[y, x] for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    np.testing.assert_allclose(np.array(seen, int), [RED, GREEN, BLUE, BLACK], atol=tolerance)


def record(
    path: Path,
    pictures: Sequence[np.ndarray],
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    source: str = "rgb24",
    milliseconds: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
    turned: dict[str, Any] | None = None,
    aspect: Fraction | None = None,
    form: str | None = None,
) -> Path:
    with av.open(str(path), "w", format=form, options=options or {}) as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = pictures[0].shape[:2] if pictures else (48, 64)
        stream.pix_fmt = pixels
        stream.gop_size = 5
        if codec == "libx264":
            stream.options = {"crf": "10", "preset": "ultrafast", "bf": "2"}
        if aspect is not None:
            stream.sample_aspect_ratio = aspect
        if turned is not None:
            stream.set_display_rotation(**turned)
        if milliseconds is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        container.start_encoding()
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format=source).reformat(format=pixels)
            if milliseconds is not None:
                frame.pts, frame.time_base = milliseconds[index], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
