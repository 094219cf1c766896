"""A FLAME head does what its parameters say, as an oracle written from the paper's formulas does."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from flame_models import synthetic, write
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles import flame as oracle
from tdmm.errors import InvalidInput
from tdmm.face.channels import FLAME
from tdmm.face.flame import FlameHead, facing_yaw
from tdmm.face.flame_file import JOINTS, FlameFile, read_flame
from tdmm.face.flame_landmarks import read_landmarks
from tdmm.face.model import FaceModel, FaceParameters
from tdmm.face.skinning import euler_to_matrix, vector_to_matrix
from tdmm.motion.clip import FaceMotion

NOTHING = torch.zeros(1, len(FLAME))
angle = st.floats(-1.2, 1.2)
angles = st.tuples(angle, angle, angle)


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    return synthetic()


@pytest.fixture(scope="module")
def file(arrays: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> FlameFile:
    return read_flame(write(tmp_path_factory.mktemp("flame") / "flame.pkl", arrays))


@pytest.fixture(scope="module")
def head(file: FlameFile) -> FlameHead:
    return FlameHead(file)


def parameters(rows: int, seed: int = 0) -> tuple[torch.Tensor, ...]:
    """Identity, expression, rotations (of up to a radian or so) and translation."""
    generator = torch.Generator().manual_seed(seed)
    shapes = ((300,), (100,), (5, 3), (3,))
    identity, expression, rotations, translation = (torch.randn(rows, *s, generator=generator) for s in shapes)
    return identity, expression, rotations * 0.5, translation * 0.1


def expressed(**values: float) -> torch.Tensor:
    expression = NOTHING.clone()
    for name, value in values.items():
        expression[0, FLAME.index(name)] = value
    return expression


def turning(joint: str, vector: tuple[float, float, float]) -> torch.Tensor:
    rotations = torch.zeros(1, 5, 3)
    rotations[0, JOINTS.index(joint)] = torch.tensor(vector)
    return rotations


@pytest.mark.parametrize("seed", range(4))
def test_it_agrees_with_the_oracle(head: FlameHead, arrays: dict[str, Any], seed: int) -> None:
    rows = parameters(3, seed)
    found = head(*rows)
    for i in range(3):
        expected = oracle.vertices(arrays, *(field[i].double().numpy() for field in rows))
        np.testing.assert_allclose(found[i].numpy(), expected, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_a_head_of_full_size_agrees_with_the_oracle(tmp_path: Path) -> None:
    whole = synthetic(vertices=5023, faces=9976)
    found = FlameHead(read_flame(write(tmp_path / "flame.npz", whole)))(*parameters(1))[0]
    expected = oracle.vertices(whole, *(field[0].double().numpy() for field in parameters(1)))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5, rtol=0)


def test_it_is_a_face_model(head: FlameHead) -> None:
    model: FaceModel = head
    assert model.name == "flame"
    assert model.channels == FLAME
    assert len(FLAME) == len(set(FLAME)) == 112
    vertices = model.pose(FaceParameters(expression=NOTHING))
    assert vertices.shape == (1, 30, 3)
    assert model.faces.max() < 30
    with pytest.raises(InvalidInput, match="landmarks_mediapipe for 105"):
        model.landmarks(vertices)


def test_nothing_asked_is_the_template(head: FlameHead) -> None:
    template = head.template[None]
    torch.testing.assert_close(head(), template)
    torch.testing.assert_close(head(*(torch.zeros_like(field) for field in parameters(1))), template)
    torch.testing.assert_close(head.pose(FaceParameters(expression=NOTHING)), template)


def test_both_doors_give_the_same(head: FlameHead) -> None:
    """A turn about one axis is the same number as an angle and as a vector."""
    identity, expression, _, shift = parameters(1)
    for joint in ("neck", "jaw", "left_eye", "right_eye"):
        for axis, name in enumerate(("pitch", "yaw", "roll")):
            vector = [0.0, 0.0, 0.0]
            vector[axis] = 0.3
            columns = expressed(**{f"{joint}_{name}": 0.3})
            columns[:, :100] = expression
            ours = head.pose(FaceParameters(columns, identity, translation=shift))
            torch.testing.assert_close(ours, head(identity, expression, turning(joint, tuple(vector)), shift))
    pitched = torch.tensor([[0.4, 0.0, 0.0]])
    nod = head.pose(FaceParameters(NOTHING, head=pitched))
    torch.testing.assert_close(nod, head(rotations=turning("root", (0.4, 0.0, 0.0))))
    bend = head.pose(FaceParameters(NOTHING, neck=pitched))
    torch.testing.assert_close(bend, head(rotations=turning("neck", (0.4, 0.0, 0.0))))
    further = head.pose(FaceParameters(expressed(neck_pitch=0.3), neck=pitched))
    torch.testing.assert_close(further, head(rotations=turning("neck", (0.7, 0.0, 0.0))))


@settings(deadline=None, max_examples=30)
@given(turn=angles)
def test_the_root_turns_everything_about_itself(head: FlameHead, turn: tuple[float, float, float]) -> None:
    identity, expression, _, _ = parameters(1)
    columns = torch.cat([expression, torch.zeros(1, 12)], 1)
    rest = head.pose(FaceParameters(columns, identity))[0].double()
    turned = head.pose(FaceParameters(columns, identity, head=torch.tensor([turn])))[0].double()
    matrix = euler_to_matrix(torch.tensor(turn, dtype=torch.float64))
    root = torch.tensor(head.file.joint_regressor[0]).double() @ rest
    torch.testing.assert_close(turned, (rest - root) @ matrix.T + root, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("moving", "still"), [("left_eye", "right_eye"), ("right_eye", "left_eye"), ("jaw", "neck")])
def test_a_joint_moves_its_own_vertices_alone(arrays: dict[str, Any], tmp_path: Path, moving: str, still: str) -> None:
    weights = np.eye(5)[np.arange(30) % 5]
    plain = {**arrays, "weights": weights, "posedirs": np.zeros((30, 3, 36))}
    head = FlameHead(read_flame(write(tmp_path / "flame.npz", plain)))
    moved = (head.pose(FaceParameters(expressed(**{f"{moving}_yaw": 0.5}))) - head())[0].norm(dim=1)
    own = weights[:, JOINTS.index(moving)] > 0
    assert (moved[own] > 1e-3).any()
    assert (moved[~own] < 1e-6).all()
    assert (moved[weights[:, JOINTS.index(still)] > 0] < 1e-6).all()


def test_the_neck_carries_jaw_and_eyes_but_not_the_root(arrays: dict[str, Any], tmp_path: Path) -> None:
    weights = np.eye(5)[np.arange(30) % 5]
    plain = {**arrays, "weights": weights, "posedirs": np.zeros((30, 3, 36))}
    head = FlameHead(read_flame(write(tmp_path / "flame.npz", plain)))
    moved = (head.pose(FaceParameters(NOTHING, neck=torch.tensor([[0.3, 0.4, 0.1]]))) - head())[0].norm(dim=1)
    at_root = torch.tensor(weights[:, 0] > 0)
    assert (moved[at_root] < 1e-6).all()
    assert (moved[~at_root] > 1e-3).all()


def test_angles_turn_as_documented(head: FlameHead) -> None:
    """With a nose in front and a crown on top, as on a real head."""
    template = np.array(head.file.template)
    template[0], template[1] = (0.0, 0.0, 0.1), (0.0, 0.15, 0.0)
    weights = np.zeros_like(head.file.weights)
    weights[:, 1] = 1.0
    regressor = np.zeros_like(head.file.joint_regressor)
    regressor[:, 2] = 1.0
    template[2] = 0.0
    still = np.zeros_like(head.file.posedirs)
    file = FlameFile(template, head.file.shapedirs, still, regressor, weights, head.file.parents, head.file.faces)
    own = FlameHead(file)
    for field in ("head", "neck"):
        turned = {
            name: own.pose(FaceParameters(NOTHING, **{field: torch.eye(3)[i : i + 1] * 0.4}))[0]
            for i, name in enumerate(("pitch", "yaw", "roll"))
        }
        assert turned["yaw"][0, 0] > 0.03  # the nose to the face's own left
        assert turned["pitch"][0, 1] < -0.03  # chin down
        assert turned["roll"][1, 0] < -0.03  # the crown to its own right


def test_batch_equals_one_at_a_time_and_one_row_is_shared(head: FlameHead) -> None:
    rows = parameters(4)
    together = head(*rows)
    for i in range(4):
        torch.testing.assert_close(together[i : i + 1], head(*(f[i : i + 1] for f in rows)), atol=1e-6, rtol=1e-5)
    for shared in range(4):
        some = [field[:1] if i == shared else field for i, field in enumerate(rows)]
        apart = [field.expand(4, *field.shape[1:]) for field in some]
        torch.testing.assert_close(head(*some), head(*apart), atol=1e-6, rtol=1e-5)
    columns = torch.randn(4, 112) * 0.3
    one = FaceParameters(columns, rows[0][:1], torch.randn(1, 3), None, rows[3])
    all_of_it = FaceParameters(columns, rows[0][:1].expand(4, -1), one.head.expand(4, -1), None, rows[3])  # type: ignore[union-attr]
    torch.testing.assert_close(head.pose(one), head.pose(all_of_it), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("size", [0.0, 0.4])
def test_gradients_are_right(file: FlameFile, size: float) -> None:
    """At rest too, where an angle has no direction."""
    head = FlameHead(file).double()
    rows = [(field * size).double().requires_grad_() for field in parameters(1)]

    def few(*fields: torch.Tensor) -> torch.Tensor:
        vertices: torch.Tensor = head(*fields)
        return vertices[:, ::7] * 100

    assert torch.autograd.gradcheck(few, rows)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("identity", torch.zeros(1, 100), r"identity has shape \(1, 100\); \(N, 300\)"),
        ("expression", torch.zeros(2, 50), r"expression has shape \(2, 50\); \(N, 100\)"),
        ("rotations", torch.zeros(2, 15), r"rotations has shape \(2, 15\); \(N, 5, 3\)"),
        ("translation", torch.zeros(3), r"translation has shape \(3,\); \(N, 3\)"),
    ],
)
def test_wrong_sizes_are_named(head: FlameHead, field: str, value: torch.Tensor, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        head(**{field: value})
    with pytest.raises(InvalidInput, match=r"expression has shape \(1, 100\); \(N, 112\)"):
        head.pose(FaceParameters(torch.zeros(1, 100)))
    with pytest.raises(InvalidInput, match="expression 2, translation 3"):
        head(expression=torch.zeros(2, 100), translation=torch.zeros(3, 3))


def test_animate_plays_a_motion_in_any_channel_order(head: FlameHead) -> None:
    rng = np.random.default_rng(0)
    values, pose = rng.normal(0, 0.3, (3, 112)), rng.normal(0, 0.2, (3, 3))
    straight = FaceMotion(FLAME, values, pose, rig="flame", translation=pose / 10)
    shuffled = FaceMotion(FLAME[::-1], values[:, ::-1], pose, rig="flame", translation=pose / 10)
    played = head.animate(straight)
    torch.testing.assert_close(played, head.animate(shuffled))
    columns, turns = torch.tensor(values).float(), torch.tensor(pose).float()
    torch.testing.assert_close(played, head.pose(FaceParameters(columns, None, turns, None, turns / 10)))
    person = np.ones(300, np.float32)
    whole = head.animate(straight.with_(identity=person))
    torch.testing.assert_close(whole, head.animate(straight, identity=torch.tensor(person)))
    assert (whole - played).abs().max() > 0.001
    with pytest.raises(InvalidInput, match="'arkit' rig; a FLAME head plays 'flame'"):
        head.animate(straight.with_(rig="arkit"))


# What follows needs the package `smplx`, an independent implementation under a licence of its own.


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what smplx imports
def test_it_agrees_with_smplx(tmp_path: Path) -> None:
    smplx = pytest.importorskip("smplx", reason="smplx is not installed (non-commercial, not a dependency)")
    whole = synthetic(vertices=5023, faces=9976)
    np.savez(tmp_path / "FLAME_NEUTRAL.npz", **whole)
    rng = np.random.default_rng(1)
    static = {"lmk_face_idx": rng.integers(0, 9976, 51), "lmk_b_coords": rng.dirichlet(np.ones(3), 51)}
    contour = {"lmk_face_idx": rng.integers(0, 9976, (79, 17)), "lmk_b_coords": rng.dirichlet(np.ones(3), (79, 17))}
    (tmp_path / "flame_static_embedding.pkl").write_bytes(pickle.dumps(static))
    np.save(tmp_path / "flame_dynamic_embedding.npy", np.array(contour, object), allow_pickle=True)
    rows = 12
    theirs = smplx.FLAME(
        str(tmp_path), ext="npz", num_betas=300, num_expression_coeffs=100, batch_size=rows, use_face_contour=True
    )
    places = read_landmarks([tmp_path / "flame_static_embedding.pkl", tmp_path / "flame_dynamic_embedding.npy"], 9976)
    ours = FlameHead(read_flame(tmp_path / "FLAME_NEUTRAL.npz"), places)
    identity, expression, rotations, translation = parameters(rows)
    rotations[0] = 0.0
    root, neck, jaw, left, right = rotations.unbind(1)
    for bend in (neck, torch.zeros_like(neck)):
        expected = theirs(
            betas=identity, expression=expression, global_orient=root, neck_pose=bend, jaw_pose=jaw,
            leye_pose=left, reye_pose=right, transl=translation,
        )  # fmt: skip
        found = ours(identity, expression, torch.stack([root, bend, jaw, left, right], 1), translation)
        torch.testing.assert_close(found, expected.vertices, atol=1e-5, rtol=0)
    # That package takes the root's rotation alone for the contour, so compare without a bend of the neck; and it
    # puts the contour last.
    landmarks = ours.landmarks_68(found, facing_yaw(vector_to_matrix(root)))
    torch.testing.assert_close(landmarks[:, 17:], expected.joints[:, -68:-17], atol=1e-5, rtol=0)
    torch.testing.assert_close(landmarks[:, :17], expected.joints[:, -17:], atol=1e-5, rtol=0)
