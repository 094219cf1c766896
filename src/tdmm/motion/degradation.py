"""Motion as a face tracker delivers it: a resting face that is not zero, uneven gains, jitter, lost frames.

Acted motion is cleaner than any capture. What learns from it alone fails on a phone: these are the faults of trackers
that models are taught to see through. Half of the clips have the errors of our own tracker, as they were measured
(`tdmm.motion.tracking_noise`). Of other trackers, and of what a recording does beside, sizes are guesses from looking
at captures, not fitted to any. Renders do not show how brows differ between people: those of our identities rest where
trackers expect them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from tdmm.face.channels import ARKIT, INDEX
from tdmm.motion.clip import FPS
from tdmm.motion.tracking_noise import tracking_noise

Floats = npt.NDArray[np.float32]

Part = Literal["mouth", "upper", "head"]
"""What a tracker may not see for good: mouth and jaw; brows, eyes and nose; where the head is."""
PARTS: tuple[Part, ...] = get_args(Part)

_E = len(ARKIT)
_MOUTH = np.array([name.startswith(("jaw", "mouth", "tongue", "cheekPuff")) for name in ARKIT])
_UPPER = np.array([name.startswith(("brow", "eye", "cheekSquint", "nose")) for name in ARKIT])
_DRIFT = 10  # frames between two turning points of the slow part of jitter
_LOWERED = [INDEX["browDownLeft"], INDEX["browDownRight"]]
_RAISED = [[INDEX["browInnerUp"], INDEX[f"browOuterUp{side}"]] for side in ("Left", "Right")]
_RATES = (10.0, 12.0, 15.0, 20.0, 24.0, 30.0)


@dataclass(frozen=True)
class Faults:
    """Probabilities of each fault in a clip, and how large it may be.

    Attributes:
        tilt: probability of a resting face that is not zero; mean offset `tilt_size` of a channel.
        gain: probability that channels are read too large or too small, by `gain_size` (of a logarithm).
        jitter: probability of noise from frame to frame, up to `jitter_size` of a coefficient.
        head_jitter_deg: largest standard deviation of the noise of the head's angles.
        smoothing: probability of a moving average over three or five frames, which flattens blinks.
        rate: probability of another frame rate, brought back to 25 by interpolation.
        dropped: probability of lost frames, bridged by interpolation.
        partial: probability that mouth or upper face is hidden, or the head pose missing, for good.
        measured: probability that errors are those of our own tracker, in place of tilt, gain and jitter.
        brows: probability that brows rest lower or higher than the tracker takes them for.
        low_brows: how much lower they may be, of a whole `browDown`.
        high_brows: how much higher, of raised brows.
    """

    tilt: float = 0.5
    tilt_size: float = 0.04
    gain: float = 0.5
    gain_size: float = 0.15
    jitter: float = 0.6
    jitter_size: float = 0.02
    head_jitter_deg: float = 0.5
    smoothing: float = 0.15
    rate: float = 0.2
    dropped: float = 0.2
    partial: float = 0.05
    measured: float = 0.5
    brows: float = 0.4
    low_brows: float = 0.6
    high_brows: float = 0.2


NOISE_ONLY = Faults(smoothing=0.0, rate=0.0, dropped=0.0, partial=0.0, measured=0.0, brows=0.0)
"""What keeps every frame in its place, and every action to be seen."""
MEASURED = Faults(smoothing=0.0, rate=0.0, dropped=0.0, partial=0.0, measured=1.0, brows=0.0)
"""The errors of our own tracker, as measured, and nothing else."""


def degraded(features: Floats, draw: np.random.Generator, faults: Faults | None = None) -> Floats:
    """A clip as a tracker may deliver it.

    Args:
        features: (T, 58) float32 at 25 frames a second.
        draw: decides which faults it has.
        faults: how likely and how large they are.

    Returns:
        (T, 58) float32; coefficients within [0, 1].
    """
    faults = faults or Faults()
    out = features.astype(np.float64)
    if draw.random() < faults.rate:
        out = _at_rate(out, float(draw.choice(_RATES)), float(draw.random()))
    if draw.random() < faults.dropped:
        out = _bridged(out, draw)
    if draw.random() < faults.smoothing:
        out = _averaged(out, int(draw.choice((3, 5))))
    if faults.measured and draw.random() < faults.measured:
        out = tracking_noise().spoilt(out, draw)
    else:
        out = _misread(out, draw, faults)
    if faults.brows and draw.random() < faults.brows:
        out = _resting_brows(out, draw.uniform(-faults.high_brows, faults.low_brows))
    if draw.random() < faults.partial:
        hidden = int(draw.integers(3))
        if hidden == 2:
            out[:, _E:] = 0.0
        else:
            out[:, :_E] *= ~(_MOUTH, _UPPER)[hidden]
    out[:, :_E] = np.clip(out[:, :_E], 0.0, 1.0)
    return out.astype(np.float32)


def _misread(clip: npt.NDArray[np.float64], draw: np.random.Generator, faults: Faults) -> npt.NDArray[np.float64]:
    """As some tracker may read it: uneven gains, a resting face that is not zero, jitter."""
    out = clip.copy()
    if draw.random() < faults.gain:
        out[:, :_E] *= np.exp(draw.normal(0.0, faults.gain_size, _E))
    if draw.random() < faults.tilt:
        out[:, :_E] += np.minimum(draw.exponential(faults.tilt_size, _E), 8 * faults.tilt_size)
        out[:, _E : _E + 3] += draw.normal(0.0, math.radians(2.0), 3)
    if draw.random() < faults.jitter:
        out += _jitter(draw, out.shape, faults)
    return out


def _resting_brows(clip: npt.NDArray[np.float64], lower: float) -> npt.NDArray[np.float64]:
    """As of a person whose brows rest that much lower than the tracker takes them for, or higher where it is negative.

    Low brows are told as a frown as long as they rest, and the more they rise the less: what lowers and what raises
    them is one height. High ones the other way round.
    """
    out = clip.copy()
    down, up = clip[:, _LOWERED], clip[:, _RAISED].clip(0.0)
    if lower >= 0:
        out[:, _LOWERED] = down + (lower - up.max(-1)).clip(0.0)
        told = (up - lower).clip(0.0)
    else:
        out[:, _LOWERED] = (down + lower).clip(0.0)
        told = up + (-lower - down).clip(0.0)[..., None]
    out[:, [outer for _, outer in _RAISED]] = told[..., 1]
    out[:, INDEX["browInnerUp"]] = told[..., 0].mean(-1)
    return out


def without(features: Floats, part: Part) -> Floats:
    """A clip of which one part is hidden for good, as `degraded` hides one: (T, 58) float32."""
    out = features.copy()
    if part == "head":
        out[:, _E:] = 0.0
    else:
        out[:, :_E] *= ~hidden_channels(part)
    return out


def hidden_channels(part: Part) -> npt.NDArray[np.bool_]:
    """(52,) which ARKit channels nobody sees while that part is hidden."""
    if part == "head":
        return np.zeros(_E, bool)
    hidden: npt.NDArray[np.bool_] = _MOUTH if part == "mouth" else _UPPER
    return hidden


def _at_rate(clip: npt.NDArray[np.float64], fps: float, phase: float) -> npt.NDArray[np.float64]:
    times = np.arange(len(clip)) / FPS
    seen = np.clip((np.arange(math.ceil(times[-1] * fps) + 2) - phase) / fps, 0.0, times[-1])
    return _sampled(_sampled(clip, times, seen), seen, times)


def _bridged(clip: npt.NDArray[np.float64], draw: np.random.Generator) -> npt.NDArray[np.float64]:
    times = np.arange(len(clip), dtype=np.float64)
    lost = np.zeros(len(clip), bool)
    for _ in range(int(draw.integers(1, 5))):
        start = int(draw.integers(len(clip)))
        lost[start : start + int(draw.integers(1, 6))] = True
    lost[[0, -1]] = False
    return _sampled(clip[~lost], times[~lost], times)


def _sampled(
    clip: npt.NDArray[np.float64], times: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    after = np.clip(np.searchsorted(times, wanted, side="right"), 1, len(times) - 1)
    span = np.maximum(times[after] - times[after - 1], 1e-9)
    along = np.clip((wanted - times[after - 1]) / span, 0.0, 1.0)[:, None]
    mixed: npt.NDArray[np.float64] = clip[after - 1] * (1 - along) + clip[after] * along
    return mixed


def _averaged(clip: npt.NDArray[np.float64], frames: int) -> npt.NDArray[np.float64]:
    padded = np.pad(clip, ((frames // 2, frames // 2), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, frames, axis=0)
    mean: npt.NDArray[np.float64] = windows.mean(-1)
    return mean


def _jitter(draw: np.random.Generator, shape: tuple[int, ...], faults: Faults) -> npt.NDArray[np.float64]:
    """Noise, half of it new in every frame and half of it drifting."""
    frames, columns = shape
    size = np.full(columns, draw.uniform(0.1, 1.0) * faults.jitter_size)
    size[_E : _E + 3] = math.radians(faults.head_jitter_deg) * draw.uniform(0.1, 1.0)
    size[_E + 3 :] = 0.001 * draw.uniform(0.1, 1.0)
    knots = np.arange(-1, frames // _DRIFT + 3, dtype=np.float64) * _DRIFT
    times = np.arange(frames, dtype=np.float64) + draw.uniform(0, _DRIFT)
    drift = _sampled(draw.normal(size=(len(knots), columns)), knots, times)
    noise: npt.NDArray[np.float64] = size * (draw.normal(size=(frames, columns)) + drift) * math.sqrt(0.5)
    return noise
