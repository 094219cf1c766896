"""Facial actions: FACS action units on ARKit channels.

An *action* is the smallest thing a script asks for, the actor performs and the reader finds. Most are
action units of the Facial Action Coding System (Ekman, Friesen & Hager 2002). The channel of each unit
follows the table in the ICT-FaceKit README (MIT), except that AU10 is `mouthUpperUp` (as in most
ARKit-to-FACS tables) and AU23 and AU24, which have no separate channels, are one action. ARKit's 52
are covered, eye directions aside: those are gaze (`tdmm.motion.events.GazeEvent`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Side = Literal["both", "left", "right"]


@dataclass(frozen=True)
class Action:
    """One facial action.

    Attributes:
        name: snake case, FACS's own words where it has them.
        units: action unit codes this action covers ("AU12", "AD19").
        left, right: the channel of either side of the face; equal for an action without sides.
        exclusive: a sideways action, which is left or right but never both at once.
        region: brows, lids, nose, cheeks, mouth or jaw.
    """

    name: str
    units: tuple[str, ...]
    left: str
    right: str
    region: str
    exclusive: bool = False

    @property
    def sided(self) -> bool:
        """Whether the two sides of the face can do it apart."""
        return self.left != self.right

    def channels(self, side: Side = "both") -> tuple[str, ...]:
        """ARKit channels that this action drives on that side; all equally."""
        if not self.sided:
            return (self.left,)
        if side == "left":
            return (self.left,)
        if side == "right":
            return (self.right,)
        return (self.left, self.right)


def _pair(name: str, units: tuple[str, ...], stem: str, region: str, exclusive: bool = False) -> Action:
    return Action(name, units, f"{stem}Left", f"{stem}Right", region, exclusive)


def _one(name: str, units: tuple[str, ...], channel: str, region: str) -> Action:
    return Action(name, units, channel, channel, region)


_ALL = (
    _one("inner_brow_raiser", ("AU1",), "browInnerUp", "brows"),
    _pair("outer_brow_raiser", ("AU2",), "browOuterUp", "brows"),
    _pair("brow_lowerer", ("AU4",), "browDown", "brows"),
    _pair("upper_lid_raiser", ("AU5",), "eyeWide", "lids"),
    _pair("lid_tightener", ("AU7",), "eyeSquint", "lids"),
    _pair("eye_closure", ("AU43", "AU45", "AU46"), "eyeBlink", "lids"),
    _pair("cheek_raiser", ("AU6",), "cheekSquint", "cheeks"),
    _one("cheek_puff", ("AD34", "AD33"), "cheekPuff", "cheeks"),
    _pair("nose_wrinkler", ("AU9",), "noseSneer", "nose"),
    _pair("upper_lip_raiser", ("AU10",), "mouthUpperUp", "mouth"),
    _pair("lip_corner_puller", ("AU12",), "mouthSmile", "mouth"),
    _pair("dimpler", ("AU14",), "mouthDimple", "mouth"),
    _pair("lip_corner_depressor", ("AU15",), "mouthFrown", "mouth"),
    _pair("lower_lip_depressor", ("AU16",), "mouthLowerDown", "mouth"),
    _one("chin_raiser", ("AU17",), "mouthShrugLower", "mouth"),
    _one("upper_lip_shrug", (), "mouthShrugUpper", "mouth"),
    _one("lip_pucker", ("AU18",), "mouthPucker", "mouth"),
    _pair("lip_stretcher", ("AU20",), "mouthStretch", "mouth"),
    _one("lip_funneler", ("AU22",), "mouthFunnel", "mouth"),
    _pair("lip_presser", ("AU23", "AU24"), "mouthPress", "mouth"),
    _one("lower_lip_suck", ("AU28",), "mouthRollLower", "mouth"),
    _one("upper_lip_suck", ("AU28",), "mouthRollUpper", "mouth"),
    _one("lips_together", ("AU8",), "mouthClose", "mouth"),
    _pair("mouth_sideways", (), "mouth", "mouth", exclusive=True),
    _one("tongue_show", ("AD19",), "tongueOut", "mouth"),
    _one("jaw_drop", ("AU25", "AU26", "AU27"), "jawOpen", "jaw"),
    _one("jaw_thrust", ("AD29",), "jawForward", "jaw"),
    _pair("jaw_sideways", ("AD30",), "jaw", "jaw", exclusive=True),
)

ACTIONS: dict[str, Action] = {action.name: action for action in _ALL}
"""Every action by name."""

BY_UNIT: dict[str, Action] = {unit: action for action in _ALL for unit in action.units if unit != "AU28"}
"""Action unit code to action; AU28 is two actions here, one for each lip, and is left out."""
