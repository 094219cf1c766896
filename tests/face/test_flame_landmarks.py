"""Landmark files of FLAME are read in each published form, and their points lie on the head."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from flame_models import pickled_by_python_2, synthetic, write
from hypothesis import given
from hypothesis import strategies as st

from tdmm.errors import ArtifactProblem, InvalidInput
from tdmm.face.flame import FlameHead, facing_yaw
from tdmm.face.flame_file import read_flame
from tdmm.face.flame_landmarks import FlameLandmarks, read_landmarks
from tdmm.face.skinning import euler_to_matrix

FACES = 20


def points(*shape: int, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "lmk_face_idx": rng.integers(0, FACES, shape).astype(np.uint32),
        "lmk_b_coords": rng.dirichlet(np.ones(3), shape),
    }


def object_npy(path: Path, content: dict[str, Any]) -> Path:
    np.save(path, np.array(content, object), allow_pickle=True)
    return path


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """The three separate files, as published."""
    static = tmp_path / "flame_static_embedding.pkl"
    static.write_bytes(pickled_by_python_2(points(51)))
    contour = object_npy(tmp_path / "flame_dynamic_embedding.npy", points(79, 17, seed=1))
    mediapipe = tmp_path / "mediapipe_landmark_embedding.npz"
    np.savez(mediapipe, landmark_indices=np.arange(105) * 4, **points(105, seed=2))
    return [static, contour, mediapipe]


@pytest.fixture
def head(tmp_path: Path, files: list[Path]) -> FlameHead:
    model = read_flame(write(tmp_path / "flame.npz", synthetic(faces=FACES)))
    return FlameHead(model, read_landmarks(files, FACES))


def test_separate_files_add_up(files: list[Path]) -> None:
    found = read_landmarks(files, FACES)
    assert found.static is not None
    assert found.contour is not None
    assert found.mediapipe is not None
    np.testing.assert_array_equal(found.static.triangles, points(51)["lmk_face_idx"])
    np.testing.assert_allclose(found.contour.shares, points(79, 17, seed=1)["lmk_b_coords"], atol=1e-7)
    assert found.mediapipe_places[:3] == (0, 4, 8)
    assert read_landmarks([], FACES) == FlameLandmarks()


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated:UserWarning")  # torch's own, when it pickles a tensor
def test_one_file_with_tensors_holds_both(tmp_path: Path) -> None:
    static, contour = points(51), points(79, 17, seed=1)
    path = object_npy(
        tmp_path / "landmark_embedding.npy",
        {
            "static_lmk_faces_idx": static["lmk_face_idx"],
            "static_lmk_bary_coords": static["lmk_b_coords"],
            "dynamic_lmk_faces_idx": torch.tensor(contour["lmk_face_idx"].astype(np.int64)),
            "dynamic_lmk_bary_coords": torch.tensor(contour["lmk_b_coords"]),
            "full_lmk_faces_idx": np.zeros((1, 68), np.int64),
        },
    )
    found = read_landmarks([path], FACES)
    assert found.static is not None
    assert found.contour is not None
    np.testing.assert_array_equal(found.static.triangles, static["lmk_face_idx"])
    np.testing.assert_array_equal(found.contour.triangles, contour["lmk_face_idx"])
    np.testing.assert_allclose(found.contour.shares, contour["lmk_b_coords"], atol=1e-7)
    assert found.mediapipe is None


def test_points_lie_on_their_triangles_and_go_with_them(head: FlameHead) -> None:
    vertices = head(expression=torch.randn(2, 100), rotations=torch.randn(2, 5, 3) * 0.3)
    for found, said in (
        (head.landmarks_51(vertices), points(51)),
        (head.landmarks_mediapipe(vertices), points(105, seed=2)),
    ):
        for frame in range(2):
            corners = vertices[frame].numpy()[head.faces[said["lmk_face_idx"]]]
            expected = (corners * said["lmk_b_coords"][..., None]).sum(1)
            np.testing.assert_allclose(found[frame].numpy(), expected, atol=1e-6)
    assert head.mediapipe_places == tuple(range(0, 420, 4))
    assert head.double().landmarks_51(head(expression=torch.zeros(1, 100).double())).dtype == torch.float64


@pytest.mark.parametrize(
    ("degrees", "row"),
    [(0, 0), (-0.4, 0), (-1, 1), (-20.2, 20), (-39, 39), (-80, 39), (0.6, 40), (1, 40), (20, 59), (39, 78), (90, 78)],
)
def test_the_contour_is_chosen_by_yaw(head: FlameHead, degrees: float, row: int) -> None:
    """Rows 0 to 39 are turns to the face's own right, 40 to 78 are 1 to 39 degrees to its own left."""
    vertices = head()
    said = points(79, 17, seed=1)
    corners = vertices[0].numpy()[head.faces[said["lmk_face_idx"][row]]]
    expected = (corners * said["lmk_b_coords"][row][..., None]).sum(1)
    found = head.landmarks_68(vertices, torch.tensor([degrees]).deg2rad())
    np.testing.assert_allclose(found[0, :17].numpy(), expected, atol=1e-6)
    torch.testing.assert_close(found[:, 17:], head.landmarks_51(vertices))


