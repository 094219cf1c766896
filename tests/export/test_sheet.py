from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tdmm import export
from tdmm.export.formats import ExportOptions
from tdmm.export.sheet import contact_sheet
from tdmm.motion.clip import FaceMotion


def test_eight_frames_four_in_a_row(performance: FaceMotion, tmp_path: Path) -> None:
    export.save(performance, [tmp_path / "face.png"], size=64)
    with Image.open(tmp_path / "face.png") as sheet:
        assert sheet.width == 4 * 64
        assert 2 * 64 < sheet.height < 4 * 64


def test_a_still_face_is_one_picture(performance: FaceMotion) -> None:
    still = performance.with_(expression=np.zeros((12, 52)), head=np.zeros((12, 3)), translation=None, text="")
    assert contact_sheet(still, ExportOptions(size=64)).width == 64


def test_a_long_text_does_not_push_the_faces_off(performance: FaceMotion) -> None:
    sheet = contact_sheet(performance.with_(text="and then she smiles " * 60), ExportOptions(size=64))
    assert sheet.height < 5 * 64
