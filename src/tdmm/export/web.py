"""Motions as JSON, for a web page to play.

One object::

    {"format": "tdmm-motion", "version": 1, "rig": "arkit",
     "fps": 25, "frames": T, "seconds": T / fps, "text": "...",
     "channels": [52 names],
     "expression": [[52 numbers], ...],      one row a frame, in the order of `channels`
     "head": [[pitch, yaw, roll], ...],      radians, R = Ry(yaw) Rx(pitch) Rz(roll)
     "translation": [[x, y, z], ...],        metres; left out where the motion has none
     "confidence": [...]}                    0 to 1; left out where the motion has none

Right-handed, +X the face's own left, +Y up, +Z out of the face. Coefficients and confidence have four
decimals, radians and metres five.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy.typing as npt

from tdmm.export.formats import ExportOptions
from tdmm.face.channels import ARKIT
from tdmm.files import written_aside
from tdmm.motion.clip import FaceMotion

FORMAT, VERSION = "tdmm-motion", 1


def write_json(motion: FaceMotion, path: Path, _: ExportOptions) -> None:
    """Write the motion as in the module's description.

    Raises:
        InvalidMotion: it lacks an ARKit channel.
        FileProblem: the folder cannot be written, or the disk is full; nothing is left behind.
    """
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "rig": motion.rig,
        "fps": round(motion.fps, 6),
        "frames": motion.frames,
        "seconds": round(motion.seconds, 6),
        "text": motion.text,
        "channels": list(ARKIT),
        "expression": _rounded(motion.in_order(ARKIT), 4),
        "head": _rounded(motion.head, 5),
    }
    if motion.translation is not None:
        content["translation"] = _rounded(motion.translation, 5)
    if motion.confidence is not None:
        content["confidence"] = _rounded(motion.confidence, 4)
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    with written_aside(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def _rounded(array: npt.NDArray[Any], decimals: int) -> list[Any]:
    # 0 instead of 0.0 makes a mostly still face a third smaller.
    rounded = array.astype(float).round(decimals) + 0.0
    rows: list[Any] = rounded.tolist()
    if rounded.ndim == 1:
        return [_short(value) for value in rows]
    return [[_short(value) for value in row] for row in rows]


def _short(value: float) -> float | int:
    return int(value) if value.is_integer() else value
