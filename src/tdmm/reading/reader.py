"""Motion in, FACS events out: which action, how strong, when, which side; which head motion, how often.

There are no learned weights here. The reader looks at ARKit's channels and the head's track as a coder looks
at a face, shares nothing with the models it grades, and is checked against acted clips whose scripts it has
not seen (`tdmm evaluate quick --only reader`).
"""

from __future__ import annotations

import numpy as np

from tdmm.errors import InvalidMotion
from tdmm.face.channels import ARKIT
from tdmm.motion.clip import FPS, FaceMotion
from tdmm.motion.events import MotionEvents
from tdmm.motion.timeline import resample
from tdmm.reading.actions import read_actions, read_lids
from tdmm.reading.gaze import read_gaze
from tdmm.reading.head import read_head
from tdmm.reading.settings import ReaderSettings

_DEFAULT = ReaderSettings()


def read(motion: FaceMotion, settings: ReaderSettings = _DEFAULT) -> MotionEvents:
    """Find what happens in a motion.

    Args:
        motion: on the `arkit` rig, channels in any order, at any frame rate (it is brought to 25 fps first).
        settings: thresholds; `ReaderSettings(rest="measured")` for real captures.

    Returns:
        Events sorted by onset; times in seconds from the first frame, none after the motion's end.

    Raises:
        InvalidMotion: the motion is on another rig, or lacks a channel.
    """
    if motion.rig != "arkit":
        raise InvalidMotion(f"The reader knows the arkit rig, not '{motion.rig}'. Retarget the motion first.")
    at_25 = resample(motion, FPS)
    expression = at_25.in_order(ARKIT).astype(np.float64)
    rotation = np.rad2deg(at_25.head.astype(np.float64))
    translation = 1000.0 * at_25.translation_or_zeros().astype(np.float64)
    if settings.rest == "measured":
        expression = _from_rest(expression)
        rotation = rotation - np.median(rotation, axis=0)
        translation = translation - np.median(translation, axis=0)
    expression = np.clip(expression, 0.0, 1.0)
    channels = {name: expression[:, column] for column, name in enumerate(ARKIT)}
    closures, blinks = read_lids(channels, settings)
    return MotionEvents(
        actions=tuple(sorted([*read_actions(channels, settings), *closures], key=lambda event: event.onset)),
        head=tuple(sorted(read_head(rotation, translation, settings), key=lambda event: event.onset)),
        gaze=tuple(read_gaze(channels, settings)),
        blinks=tuple(blinks),
    )


def _from_rest(expression: np.ndarray) -> np.ndarray:
    """Coefficients as a share of the way from the rest of each channel to 1."""
    rest = np.clip(np.percentile(expression, 10, axis=0), 0.0, 0.9)
    scaled: np.ndarray = (expression - rest) / (1.0 - rest)
    return scaled
