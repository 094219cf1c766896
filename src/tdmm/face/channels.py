"""Apple ARKit's 52 blendshape channels by name, and which mirrors which; the channels of FLAME.

Left and right are always the face's own. Names and order are Apple's
(`ARFaceAnchor.BlendShapeLocation`, documentation order); MediaPipe's 52 are not these: it has
`_neutral` and lacks `tongueOut`.
"""

from __future__ import annotations

ARKIT: tuple[str, ...] = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft",
    "eyeSquintLeft", "eyeWideLeft",
    "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
    "eyeSquintRight", "eyeWideRight",
    "jawForward", "jawLeft", "jawRight", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthUpperUpLeft", "mouthUpperUpRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
    "noseSneerLeft", "noseSneerRight",
    "tongueOut",
)  # fmt: skip
"""The 52 channel names in Apple's spelling."""

FLAME: tuple[str, ...] = (
    *(f"expression_{place:03d}" for place in range(100)),
    *(f"{joint}_{angle}" for joint in ("neck", "jaw", "left_eye", "right_eye") for angle in ("pitch", "yaw", "roll")),
)
"""The columns of a motion on the rig `flame`: 100 expression components in standard deviations, then the
angles of neck, jaw and eyes in radians, composed as those of the head (docs/conventions.md)."""

INDEX: dict[str, int] = {name: index for index, name in enumerate(ARKIT)}
"""Channel name to its place in `ARKIT`."""


def mirrored(name: str) -> str:
    """The channel of the other side; a channel without a side is its own mirror."""
    if name.endswith("Left"):
        return name.removesuffix("Left") + "Right"
    if name.endswith("Right"):
        return name.removesuffix("Right") + "Left"
    return name


def side_of(name: str) -> str:
    """`left`, `right` or `both`."""
    if name.endswith("Left"):
        return "left"
    return "right" if name.endswith("Right") else "both"
