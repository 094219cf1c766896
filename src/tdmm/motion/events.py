"""What happened in a motion: the vocabulary that the actor's truth and the reader's findings share.

Times are seconds from the first frame. An event rises from `onset`, is at its peak from `apex`, starts
to fall at `offset` and is over at `end`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from tdmm.face.facs import Side

HeadMotionKind = Literal[
    "nod", "shake", "wobble",
    "turn_left", "turn_right", "tilt_left", "tilt_right", "bow", "raise",
    "lean_forward", "lean_back", "recoil",
]  # fmt: skip
"""nod, shake and wobble are cyclic (pitch, yaw, roll). A turn, tilt, bow (chin down) or raise (chin up)
goes there, stays and comes back. A lean moves the head in translation z, slowly; a recoil moves it back
fast and returns. Left and right are the face's own; tilt_left brings the left ear to the left shoulder."""

HEAD_MOTIONS: tuple[HeadMotionKind, ...] = get_args(HeadMotionKind)

GazeDirection = Literal["left", "right", "up", "down", "up_left", "up_right", "down_left", "down_right"]
"""Where the eyes go, the face's own left and right."""

GAZE_DIRECTIONS: tuple[GazeDirection, ...] = get_args(GazeDirection)


@dataclass(frozen=True)
class ActionEvent:
    """A facial action. `strength` is the peak coefficient, 0 to 1; of the stronger side when both."""

    action: str
    side: Side
    strength: float
    onset: float
    apex: float
    offset: float
    end: float


@dataclass(frozen=True)
class HeadEvent:
    """A head motion. `amplitude` is the largest excursion from rest: degrees, or millimetres for a
    lean and a recoil. `cycles` is the number of repetitions of a cyclic motion and 1 otherwise."""

    kind: HeadMotionKind
    amplitude: float
    cycles: int
    onset: float
    end: float


@dataclass(frozen=True)
class GazeEvent:
    """The eyes turned away from straight ahead; `strength` is the peak eye-look coefficient."""

    direction: GazeDirection
    strength: float
    onset: float
    end: float


@dataclass(frozen=True)
class BlinkEvent:
    """One closing and opening of the lids, shorter than half a second. `side` is `left` or `right` for a wink."""

    time: float
    duration: float
    strength: float
    side: Side = "both"


@dataclass(frozen=True)
class MotionEvents:
    """All that happened in one motion."""

    actions: tuple[ActionEvent, ...] = ()
    head: tuple[HeadEvent, ...] = ()
    gaze: tuple[GazeEvent, ...] = ()
    blinks: tuple[BlinkEvent, ...] = ()
