"""`Sighting`: what a face tracker sees in one picture, and the protocol of face trackers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

LANDMARKS = 478
"""Points of MediaPipe's face mesh with irises."""


@dataclass(frozen=True)
class Sighting:
    """One face in one picture.

    Attributes:
        points: (478, 3) float32 pixels: x to the right, y down, z about as many pixels behind the middle of the face.
        scores: (52,) float32 blendshape scores in the order of `tdmm.face.channels.ARKIT`, 0 to 1, as the tracker
            has them (it has none for the tongue: 0); None where it gives none.
    """

    points: Floats
    scores: Floats | None = None

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the points, pixels."""
        low, high = self.points[:, :2].min(0), self.points[:, :2].max(0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    @property
    def size(self) -> float:
        """Pixels: square root of the area of the box."""
        left, top, right, bottom = self.box
        return float(np.sqrt(max(right - left, 0.0) * max(bottom - top, 0.0)))


class FaceTracker(Protocol):
    """Finds faces in the pictures of one video, which come in order."""

    @property
    def name(self) -> str:
        """Of the tracker, its model and how many faces it looks for: what another name saw is not gone on from."""

    def faces(self, rgb: npt.NDArray[np.uint8], seconds: float) -> list[Sighting]:
        """The faces of the next picture.

        Args:
            rgb: (H, W, 3).
            seconds: of the picture, later than those of all before.
        """

    def close(self) -> None:
        """Give back what it holds; it finds nothing afterwards."""
