from __future__ import annotations

import numpy as np
import pytest

from tdmm.errors import InvalidMotion
from tdmm.motion.clip import FaceMotion


def clip(**changes: object) -> FaceMotion:
    fields = {"channels": ("jawOpen", "eyeBlinkLeft"), "expression": np.zeros((5, 2)), "head": np.zeros((5, 3))}
    return FaceMotion(**{**fields, **changes})  # type: ignore[arg-type]


def test_arrays_are_copied_and_read_only() -> None:
    source = np.zeros((5, 2), np.float32)
    motion = clip(expression=source)
    source[0, 0] = 1
    assert motion.expression[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        motion.expression[0, 0] = 1


def test_channels_by_name() -> None:
    motion = clip(expression=np.array([[0.1, 0.2]] * 5))
    assert motion.channel("eyeBlinkLeft")[0] == pytest.approx(0.2)
    assert motion.in_order(("eyeBlinkLeft", "jawOpen"))[0].tolist() == pytest.approx([0.2, 0.1])
    with pytest.raises(InvalidMotion, match="Did you mean 'jawOpen'"):
        motion.channel("jawOpne")
    with pytest.raises(InvalidMotion, match="lacks 1 channel"):
        motion.in_order(("tongueOut",))
    assert motion.seconds == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expression": np.zeros((5, 3))}, "2 channels are named"),
        ({"expression": np.zeros((0, 2)), "head": np.zeros((0, 3))}, "no frames"),
        ({"head": np.zeros((4, 3))}, "head has shape"),
        ({"translation": np.zeros((5, 2))}, "translation has shape"),
        ({"confidence": np.zeros(4)}, "confidence has shape"),
        ({"identity": np.zeros((2, 2))}, "identity has shape"),
        ({"fps": 0}, "fps"),
        ({"fps": -25}, "fps"),
        ({"fps": float("nan")}, "fps"),
        ({"channels": ("jawOpen", "jawOpen")}, "named twice"),
        ({"expression": np.full((5, 2), np.nan)}, r"not finite, first at index \(0, 0\)"),
        ({"expression": [["a", "b"]] * 5}, "must hold numbers"),
    ],
)
def test_nonsense_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidMotion, match=message):
        clip(**changes)
