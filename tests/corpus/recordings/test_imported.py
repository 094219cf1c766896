from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "face"))

from flame_faces import flame_face

from tdmm.corpus.recordings.imported import imported
from tdmm.errors import ArtifactProblem, FileProblem, InvalidMotion, UnknownFormat
from tdmm.motion.clip import FaceMotion
from tdmm.motion.files import write_npz

FRAMES = 6


def smirk(path: Path) -> Path:
    """What the release's batch tool of SMIRK writes: lists of one array a frame, pickled."""
    draw = np.random.default_rng(0)
    rows = {"expression": 50, "pose": 3, "eyelid": 2, "jaw": 3, "identity": 300, "camera_pose": 3}
    content = {
        name: [draw.normal(0, 0.1, size).astype(np.float32) for _ in range(FRAMES)] for name, size in rows.items()
    }
    path.write_bytes(pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL))
    return path


def test_a_result_of_smirk(tmp_path: Path) -> None:
    motion = imported(smirk(tmp_path / "0000_happy_subtle.pkl"), fps=25)
    assert (motion.rig, motion.frames, motion.fps) == ("flame", FRAMES, 25)
    assert motion.identity is not None
    assert motion.identity.shape == (300,)
    assert np.abs(motion.identity).max() > 0
    assert motion.provenance["left_out"] == ["camera_pose", "eyelid"]
    assert np.abs(motion.head).max() > 0


def test_a_result_of_smirk_on_our_head(tmp_path: Path) -> None:
    motion = imported(smirk(tmp_path / "a.pkl"), flame_face().head(landmarks=False), fps=25)
    assert (motion.rig, motion.frames) == ("arkit", FRAMES)
    assert np.abs(motion.expression).max() > 0.01


def test_a_result_of_spectre(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    sizes = {"exp": 50, "pose": 6, "tex": 50, "shape": 100}
    np.savez(tmp_path / "a.npz", **{name: draw.normal(0, 0.1, (FRAMES, size)) for name, size in sizes.items()})
    motion = imported(tmp_path / "a.npz", fps=25)
    assert (motion.rig, motion.frames) == ("flame", FRAMES)
    with pytest.raises(InvalidMotion, match="how many frames a second"):
        imported(tmp_path / "a.npz")


def test_a_list_of_arrays_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    # Five megabytes, 300 times the same: 1.5 GB of a small file.
    (tmp_path / "bomb.pkl").write_bytes(pickle.dumps({"expression": [np.zeros(1_250_000, np.float32)] * 300}))
    with pytest.raises(ArtifactProblem, match="more than is read"):
        imported(tmp_path / "bomb.pkl", fps=25)
    uneven = {"expression": [np.zeros(50, np.float32), np.zeros(40, np.float32)]}
    (tmp_path / "uneven.pkl").write_bytes(pickle.dumps(uneven))
    with pytest.raises(ArtifactProblem, match="of shapes"):
        imported(tmp_path / "uneven.pkl", fps=25)


def test_our_own_files_stay_what_they_are(tmp_path: Path) -> None:
    motion = FaceMotion(("jawOpen",), np.full((3, 1), 0.5), np.zeros((3, 3)))
    write_npz(motion, tmp_path / "own.npz")
    assert imported(tmp_path / "own.npz").channels == ("jawOpen",)


def test_what_is_no_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match=r"Readable: \.csv"):
        imported(tmp_path / "a.mat")
    with pytest.raises(FileProblem, match="no such file"):
        imported(tmp_path / "a.npz")
    (tmp_path / "torn.npz").write_bytes(b"PK\x03\x04torn")
    with pytest.raises(InvalidMotion, match="not a whole"):
        imported(tmp_path / "torn.npz")
    (tmp_path / "hostile.pkl").write_bytes(pickle.dumps({"expression": print}))
    with pytest.raises(ArtifactProblem):
        imported(tmp_path / "hostile.pkl", fps=25)