@given(yaw=st.floats(-1.5, 1.5), roll=st.floats(-1.5, 1.5))
def test_a_plain_turn_has_its_own_yaw(yaw: float, roll: float) -> None:
    turn = torch.tensor([[0.0, yaw, 0.0]], dtype=torch.float64)
    assert abs(float(facing_yaw(euler_to_matrix(turn))) - yaw) < 1e-6
    tilt = torch.tensor([[0.0, 0.0, roll]], dtype=torch.float64)
    assert abs(float(facing_yaw(euler_to_matrix(tilt)))) < 1e-6


def test_what_is_missing_is_said(head: FlameHead) -> None:
    bare = FlameHead(head.file)
    with pytest.raises(InvalidInput, match="No file places the static landmarks"):
        bare.landmarks_51(bare())
    with pytest.raises(InvalidInput, match=r"vertices has shape \(1, 7, 3\); \(N, 30, 3\)"):
        head.landmarks_51(torch.zeros(1, 7, 3))
    with pytest.raises(InvalidInput, match=r"yaw has shape \(2,\); \(1,\)"):
        head.landmarks_68(head(), torch.zeros(2))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"a": np.zeros(2)}, "no landmark file of FLAME .it holds a.*Known: flame_static_embedding.pkl"),
        (points(50), r"static landmarks have shape \(50,\); \(51,\)"),
        (points(79, 16), r"contour landmarks have shape \(79, 16\)"),
        ({**points(51), "lmk_face_idx": np.full(51, FACES)}, "names triangles that the model does not have; it has 20"),
        ({**points(51), "lmk_b_coords": np.zeros((51, 2))}, r"'lmk_b_coords' has shape \(51, 2\); \(51, 3\)"),
        ({**points(51), "lmk_b_coords": np.zeros((51, 3))}, "not shares of three corners"),
        ({**points(51), "landmark_indices": np.zeros(3)}, r"'landmark_indices' has shape \(3,\)"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: dict[str, Any], said: str) -> None:
    path = tmp_path / "landmarks.pkl"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(ArtifactProblem, match=said):
        read_landmarks([path], FACES)
    object_npy(path.with_suffix(".npy"), content)
    with pytest.raises(ArtifactProblem, match=said):
        read_landmarks([path.with_suffix(".npy")], FACES)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    plain = tmp_path / "plain.npy"
    np.save(plain, np.zeros((3, 2)))
    with pytest.raises(ArtifactProblem, match="it holds one array without a name"):
        read_landmarks([plain], FACES)
    plain.write_bytes(b"no numpy file at all")
    with pytest.raises(ArtifactProblem, match=r"not a whole \.npy file"):
        read_landmarks([plain], FACES)
    archive = tmp_path / "broken.npz"
    archive.write_bytes(b"PK\x03\x04")
    with pytest.raises(ArtifactProblem, match=r"not a whole \.npz"):
        read_landmarks([archive], FACES)
    np.savez(archive, lmk_face_idx=np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(ArtifactProblem, match=r"not a whole \.npz of plain arrays"):
        read_landmarks([archive], FACES)
