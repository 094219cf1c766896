"""A model in FLAME's format with a face: our own head's skin and eyes, moved, turned, scaled and in another order.

Nothing of FLAME is in it. Its expression components are orthogonal mixtures of our shapes, its jaw and its eyes turn
about joints; which of its vertices is which of ours is known, and so is where each should go.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from tdmm.face.arkit import ArkitHead, load_head
from tdmm.face.channels import ARKIT
from tdmm.face.flame import FlameHead
from tdmm.face.flame_file import FlameFile
from tdmm.face.flame_landmarks import Embedding, FlameLandmarks
from tdmm.face.head_surface import surface_of
from tdmm.face.skinning import euler_to_matrix

Floats = npt.NDArray[np.float32]

JAW_JOINT = np.array([0, 0.02, 0.02])
JAW_RADIANS = 0.3


@dataclass(frozen=True)
class FlameFace:
    """The model, and what is known of it.

    Attributes:
        ours: (V,) vertex of our head for each of its vertices.
        turn: (3, 3) scaled; a displacement of our head, as it is on this one.
    """

    file: FlameFile
    landmarks: FlameLandmarks
    ours: npt.NDArray[np.int64]
    turn: npt.NDArray[np.float64]

    def head(self, landmarks: bool = True) -> FlameHead:
        return FlameHead(self.file, self.landmarks if landmarks else None)


def flame_face(seed: int = 0, scale: float = 0.94, other_face: float = 0.7) -> FlameFace:
    """The model; `other_face` standard deviations in random directions make it another person than our head."""
    rng = np.random.default_rng(seed)
    rig: ArkitHead = load_head()
    asset = rig.asset
    identity = torch.tensor(rng.normal(0, other_face, (1, rig.identity_size)), dtype=torch.float32)
    rest = rig(identity=identity)[0].numpy().astype(np.float64)
    ours = rng.permutation(np.flatnonzero(asset.part_mask("skin", "eye")))
    place = np.full(len(rest), -1)
    place[ours] = np.arange(len(ours))
    kept = (place[asset.faces] >= 0).all(1)
    faces = place[asset.faces[kept]].astype(np.int32)
    angles = torch.tensor([0.06, 0.0, 0.0], dtype=torch.float64)
    turn = scale * euler_to_matrix(angles).numpy()
    shift = np.array([0.002, -0.03, 0.01])
    template = rest[ours] @ turn.T + shift
    shapes = asset.expression[:, ours].astype(np.float64) @ turn.T
    skin = ~asset.part_mask("eye")[ours]
    shapes[:, ~skin] = 0
    jaw_open = shapes[ARKIT.index("jawOpen")]
    kinds = [number for number, name in enumerate(ARKIT) if name != "jawOpen"]
    mixing, _ = np.linalg.qr(rng.normal(size=(len(kinds), len(kinds))))
    expression = np.zeros((100, *template.shape))
    expression[: len(kinds)] = np.einsum("ek,kvc->evc", mixing, shapes[kinds])
    expression[len(kinds) :] = 0.1 * np.resize(asset.identity, (49, *asset.identity.shape[1:]))[:, ours] * skin[:, None]
    jaw = JAW_JOINT @ turn.T + shift
    lever = np.linalg.norm((template - jaw)[:, 1:], axis=1)
    weights = np.zeros((len(ours), 5))
    weights[:, 2] = (np.linalg.norm(jaw_open, axis=1) / (JAW_RADIANS * lever)).clip(0, 1) * skin
    # Our neck joint and our head joint both turn about FLAME's neck.
    weights[:, 1] = asset.joint_weights[ours, 2] * (1 - weights[:, 2])
    for joint, side in ((3, "l"), (4, "r")):
        first, last = asset.parts[f"eye-{side}"]
        ball = (ours >= first) & (ours < last)
        weights[ball] = 0
        weights[ball, joint] = 1
    weights[:, 0] = 1 - weights.sum(1)
    joints = [rest.mean(0) @ turn.T + shift - [0, 0.08, 0], np.zeros(3) @ turn.T + shift, jaw]
    regressor = np.stack([_regress(template, joint) for joint in joints] + [
        np.where(weights[:, joint] == 1, 1 / (weights[:, joint] == 1).sum(), 0) for joint in (3, 4)
    ])  # fmt: skip
    shapedirs = np.zeros((len(ours), 3, 400), np.float32)
    shapedirs[..., : len(asset.identity)] = np.moveaxis(asset.identity[:, ours] @ turn.T, 0, -1)
    shapedirs[..., 300:] = np.moveaxis(expression, 0, -1)
    file = FlameFile(
        template=template.astype(np.float32),
        shapedirs=shapedirs,
        posedirs=np.zeros((len(ours), 3, 36), np.float32),
        joint_regressor=regressor.astype(np.float32),
        weights=weights.astype(np.float32),
        parents=(-1, 0, 1, 1, 1),
        faces=faces,
    )
    return FlameFace(file, _landmarks(rig, np.flatnonzero(kept)), ours, turn)


def _regress(template: npt.NDArray[np.float64], joint: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The smallest shares of vertices that sum to 1 and meet in a point."""
    rows = np.concatenate([template.T, np.ones((1, len(template)))])
    return np.linalg.lstsq(rows, np.append(joint, 1), rcond=None)[0]


def _landmarks(rig: ArkitHead, kept: npt.NDArray[np.int64]) -> FlameLandmarks:
    """The 51 landmarks on the triangles that were kept, from where MediaPipe's lie on our head."""
    of_triangle = {int(face): number for number, face in enumerate(kept)}
    places = [surface_of(rig).landmarks[f"landmark_{number}"] for number in range(17, 68)]
    by_corners = {tuple(corners): number for number, corners in enumerate(rig.asset.faces[kept].tolist())}
    triangles = [by_corners[tuple(int(corner) for corner in corners)] for corners, _ in places]
    assert set(triangles) <= set(of_triangle.values())
    return FlameLandmarks(static=Embedding(np.array(triangles), np.stack([shares for _, shares in places])))
