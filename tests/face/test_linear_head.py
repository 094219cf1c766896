from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tdmm.errors import ArtifactProblem, FileProblem, InvalidInput, TdmmError
from tdmm.face.head_surface import surface_of
from tdmm.face.linear_head import LinearHead, read_linear
from tdmm.face.model import FaceParameters
from tdmm.motion.clip import FaceMotion

OBJ = """# a head of four points, in centimetres
v 0 0 0
v 10 0 0
v 10 30 0
v 0 30 0
usemtl Skin
f 1/1 2/2/2 3 4
usemtl eyeball left
f -4 -3 -2
"""


def a_head(folder: Path, obj: str = OBJ, **arrays: object) -> Path:
    folder.mkdir()
    (folder / "head.obj").write_text(obj)
    deltas = np.zeros((2, 4, 3), np.float32)
    deltas[0, 1, 1] = -2
    deltas[1, 2, 0] = 1
    np.savez(folder / "shapes.npz", **({"names": np.array(["jawOpen", "mouthSmile_L"]), "deltas": deltas} | arrays))
    return folder


def test_numbers_become_metres(tmp_path: Path) -> None:
    folder = a_head(tmp_path / "someone")
    np.savez(folder / "identity.npz", names=np.array(["identity0"]), deltas=np.ones((1, 4, 3), np.float16))
    file = read_linear(folder)
    assert (file.name, file.metres_per_unit) == ("someone", 0.01)
    assert file.faces.tolist() == [[0, 1, 2], [0, 2, 3], [0, 1, 2]]
    assert file.materials == ("Skin", "Skin", "eyeball left")
    assert file.meaning == {"jawOpen": "jawOpen", "mouthSmile_L": "mouthSmileLeft"}
    rig = LinearHead(file)
    assert (rig.name, rig.channels, rig.identity_size) == ("someone", ("jawOpen", "mouthSmile_L"), 1)
    vertices = rig.pose(FaceParameters(torch.tensor([[0.5, 0.0], [0.0, 1.0]]), identity=torch.ones(1, 1)))
    assert torch.allclose(vertices[0, 1], torch.tensor([0.11, 0.0, 0.01]))
    assert torch.allclose(vertices[1, 2], torch.tensor([0.12, 0.31, 0.01]))


def test_it_turns_and_moves_as_a_whole(tmp_path: Path) -> None:
    rig = LinearHead(read_linear(a_head(tmp_path / "someone")))
    motion = FaceMotion(
        rig.channels, np.zeros((1, 2)), np.array([[0, np.pi / 2, 0]]), rig="someone", translation=np.array([[0, 1, 0]])
    )
    assert torch.allclose(rig.animate(motion)[0, 2], torch.tensor([0.0, 1.3, -0.1]), atol=1e-6)
    with pytest.raises(InvalidInput, match="plays 'someone' motions"):
        rig.animate(motion.with_(rig="arkit"))
    with pytest.raises(InvalidInput, match="expression has shape"):
        rig.pose(FaceParameters(torch.zeros(1, 3)))
    with pytest.raises(InvalidInput, match="478"):
        rig.landmarks(torch.zeros(1, 4, 3))


def test_rig_json_says_what_files_do_not(tmp_path: Path) -> None:
    folder = a_head(tmp_path / "someone", OBJ.replace("30", "3"))
    with pytest.raises(ArtifactProblem, match="metres_per_unit"):
        read_linear(folder)
    told = {"name": "ada", "metres_per_unit": 0.1, "channels": {"mouthSmile_L": "mouthDimpleLeft"}}
    (folder / "rig.json").write_text(json.dumps(told))
    file = read_linear(folder)
    assert (file.name, file.metres_per_unit, file.meaning["mouthSmile_L"]) == ("ada", 0.1, "mouthDimpleLeft")


def _no_obj(folder: Path) -> None:
    (folder / "head.obj").unlink()


def _objects(folder: Path) -> None:
    np.savez(folder / "shapes.npz", names=np.array(["a"]), deltas=np.array([{}], object))


def _other_count(folder: Path) -> None:
    np.savez(folder / "shapes.npz", names=np.array(["a"]), deltas=np.zeros((1, 5, 3)))


def _two(folder: Path) -> None:
    np.savez(folder / "more.npz", names=np.array(["a"]), deltas=np.zeros((1, 4, 3)))


def _far_corner(folder: Path) -> None:
    (folder / "head.obj").write_text(OBJ.replace("f 1/1", "f 9/1"))


def _no_number(folder: Path) -> None:
    (folder / "head.obj").write_text(OBJ.replace("v 10 30 0", "v 10 thirty 0"))


def _bad_json(folder: Path) -> None:
    (folder / "rig.json").write_text("{")


def _taken_name(folder: Path) -> None:
    (folder / "rig.json").write_text('{"name": "arkit"}')


def _landmark_beyond(folder: Path) -> None:
    (folder / "vertex_indices.json").write_text(json.dumps({"idx_to_landmark_verts": [7] * 68}))


@pytest.mark.parametrize(
    ("spoil", "error", "says"),
    [
        (_no_obj, FileProblem, r"one file \*\.obj"),
        (_objects, ArtifactProblem, "cannot be read"),
        (_other_count, ArtifactProblem, r"\(1, 5, 3\)"),
        (_two, ArtifactProblem, "2 files of expressions"),
        (_far_corner, ArtifactProblem, "a vertex that is not there"),
        (_no_number, ArtifactProblem, "line 4"),
        (_bad_json, ArtifactProblem, "not JSON"),
        (_taken_name, ArtifactProblem, "another rig"),
        (_landmark_beyond, ArtifactProblem, "68 vertices"),
    ],
)
def test_what_is_refused(tmp_path: Path, spoil: Callable[[Path], None], error: type[TdmmError], says: str) -> None:
    folder = a_head(tmp_path / "someone")
    spoil(folder)
    with pytest.raises(error, match=says):
        read_linear(folder)


def test_heads_without_eyes_or_jaw_cannot_be_matched(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="no such folder"):
        read_linear(tmp_path / "nobody")
    with pytest.raises(ArtifactProblem, match="has no eyeballs"):
        surface_of(LinearHead(read_linear(a_head(tmp_path / "blind"))))


def test_the_ict_head(shared_data: Path) -> None:
    rig = LinearHead(read_linear(shared_data / "ict_facekit"))
    assert (rig.name, len(rig.channels), rig.identity_size) == ("ict_facekit", 57, 20)
    assert rig.file.metres_per_unit == 0.01
    assert len(rig.file.landmarks) == 68
    assert rig.file.meaning["browInnerUp_R"] == "browInnerUp"
    surface = surface_of(rig)
    assert 0.05 < np.linalg.norm(surface.eye_centre("left") - surface.eye_centre("right")) < 0.075
