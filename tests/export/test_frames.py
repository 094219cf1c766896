from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tdmm.export.frames import caption, key_frames
from tdmm.face.channels import INDEX
from tdmm.motion.clip import FaceMotion
from tdmm.motion.features import from_features


def test_a_blink_and_a_turn_get_their_pictures() -> None:
    values = np.zeros((100, 58))
    values[40:43, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = 1
    values[70:90, 53] = 0.5
    chosen = key_frames(from_features(values), 8)
    assert chosen[0] == 0
    assert any(40 <= frame < 43 for frame in chosen)
    assert any(70 <= frame < 90 for frame in chosen)
    assert len(chosen) == 3  # three different faces, no picture twice


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 5))
def test_frames_are_in_order_and_no_more_than_asked(frames: int, count: int, seed: int) -> None:
    motion = from_features(np.random.default_rng(seed).random((frames, 58)))
    chosen = key_frames(motion, count)
    assert len(chosen) == min(count, frames)
    assert (np.diff(chosen) > 0).all()


def test_captions_name_action_side_and_head(performance: FaceMotion) -> None:
    assert caption(performance, 0) == "neutral"
    assert caption(performance, 5).startswith("eye closure 1.0, lip corner puller left 0.4")
    last = caption(performance, 11)
    assert "lip corner puller left 0.8" in last
    assert last.endswith("turned left 29°")
