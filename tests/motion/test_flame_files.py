"""FLAME parameters of other programs become motions, and motions become such files."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tdmm.errors import ArtifactProblem, InvalidMotion, UnknownFormat
from tdmm.face.channels import ARKIT, FLAME
from tdmm.face.flame import FlameHead
from tdmm.face.flame_file import FlameFile
from tdmm.motion.clip import FaceMotion
from tdmm.motion.flame_files import read_parameters, write_parameters
from tdmm.motion.rotation import from_vectors, to_euler, to_quaternions, to_vectors

FRAMES = 4


def table(columns: int, frames: int = FRAMES, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed + columns).normal(0, 0.3, (frames, columns)).astype(np.float32)


def saved(path: Path, **content: Any) -> Path:
    np.savez(path, **content)
    return path


@pytest.fixture(scope="module")
def head() -> FlameHead:
    """A small head with random content."""
    rng = np.random.default_rng(3)
    weights = rng.dirichlet(np.ones(5), 12)
    return FlameHead(
        FlameFile(
            *(rng.normal(0, size, shape).astype(np.float32) for size, shape in (
                (0.1, (12, 3)), (1e-3, (12, 3, 400)), (1e-3, (12, 3, 36)),
            )),
            joint_regressor=rng.dirichlet(np.ones(12), 5).astype(np.float32),
            weights=weights.astype(np.float32),
            parents=(-1, 0, 1, 1, 1),
            faces=np.zeros((1, 3), np.int32),
        )
    )  # fmt: skip


def assert_plays_as(head: FlameHead, motion: FaceMotion, **parameters: Any) -> None:
    """The motion moves the head as FLAME's own parameters do, straight from the file."""
    rotations = np.zeros((motion.frames, 5, 3), np.float32)
    for joint, name in enumerate(("root", "neck", "jaw", "left", "right")):
        rotations[:, joint] = parameters.get(name, 0)
    identity, expression = np.zeros((1, 300), np.float32), np.zeros((motion.frames, 100), np.float32)
    if "identity" in parameters:
        identity[:, : parameters["identity"].shape[-1]] = parameters["identity"]
    expression[:, : parameters["expression"].shape[-1]] = parameters["expression"]
    shift = parameters.get("translation")
    expected = head(
        *map(torch.tensor, (identity, expression, rotations)), None if shift is None else torch.tensor(shift)
    )
    torch.testing.assert_close(head.animate(motion), expected, atol=1e-5, rtol=0)


def test_vhap(tmp_path: Path, head: FlameHead) -> None:
    shape, eyes = table(300, 1)[0], table(6)
    root, neck, jaw, shift = (table(3, seed=seed) for seed in range(4))
    path = saved(
        tmp_path / "00000.npz", shape=shape, expr=table(100), rotation=root, neck_pose=neck, jaw_pose=jaw,
        eyes_pose=eyes, translation=shift, static_offset=np.zeros((1, 12, 3)),
    )  # fmt: skip
    motion = read_parameters(path, fps=30)
    assert (motion.rig, motion.channels, motion.fps, motion.frames) == ("flame", FLAME, 30.0, FRAMES)
    assert motion.provenance == {"source": "00000.npz", "left_out": ["static_offset"]}
    assert_plays_as(
        head, motion, identity=shape, expression=table(100), root=root, neck=neck, jaw=jaw,
        left=eyes[:, :3], right=eyes[:, 3:], translation=shift,
    )  # fmt: skip


@pytest.mark.parametrize("names", [("exp", "shape", "pose"), ("expcode", "shapecode", "posecode")])
def test_diffposetalk_deca_and_emoca(tmp_path: Path, head: FlameHead, names: tuple[str, str, str]) -> None:
    """50 expression components, 100 of identity in every frame, six columns of head and jaw."""
    expression, shape, pose = table(50), table(100), table(6)
    path = saved(tmp_path / "clip.npz", **dict(zip(names, (expression, shape, pose), strict=True)))
    motion = read_parameters(path, fps=25)
    assert_plays_as(head, motion, expression=expression, identity=shape.mean(0), root=pose[:, :3], jaw=pose[:, 3:])


def test_smirk(tmp_path: Path, head: FlameHead) -> None:
    content = {
        "pose_params": table(3), "jaw_params": table(3, seed=1), "expression_params": table(50),
        "shape_params": table(300), "eyelid_params": table(2), "cam": table(3),
    }  # fmt: skip
    path = tmp_path / "smirk.pkl"
    path.write_bytes(pickle.dumps(content))
    motion = read_parameters(path, fps=25)
    assert motion.provenance["left_out"] == ["cam", "eyelid_params"]
    assert_plays_as(
        head, motion, expression=table(50), identity=table(300).mean(0), root=table(3), jaw=table(3, seed=1)
    )


def test_smplx_names_and_single_rows(tmp_path: Path, head: FlameHead) -> None:
    left, right, turn = table(3, seed=1), table(3, seed=2), table(3, 1)
    path = saved(
        tmp_path / "take.npz", betas=table(10, 1), expression=table(10), global_orient=turn, leye_pose=left,
        reye_pose=right, transl=turn[0], fps=50.0,
    )  # fmt: skip
    motion = read_parameters(path)
    assert motion.fps == 50
    assert read_parameters(path, fps=24).fps == 24
    assert_plays_as(
        head, motion, expression=table(10), identity=table(10, 1), root=turn, left=left, right=right, translation=turn
    )


