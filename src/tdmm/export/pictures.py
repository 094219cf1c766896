"""The frames of a motion as pictures, seen from one of the named views."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tdmm.export.formats import ExportOptions, View
from tdmm.face.render import Camera, render_motion
from tdmm.motion.clip import FaceMotion

_YAW_DEG: dict[View, float] = {"front": 0.0, "left": 85.0, "right": -85.0, "three-quarter": 35.0}


def pictures(motion: FaceMotion, options: ExportOptions, *, supersample: int = 1) -> Iterator[npt.NDArray[np.uint8]]:
    """(size, size, 3) sRGB of every frame, one at a time, framed once for the whole clip.

    Args:
        motion: on the `arkit` rig.
        options: size and view.
        supersample: 2 draws smoother edges, about four times slower.

    Raises:
        InvalidInput, InvalidMotion: another rig, or a missing ARKit channel.
    """
    moved = motion.translation_or_zeros()
    middle = (moved.min(axis=0) + moved.max(axis=0)) / 2
    x, y, z = (float(rest + shift) for rest, shift in zip(Camera().target, middle, strict=True))
    camera = Camera(target=(x, y, z), yaw=math.radians(_YAW_DEG[options.view]))
    return render_motion(motion, (options.size, options.size), camera=camera, supersample=supersample)
