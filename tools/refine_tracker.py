"""Films acted clips and tracks their points, for what the tracker's refiner learns from.

    pip install -e '.[video]'
    python tools/refine_tracker.py film --landmarker face_landmarker.task --clips 400 --out films

Each clip is a person, a camera, a light and a place of its own, its script cast as those of `tdmm corpus act`. One
`.npz` a clip holds the points, the scores and the truth; the same command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from calibrate_tracker import lights
from rich.progress import track as shown

from tdmm.acting.actor import perform
from tdmm.acting.casting import cast
from tdmm.acting.single import single
from tdmm.corpus.tracking.mediapipe_faces import open_tracker
from tdmm.face.arkit import load_head
from tdmm.face.channels import ARKIT
from tdmm.face.render import Camera, render
from tdmm.files import written_aside

SIZE = 320
TURN = np.radians([10.0, 16.0, 8.0])  # spread of how a head is held throughout: pitch, yaw, roll
SINGLE = 0.4  # share of the clips in which one thing alone happens


@torch.no_grad()
def film(landmarker: Path | None, seed: int, number: int) -> dict[str, npt.NDArray[np.generic]] | None:
    """One clip: `points` (T, 478, 3) pixels, `scores` and `expression` (T, 52), `head` (T, 3); None: no face."""
    rng, head = np.random.default_rng((seed, number)), load_head()
    script = cast(seed, number)
    if rng.random() < SINGLE:
        script = single(script, rng)
    motion = perform(script, seed + number).motion
    held = rng.normal(size=3) * TURN if rng.random() < 0.5 else np.zeros(3)
    motion = motion.with_(head=(motion.head + held).astype(np.float32))
    identity = torch.from_numpy(rng.normal(0, 0.9, head.identity_size).astype(np.float32))
    camera = Camera(target=(0.0, 0.014, 0.03), distance=rng.uniform(0.45, 1.3), height_m=rng.uniform(0.28, 0.5))
    scene = {"camera": camera, "lights": lights(rng), "background": tuple(rng.uniform(0.05, 0.9, 3))}
    tracker = open_tracker(landmarker, faces=2)
    points, scores = [], []
    try:
        for frame, vertices in enumerate(head.animate(motion, identity).numpy()):
            picture = render(vertices, (SIZE, SIZE), **scene)
            faces = tracker.faces(picture, frame / 25)
            if not faces or faces[0].scores is None:
                return None
            points.append(faces[0].points)
            scores.append(faces[0].scores)
    finally:
        tracker.close()
    return {
        "points": np.stack(points), "scores": np.stack(scores), "expression": motion.in_order(ARKIT),
        "head": motion.head, "size": np.array([SIZE, SIZE]),
    }  # fmt: skip


def main() -> None:
    """Film what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    filming = commands.add_parser("film")
    filming.add_argument("--landmarker", type=Path, help="face_landmarker.task; without it, wherever it is found")
    filming.add_argument("--clips", type=int, default=400)
    filming.add_argument("--seed", type=int, default=6001)
    filming.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for number in shown(range(asked.clips)):
        path = asked.out / f"{asked.seed}-{number:05d}.npz"
        if path.exists():
            continue
        clip = film(asked.landmarker, asked.seed, number)
        with written_aside(path) as aside:
            np.savez(aside, **(clip or {}))


if __name__ == "__main__":
    main()
