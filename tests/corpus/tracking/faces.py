"""A face tracker without pictures: it sees the built-in head do what it is told, through a pinhole."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import torch

from tdmm.corpus.tracking.landmark_rig import load_rig
from tdmm.corpus.tracking.sighting import Sighting
from tdmm.face.channels import ARKIT, INDEX
from tdmm.face.skinning import euler_to_matrix

SIZE = (320, 240)
FOCAL = 1.2 * 320


def seen(
    coefficients: Mapping[str, float] | None = None,
    *,
    head: tuple[float, float, float] = (0.0, 0.0, 0.0),
    place: tuple[float, float, float] = (0.0, 0.0, -0.45),
    noise: float = 0.0,
    seed: int = 0,
) -> Sighting:
    """The points of a face, in pixels of a picture of `SIZE`, with `noise` pixels of scatter; its scores are right."""
    rig, expression = load_rig(), torch.zeros(1, len(ARKIT))
    for name, value in (coefficients or {}).items():
        expression[0, INDEX[name]] = value
    at = rig.points(expression)[0] @ euler_to_matrix(torch.tensor(head)).T + torch.tensor(place)
    scale = FOCAL / -at[:, 2]
    points = torch.stack([SIZE[0] / 2 + at[:, 0] * scale, SIZE[1] / 2 - at[:, 1] * scale], -1).numpy()
    behind = -(at[:, 2] - place[2]).numpy() * FOCAL / -place[2]
    table = np.concatenate([points, behind[:, None]], 1)
    table += np.random.default_rng(seed).normal(0, noise, table.shape)
    return Sighting(table.astype(np.float32), expression[0].numpy())


class Told:
    """A `FaceTracker` that sees what a function of the picture's time says."""

    name = "told"

    def __init__(self, says: Callable[[float], list[Sighting]]) -> None:
        self._says = says
        self.asked = 0

    def faces(self, rgb: npt.NDArray[np.uint8], seconds: float) -> list[Sighting]:
        self.asked += 1
        return self._says(seconds)

    def close(self) -> None:
        """Nothing is held."""
