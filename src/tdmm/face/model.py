"""What a face model is: numbers in, vertices out, whatever rig it has inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from tdmm.errors import InvalidInput

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class FaceParameters:
    """What a face model turns into vertices; every field is batched over N faces.

    Attributes:
        identity: (N, I), unit: one standard deviation. None is the average head.
        expression: (N, E) in the order of the model's `channels`.
        head: (N, 3) pitch, yaw, roll in radians (docs/conventions.md). None does not turn.
        neck: (N, 3) the same for the neck, below the head. None does not turn.
        translation: (N, 3) metres, added last. None is zero.
    """

    expression: Tensor
    identity: Tensor | None = None
    head: Tensor | None = None
    neck: Tensor | None = None
    translation: Tensor | None = None


@dataclass(frozen=True)
class FaceMesh:
    """One face to draw or export: (V, 3) float32 metres and (F, 3) int32 triangles."""

    vertices: npt.NDArray[np.float32]
    faces: npt.NDArray[np.int32]


class FaceModel(Protocol):
    """A rig: `channels` name its expression coefficients, calling it gives vertices."""

    @property
    def name(self) -> str:
        """Name of the rig, as `FaceMotion.rig` has it."""

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the E expression coefficients."""

    @property
    def identity_size(self) -> int:
        """I, how many identity coefficients there are."""

    @property
    def faces(self) -> npt.NDArray[np.int32]:
        """(F, 3) triangles, counter-clockwise from outside."""

    def pose(self, parameters: FaceParameters) -> Tensor:
        """Vertices (N, V, 3) in metres; differentiable in every parameter.

        Raises:
            tdmm.errors.InvalidInput: a field has the wrong size; the message names it.
        """

    def landmarks(self, vertices: Tensor) -> Tensor:
        """MediaPipe's 478 landmarks (N, 478, 3) on vertices (N, V, 3)."""


class Moving(Protocol):
    """The part of `tdmm.motion.clip.FaceMotion` that a face needs; faces know nothing of files or text."""

    @property
    def rig(self) -> str:
        """Name of the rig."""

    @property
    def frames(self) -> int:
        """T."""

    @property
    def head(self) -> npt.NDArray[np.float32]:
        """(T, 3) radians."""

    @property
    def identity(self) -> npt.NDArray[np.float32] | None:
        """(I,) or None."""

    def in_order(self, channels: tuple[str, ...]) -> Any:
        """Expression (T, E) in the order of these names."""

    def translation_or_zeros(self) -> npt.NDArray[np.float32]:
        """(T, 3) metres."""


def count_rows(fields: Mapping[str, tuple[Tensor | None, tuple[int, ...]]]) -> int:
    """N, how many faces a model is given.

    Args:
        fields: name to value and the shape of one row. A value has N rows, one row for all, or is None.

    Raises:
        InvalidInput: a field has another shape, or the fields have different numbers of rows.
    """
    rows: dict[str, int] = {}
    for name, (value, shape) in fields.items():
        if value is None:
            continue
        if value.ndim != 1 + len(shape) or tuple(value.shape[1:]) != shape:
            needed = ", ".join(map(str, ("N", *shape)))
            raise InvalidInput(f"{name} has shape {tuple(value.shape)}; ({needed}) is needed.")
        rows[name] = len(value)
    counts = {n for n in rows.values() if n != 1}
    if len(counts) > 1:
        listed = ", ".join(f"{name} {n}" for name, n in rows.items())
        raise InvalidInput(f"The fields have different numbers of rows ({listed}); give N rows, or one for all.")
    return counts.pop() if counts else 1
