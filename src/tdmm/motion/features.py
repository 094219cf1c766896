"""The 58 numbers of a frame: what the corpus stores and what tokenizers read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tdmm.errors import InvalidMotion
from tdmm.face.channels import ARKIT
from tdmm.motion.clip import FPS, FaceMotion

FEATURES: tuple[str, ...] = (
    *ARKIT,
    "head_pitch", "head_yaw", "head_roll",
    "translation_x", "translation_y", "translation_z",
)  # fmt: skip
"""Names of a frame's numbers, in order: 52 ARKit coefficients, three radians, three metres."""

_E = len(ARKIT)
_FPS_TOLERANCE = 1e-3


def to_features(motion: FaceMotion) -> npt.NDArray[np.float32]:
    """A motion at 25 fps on the `arkit` rig as (T, 58) float32, columns named by `FEATURES`.

    Identity, confidence and text are left out. Nothing is resampled or clipped.

    Raises:
        InvalidMotion: another rig, another frame rate, or a missing channel.
    """
    if motion.rig != "arkit":
        raise InvalidMotion(f"This needs a motion on the arkit rig, not on '{motion.rig}'. Retarget it first.")
    if abs(motion.fps - FPS) > _FPS_TOLERANCE:
        raise InvalidMotion(
            f"The motion runs at {motion.fps:g} fps, {FPS:g} is needed here. "
            "Resample it first: tdmm.motion.timeline.resample(motion)."
        )
    columns = (motion.in_order(ARKIT), motion.head, motion.translation_or_zeros())
    return np.concatenate(columns, axis=1, dtype=np.float32)


def from_features(
    array: npt.ArrayLike,
    *,
    fps: float = FPS,
    text: str = "",
    provenance: Mapping[str, Any] | None = None,
    identity: npt.ArrayLike | None = None,
) -> FaceMotion:
    """The inverse of `to_features`: (T, 58) numbers to a motion on the `arkit` rig.

    Args:
        array: (T, 58), columns as in `FEATURES`.
        fps: frames a second of `array`.
        text: what it shows, in words.
        provenance: how it came to be.
        identity: (I,) identity coefficients of the rig; None is the average head.

    Raises:
        InvalidMotion: not 58 columns, no rows, or a value that is not finite.
    """
    values = np.asarray(array, dtype=np.float32)
    if values.ndim != 2 or values.shape[1] != len(FEATURES):
        raise InvalidMotion(f"Features have shape {values.shape}; (T, {len(FEATURES)}) is needed.")
    return FaceMotion(
        channels=ARKIT,
        expression=values[:, :_E],
        head=values[:, _E : _E + 3],
        translation=values[:, _E + 3 :],
        fps=fps,
        text=text,
        provenance=dict(provenance or {}),
        identity=None if identity is None else np.asarray(identity, dtype=np.float32),
    )
