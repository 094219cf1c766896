"""Which frames of a motion tell its story, and what each shows, in words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tdmm.face.channels import ARKIT
from tdmm.face.facs import ACTIONS
from tdmm.motion.clip import FaceMotion

_HEAD_WEIGHT = 2.5
"""Radians of head rotation as much as a whole coefficient: 23 degrees."""

_APART = 0.3
"""Seconds: what is nearer in time to a chosen frame counts as more like it, lest a blink take half of the pictures."""

_SHOWN = 0.2
"""Least coefficient that is worth a word."""

_HEAD_WORDS = (("chin down", "chin up"), ("turned left", "turned right"), ("tilted right", "tilted left"))
_SHOWN_DEG = 5.0


def key_frames(motion: FaceMotion, count: int) -> npt.NDArray[np.int64]:
    """Frame numbers in order, at most `count`: the first, then always the one least like those chosen.

    So a peak, a blink or a turn of the head gets its picture, and stillness does not.
    """
    poses = np.concatenate([motion.in_order(ARKIT), _HEAD_WEIGHT * motion.head], axis=1)
    frames = np.arange(motion.frames)

    def unlike(frame: int) -> npt.NDArray[np.float64]:
        near = np.minimum(np.abs(frames - frame) / (_APART * motion.fps), 1.0)
        return np.asarray(np.linalg.norm(poses - poses[frame], axis=1) * near, np.float64)

    chosen = [0]
    distance = unlike(0)
    while len(chosen) < min(count, motion.frames):
        farthest = int(distance.argmax())
        if distance[farthest] == 0:
            break
        chosen.append(farthest)
        distance = np.minimum(distance, unlike(farthest))
    return np.array(sorted(chosen), dtype=np.int64)


def caption(motion: FaceMotion, frame: int, words: int = 2) -> str:
    """The strongest actions and the head's pose at a frame: "lip corner puller 0.8, turned left 20°"."""
    values = dict(zip(motion.channels, motion.expression[frame].tolist(), strict=True))
    found: list[tuple[float, str]] = []
    for action in ACTIONS.values():
        left, right = values.get(action.left, 0.0), values.get(action.right, 0.0)
        strength = max(left, right)
        if strength < _SHOWN:
            continue
        side = ""
        if action.sided and abs(left - right) > 0.5 * strength:
            side = " left" if left > right else " right"
        found.append((strength, f"{action.name.replace('_', ' ')}{side} {strength:.1f}"))
    strongest = [text for _, text in sorted(found, reverse=True)[:words]]
    degrees = np.rad2deg(motion.head[frame])
    axis = int(np.abs(degrees).argmax())
    if abs(degrees[axis]) >= _SHOWN_DEG:
        strongest.append(f"{_HEAD_WORDS[axis][0 if degrees[axis] > 0 else 1]} {abs(degrees[axis]):.0f}°")
    return ", ".join(strongest) or "neutral"
