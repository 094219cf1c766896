from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "face"))

from flame_faces import FlameFace, flame_face
from flame_models import write

from tdmm.acting.actor import perform
from tdmm.acting.casting import cast
from tdmm.errors import FileProblem, InvalidInput, InvalidMotion
from tdmm.face.arkit import load_head
from tdmm.face.channels import ARKIT, FLAME
from tdmm.face.flame import FlameHead
from tdmm.face.geometry import vertex_errors_mm
from tdmm.motion.clip import FaceMotion
from tdmm.motion.retarget import Conversion, Converter, convert, open_rig, require_arkit
from tdmm.tokens.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def face() -> FlameFace:
    return flame_face()


@pytest.fixture(scope="module")
def flame(face: FlameFace) -> FlameHead:
    return face.head(landmarks=False)


@pytest.fixture(scope="module")
def there(flame: FlameHead) -> Converter:
    return Converter(load_head(), flame)


@pytest.fixture(scope="module")
def back(flame: FlameHead) -> Converter:
    return Converter(flame, load_head())


@pytest.fixture(scope="module")
def clip() -> FaceMotion:
    return perform(cast(5, 1), 1).motion


@pytest.fixture(scope="module")
def away(there: Converter, clip: FaceMotion) -> Conversion:
    return there.convert(clip)


@pytest.fixture(scope="module")
def again(back: Converter, away: Conversion) -> FaceMotion:
    return back.convert(away.motion).motion


def eyes(vertices: torch.Tensor, converter: Converter, which: int) -> torch.Tensor:
    surface = converter.surfaces[which]
    return torch.stack([vertices[:, np.unique(surface.eyes[side])].mean(1) for side in ("left", "right")], 1).mean(1)


def test_head_and_eyes_go_where_they_went(there: Converter, flame: FlameHead) -> None:
    rng = np.random.default_rng(0)
    motion = FaceMotion(
        ARKIT,
        np.zeros((6, 52)),
        rng.normal(0, 0.3, (6, 3)),
        translation=rng.normal(0, 0.05, (6, 3)),
        fps=30,
        text="a turn",
    )
    found = there.convert(motion).motion
    assert (found.rig, found.channels, found.fps, found.text) == ("flame", FLAME, 30, "a turn")
    assert np.allclose(found.head, motion.head, atol=1e-5)
    paths = []
    for rig, moving, which in ((load_head(), motion, 0), (flame, found, 1)):
        still = rig.animate(moving.with_(head=np.zeros((6, 3)), translation=None))
        paths.append(eyes(rig.animate(moving), there, which) - eyes(still, there, which))
    assert torch.allclose(paths[0], paths[1], atol=1e-5)


def test_the_neck_of_flame_is_a_turn_of_the_head(back: Converter) -> None:
    columns = np.zeros((1, len(FLAME)))
    columns[0, FLAME.index("neck_yaw")] = 0.2
    motion = FaceMotion(FLAME, columns, np.array([[0, 0.3, 0]]), rig="flame", identity=np.ones(300))
    found = back.convert(motion).motion
    assert np.allclose(found.head, [[0, 0.5, 0]], atol=1e-5)
    assert found.identity is None
    assert found.provenance["identity_left_out"] is True


def test_a_clip_there_and_back(clip: FaceMotion, away: Conversion, again: FaceMotion) -> None:
    assert away.fit.residual_mm.shape == (clip.frames,)
    assert away.fit.residual_mm.mean() < 0.1
    assert away.motion.provenance["converted_from"] == "arkit"
    assert np.allclose(again.head, clip.head, atol=1e-4)
    assert np.allclose(again.translation_or_zeros(), clip.translation_or_zeros(), atol=1e-5)
    assert vertex_errors_mm(clip.in_order(ARKIT), again.in_order(ARKIT))["face"] < 0.1


def test_tokens_of_a_flame_motion_are_those_of_its_face(clip: FaceMotion, again: FaceMotion) -> None:
    tokenizer = Tokenizer.load()
    ours = tokenizer.encode(clip)
    by_way = tokenizer.encode(again)
    faces = [tokenizer.decode(tokens).in_order(ARKIT) for tokens in (ours, by_way)]
    assert vertex_errors_mm(*faces)["face"] < 0.15
    assert (ours.codes[:, 0] == by_way.codes[:, 0]).mean() > 0.4


def test_a_still_head_stays_where_it_is(there: Converter) -> None:
    found = there.convert(FaceMotion(ARKIT, np.zeros((2, 52)), np.zeros((2, 3)))).motion
    assert found.translation is None
    assert np.abs(found.expression).max() < 1e-3


def test_rigs_by_name(tmp_path: Path) -> None:
    assert open_rig("arkit") is load_head()
    for name, says in (
        ("arkitt", "Did you mean 'arkit'"),
        ("flame", "needs the path"),
        ("linear:", "needs the path"),
        ("arkit:somewhere", "takes no path"),
    ):
        with pytest.raises(InvalidInput, match=says):
            open_rig(name)
    with pytest.raises(FileProblem):
        open_rig(f"flame:{tmp_path / 'none.npz'}")


def test_what_is_refused(there: Converter, clip: FaceMotion) -> None:
    flame = FaceMotion(FLAME, np.zeros((1, len(FLAME))), np.zeros((1, 3)), rig="flame")
    with pytest.raises(InvalidMotion, match="to be converted from 'arkit'"):
        there.convert(flame)
    with pytest.raises(InvalidInput, match="--from flame:PATH"):
        convert(flame, "arkit")
    with pytest.raises(FileProblem, match="--rig arkit --from flame:PATH"):
        require_arkit(flame, [Path("a.npz"), Path("a.glb")])
    require_arkit(flame, [Path("a.npz")])
    require_arkit(clip, [Path("a.glb")])


def test_a_file_of_flame(tmp_path: Path, face: FlameFace, clip: FaceMotion) -> None:
    file = face.file
    path = write(
        tmp_path / "flame.npz",
        {
            "v_template": file.template, "shapedirs": file.shapedirs, "posedirs": file.posedirs,
            "J_regressor": file.joint_regressor, "weights": file.weights, "f": file.faces,
            "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], range(5)], np.int64),
        },
    )  # fmt: skip
    few = clip.with_(
        expression=clip.expression[:3], head=clip.head[:3], translation=clip.translation_or_zeros()[:3], confidence=None
    )
    done = convert(few, f"flame:{path}")
    assert done.motion.rig == "flame"
    assert convert(done.motion, "arkit", source=f"flame:{path}").motion.rig == "arkit"
