"""`Script`: what a face does, on a timeline. The structured truth behind every acted clip."""

from __future__ import annotations

from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from tdmm.face.facs import Side
from tdmm.motion.events import GazeDirection, HeadMotionKind

LONGEST = 600.0
"""Seconds of the longest script."""

Energy = Literal["low", "normal", "high"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Event(_Part):
    """One descriptor acted once. Seconds; `onset <= apex <= offset <= end`."""

    descriptor: str = Field(description="a name from the lexicon (`tdmm lexicon`)")
    intensity: float = Field(0.7, gt=0, le=1, description="0.3 slight, 0.6 plain, 1.0 extreme")
    side: Side = "both"
    onset: float = Field(ge=0, description="starts to rise")
    apex: float = Field(ge=0, description="reaches its peak")
    offset: float = Field(ge=0, description="starts to fade")
    end: float = Field(ge=0, description="is over")


class HeadMotion(_Part):
    """One head motion."""

    kind: HeadMotionKind
    intensity: float = Field(0.6, gt=0, le=1)
    cycles: int = Field(1, ge=1, le=10, description="repetitions of a nod, shake or wobble")
    onset: float = Field(ge=0)
    end: float = Field(ge=0)


class Gaze(_Part):
    """Eyes away from straight ahead and back."""

    direction: GazeDirection
    intensity: float = Field(0.6, gt=0, le=1)
    onset: float = Field(ge=0)
    end: float = Field(ge=0)


Lasting = TypeVar("Lasting", Event, HeadMotion, Gaze)
"""What goes on for a while."""

MOMENTS = ("onset", "apex", "offset", "end")
"""Fields of what goes on for a while that are seconds; head motions and looks have the first and the last."""


class Blink(_Part):
    """Blinks asked for in words ("blinks twice"); spontaneous ones are the actor's own."""

    time: float = Field(ge=0)
    count: int = Field(1, ge=1, le=10)
    slow: bool = False


class Script(_Part):
    """What a face does.

    Attributes:
        seconds: length of the clip.
        subject: who, as words ("a young woman"); changes the words, not the motion.
        energy: scales speed, sway and blink rate.
    """

    seconds: float = Field(gt=0, le=LONGEST)
    subject: str = "a person"
    energy: Energy = "normal"
    events: tuple[Event, ...] = ()
    head: tuple[HeadMotion, ...] = ()
    gaze: tuple[Gaze, ...] = ()
    blinks: tuple[Blink, ...] = ()
