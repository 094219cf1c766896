from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from flame_faces import FlameFace, flame_face

from tdmm.errors import InvalidInput
from tdmm.face.arkit import load_head
from tdmm.face.channels import ARKIT, FLAME, side_of
from tdmm.face.flame import FlameHead
from tdmm.face.geometry import moving, vertex_errors_mm
from tdmm.face.head_surface import surface_of
from tdmm.face.linear_head import LinearHead, read_linear
from tdmm.face.model import FaceParameters
from tdmm.face.retarget import Retargeted, Retargeting

Floats = npt.NDArray[np.float32]
EACH: Floats = np.eye(52, dtype=np.float32)


@pytest.fixture(scope="module")
def face() -> FlameFace:
    return flame_face()


@pytest.fixture(scope="module")
def flame(face: FlameFace) -> FlameHead:
    return face.head(landmarks=False)


@pytest.fixture(scope="module")
def there(flame: FlameHead) -> Retargeting:
    return Retargeting(load_head(), flame)


@pytest.fixture(scope="module")
def back(flame: FlameHead) -> Retargeting:
    return Retargeting(flame, load_head())


@pytest.fixture(scope="module")
def each_on_flame(there: Retargeting) -> Retargeted:
    return there.convert(EACH)


def faces(count: int = 12, seed: int = 3) -> Floats:
    """Four or five channels at once, as a face has them."""
    rng = np.random.default_rng(seed)
    return (rng.random((count, 52)) * (rng.random((count, 52)) < 0.09)).astype(np.float32)


def from_truth_mm(face: FlameFace, flame: FlameHead, expression: Floats, ours: Floats) -> Floats:
    """(T,) mean distance of the moving face from where our head's displacement takes the same vertices."""
    with torch.no_grad():
        vertices = flame.pose(FaceParameters(torch.tensor(expression))).numpy()
    basis = load_head().asset.expression[:, face.ours] @ face.turn.T
    wanted = np.einsum("te,evc->tvc", ours, basis)
    gaps = np.linalg.norm(vertices - face.file.template - wanted, axis=2)[:, moving()[face.ours]]
    return np.asarray(gaps.mean(1) * 1e3, np.float32)


@pytest.mark.parametrize("landmarks", [True, False])
def test_pairs_are_the_same_points_of_two_people(face: FlameFace, landmarks: bool) -> None:
    pairs = Retargeting(load_head(), face.head(landmarks)).correspondence
    place = np.full(len(load_head().template), -1)
    place[face.ours] = np.arange(len(face.ours))
    found = pairs.target.on(face.file.template)
    gaps = np.linalg.norm(found - face.file.template[place[pairs.source.corners[:, 0]]], axis=1) * 1e3
    assert gaps.mean() < 2
    for name in ("lids", "mouth"):
        assert gaps[pairs.region == pairs.region_names.index(name)].mean() < 1, name


def test_no_upper_lip_meets_a_lower_one(there: Retargeting, flame: FlameHead) -> None:
    pairs = there.correspondence
    mouth = pairs.region == pairs.region_names.index("mouth")
    shares = [
        places.on(surface_of(rig).jaw_share[:, None])[:, 0][mouth]
        for rig, places in ((load_head(), pairs.source), (flame, pairs.target))
    ]
    assert np.abs(shares[0] - shares[1]).max() < 0.4
    assert np.corrcoef(shares)[0, 1] > 0.98


def test_each_shape_arrives_on_flame(face: FlameFace, flame: FlameHead, each_on_flame: Retargeted) -> None:
    gaps = from_truth_mm(face, flame, each_on_flame.expression, EACH)
    assert gaps.mean() < 0.15
    jaw = ARKIT.index("jawOpen")
    assert gaps[np.arange(52) != jaw].max() < 0.5
    # A jaw that turns goes along an arc, and our shape along a line.
    assert gaps[jaw] < 1
    assert each_on_flame.expression[jaw, FLAME.index("jaw_pitch")] == pytest.approx(0.3, abs=0.05)


def test_there_and_back_from_our_head(there: Retargeting, back: Retargeting, each_on_flame: Retargeted) -> None:
    again = back.convert(each_on_flame.expression).expression
    tongue = ARKIT.index("tongueOut")  # FLAME has no tongue
    named = [place for place in range(52) if again[place].argmax() == place]
    assert set(range(52)) - set(named) <= {tongue}
    assert again[named, named].min() > 0.85  # nor do weak shapes fade
    assert again[named, named].mean() > 0.95
    assert vertex_errors_mm(EACH, again)["face"] < 0.05
    many = faces()
    assert vertex_errors_mm(many, back.convert(there.convert(many).expression).expression)["face"] < 0.3


