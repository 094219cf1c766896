"""Finds MediaPipe's 478 face landmarks on the built-in head and stores them in its asset.

    python3.11 -m venv .mediapipe && .mediapipe/bin/pip install mediapipe==0.10.21 safetensors scipy
    PYTHONPATH=src .mediapipe/bin/python tools/embed_landmarks.py

Run by hand after `tools/build_head.py`. The average head, mouth a little open so that the lips part, is
drawn from several sides; MediaPipe's face mesh (in the wheel) finds its landmarks in each picture; the
triangle under every landmark says where on the mesh it lies. The findings of all views are averaged,
then averaged with those of the mirrored head, and put back on the nearest triangle.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import mediapipe
import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file
from scipy.optimize import linear_sum_assignment

from tdmm.face.channels import INDEX
from tdmm.face.head_asset import HeadAsset, load_asset
from tdmm.face.render import Camera, rasterise, render

Array = npt.NDArray[np.float64]
ASSET = Path(__file__).resolve().parents[1] / "src/tdmm/face/assets/head.safetensors"
SIZE = 900
CAMERAS = [Camera(target=(0, 0.0, 0.08), height_m=0.3, yaw=y, pitch=p) for y, p in (
    (0.0, 0.0), (0.3, 0.0), (-0.3, 0.0), (0.55, 0.0), (-0.55, 0.0), (0.0, 0.25), (0.0, -0.25),
)]  # fmt: skip
OPEN = {"jawOpen": 0.25}
IRIS = 468  # landmarks from here on lie on the eyeballs
STRAIGHT = 0.35  # a triangle seen at a steeper angle than this (cosine) says little about where a landmark lies


def detect(picture: npt.NDArray[np.uint8]) -> Array:
    """(478, 3) x and y in pixels, depth in the same scale, by MediaPipe's face mesh with irises."""
    options = {"static_image_mode": True, "max_num_faces": 1, "refine_landmarks": True}
    with mediapipe.solutions.face_mesh.FaceMesh(**options) as mesh:
        found = mesh.process(picture).multi_face_landmarks
    if not found:
        raise SystemExit("MediaPipe sees no face in a render of the head; look at the render.")
    return np.array([[p.x, p.y, p.z] for p in found[0].landmark]) * SIZE


def seen_points(
    pixels: Array, camera: Camera, vertices: npt.NDArray[np.float32], faces: npt.NDArray[np.int32]
) -> tuple[Array, Array]:
    """Points (P, 3) of the surface under the pixels, and how squarely each is seen (0: not at all)."""
    x, y, depth = camera.project(vertices, SIZE, SIZE)
    winner = rasterise(x, y, depth, faces, SIZE, SIZE)
    column, row = np.clip(pixels.astype(int), 0, SIZE - 1).T
    face = winner[row, column]
    corner = np.stack([x[faces[face]], y[faces[face]]], 2).astype(float)
    a, b, c = corner[:, 0], corner[:, 1], corner[:, 2]
    system = np.stack([b - a, c - a], 2)
    singular = np.abs(np.linalg.det(system)) < 1e-9
    system[singular] = np.eye(2)
    wb, wc = np.linalg.solve(system, (pixels - a)[..., None])[..., 0].T
    weights = np.stack([1 - wb - wc, wb, wc], 1)
    inverse = weights / depth[faces[face]]
    weights = inverse / inverse.sum(1, keepdims=True)
    spot = vertices[faces[face]].astype(float)
    points = np.einsum("pk,pkc->pc", weights, spot)
    normal = np.cross(spot[:, 1] - spot[:, 0], spot[:, 2] - spot[:, 0])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
    square = np.clip(normal @ camera.rotation()[2] - STRAIGHT, 0, None)
    return points, np.where((face >= 0) & ~singular, square, 0.0)


