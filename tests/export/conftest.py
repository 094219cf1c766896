"""A short performance that moves everything."""

from __future__ import annotations

import numpy as np
import pytest

from tdmm.face.channels import INDEX
from tdmm.motion.clip import FaceMotion
from tdmm.motion.features import from_features


@pytest.fixture(scope="session")
def performance() -> FaceMotion:
    """12 frames: a one-sided smile that grows, a blink, a look aside, the head turning, leaning and tilting."""
    time = np.linspace(0, 1, 12)
    values = np.zeros((12, 58))
    values[:, INDEX["mouthSmileLeft"]] = 0.8 * time
    values[4:6, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = 1.0
    values[:, INDEX["eyeLookOutLeft"]] = values[:, INDEX["eyeLookInRight"]] = 0.5 * np.sin(3 * time)
    values[8:, [INDEX["jawOpen"], INDEX["tongueOut"]]] = 0.6
    values[:, 52:55] = np.stack([0.2 * np.sin(6 * time), 0.5 * time, -0.2 * time], axis=1)
    values[:, 55:58] = 0.01 * time[:, None] * [1, 0, 2]
    return from_features(values, text="she smirks, blinks and turns her head")
