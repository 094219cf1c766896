"""What conversion from one head to another looks at: the seen surface of a neutral head, and what its parts mean.

A `HeadSurface` is made of any rig by `surface_of`. Teeth, tongue, lashes and films before the eye are left out: what
is under or before the skin would be taken for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from tdmm.errors import ArtifactProblem, InvalidInput
from tdmm.face.arkit import ArkitHead
from tdmm.face.channels import ARKIT, FLAME
from tdmm.face.flame import FlameHead
from tdmm.face.flame_file import JOINTS
from tdmm.face.geometry import FACE_REGIONS, regions
from tdmm.face.linear_head import LinearHead
from tdmm.face.model import FaceModel, FaceParameters
from tdmm.face.render import vertex_normals

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

Rig = ArkitHead | FlameHead | LinearHead
"""The heads that motions can be brought to and from."""

SIDES = ("left", "right")
"""The face's own."""

_JAW_OPEN_RADIANS = 0.3
"""How far a FLAME jaw is opened to see which skin goes with it."""
_EYE_WORDS = ("eyeball", "sclera", "iris", "cornea", "pupil", "limbus")
_NO_SKIN = ("eye", "lash", "teeth", "tooth", "gum", "tongue", "lacrimal", "tear", "hair", "brows", *_EYE_WORDS)

_MEDIAPIPE_OF_68 = dict(
    enumerate(
        (
            70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
            168, 197, 5, 4, 98, 97, 2, 326, 327,
            33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
            61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,
            78, 82, 13, 312, 308, 317, 14, 87,
        ),
        start=17,
    )
)  # fmt: skip
"""Which of MediaPipe's landmarks stands for which of the usual 68, the contour left out."""


@dataclass(frozen=True)
class Places:
    """Points on triangles: vertices of the corners (P, 3), and their shares (P, 3), which sum to 1."""

    corners: Ints
    shares: Floats

    def on(self, vertices: Floats) -> Floats:
        """(..., P, 3) points of vertices (..., V, 3)."""
        points: Floats = np.einsum("...pkc,pk->...pc", vertices[..., self.corners, :], self.shares)
        return points

    def take(self, which: Ints | Mask) -> Places:
        """Some of them."""
        return Places(self.corners[which], self.shares[which])


@dataclass(frozen=True)
class HeadSurface:
    """A neutral head as it is seen, metres in the rig's own frame.

    Attributes:
        name: of the rig.
        vertices: (V, 3) of the average head.
        skin: (F, 3) triangles of the skin.
        eyes: `left` and `right` to (F, 3) triangles of the eyeball.
        opening: (V, 3) metres that vertices move as the jaw opens.
        landmarks: name of a landmark to its place; names that two heads share mean the same.
        regions: name of a region to (V,) vertices; empty where the rig has none.
    """

    name: str
    vertices: Floats
    skin: Ints
    eyes: Mapping[str, Ints]
    opening: Floats
    landmarks: Mapping[str, tuple[Ints, Floats]]
    regions: Mapping[str, Mask]

    @cached_property
    def normals(self) -> Floats:
        """(V, 3) unit normals of the skin."""
        return vertex_normals(self.vertices, self.skin.astype(np.int32))

    @cached_property
    def jaw_share(self) -> Floats:
        """(V,) how far each vertex goes with the jaw: 0 not at all, 1 as far as the furthest of the skin."""
        moved = np.linalg.norm(self.opening, axis=1)
        share: Floats = (moved / np.percentile(moved[np.unique(self.skin)], 99.5)).clip(0, 1).astype(np.float32)
        return share

    def eye_centre(self, side: str) -> Floats:
        """(3,) metres; the middle of an eyeball."""
        centre: Floats = self.vertices[np.unique(self.eyes[side])].mean(0)
        return centre


def surface_of(rig: FaceModel) -> HeadSurface:
    """The seen surface of a rig's average neutral head.

    Raises:
        ArtifactProblem: it has no eyeballs, or nothing in it opens the jaw.
        InvalidInput: a rig of another kind.
    """
    if isinstance(rig, ArkitHead):
        return _of_arkit(rig)
    if isinstance(rig, FlameHead):
        return _of_flame(rig)
    if isinstance(rig, LinearHead):
        return _of_linear(rig)
    raise InvalidInput(f"The rig '{rig.name}' is neither the built-in head, a FLAME head nor a linear head.")


