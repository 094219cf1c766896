"""`FaceMotion`: a face through time on a named rig."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tdmm.errors import InvalidMotion, did_you_mean

FPS = 25.0
"""Frames a second inside tdmm; any other rate exists only at the edges (`motion/timeline.py`)."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FaceMotion:
    """A face through time. Immutable; arrays are read-only.

    Attributes:
        channels: E names; for the `arkit` rig Apple's, in any order.
        expression: (T, E) float32 coefficients, unitless, 0 to 1 on the `arkit` rig.
        head: (T, 3) float32, pitch, yaw, roll in radians about X, Y, Z: pitch > 0 chin down, yaw > 0 to
            the face's own left, roll > 0 toward its own right shoulder. Composed as in `docs/conventions.md`.
        fps: frames a second.
        rig: `arkit`, `flame`, or the name of a head of linear blendshapes.
        translation: (T, 3) float32 metres, of the head, in its rest frame; None stands for zeros.
        identity: (I,) float32, the rig's identity coefficients; None is the average head.
        confidence: (T,) float32, 0 (face lost) to 1.
        text: what it shows, in words.
        provenance: how it came to be; JSON-serialisable.

    Raises:
        InvalidMotion: shapes disagree, a value is not finite, there are no frames, or fps is not positive.
    """

    channels: tuple[str, ...]
    expression: Floats
    head: Floats
    fps: float = FPS
    rig: str = "arkit"
    translation: Floats | None = None
    identity: Floats | None = None
    confidence: Floats | None = None
    text: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        expression = _frozen(self.expression, "expression")
        if expression.ndim != 2 or expression.shape[1] != len(self.channels):
            raise InvalidMotion(
                f"expression has shape {expression.shape}, but {len(self.channels)} channels are named; "
                "(T, E) is needed."
            )
        frames = expression.shape[0]
        if frames == 0:
            raise InvalidMotion("The motion has no frames.")
        if len(set(self.channels)) != len(self.channels):
            raise InvalidMotion("A channel is named twice; each name may appear once.")
        if not np.isfinite(self.fps) or self.fps <= 0:
            raise InvalidMotion(f"fps is {self.fps}; it must be a positive number.")
        object.__setattr__(self, "channels", tuple(self.channels))
        object.__setattr__(self, "fps", float(self.fps))
        object.__setattr__(self, "expression", expression)
        for name, shape in (
            ("head", (frames, 3)), ("translation", (frames, 3)), ("confidence", (frames,)), ("identity", None),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is None and name != "head":
                continue
            array = _frozen(value, name)
            if shape is not None and array.shape != shape:
                raise InvalidMotion(f"{name} has shape {array.shape}; {shape} is needed.")
            if name == "identity" and array.ndim != 1:
                raise InvalidMotion(f"identity has shape {array.shape}; one row of coefficients is needed.")
            object.__setattr__(self, name, array)

    @property
    def frames(self) -> int:
        """T."""
        return int(self.expression.shape[0])

    @property
    def seconds(self) -> float:
        """Duration: T / fps."""
        return self.frames / self.fps

    @property
    def seen(self) -> npt.NDArray[np.bool_]:
        """(T,) whether the face is in sight: confidence above 0, and everywhere in a motion without confidence."""
        return np.full(self.frames, True) if self.confidence is None else self.confidence > 0

    def channel(self, name: str) -> Floats:
        """One channel over time, (T,).

        Raises:
            InvalidMotion: the motion has no such channel.
        """
        if name not in self.channels:
            raise InvalidMotion(f"This motion has no channel '{name}'.{did_you_mean(name, self.channels)}")
        column: Floats = self.expression[:, self.channels.index(name)]
        return column

    def in_order(self, channels: tuple[str, ...]) -> Floats:
        """Expression (T, len(channels)) in the given order of names.

        Raises:
            InvalidMotion: a channel is missing; the message names it.
        """
        missing = [name for name in channels if name not in self.channels]
        if missing:
            raise InvalidMotion(f"The motion lacks {len(missing)} channel(s): {', '.join(missing[:6])}.")
        ordered: Floats = self.expression[:, [self.channels.index(name) for name in channels]]
        return ordered

    def translation_or_zeros(self) -> Floats:
        """Translation (T, 3) in metres, zeros where the motion has none."""
        if self.translation is None:
            return np.zeros((self.frames, 3), np.float32)
        return self.translation

    def with_(self, **changes: Any) -> FaceMotion:
        """A copy with some fields changed."""
        return replace(self, **changes)


def _frozen(value: Any, name: str) -> Floats:
    try:
        array = np.array(value, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise InvalidMotion(f"{name} must hold numbers ({error}).") from error
    if not np.isfinite(array).all():
        where = np.argwhere(~np.isfinite(array))[0]
        raise InvalidMotion(f"{name} holds a value that is not finite, first at index {tuple(int(i) for i in where)}.")
    array.flags.writeable = False
    return array
