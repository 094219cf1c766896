"""The fitted head and the tracker's points, drawn on the video: to see at a glance whether a track is right."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw

from tdmm.corpus.tracking.footage import Footage
from tdmm.corpus.tracking.track import Tracked
from tdmm.errors import FileProblem
from tdmm.face.arkit import load_head
from tdmm.face.geometry import moving
from tdmm.files import written_aside

_MESH, _POINT = (80, 220, 255), (255, 210, 60)
_QUALITY = "20"


def write_overlay(
    footage: Footage, tracked: Tracked, path: Path, progress: Callable[[int, int], None] | None = None
) -> None:
    """Draw the edges of the fitted face on every picture in which it was found, and write an `.mp4`.

    Args:
        footage: that was tracked.
        tracked: what came of it.
        path: of the video, at the nominal rate of the footage.
        progress: called with pictures done and pictures in all.

    Raises:
        FileProblem: the file cannot be written; nothing is left behind.
    """
    width, height = footage.width + footage.width % 2, footage.height + footage.height % 2
    places = {number: place for place, number in enumerate(tracked.seen_at)}
    edges = _edges()
    rate = Fraction(footage.fps).limit_denominator(1001)
    with written_aside(path) as temporary:
        try:
            with av.open(str(temporary), "w", format="mp4", options={"movflags": "+faststart"}) as container:
                stream = container.add_stream("libx264", rate=rate, options={"crf": _QUALITY, "preset": "veryfast"})
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                for number, picture in enumerate(footage):
                    image = Image.new("RGB", (width, height))
                    image.paste(Image.fromarray(picture.rgb))
                    if number in places:
                        _draw(image, *projected(tracked, places[number], footage.width, footage.height), edges)
                    container.mux(stream.encode(av.VideoFrame.from_image(image)))
                    if progress is not None:
                        progress(number + 1, tracked.pictures)
                container.mux(stream.encode())
        except av.FFmpegError as error:
            raise FileProblem(f"{path}: the overlay could not be written ({error.strerror or error}).") from error


def projected(
    tracked: Tracked, place: int, width: int, height: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Where the fitted head's vertices lie in a picture.

    Args:
        tracked: of it.
        place: among the pictures in which the face was found.
        width, height: of the picture.

    Returns:
        (V, 2) pixels, x right and y down, and (V,) metres from the camera.
    """
    fitted = tracked.fitted
    with torch.no_grad():
        own = load_head()(torch.tensor(fitted.identity)[None], torch.tensor(fitted.expression[place])[None])[0].numpy()
    at = own @ fitted.rotation[place].T + fitted.place[place]
    depth = -at[:, 2]
    pixels = at[:, :2] / depth[:, None] * fitted.focal * np.array([1, -1]) + np.array([width / 2, height / 2])
    return pixels.astype(np.float32), depth.astype(np.float32)


def _edges() -> npt.NDArray[np.int64]:
    """(N, 3) triangles of the face as it moves."""
    faces = load_head().faces
    kept: npt.NDArray[np.int64] = faces[moving()[faces].all(1)].astype(np.int64)
    return kept


def _draw(
    image: Image.Image, pixels: npt.NDArray[np.float32], depth: npt.NDArray[np.float32], faces: npt.NDArray[np.int64]
) -> None:
    corners = pixels[faces]
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    # In pixels y runs down, so what faces the camera turns the other way round.
    front = (one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0] < 0) & (depth[faces].min(1) > 0)
    canvas = ImageDraw.Draw(image, "RGBA")
    for triangle in corners[front]:
        canvas.polygon([tuple(corner) for corner in triangle.tolist()], outline=(*_MESH, 90))
