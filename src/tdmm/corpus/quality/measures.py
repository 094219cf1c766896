"""What can be measured of a tracked clip, with units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from tdmm.corpus.tracking.track import Tracked
from tdmm.errors import InvalidMotion
from tdmm.face.channels import ARKIT
from tdmm.face.geometry import vertex_error_curves_mm
from tdmm.motion.clip import FaceMotion
from tdmm.motion.events import MotionEvents
from tdmm.reading.matching import EventKind, Matching, Recall, match, recalls
from tdmm.reading.reader import read

HEAD_RADIUS_MM = 90.0
"""Distance of the skin of a face from the axes that a head turns about, roughly: a radian moves it by so much."""
_OUTSIDE = 0.01
"""Coefficients may leave 0 to 1 by this much without counting: rounding, and resampling."""
_SECOND_DIFFERENCE = math.sqrt(1.5)
"""The distance of a frame from the mean of its neighbours, where each strays by 1 on its own."""


@dataclass(frozen=True)
class Seen:
    """What a tracker tells of a clip beside its motion; what it does not tell is None.

    Attributes:
        pictures: of the video. found: those with the face.
        size: median of the face's size, pixels.
        residual_mm: median distance of the points from where the fitted head has them.
    """

    pictures: int | None = None
    found: int | None = None
    size: float | None = None
    residual_mm: float | None = None

    @classmethod
    def of(cls, tracked: Tracked) -> Seen:
        """What `tdmm track` tells."""
        return cls(tracked.pictures, tracked.seen, tracked.size, tracked.residual_mm)

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Seen:
        """From what `TrackStage` tells of a clip."""
        return cls(**{name: facts.get(name) for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Measures:
    """Figures of one clip. None is what cannot be told of it.

    Attributes:
        seconds: of the motion.
        face_share: of the pictures that show the face, 0 to 1.
        face_pixels: median size of the face: square root of the area of its box.
        jitter_mm: how far the skin strays from the mean of the frames before and after, in the median frame, so
            that blinks and quick movements do not count; as that of one frame, turning of the head included.
        residual_mm: of the fit, median.
        yaw_deg: largest turn of the head to either side; 2% of the frames may lie beyond.
        out_of_bounds: share of the frames with a coefficient outside 0 to 1.
        agreement: share of the asked actions and head motions that the reader finds; None where nothing was asked for.
        asked: how many were.
        events: by kind ("action", "head", "blink", "gaze"): how many were asked for, and how many are found.
    """

    seconds: float
    face_share: float | None
    face_pixels: float | None
    jitter_mm: float
    residual_mm: float | None
    yaw_deg: float
    out_of_bounds: float
    agreement: float | None
    asked: int
    events: Mapping[EventKind, Recall] = field(default_factory=dict)

    def as_facts(self) -> dict[str, Any]:
        """JSON-serialisable, to four decimals."""
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}


def measure(motion: FaceMotion, seen: Seen | None = None, expected: MotionEvents | None = None) -> Measures:
    """Measure a clip.

    Args:
        motion: on the `arkit` rig, at any rate.
        seen: what the tracker tells; without it the share of pictures is that of frames with confidence.
        expected: what was asked for, as `tdmm.acting.actor.perform` acts it (`Performance.asked`).

    Raises:
        InvalidMotion: another rig, or a missing channel.
    """
    if motion.rig != "arkit":
        raise InvalidMotion(
            f"Clips are measured on the arkit rig, and this motion is on '{motion.rig}'. Retarget it first."
        )
    seen = seen or Seen()
    values = motion.in_order(ARKIT)
    found = None if expected is None else read(motion)
    agreement = None if expected is None or found is None else match(expected, found)
    return Measures(
        seconds=motion.seconds,
        face_share=_share(motion, seen),
        face_pixels=seen.size,
        jitter_mm=_jitter_mm(motion),
        residual_mm=seen.residual_mm,
        yaw_deg=float(np.degrees(np.quantile(np.abs(motion.head[:, 1]), 0.98))),
        out_of_bounds=float(((values < -_OUTSIDE) | (values > 1 + _OUTSIDE)).any(1).mean()),
        agreement=_recall(agreement),
        asked=0 if agreement is None else agreement.asked,
        events={} if expected is None or found is None else recalls(expected, found),
    )


def _recall(matching: Matching | None) -> float | None:
    return matching.recall if matching is not None and matching.asked else None


def _share(motion: FaceMotion, seen: Seen) -> float | None:
    if seen.pictures and seen.found is not None:
        return seen.found / seen.pictures
    return None if motion.confidence is None else float(motion.seen.mean())


def _jitter_mm(motion: FaceMotion) -> float:
    if motion.frames < 3:
        return 0.0
    values = motion.in_order(ARKIT)
    face = vertex_error_curves_mm(values[1:-1], 0.5 * (values[:-2] + values[2:]))["face"]
    turns = np.unwrap(motion.head.astype(np.float64), axis=0)
    head = HEAD_RADIUS_MM * np.linalg.norm(turns[1:-1] - 0.5 * (turns[:-2] + turns[2:]), axis=1)
    return float(np.median(np.hypot(face, head)) / _SECOND_DIFFERENCE)
