"""A face tracker that looks closer where a picture shows nobody near.

Face detectors look at a whole picture at once, made small: MediaPipe's, at 128 pixels, hardly finds a face below a
tenth of the picture's width, however many pixels it has. Parts of the picture are looked at as if they were pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tdmm.corpus.tracking.people import SAME, overlap
from tdmm.corpus.tracking.sighting import FaceTracker, Sighting

_FAR = 1 / 6
"""Size of a face, in the picture's longer side, from which it is found in the whole picture if at all."""
_LEAST = 32.0
"""Pixels of a face below which nothing can be told of it."""
_WINDOW = 3.0
"""Side of the part around a known face, in sizes of it."""


class Closer:
    """What another tracker sees and, unless somebody is near, what it sees in parts of the picture.

    Faces that are known are looked for where they were. For others the picture is searched now and then, in squares of
    half its longer side that overlap by half; what is found there counts if a part around it shows it as well.
    """

    def __init__(self, tracker: FaceTracker, open_still: Callable[[], FaceTracker], faces: int, every: float) -> None:
        """Look closer with a second tracker.

        Args:
            tracker: of whole pictures.
            open_still: opens one for pictures that have nothing to do with each other; called when it is needed.
            faces: most that are looked for.
            every: seconds between searches.
        """
        self.name = f"{tracker.name}, closer"
        self._tracker, self._open_still = tracker, open_still
        self._still: FaceTracker | None = None
        self._faces, self._every = faces, every
        self._known: list[Sighting] = []
        self._searched = -np.inf

    def faces(self, rgb: npt.NDArray[np.uint8], seconds: float) -> list[Sighting]:
        """The faces of the next picture; see `FaceTracker`."""
        found = self._tracker.faces(rgb, seconds)
        if any(not _far(each, rgb) for each in found):
            self._known = []
            return found
        search = seconds - self._searched >= self._every
        self._add(found, self._known, rgb)
        if search:
            self._searched = seconds
            self._add(found, (each for part in _squares(rgb) for each in self._in(rgb, *part)), rgb)
        # Who is not seen in one picture may be seen in the next; until the picture is searched again.
        self._known = found + [each for each in self._known if not search and _new(each, found)]
        return found

    def close(self) -> None:
        """Give back both trackers."""
        self._tracker.close()
        if self._still is not None:
            self._still.close()

    def _add(self, found: list[Sighting], others: Iterable[Sighting], rgb: npt.NDArray[np.uint8]) -> None:
        """Adds those of the others who are not found yet and are seen again."""
        for other in others:
            if len(found) >= self._faces:
                return
            again = self._again(rgb, other) if _new(other, found) else None
            if again is not None and _new(again, found):
                found.append(again)

    def _again(self, rgb: npt.NDArray[np.uint8], face: Sighting) -> Sighting | None:
        """The same face as a part of the picture around it shows it."""
        if not (_far(face, rgb) and face.size >= _LEAST):
            return None
        left, top, right, bottom = face.box
        side = _WINDOW * face.size
        seen = self._in(rgb, round((left + right - side) / 2), round((top + bottom - side) / 2), round(side))
        best = max(seen, key=lambda each: overlap(each.box, face.box), default=None)
        return best if best is not None and overlap(best.box, face.box) > SAME else None

    def _in(self, rgb: npt.NDArray[np.uint8], left: int, top: int, side: int) -> list[Sighting]:
        """What a square of the picture shows, in pixels of the picture; a square over the edge is moved inside."""
        height, width = rgb.shape[:2]
        left, top = max(0, min(left, width - side)), max(0, min(top, height - side))
        self._still = self._still or self._open_still()
        corner = np.array([left, top, 0.0], np.float32)
        seen = self._still.faces(np.ascontiguousarray(rgb[top : top + side, left : left + side]), 0.0)
        return [replace(each, points=each.points + corner) for each in seen]


def _far(face: Sighting, rgb: npt.NDArray[np.uint8]) -> bool:
    return bool(face.size < _FAR * max(rgb.shape[:2]))


def _new(face: Sighting, found: list[Sighting]) -> bool:
    return all(overlap(face.box, each.box) <= SAME for each in found)


def _squares(rgb: npt.NDArray[np.uint8]) -> Iterator[tuple[int, int, int]]:
    """Left, top and side of squares that overlap by half and cover a picture."""
    height, width = rgb.shape[:2]
    side = -(-max(height, width) // 2)
    step = max(1, side // 2)
    for top in range(0, max(1, height - side + step), step):
        for left in range(0, max(1, width - side + step), step):
            yield left, top, side
