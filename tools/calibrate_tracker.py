"""Measures how MediaPipe sees the built-in head, and stores it for the fit of tracked faces.

    pip install -e '.[video]'
    python tools/calibrate_tracker.py --landmarker face_landmarker.task

Run by hand after `tools/build_head.py` or `tools/embed_landmarks.py`, or for another landmarker. Faces of known
identity, expression and pose are drawn, each once, and tracked; what the points are off is explained, in the head's
own frame, by where the tracker puts a point (`offset_mm`, 478 x 3) and by how differently it follows each shape
(`response_mm`, 52 x 478 x 3). How far persons and single pictures scatter about that is `scatter_mm` (478). All go to
src/tdmm/corpus/tracking/assets/mediapipe.safetensors. 3,600 pictures take about three minutes on one core.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import save_file

from tdmm.acting.actor import perform
from tdmm.acting.casting import cast
from tdmm.corpus.tracking.mediapipe_faces import open_tracker
from tdmm.corpus.tracking.sighting import LANDMARKS, FaceTracker
from tdmm.face.arkit import ArkitHead, load_head
from tdmm.face.channels import ARKIT, INDEX, mirrored
from tdmm.face.render import Camera, Light, render
from tdmm.face.skinning import euler_to_matrix

Array = npt.NDArray[np.float64]
ASSET = Path(__file__).resolve().parents[1] / "src/tdmm/corpus/tracking/assets/mediapipe.safetensors"
SIZE = 448
CLIPS = 400  # acted clips that expressions are drawn from
TURN = np.radians([20.0, 28.0, 18.0])  # most that a head is turned, pitch, yaw and roll
MIRROR = [INDEX[mirrored(name)] for name in ARKIT]


@dataclass
class Seen:
    """One picture: its truth, and what the points are off.

    Attributes:
        expression: (52,).
        off: (478, 3) metres across the view at each point's own depth, in the head's own frame.
    """

    expression: Array
    off: Array


def expressions(rng: np.random.Generator, acted: list[Array]) -> Array:
    """(52,): now one shape, on one side or both, now a few, mostly a frame of an acted clip, sometimes none."""
    weights = np.zeros(len(ARKIT))
    kind = rng.integers(10)
    if kind < 2:
        shape = rng.integers(len(ARKIT))
        weights[shape] = rng.uniform(0.3, 1)
        if rng.random() < 0.6:
            weights[MIRROR[shape]] = weights[shape]
    elif kind < 4:
        chosen = rng.choice(len(ARKIT), rng.integers(2, 6), replace=False)
        weights[chosen] = rng.uniform(0.1, 1, len(chosen))
    elif kind < 9:
        clip = acted[rng.integers(len(acted))]
        weights = clip[rng.integers(len(clip))].astype(float)
    return weights


def lights(rng: np.random.Generator) -> tuple[Light, ...]:
    """One that leads from anywhere in front, one that fills, one from behind."""
    bright = rng.uniform(0.6, 1.3)
    return (
        Light((rng.uniform(-1, 1), rng.uniform(0, 1), 0.75), (0.84 * bright, 0.81 * bright, 0.77 * bright)),
        Light((rng.uniform(-1, 1), 0.05, 0.55), (0.3, 0.3, 0.32)),
        Light((0.15, 0.7, -0.7), (0.35, 0.36, 0.4)),
    )


@torch.no_grad()
def look(
    rng: np.random.Generator, head: ArkitHead, tracker: FaceTracker, identity: Array, weights: Array
) -> Seen | None:
    """Draw and track one face; None where the tracker sees none."""
    angles = rng.uniform(-TURN, TURN) * (0.15 if rng.random() < 0.33 else 1.0)
    place = rng.normal(size=3) * [0.02, 0.02, 0.03]
    distance, height = rng.uniform(0.45, 1.3), rng.uniform(0.27, 0.5)
    camera = Camera(target=(0.0, 0.014 + rng.normal() * 0.015, 0.03), distance=distance, height_m=height)
    batch = [torch.tensor(each, dtype=torch.float32)[None] for each in (identity, weights, angles, place)]
    vertices = head(batch[0], batch[1], batch[2], None, batch[3])[0].numpy()
    background = tuple(rng.uniform(0.05, 0.9, 3))
    picture = render(vertices, (SIZE, SIZE), camera=camera, lights=lights(rng), background=background)
    faces = tracker.faces(picture, 0.0)
    if not faces:
        return None
    seen = np.stack([faces[0].points[:, 0] - SIZE / 2, SIZE / 2 - faces[0].points[:, 1]], -1)
    own = head.landmarks(head(batch[0], batch[1]))[0].numpy().astype(float)
    rotation = euler_to_matrix(batch[2])[0].numpy().astype(float)
    at = own @ rotation.T + place - np.array(camera.target) - [0, 0, distance]
    focal = SIZE / height * distance
    across = seen * -at[:, 2:] / focal - at[:, :2]
    # Along the view nothing is seen, and nothing is taken to be off.
    return Seen(weights, np.pad(across, ((0, 0), (0, 1))) @ rotation)


def explained(seen: list[Seen]) -> tuple[Array, Array]:
    """Response (53, 478, 3), its first row the offset, and what it leaves (N, 478, 3)."""
    off = np.stack([each.off for each in seen])
    shown = np.stack([np.concatenate([[1.0], each.expression]) for each in seen])
    # Shapes are shown in hundreds of pictures; a little ridge keeps those that are hardly seen where the skin is.
    ridge = np.diag([1e-3] + [3.0] * len(ARKIT))
    response = np.linalg.solve(shown.T @ shown + ridge, shown.T @ off.reshape(len(seen), -1))
    response = response.reshape(-1, LANDMARKS, 3)
    return response, off - np.einsum("nx,xlc->nlc", shown, response)


def main() -> None:
    """Draw, track, fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--landmarker", type=Path, help="face_landmarker.task; without it, wherever it is found")
    parser.add_argument("--images", type=int, default=3600)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--asset", type=Path, default=ASSET)
    asked = parser.parse_args()
    rng, head = np.random.default_rng(asked.seed), load_head()
    acted = [perform(cast(asked.seed, n), asked.seed + n).motion.in_order(ARKIT) for n in range(CLIPS)]
    seen: list[Seen] = []
    tracker = open_tracker(asked.landmarker, still=True)
    try:
        for _ in range(asked.images):
            identity = 0.9 * rng.normal(size=head.identity_size)
            found = look(rng, head, tracker, identity, expressions(rng, acted))
            seen += [found] if found is not None else []
    finally:
        tracker.close()
    response, left = explained(seen)
    scatter = np.sqrt((left**2).sum(2).mean(0) / 2)
    millimetres = {"offset_mm": response[0], "response_mm": response[1:], "scatter_mm": scatter}
    save_file({name: (1e3 * values).astype(np.float16) for name, values in millimetres.items()}, asked.asset)
    print(
        f"{asked.asset}: {len(seen)} of {asked.images} pictures; points are off by "
        f"{1e3 * np.mean([np.linalg.norm(each.off, axis=1) for each in seen]):.2f} mm in the mean, "
        f"{1e3 * np.linalg.norm(left, axis=2).mean():.2f} with what was measured"
    )


if __name__ == "__main__":
    main()