def _of_arkit(rig: ArkitHead) -> HeadSurface:
    asset = rig.asset
    names = np.array([material.name for material in asset.materials])[asset.face_material]
    faces = asset.faces.astype(np.int64)
    skin = faces[np.isin(names, ("skin", "mouth"))]
    eyes = {}
    for side in SIDES:
        first, last = asset.parts[f"eye-{side[0]}"]
        eyes[side] = faces[((faces >= first) & (faces < last)).all(1)]
    corners = asset.faces[asset.landmark_faces].astype(np.int64)
    landmarks = {f"mediapipe_{n}": (corners[n], asset.landmark_weights[n]) for n in range(len(corners))}
    landmarks |= {f"landmark_{n}": landmarks[f"mediapipe_{m}"] for n, m in _MEDIAPIPE_OF_68.items()}
    known = {name: regions()[name] for name in FACE_REGIONS if name != "gaze"}
    opening = asset.expression[ARKIT.index("jawOpen")]
    return HeadSurface(rig.name, asset.vertices, skin, eyes, opening, landmarks, known)


def _of_flame(rig: FlameHead) -> HeadSurface:
    file = rig.file
    faces = file.faces.astype(np.int64)
    part = file.weights.argmax(1)
    joints = {side: JOINTS.index(f"{side}_eye") for side in SIDES}
    eyes = {side: faces[(part[faces] == joint).all(1)] for side, joint in joints.items()}
    if any(len(eye) == 0 for eye in eyes.values()):
        raise ArtifactProblem("This FLAME file has no eyeballs: no triangle goes with an eye joint. Take a whole one.")
    skin = faces[~np.isin(part[faces], list(joints.values())).any(1)]
    columns = torch.zeros(2, len(FLAME))
    columns[1, FLAME.index("jaw_pitch")] = _JAW_OPEN_RADIANS
    with torch.no_grad():
        shut, opened = rig.pose(FaceParameters(columns)).float().numpy()
    landmarks: dict[str, tuple[Ints, Floats]] = {}
    given = rig.embeddings
    if given.static is not None:
        at, shares = faces[given.static.triangles], given.static.shares
        landmarks |= {f"landmark_{n + 17}": (at[n], shares[n]) for n in range(len(at))}
    if given.mediapipe is not None:
        at, shares = faces[given.mediapipe.triangles], given.mediapipe.shares
        landmarks |= {f"mediapipe_{m}": (at[n], shares[n]) for n, m in enumerate(given.mediapipe_places)}
    return HeadSurface(rig.name, file.template, skin, eyes, opened - shut, landmarks, {})


def _of_linear(rig: LinearHead) -> HeadSurface:
    file = rig.file
    faces = file.faces.astype(np.int64)
    materials = np.array([name.lower() for name in file.materials])
    ball = np.array([any(word in name for word in _EYE_WORDS) for name in materials])
    hidden = np.array([any(word in name for word in _NO_SKIN) for name in materials])
    middle = file.vertices[faces].mean(1)[:, 0]
    eyes = {"left": faces[ball & (middle > 0)], "right": faces[ball & (middle < 0)]}
    if any(len(eye) == 0 for eye in eyes.values()):
        raise ArtifactProblem(
            f"The head '{rig.name}' has no eyeballs: no material of its .obj is called {', '.join(_EYE_WORDS)}."
        )
    openers = [name for name, arkit in file.meaning.items() if arkit == "jawOpen"]
    if not openers:
        raise ArtifactProblem(
            f"Nothing in the head '{rig.name}' opens the jaw. Say in its rig.json which channel does: "
            '{"channels": {"mine": "jawOpen"}}.'
        )
    landmarks = {
        f"landmark_{n}": (np.array([v, v, v], np.int64), np.array([1, 0, 0], np.float32))
        for n, v in enumerate(file.landmarks)
        if n >= 17
    }
    opening = file.expression[file.channels.index(openers[0])]
    return HeadSurface(rig.name, file.vertices, faces[~hidden], eyes, opening, landmarks, {})
