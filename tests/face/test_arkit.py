"""The built-in head does what its parameters say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tdmm.errors import InvalidInput
from tdmm.face.arkit import ArkitHead, load_head
from tdmm.face.channels import ARKIT, INDEX, mirrored
from tdmm.face.model import FaceModel, FaceParameters
from tdmm.motion.clip import FaceMotion


@pytest.fixture(scope="module")
def head() -> ArkitHead:
    return load_head()


def shape(**values: float) -> torch.Tensor:
    expression = torch.zeros(1, len(ARKIT))
    for name, value in values.items():
        expression[0, INDEX[name]] = value
    return expression


def turned(head: ArkitHead, pitch: float = 0.0, yaw: float = 0.0, roll: float = 0.0) -> torch.Tensor:
    return head(head=torch.tensor([[pitch, yaw, roll]]))[0]


def nose(head: ArkitHead) -> int:
    start, stop = head.asset.parts["skin"]
    return start + int(head.asset.vertices[start:stop, 2].argmax())


def crown(head: ArkitHead) -> int:
    start, stop = head.asset.parts["skin"]
    return start + int(head.asset.vertices[start:stop, 1].argmax())


def pupil(head: ArkitHead, side: str) -> int:
    """The first vertex of an eyeball is its pole."""
    return head.asset.parts[f"eye-{side}"][0]


def test_it_is_a_face_model(head: ArkitHead) -> None:
    model: FaceModel = head
    vertices = model.pose(FaceParameters(expression=shape(jawOpen=0.5)))
    assert vertices.shape == (1, len(head.asset.vertices), 3)
    assert model.faces.max() < vertices.shape[1]


def test_head_angles_move_nose_and_crown_as_documented(head: ArkitHead) -> None:
    rest, n, c = head()[0], nose(head), crown(head)
    assert turned(head, yaw=0.4)[n, 0] > rest[n, 0] + 0.03  # own left
    assert turned(head, pitch=0.4)[n, 1] < rest[n, 1] - 0.03  # chin down
    assert turned(head, roll=0.4)[c, 0] < rest[c, 0] - 0.03  # crown to its own right


def test_shoulders_stay_and_skull_turns_rigidly(head: ArkitHead) -> None:
    rest, moved = head()[0], turned(head, 0.3, -0.6, 0.2)
    low = rest[:, 1] < -0.17
    torch.testing.assert_close(moved[low], rest[low], atol=3e-3, rtol=0)
    skull = head.joint_weights[:, 2] > 0.999
    torch.testing.assert_close(torch.pdist(rest[skull][::40]), torch.pdist(moved[skull][::40]), atol=2e-4, rtol=0)


def test_the_neck_does_not_tear(head: ArkitHead) -> None:
    edges = np.concatenate([head.faces[:, [0, 1]], head.faces[:, [1, 2]]])
    rest, moved = head()[0].numpy(), turned(head, yaw=0.8, pitch=0.3).numpy()
    before = np.linalg.norm(rest[edges[:, 0]] - rest[edges[:, 1]], axis=1)
    after = np.linalg.norm(moved[edges[:, 0]] - moved[edges[:, 1]], axis=1)
    # The neck is stretched, but no edge of it by more than one and a half centimetres.
    assert (after - before).max() < 0.015


def test_neck_carries_the_head_and_translation_comes_last(head: ArkitHead) -> None:
    rest, n = head()[0], nose(head)
    assert head(neck=torch.tensor([[0.0, 0.3, 0.0]]))[0, n, 0] > rest[n, 0] + 0.02
    shift = torch.tensor([[0.01, -0.02, 0.03]])
    pose = torch.tensor([[0.2, 0.4, 0.1]])
    torch.testing.assert_close(head(head=pose, translation=shift), head(head=pose) + shift)


def test_gaze_channels_move_the_pupils(head: ArkitHead) -> None:
    rest = head()[0]
    left, right = pupil(head, "l"), pupil(head, "r")
    assert rest[left, 0] > 0 > rest[right, 0]
    for channel, vertex, axis, sign in (
        ("eyeLookInLeft", left, 0, -1),
        ("eyeLookOutLeft", left, 0, 1),
        ("eyeLookInRight", right, 0, 1),
        ("eyeLookOutRight", right, 0, -1),
        ("eyeLookUpLeft", left, 1, 1),
        ("eyeLookDownRight", right, 1, -1),
    ):
        moved = head(expression=shape(**{channel: 1.0}))[0, vertex, axis] - rest[vertex, axis]
        assert moved * sign > 0.003, channel


@pytest.mark.parametrize("name", ARKIT)
def test_every_shape_moves_something_on_its_own_side(head: ArkitHead, name: str) -> None:
    rest = head()[0]
    size = (head(expression=shape(**{name: 1.0}))[0] - rest).norm(dim=1)
    assert 0.002 < size.max() < 0.05
    centre = float((rest[:, 0] * size).sum() / size.sum())
    if name in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
        return  # these move the whole jaw or mouth sideways
    if name.endswith("Left"):
        assert centre > 0.005
    elif name.endswith("Right"):
        assert centre < -0.005
    else:
        assert abs(centre) < 0.002


@pytest.mark.parametrize("name", [n for n in ARKIT if n.endswith("Left")])
def test_mirrored_channels_make_mirrored_faces(head: ArkitHead, name: str) -> None:
    flip = torch.tensor([-1.0, 1.0, 1.0])
    one = head(expression=shape(**{name: 1.0}))[0]
    other = head(expression=shape(**{mirrored(name): 1.0}))[0] * flip
    moved = (one - head()[0]).norm(dim=1) > 0.001
    distance = torch.cdist(one[moved], other).min(dim=1).values
    assert distance.mean() < 5e-4


def test_sideways_channels_go_to_their_own_side(head: ArkitHead) -> None:
    mouth = torch.tensor(head.asset.region == head.asset.region_names.index("mouth"))
    for name, sign in (("jawLeft", 1), ("jawRight", -1), ("mouthLeft", 1), ("mouthRight", -1)):
        moved = head(expression=shape(**{name: 1.0}))[0] - head()[0]
        assert moved[mouth, 0].mean() * sign > 0.001, name


def test_smile_raises_and_frown_lowers_the_mouth_corner(head: ArkitHead) -> None:
    corner = 291  # MediaPipe's left mouth corner
    rest = head.landmarks(head())[0, corner, 1]
    assert head.landmarks(head(expression=shape(mouthSmileLeft=1.0)))[0, corner, 1] > rest + 0.003
    assert head.landmarks(head(expression=shape(mouthFrownLeft=1.0)))[0, corner, 1] < rest - 0.003


def test_identity_changes_the_face_but_not_the_head_joint(head: ArkitHead) -> None:
    identity = torch.zeros(1, head.identity_size)
    identity[0, 0] = 2.0
    assert (head(identity=identity) - head()).norm(dim=-1).mean() > 0.002
    spread = torch.eye(head.identity_size)
    reach = (head(identity=spread) - head()).norm(dim=-1).mean(1)
    assert (reach > 1e-4).all()


def test_batch_equals_one_at_a_time(head: ArkitHead) -> None:
    torch.manual_seed(0)
    rows = 4
    identity, expression = torch.randn(rows, head.identity_size), torch.rand(rows, 52)
    pose, neck, shift = (torch.randn(rows, 3) * 0.2 for _ in range(3))
    together = head(identity, expression, pose, neck, shift)
    for i in range(rows):
        alone = head(*(field[i : i + 1] for field in (identity, expression, pose, neck, shift)))
        torch.testing.assert_close(together[i], alone[0], atol=1e-6, rtol=1e-5)


def test_one_row_is_shared_by_all(head: ArkitHead) -> None:
    identity, expression = torch.randn(1, head.identity_size), torch.rand(3, 52)
    shared = head(identity=identity, expression=expression, head=torch.tensor([[0.1, 0.2, 0.0]]))
    apart = head(identity.expand(3, -1), expression, torch.tensor([[0.1, 0.2, 0.0]]).expand(3, -1))
    torch.testing.assert_close(shared, apart)


def test_gradients_are_right() -> None:
    head = ArkitHead().double()
    chosen = torch.arange(0, len(head.template), 900)
    torch.manual_seed(1)

    def few(*fields: torch.Tensor) -> torch.Tensor:
        vertices: torch.Tensor = head(*fields)
        return vertices[:, chosen] * 100

    fields = [torch.randn(1, size, dtype=torch.float64) * 0.3 for size in (head.identity_size, 52, 3, 3, 3)]
    assert torch.autograd.gradcheck(few, [f.requires_grad_() for f in fields])


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("expression", torch.zeros(2, 51), r"expression has shape \(2, 51\); \(N, 52\)"),
        ("identity", torch.zeros(1, 3), r"identity has shape \(1, 3\)"),
        ("head", torch.zeros(3), r"head has shape \(3,\); \(N, 3\)"),
    ],
)
def test_wrong_sizes_are_named(head: ArkitHead, field: str, value: torch.Tensor, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        head(**{field: value})


def test_disagreeing_rows_are_named(head: ArkitHead) -> None:
    with pytest.raises(InvalidInput, match="expression 2, head 3"):
        head(expression=torch.zeros(2, 52), head=torch.zeros(3, 3))
    with pytest.raises(InvalidInput, match="vertices has shape"):
        head.landmarks(torch.zeros(1, 10, 3))


def test_animate_plays_a_motion_in_any_channel_order(head: ArkitHead) -> None:
    rng = np.random.default_rng(0)
    values = rng.random((3, 52), np.float32)
    pose = rng.normal(0, 0.1, (3, 3)).astype(np.float32)
    straight = FaceMotion(ARKIT, values, pose)
    shuffled = FaceMotion(ARKIT[::-1], values[:, ::-1], pose)
    torch.testing.assert_close(head.animate(straight), head.animate(shuffled))
    person = np.ones(head.identity_size, np.float32)
    whole = head.animate(straight.with_(identity=person))
    torch.testing.assert_close(whole, head.animate(straight, identity=torch.tensor(person)))
    assert (whole - head.animate(straight)).abs().max() > 0.001
    with pytest.raises(InvalidInput, match="flame"):
        head.animate(FaceMotion(("a",), values[:, :1], pose, rig="flame"))


def test_landmarks_lie_where_their_names_say(head: ArkitHead) -> None:
    found = head.landmarks(head())[0]
    assert found.shape == (478, 3)
    tip = head()[0, nose(head)]
    assert (found[1] - tip).norm() < 0.006
    right_outer, right_inner, left_inner, left_outer = found[[33, 133, 362, 263], 0]
    assert right_outer < right_inner < 0 < left_inner < left_outer
    assert found[61, 0] < 0 < found[291, 0]  # corners of the mouth
    assert found[152, 1] < found[14, 1] < found[1, 1] < found[10, 1]  # chin, lip, nose, forehead
    for iris, side in ((468, "r"), (473, "l")):
        assert (found[iris] - head()[0, pupil(head, side)]).norm() < 0.003
    flip = torch.tensor([-1.0, 1.0, 1.0])
    for left, right in ((263, 33), (362, 133), (291, 61), (334, 105), (454, 234), (473, 468)):
        assert (found[left] * flip - found[right]).norm() < 0.001
    # The lips part with the jaw: upper and lower inner lip are on different lips.
    opened = head.landmarks(head(expression=shape(jawOpen=1.0)))[0]
    assert (opened[13, 1] - opened[14, 1]) > (found[13, 1] - found[14, 1]) + 0.015
