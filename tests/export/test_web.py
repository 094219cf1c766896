from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tdmm import export
from tdmm.face.channels import ARKIT
from tdmm.motion.clip import FaceMotion


def test_a_page_finds_what_the_description_says(performance: FaceMotion, tmp_path: Path) -> None:
    export.save(performance.with_(confidence=np.linspace(0, 1, 12)), [tmp_path / "face.json"])
    content = json.loads((tmp_path / "face.json").read_text())
    assert {key: content[key] for key in ("format", "version", "rig", "fps", "frames", "seconds")} == {
        "format": "tdmm-motion", "version": 1, "rig": "arkit", "fps": 25, "frames": 12, "seconds": 0.48,
    }  # fmt: skip
    assert content["text"] == performance.text
    assert tuple(content["channels"]) == ARKIT
    assert np.allclose(content["expression"], performance.expression, atol=5.1e-5)
    assert np.allclose(content["head"], performance.head, atol=5.1e-6)
    assert np.allclose(content["translation"], performance.translation_or_zeros(), atol=5.1e-6)
    assert len(content["confidence"]) == 12


def test_what_the_motion_lacks_is_left_out(performance: FaceMotion, tmp_path: Path) -> None:
    export.save(performance.with_(translation=None), [tmp_path / "face.json"])
    content = json.loads((tmp_path / "face.json").read_text())
    assert "translation" not in content
    assert "confidence" not in content