def test_there_and_back_from_flame(flame: FlameHead, there: Retargeting, back: Retargeting) -> None:
    start = there.convert(faces(seed=8)).expression
    again = there.convert(back.convert(start).expression).expression
    with torch.no_grad():
        a, b = (flame.pose(FaceParameters(torch.tensor(values))) for values in (start, again))
    skin = torch.as_tensor(np.unique(surface_of(flame).skin))
    assert (a - b)[:, skin].norm(dim=-1).mean() * 1e3 < 0.2


def test_gaze_goes_by_angle(back: Retargeting) -> None:
    columns = np.zeros((3, len(FLAME)), np.float32)
    for side in ("left", "right"):
        columns[1, FLAME.index(f"{side}_eye_yaw")] = 0.12
        columns[2, FLAME.index(f"{side}_eye_pitch")] = -0.15
    found = back.convert(columns)
    assert found.gaze_error_deg.max() < 0.5
    assert found.expression[0].max() < 0.02
    row = dict(zip(ARKIT, found.expression[1], strict=True))
    assert min(row["eyeLookOutLeft"], row["eyeLookInRight"]) > 0.4
    assert max(row["eyeLookInLeft"], row["eyeLookOutRight"], row["eyeLookUpLeft"]) < 0.02
    assert found.expression[2, ARKIT.index("eyeLookUpLeft")] > 0.4
    columns[:, FLAME.index("left_eye_yaw")] = 1.0  # further than our eyes turn, and it is said
    assert back.convert(columns).gaze_error_deg.min() > 10


def test_neighbouring_frames_stay_neighbours(there: Retargeting) -> None:
    ends = faces(2, seed=5)
    line = np.linspace(0, 1, 30, dtype=np.float32)[:, None]
    steps = np.diff(there.convert(ends[:1] * (1 - line) + ends[1:] * line).expression, axis=0)
    assert np.abs(steps).max() < 4 * np.abs(steps).mean(0).max()


def test_a_batch_is_its_frames(there: Retargeting) -> None:
    some = faces(3)
    one = np.concatenate([there.convert(row[None]).expression for row in some])
    assert np.allclose(there.convert(some).expression, one, atol=2e-3)


def test_what_is_refused(there: Retargeting) -> None:
    with pytest.raises(InvalidInput, match=r"\(T, 52\) is needed"):
        there.convert(np.zeros((3, 5), np.float32))


@pytest.fixture(scope="module")
def ict(shared_data: Path) -> LinearHead:
    return LinearHead(read_linear(shared_data / "ict_facekit"))


@pytest.fixture(scope="module")
def each_on_ict(ict: LinearHead) -> Retargeted:
    return Retargeting(load_head(), ict).convert(EACH)


def test_our_shapes_on_the_ict_head(ict: LinearHead, each_on_ict: Retargeted) -> None:
    found = each_on_ict
    largest = [found.channels[row.argmax()] for row in found.expression]
    same = {name for name, own in zip(ARKIT, largest, strict=True) if ict.file.meaning.get(own) == name}
    assert len(same) >= 40
    assert {"jawOpen", "eyeBlinkLeft", "eyeBlinkRight", "mouthSmileLeft", "mouthSmileRight", "browInnerUp"} <= same
    assert found.residual_mm.mean() < 0.45
    meaning = ict.file.meaning
    skin = np.unique(surface_of(ict).skin)
    left = ict.file.vertices[skin, 0] > 0
    for name, row in zip(ARKIT, found.expression, strict=True):
        if side_of(name) == "both" or name in ("mouthLeft", "mouthRight", "jawLeft", "jawRight"):
            continue
        moved = np.linalg.norm(np.einsum("e,evc->vc", row, ict.file.expression[:, skin]), axis=1)
        if moved.max() < 1e-3:
            continue
        own, other = (moved[left], moved[~left]) if side_of(name) == "left" else (moved[~left], moved[left])
        assert (own**2).sum() > 3 * (other**2).sum(), name
    assert meaning["browInnerUp_L"] == meaning["browInnerUp_R"] == "browInnerUp"


def test_there_and_back_by_the_ict_head(ict: LinearHead, each_on_ict: Retargeted) -> None:
    errors = vertex_errors_mm(EACH, Retargeting(ict, load_head()).convert(each_on_ict.expression).expression)
    assert errors["face"] < 0.25
    assert errors["lids"] < 0.15
