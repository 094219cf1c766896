"""A sketch of a plan: the plainest motion that would show it, without the life of a real one.

Language2Motion sees it, encoded as a motion is, and writes something near it: it decides how a face gets
there, what else stirs, and how the head sways meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tdmm.acting.blinks import BlinkShape
from tdmm.acting.envelope import Timing, rise_and_release
from tdmm.acting.gaze import to_channels
from tdmm.face.channels import ARKIT, INDEX
from tdmm.face.facs import ACTIONS
from tdmm.language.language2motion import Language2Motion
from tdmm.language.plan_codes import Plan, direction_of, roll
from tdmm.motion.clip import FPS, Floats
from tdmm.motion.events import HeadMotionKind, MotionEvents
from tdmm.motion.features import FEATURES

_DEGREE, _MILLIMETRE = math.pi / 180.0, 0.001


class _Axis(NamedTuple):
    column: int
    unit: float


def _axis(name: str, unit: float) -> _Axis:
    return _Axis(FEATURES.index(name), unit)


_AXES: dict[HeadMotionKind, _Axis] = {
    "nod": _axis("head_pitch", _DEGREE),
    "turn_left": _axis("head_yaw", _DEGREE),
    "turn_right": _axis("head_yaw", -_DEGREE),
    "tilt_left": _axis("head_roll", -_DEGREE),
    "tilt_right": _axis("head_roll", _DEGREE),
    "bow": _axis("head_pitch", _DEGREE),
    "raise": _axis("head_pitch", -_DEGREE),
    "lean_forward": _axis("translation_z", _MILLIMETRE),
    "lean_back": _axis("translation_z", -_MILLIMETRE),
    "recoil": _axis("translation_z", -_MILLIMETRE),
}
"""Where a head motion shows. Shakes and wobbles are not sketched: which way they begin is open."""


def sketch(events: MotionEvents, frames: int) -> Floats:
    """(T, 58) float32 features of the first `frames` frames, columns as in `FEATURES`."""
    drawn = np.zeros((frames, len(FEATURES)), np.float64)
    times = np.arange(frames) / FPS
    for action in events.actions:
        timing = _timing(action.onset, action.apex, action.offset, action.end)
        shape = action.strength * rise_and_release(times, timing)
        for channel in ACTIONS[action.action].channels(action.side):
            drawn[:, INDEX[channel]] = np.maximum(drawn[:, INDEX[channel]], shape)
    for motion in events.head:
        if motion.kind in _AXES:
            axis = _AXES[motion.kind]
            drawn[:, axis.column] += (
                motion.amplitude * axis.unit * _course(motion.kind, motion.cycles, times, motion.onset, motion.end)
            )
    place = np.zeros((frames, 2))
    for look in events.gaze:
        shape = look.strength * rise_and_release(
            times, _timing(look.onset, look.onset + 0.06, look.end, look.end + 0.06)
        )
        place += shape[:, None] * np.array(direction_of(look.direction))
    to_channels(place, drawn[:, : len(ARKIT)])
    for blink in events.blinks:
        closing = min(0.078, 0.4 * blink.duration)
        shape = BlinkShape(
            peak=blink.time + closing, closing=closing, shut=0.01, opening=max(blink.duration - closing - 0.01, 0.04),
            strength=blink.strength,
        ).curve(times)  # fmt: skip
        for side in ("Left", "Right") if blink.side == "both" else (blink.side.capitalize(),):
            column = INDEX[f"eyeBlink{side}"]
            drawn[:, column] = np.maximum(drawn[:, column], shape)
    drawn[:, : len(ARKIT)] = drawn[:, : len(ARKIT)].clip(0.0, 1.0)
    return drawn.astype(np.float32)


class LatentEncoder(Protocol):
    """What is needed of `tdmm.tokens.tokenizer.Tokenizer` here."""

    def encode_latents(self, features: Tensor) -> Tensor:
        """(B, T, 58) features to (B, T, D) latents, not yet quantized."""
        ...


@torch.no_grad()
def laid_out(
    model: Language2Motion, tokenizer: LatentEncoder, plans: Sequence[Plan], frames: int
) -> tuple[Tensor, Tensor]:
    """Rolls (B, T, roll) and sketches (B, T, latent_width) of plans, as Language2Motion reads them."""
    device = model.codebooks.device
    rolls = np.stack([roll(plan.events, frames) for plan in plans])
    sketches = np.stack([sketch(plan.events, frames) for plan in plans])
    latents = tokenizer.encode_latents(torch.from_numpy(sketches)).float().to(device)
    return torch.from_numpy(rolls).to(device), model.latents(latents)


def _timing(onset: float, apex: float, offset: float, end: float) -> Timing:
    """In order, with a rise and a release of a frame at least."""
    apex = max(apex, onset + 1 / FPS)
    offset = max(offset, apex)
    return Timing(onset, apex, offset, max(end, offset + 1 / FPS))


def _course(
    kind: HeadMotionKind, cycles: int, times: npt.NDArray[np.float64], onset: float, end: float
) -> npt.NDArray[np.float64]:
    """(T,) of a head motion, 1 at its largest."""
    length = max(end - onset, 2 / FPS)
    if kind == "nod":
        turns = np.clip((times - onset) / length, 0.0, 1.0) * cycles
        return np.asarray(0.5 * (1.0 - np.cos(2.0 * np.pi * turns)))
    there, back = (min(0.16, 0.35 * length), 0.5 * length) if kind == "recoil" else (min(0.4, 0.4 * length),) * 2
    return np.asarray(rise_and_release(times, _timing(onset, onset + there, end - back, end)))