def nearest_on_mesh(points: Array, vertices: Array, faces: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.intp], Array]:
    """Triangle and barycentric weights of the nearest point of the surface, for every point."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    best_face, best_weights = np.zeros(len(points), np.intp), np.zeros((len(points), 3))
    ab, ac = b - a, c - a
    d00, d01, d11 = (ab * ab).sum(1), (ab * ac).sum(1), (ac * ac).sum(1)
    determinant = np.maximum(d00 * d11 - d01 * d01, 1e-18)
    for i, p in enumerate(points):
        ap = p - a
        d20, d21 = (ap * ab).sum(1), (ap * ac).sum(1)
        v, w = (d11 * d20 - d01 * d21) / determinant, (d00 * d21 - d01 * d20) / determinant
        weights = np.clip(np.stack([1 - v - w, v, w], 1), 0, None)
        weights /= weights.sum(1, keepdims=True)
        distance = np.linalg.norm(np.einsum("fk,fkc->fc", weights, np.stack([a, b, c], 1)) - p, axis=1)
        best_face[i] = distance.argmin()
        best_weights[i] = weights[best_face[i]]
    return best_face, best_weights


def mirrors(found: Array) -> npt.NDArray[np.intp]:
    """For every landmark the one on the other side, from landmarks (478, 3) found in a front view."""
    centred = found - found[[10, 152, 1]].mean(0) * np.array([1.0, 0.0, 0.0])  # forehead, chin, tip of the nose
    distance = np.linalg.norm((centred * np.array([-1.0, 1.0, 1.0]))[:, None] - centred[None], axis=2)
    distance[:IRIS, IRIS:] = distance[IRIS:, :IRIS] = np.inf  # an iris lies over the lids: never take one for the other
    partner = np.asarray(linear_sum_assignment(np.minimum(distance + distance.T, 1e6))[1])
    if (partner[partner] != np.arange(len(partner))).any():
        raise SystemExit("Left and right landmarks do not pair up; was the head looking straight ahead?")
    return partner


def embed(asset: HeadAsset) -> tuple[npt.NDArray[np.intp], Array]:
    """Triangle (478,) and weights (478, 3)."""
    vertices = asset.vertices + sum(v * asset.expression[INDEX[n]] for n, v in OPEN.items())
    vertices = np.ascontiguousarray(vertices, np.float32)
    start, stop = asset.parts["skin"]
    lining = np.isin(asset.face_material, [i for i, m in enumerate(asset.materials) if m.name == "mouth"])
    skin = np.flatnonzero(((asset.faces >= start) & (asset.faces < stop)).all(1) & ~lining)
    eyes = np.flatnonzero(asset.part_mask("eye-")[asset.faces].all(1))
    total, weight = np.zeros((IRIS + 10, 3)), np.zeros(IRIS + 10)
    for camera in CAMERAS:
        found = detect(render(vertices, (SIZE, SIZE), camera=camera, supersample=2))
        if camera is CAMERAS[0]:
            partner = mirrors(found)
        pixels = found[:, :2]
        for chosen, which in ((skin, slice(0, IRIS)), (eyes, slice(IRIS, None))):
            points, square = seen_points(pixels[which], camera, vertices, asset.faces[chosen])
            total[which] += points * square[:, None]
            weight[which] += square
    missed = np.flatnonzero((weight <= 0) & (weight[partner] <= 0))
    if len(missed):
        raise SystemExit(f"No view shows landmarks {missed.tolist()} squarely; add a camera.")
    points = total / np.maximum(weight, 1e-9)[:, None]
    # The head is symmetric, so what one side's view missed the other's has seen.
    seen = (weight > 0).astype(float)[:, None]
    flipped = points[partner] * np.array([-1.0, 1.0, 1.0])
    points = (seen * points + seen[partner] * flipped) / np.maximum(seen + seen[partner], 1)
    face, weights = np.zeros(len(points), np.intp), np.zeros((len(points), 3))
    for chosen, which in ((skin, slice(0, IRIS)), (eyes, slice(IRIS, None))):
        near, weights[which] = nearest_on_mesh(points[which], vertices.astype(float), asset.faces[chosen])
        face[which] = chosen[near]
    return face, weights


def main() -> None:
    """Find the landmarks and write them into the asset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--asset", type=Path, default=ASSET)
    path = parser.parse_args().asset
    face, weights = embed(load_asset())
    arrays = load_file(path)
    arrays |= {"landmark_face": face.astype(np.uint16), "landmark_weights": weights.astype(np.float32)}
    save_file(arrays, path)
    print(f"{path}: 478 landmarks on {len(np.unique(face))} triangles")


if __name__ == "__main__":
    main()
