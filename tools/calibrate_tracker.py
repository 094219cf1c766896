"""Measures how MediaPipe sees the built-in head, and stores it for the fit of tracked faces.

    pip install -e '.[video]'
    python tools/calibrate_tracker.py --landmarker face_landmarker.task

Run by hand after `tools/build_head.py` or `tools/embed_landmarks.py`, or for another landmarker. Faces of known
identity, expression and pose are drawn, thirty pictures a person, and tracked; what the points are off is explained,
in the head's own frame, by where the tracker puts a point (`offset_mm`, 478 x 3), by how differently it follows each
shape (`response_mm`, 52 x 478 x 3) and by how faces differ beyond identity (`persons_mm`, 24 x 478 x 3). What is left
is the tracker's error in single pictures: patterns of points that err together (`together_mm`, 20 x 478 x 2, to the
right and up with the head's roll taken out) and the scatter of each point by itself (`scatter_mm`, 478). `likeness`
(52 x 52) is how shapes come together in acted clips, as correlations. All go to
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
PER_PERSON = 30
PERSONS, TOGETHER = 24, 20  # patterns kept; they explain 97% and 93% of the variance
LEAST_SHARE = 0.005  # of a point's variance that is its own, whatever the patterns explain
CLIPS = 400  # acted clips that expressions are drawn from
TURN = np.radians([20.0, 28.0, 18.0])  # most that a head is turned, pitch, yaw and roll
MIRROR = [INDEX[mirrored(name)] for name in ARKIT]


@dataclass
class Seen:
    """One picture: its truth, and what the points are off.

    Attributes:
        person: number of the identity.
        expression: (52,).
        across: (2, 3) the head's own frame to right and up with its roll taken out.
        off: (478, 2) metres at the joint's distance, right and up with the head's roll taken out.
    """

    person: int
    expression: Array
    across: Array
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
    rng: np.random.Generator, head: ArkitHead, tracker: FaceTracker, person: int, identity: Array, weights: Array
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
    joint = place - np.array(camera.target) - [0, 0, distance]
    at = own @ rotation.T + joint
    focal = SIZE / height * distance
    off = (seen - at[:, :2] / -at[:, 2:] * focal) * -joint[2] / focal
    up = rotation[:2, 1] / np.linalg.norm(rotation[:2, 1])
    upright = np.array([[up[1], -up[0]], up])
    return Seen(person, weights, upright @ rotation[:2], off @ upright.T)


def explained(seen: list[Seen]) -> tuple[Array, Array, Array]:
    """Response (53, 478, 3), its first row the offset, offsets of persons (P, 478, 3), what is left (N, 478, 2)."""
    person = np.array([each.person for each in seen])
    across, off = np.stack([each.across for each in seen]), np.stack([each.off for each in seen])
    shown = np.stack([np.concatenate([[1.0], each.expression]) for each in seen])
    design = np.einsum("nx,nkc->nkxc", shown, across).reshape(2 * len(seen), -1)
    # Shapes are shown in hundreds of pictures; a little ridge keeps those that are hardly seen where the skin is.
    ridge = np.repeat([1e-2] + [3.0] * len(ARKIT), 3)
    solver = np.linalg.solve(design.T @ design + np.diag(ridge), design.T)
    persons = np.zeros((person.max() + 1, LANDMARKS, 3))
    for _ in range(4):
        lacking = off - np.einsum("nkc,nlc->nlk", across, persons[person])
        flat = lacking.transpose(0, 2, 1).reshape(2 * len(seen), -1)
        response = (solver @ flat).reshape(len(ARKIT) + 1, 3, -1).transpose(0, 2, 1)
        left = off - np.einsum("nkc,nx,xlc->nlk", across, shown, response, optimize=True)
        for each in np.unique(person):
            mine = person == each
            square = np.einsum("nkc,nkd->cd", across[mine], across[mine]) + np.eye(3)
            persons[each] = np.linalg.solve(square, np.einsum("nkc,nlk->cl", across[mine], left[mine])).T
        persons -= persons.mean(0)
    return response, persons, left - np.einsum("nkc,nlc->nlk", across, persons[person])


def principal(rows: Array, count: int) -> Array:
    """(count, D) what rows (N, D) differ by, for one standard deviation each."""
    _, sizes, patterns = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
    return patterns[:count] * sizes[:count, None] / np.sqrt(len(rows) - 1)


def patterns_and_scatter(left: Array, count: int) -> tuple[Array, Array]:
    """Errors together (count, 478, 2) and alone (478,), by principal factors."""
    flat = left.reshape(len(left), -1)
    covariance = flat.T @ flat / len(flat) * PER_PERSON / (PER_PERSON - 1)
    variance = covariance.diagonal()
    alone = variance * 0.1
    for _ in range(15):
        scale = np.sqrt(alone)
        sizes, vectors = np.linalg.eigh(covariance / scale[:, None] / scale)
        sizes, vectors = sizes[-count:], vectors[:, -count:]
        together = vectors * np.sqrt(np.maximum(sizes - 1, 0)) * scale[:, None]
        alone = np.maximum(variance - (together**2).sum(1), variance * LEAST_SHARE)
    return together.T[::-1].reshape(count, -1, 2), np.sqrt(alone.reshape(-1, 2).mean(1))


def likeness(acted: list[Array]) -> Array:
    """(52, 52) correlations of shapes in clips and their mirror images."""
    frames = np.concatenate([clip[::5] for clip in acted])
    frames = np.concatenate([frames, frames[:, MIRROR]])
    covariance = np.cov(frames.T)
    scale = np.sqrt(covariance.diagonal()) + 1e-4
    return covariance / scale[:, None] / scale


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
        for number in range(asked.images):
            if number % PER_PERSON == 0:
                identity = rng.normal(size=head.identity_size) * 0.9
            found = look(rng, head, tracker, number // PER_PERSON, identity, expressions(rng, acted))
            seen += [found] if found is not None else []
    finally:
        tracker.close()
    response, persons, left = explained(seen)
    together, scatter = patterns_and_scatter(left, TOGETHER)
    apart = principal(persons.reshape(len(persons), -1), PERSONS).reshape(-1, LANDMARKS, 3)
    millimetres = {"offset": response[0], "response": response[1:], "persons": apart, "together": together}
    arrays = {f"{name}_mm": np.ascontiguousarray(1e3 * values) for name, values in millimetres.items()}
    arrays |= {"scatter_mm": 1e3 * scatter, "likeness": likeness(acted)}
    save_file({name: values.astype(np.float16) for name, values in arrays.items()}, asked.asset)
    print(
        f"{asked.asset}: {len(seen)} of {asked.images} pictures; points are off by "
        f"{1e3 * np.sqrt(np.mean([each.off**2 for each in seen])):.2f} mm in each direction, "
        f"{1e3 * np.sqrt(np.mean(left**2)):.2f} with what was measured, {1e3 * np.median(scatter):.2f} each by itself"
    )


if __name__ == "__main__":
    main()