def test_artalk(tmp_path: Path, head: FlameHead) -> None:
    """One array: expression, then the head, then the jaw."""
    packed = table(106)
    np.save(tmp_path / "motion.npy", packed)
    for path in (tmp_path / "motion.npy", saved(tmp_path / "motion.npz", motion=packed[None])):
        motion = read_parameters(path, fps=25)
        assert_plays_as(head, motion, expression=packed[:, :100], root=packed[:, 100:103], jaw=packed[:, 103:])


def test_all_five_joints_in_one_array(tmp_path: Path, head: FlameHead) -> None:
    pose = table(15)
    motion = read_parameters(saved(tmp_path / "a.npz", exp=table(100), full_pose=pose), fps=25)
    joints = dict(zip(("root", "neck", "jaw", "left", "right"), np.split(pose, 5, axis=1), strict=True))
    assert_plays_as(head, motion, expression=table(100), **joints)


def test_written_and_read_again(tmp_path: Path) -> None:
    motion = FaceMotion(
        FLAME[::-1], table(112), table(3), fps=60, rig="flame", translation=table(3, seed=1), identity=table(300, 1)[0]
    )
    path = tmp_path / "out.npz"
    write_parameters(motion, path)
    again = read_parameters(path)
    np.testing.assert_allclose(again.in_order(FLAME), motion.in_order(FLAME), atol=1e-6)
    np.testing.assert_allclose(again.head, motion.head, atol=1e-6)
    np.testing.assert_array_equal(again.translation_or_zeros(), motion.translation_or_zeros())
    np.testing.assert_array_equal(np.asarray(again.identity), np.asarray(motion.identity))
    assert again.fps == 60
    assert again.provenance["left_out"] == []
    with np.load(path, allow_pickle=False) as content:
        assert {name: content[name].shape for name in content.files} == {
            "shape": (300,), "expr": (4, 100), "rotation": (4, 3), "neck_pose": (4, 3), "jaw_pose": (4, 3),
            "eyes_pose": (4, 6), "translation": (4, 3), "fps": (),
        }  # fmt: skip


def test_other_rigs_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(InvalidMotion, match="'arkit' rig; only 'flame'"):
        write_parameters(FaceMotion(ARKIT, table(52), table(3)), tmp_path / "out.npz")
    short = FaceMotion(FLAME, table(112), table(3), rig="flame", identity=table(100, 1)[0])
    with pytest.raises(InvalidMotion, match="identity has 100 components; FLAME has 300"):
        write_parameters(short, tmp_path / "out.npz")
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"verts": table(9), "audio": table(2)}, "no expression. It holds audio, verts. Known are one array (T, 106)"),
        ({"verts": table(9)}, "no expression. It holds verts"),
        ({"exp": table(50), "expr": table(50)}, "'expr' and 'exp' both are its expression"),
        ({"exp": table(101)}, "its expression has shape (4, 101); (frames, up to 100) is needed"),
        ({"exp": table(50), "trans": table(2)}, "its translation has shape (4, 2); (frames, 3) is needed"),
        ({"exp": table(50), "pose": table(7)}, "its pose has shape (4, 7); columns of rotation vectors"),
        ({"exp": table(50), "jaw": table(9)}, "its jaw has shape (4, 9); columns of rotation vectors are needed (3)"),
        ({"exp": table(50), "pose": table(6), "jaw": table(3)}, "the rotation of its jaw is given twice"),
        ({"exp": table(50), "jaw": table(3, 3)}, "'jaw' has 3 frames, but there are 4"),
        ({"exp": np.full((4, 50), np.nan)}, "'exp' holds a value that is not finite"),
        ({"exp": table(50), "fps": np.ones(2)}, "'fps' has shape (2,)"),
        ({"exp": table(50)}, "does not say how many frames a second it has. Give fps"),
        ({"rig": np.array("arkit"), "channels": np.array(["a"])}, "is a motion of tdmm already; read it with"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, content: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidMotion, match=r"a\.npz: .*" + re.escape(said)):
        read_parameters(saved(tmp_path / "a.npz", **content))


def test_wrong_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match=r"readable: \.pkl"):
        read_parameters(tmp_path / "a.pt")
    with pytest.raises(ArtifactProblem, match="'exp': cannot be read"):
        read_parameters(saved(tmp_path / "a.npz", exp=np.array(["x"])))
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps({"exp": print}))
    with pytest.raises(ArtifactProblem, match=r"builtins\.print"):
        read_parameters(path)


@given(arrays(np.float64, (3, 3), elements=st.floats(-1.7, 1.7)))
def test_rotation_vectors_come_back(vectors: np.ndarray) -> None:
    """Up to half a turn; a longer one comes back as the shorter way round."""
    quaternions = from_vectors(vectors)
    np.testing.assert_allclose(np.linalg.norm(quaternions, axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(to_vectors(quaternions), vectors, atol=1e-9)
    np.testing.assert_allclose(to_vectors(-quaternions), vectors, atol=1e-9)


def test_rotation_vectors_about_one_axis_are_angles() -> None:
    for axis in range(3):
        vectors = np.zeros((2, 3))
        vectors[:, axis] = (0.3, -1.2)
        np.testing.assert_allclose(to_euler(from_vectors(vectors)), vectors, atol=1e-12)
        np.testing.assert_allclose(to_vectors(to_quaternions(vectors)), vectors, atol=1e-12)
