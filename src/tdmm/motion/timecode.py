"""Timecodes: ``hours:minutes:seconds:frames.fraction`` to seconds and back.

Live Link Face counts frames on its own clock, 60 to the second by default, whatever the rate of the
recording: a take at 30 fps steps by two. The base is not in the file, so it is inferred.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tdmm.errors import InvalidMotion

BASES = (24, 25, 30, 48, 50, 60, 100, 120, 240)
DEFAULT_BASE = 60
"""What the app counts in unless it is told otherwise, and what is assumed where nothing tells."""

_FORM = re.compile(
    r"^(?P<hours>\d{1,2}):(?P<minutes>\d{1,2}):(?P<seconds>\d{1,2})"
    r"(?:(?P<mark>[:;.,])(?P<frames>\d{1,3})(?:\.(?P<fraction>\d+))?)?$",
    re.ASCII,
)
_DAY = 24 * 3600.0


@dataclass(frozen=True)
class Timecode:
    """One timecode. `frames` counts within the second; None when the second is written as a decimal."""

    seconds: float
    frames: float | None
    drop_frame: bool


def parse(text: str) -> Timecode:
    """Read one timecode: ``:`` ``;`` (drop-frame) or ``.`` before the frames, a fraction of a frame or none.

    ``HH:MM:SS.mmm``, with three digits and no fraction after them, is read as a decimal second.

    Raises:
        InvalidMotion: it is none of these.
    """
    match = _FORM.match(text.strip())
    if match is None or int(match["minutes"]) > 59 or int(match["seconds"]) > 59:
        raise InvalidMotion(f"'{text}' is not a timecode; HH:MM:SS:FF.fff is needed, for example 13:13:04:31.652.")
    whole = int(match["hours"]) * 3600.0 + int(match["minutes"]) * 60 + int(match["seconds"])
    if match["frames"] is None:
        return Timecode(whole, None, drop_frame=False)
    if match["mark"] in ".," and match["fraction"] is None and len(match["frames"]) == 3:
        return Timecode(whole + int(match["frames"]) / 1000, None, drop_frame=False)
    frames = float(f"{match['frames']}.{match['fraction'] or 0}")
    return Timecode(whole, frames, drop_frame=match["mark"] == ";")


def to_seconds(codes: Sequence[Timecode]) -> tuple[npt.NDArray[np.float64], int]:
    """Seconds from the first timecode (N,), and the base: frames to the second of the clock.

    Midnight is crossed without a jump. Drop-frame codes run on a clock 1000/1001 as fast, with two
    numbers (of 30; four of 60) left out each minute but every tenth.
    """
    largest = max((code.frames for code in codes if code.frames is not None), default=0.0)
    possible = [base for base in BASES if base > largest] or [int(largest) + 1]
    steady = {base: _unevenness(_clock(codes, base)) for base in possible}
    best = min(steady.values())
    # Within one second every base is as even as another: then it is the app's own.
    even = [base for base in possible if steady[base] <= best * 1.01 + 1e-9]
    base = DEFAULT_BASE if DEFAULT_BASE in even and len(even) > 1 else even[0]
    seconds = _clock(codes, base)
    return seconds - seconds[0], base


def write(seconds: float, base: int = DEFAULT_BASE) -> str:
    """Seconds of a day as ``HH:MM:SS:FF.fff`` on a clock of `base` frames to the second."""
    thousandths = round(seconds * base * 1000)
    frames, fraction = divmod(thousandths, 1000)
    whole, frame = divmod(frames, base)
    hours, rest = divmod(whole, 3600)
    return f"{hours % 24:02d}:{rest // 60:02d}:{rest % 60:02d}:{frame:02d}.{fraction:03d}"


def _clock(codes: Sequence[Timecode], base: int) -> npt.NDArray[np.float64]:
    seconds = np.array([_seconds(code, base) for code in codes])
    midnights = np.cumsum(np.diff(seconds, prepend=seconds[0]) < -_DAY / 2)
    unwrapped: npt.NDArray[np.float64] = seconds + _DAY * midnights
    return unwrapped


def _seconds(code: Timecode, base: int) -> float:
    if code.frames is None:
        return code.seconds
    if not code.drop_frame:
        return code.seconds + code.frames / base
    minutes = int(code.seconds) // 60
    dropped = round(base / 15) * (minutes - minutes // 10)
    return (code.seconds * base + code.frames - dropped) * 1001 / (1000 * base)


def _unevenness(seconds: npt.NDArray[np.float64]) -> float:
    steps = np.diff(seconds)
    if len(steps) == 0:
        return 0.0
    usual = max(float(np.median(steps)), 1e-6)
    # Counted in steps, and each row at most one step, so that a long gap says nothing about the base.
    return float(np.minimum(np.abs(steps / usual - 1), 1.0).mean())
