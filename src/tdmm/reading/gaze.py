"""Where the eyes look, read from the eight eyeLook channels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tdmm.motion.clip import FPS
from tdmm.motion.events import GazeDirection, GazeEvent
from tdmm.reading.settings import ReaderSettings
from tdmm.reading.signals import Signal, smoothed, spans_above

_DIRECTIONS: dict[tuple[int, int], GazeDirection] = {
    (1, 0): "left",
    (-1, 0): "right",
    (0, 1): "up",
    (0, -1): "down",
    (1, 1): "up_left",
    (-1, 1): "up_right",
    (1, -1): "down_left",
    (-1, -1): "down_right",
}


def read_gaze(channels: Mapping[str, Signal], settings: ReaderSettings) -> list[GazeEvent]:
    """Spans in which both eyes look away from straight ahead in one of eight directions.

    Looking to the face's own left is the left eye looking out and the right eye looking in. The two eyes are
    averaged, so that a squint does not count twice; crossed eyes cancel and look nowhere.
    """
    horizontal = 0.5 * (
        channels["eyeLookOutLeft"]
        - channels["eyeLookInLeft"]
        + channels["eyeLookInRight"]
        - channels["eyeLookOutRight"]
    )
    vertical = 0.5 * (
        channels["eyeLookUpLeft"]
        - channels["eyeLookDownLeft"]
        + channels["eyeLookUpRight"]
        - channels["eyeLookDownRight"]
    )
    horizontal, vertical = smoothed(horizontal), smoothed(vertical)
    away = np.maximum(np.abs(horizontal), np.abs(vertical))
    found: list[GazeEvent] = []
    for span in spans_above(away, settings.gaze_high, settings.gaze_low, gap=1):
        labels = [
            _label(float(h), float(v), settings)
            for h, v in zip(horizontal[span.start : span.stop], vertical[span.start : span.stop], strict=True)
        ]
        start = 0
        for frame in range(1, len(labels) + 1):
            if frame < len(labels) and labels[frame] == labels[start]:
                continue
            peak = float(away[span.start + start : span.start + frame].max())
            if frame - start >= settings.shortest_gaze * FPS and peak >= settings.gaze_high:
                onset, end = (span.start + start) / FPS, (span.start + frame) / FPS
                found.append(GazeEvent(_DIRECTIONS[labels[start]], min(1.0, peak), onset, end))
            start = frame
    return found


def _label(horizontal: float, vertical: float, settings: ReaderSettings) -> tuple[int, int]:
    """Signs of the horizontal (left positive) and vertical (up positive) part that count."""
    strongest = max(abs(horizontal), abs(vertical))
    least = settings.gaze_diagonal * strongest
    return (
        int(np.sign(horizontal)) if abs(horizontal) >= least else 0,
        int(np.sign(vertical)) if abs(vertical) >= least else 0,
    )
