"""The rasteriser draws what is there."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tdmm.errors import InvalidInput
from tdmm.face.channels import ARKIT, INDEX
from tdmm.face.head_asset import load_asset
from tdmm.face.render import Camera, rasterise, render, render_motion, vertex_normals
from tdmm.motion.clip import FaceMotion

SIZE = (160, 160)


def face(**values: float) -> np.ndarray:
    asset = load_asset()
    moved = sum((v * asset.expression[INDEX[n]] for n, v in values.items()), np.zeros_like(asset.vertices))
    return np.ascontiguousarray(asset.vertices + moved)


def motion(frames: int = 3) -> FaceMotion:
    expression = np.zeros((frames, 52), np.float32)
    expression[:, INDEX["jawOpen"]] = np.linspace(0, 1, frames)
    return FaceMotion(ARKIT, expression, np.zeros((frames, 3), np.float32))


def test_the_nearer_triangle_wins_and_back_faces_are_left_out() -> None:
    x = np.array([1, 9, 1, 1, 9, 1], np.float32)
    y = np.array([9, 9, 1, 9, 9, 1], np.float32)
    depth = np.array([2, 2, 2, 1, 1, 1], np.float32)
    faces = np.array([[0, 1, 2], [3, 4, 5]], np.int32)
    seen = rasterise(x, y, depth, faces, 10, 10)
    assert set(np.unique(seen)) == {-1, 1}
    assert (seen == 1).sum() == pytest.approx(32, abs=8)
    assert (rasterise(x, y, depth, faces[:, ::-1].copy(), 10, 10) == -1).all()


def test_rasteriser_agrees_with_asking_every_pixel() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-5, 25, (2, 60)).astype(np.float32)
    depth = rng.uniform(1, 2, 60).astype(np.float32)
    faces = rng.permutation(60).reshape(20, 3).astype(np.int32)
    seen = rasterise(x, y, depth, faces, 20, 20)
    for row in range(20):
        for column in range(20):
            best, nearest = -1, 0.0
            for number, (a, b, c) in enumerate(faces):
                area = (x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a])
                px, py = column + 0.5 - x[a], row + 0.5 - y[a]
                w1 = (px * (y[c] - y[a]) - py * (x[c] - x[a])) / area
                w2 = (py * (x[b] - x[a]) - px * (y[b] - y[a])) / area
                near = (1 - w1 - w2) / depth[a] + w1 / depth[b] + w2 / depth[c]
                if area < 0 and w1 >= 0 and w2 >= 0 and w1 + w2 <= 1 and near > nearest:
                    best, nearest = number, near
            assert seen[row, column] == best


def test_normals_of_a_sphere_point_outward() -> None:
    asset = load_asset()
    start, stop = asset.parts["eye-l"]
    ball = asset.vertices[start:stop]
    chosen = ((asset.faces >= start) & (asset.faces < stop)).all(1)
    normals = vertex_normals(ball, asset.faces[chosen] - start)
    outward = ball - (ball[0] - np.array([0, 0, 0.0145], np.float32))
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    assert ((normals * outward).sum(1)[:150] > 0.95).all()


def test_the_picture_is_symmetric_in_shape_and_framed() -> None:
    picture = render(face(), SIZE)
    assert picture.shape == (160, 160, 3)
    assert picture.dtype == np.uint8
    drawn = (picture.astype(int) - picture[0, 0]).any(2)
    assert not drawn[0].any()  # room above the head
    assert (drawn[:120] == drawn[:120, ::-1]).mean() > 0.98


def test_the_face_s_own_left_is_on_the_right_of_the_picture() -> None:
    still, wink = render(face(), SIZE).astype(int), render(face(eyeBlinkLeft=1.0), SIZE).astype(int)
    changed = np.abs(still - wink).sum(2) > 60
    assert changed[:, 80:].sum() > 20
    assert changed[:, :80].sum() == 0


@pytest.mark.parametrize(
    "values",
    [
        {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0},
        {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0},
        {"browDownLeft": 1.0, "browDownRight": 1.0},
        {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0},
    ],
)
def test_what_a_face_does_can_be_seen(values: dict[str, float]) -> None:
    still, acting = render(face(), (256, 256)).astype(int), render(face(**values), (256, 256)).astype(int)
    assert (np.abs(still - acting).sum(2) > 60).sum() > 60


def test_sizes_cameras_and_supersampling() -> None:
    wide = render(face(), (200, 90), camera=Camera(yaw=0.5, pitch=-0.2), supersample=2)
    assert wide.shape == (90, 200, 3)
    with pytest.raises(InvalidInput, match="size"):
        render(face(), (0, 10))
    with pytest.raises(InvalidInput, match="vertices has shape"):
        render(np.zeros((4, 3), np.float32))


def test_a_camera_on_the_left_sees_the_left_ear() -> None:
    points = np.array([[0.08, 0.02, 0.0], [0.0, 0.0, 0.12]], np.float32)
    x, _, depth = Camera(yaw=1.2).project(points, 100, 100)
    assert x[1] < x[0]  # the nose is toward the left of the picture
    assert depth[0] < 1.4


def test_render_motion_draws_every_frame_and_reports_progress() -> None:
    told: list[tuple[int, int]] = []
    pictures = list(render_motion(motion(), SIZE, progress=lambda done, of: told.append((done, of))))
    assert len(pictures) == 3
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert np.abs(pictures[0].astype(int) - pictures[2]).max() > 100
    np.testing.assert_array_equal(pictures[0], render(face(), SIZE))


def test_framing_follows_the_middle_of_the_clip_not_the_frame() -> None:
    still = motion(2)
    moved = still.with_(translation=np.array([[0.0, 0, 0], [0.06, 0, 0]], np.float32))
    first, last = (picture.astype(int) for picture in render_motion(moved, SIZE))
    columns = [np.flatnonzero((p - p[0, 0]).any(2)[:60].any(0)).mean() for p in (first, last)]
    assert columns[0] < 80 < columns[1]


def test_motions_of_another_rig_are_refused() -> None:
    with pytest.raises(InvalidInput, match="flame"):
        next(render_motion(motion().with_(rig="flame"), SIZE))


def test_a_frame_takes_milliseconds() -> None:
    vertices = face()
    render(vertices, (384, 384))
    spent = []
    for _ in range(5):
        start = time.perf_counter()
        render(vertices, (384, 384))
        spent.append(time.perf_counter() - start)
    assert min(spent) < 0.25  # about 0.03 s on an idle core; room for a busy one
