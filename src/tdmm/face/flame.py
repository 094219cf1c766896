"""The rig `flame`: identity, expression, jaw, neck and eyes of a FLAME file, by linear blend skinning.

Written from the formulas of Li, Bolkart, Black, Li, Romero, *Learning a model of facial shape and
expression from 4D scans* (SIGGRAPH Asia 2017), and of SMPL (Loper et al., SIGGRAPH Asia 2015), whose
skinning it takes over. The joints follow expression as well as identity, as in every published
implementation; the paper has identity alone. N faces, V vertices, five joints: root, neck, jaw, left eye, right eye.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from tdmm.errors import InvalidInput
from tdmm.face.channels import FLAME
from tdmm.face.flame_file import EXPRESSIONS, JOINTS, SHAPES, FlameFile
from tdmm.face.flame_landmarks import CONTOUR_ROWS, Embedding, FlameLandmarks
from tdmm.face.model import FaceParameters, Moving, count_rows
from tdmm.face.skinning import blend, compose, euler_to_matrix, rotate_about, vector_to_matrix

_WIDEST: Final = CONTOUR_ROWS // 2
"""Degrees of yaw, to either side, for which there is a contour."""


class FlameHead(nn.Module):
    """Turns identity, expression and pose into vertices of a FLAME head, in metres.

    A FaceModel, except that `landmarks` refuses: FLAME's files place 68 and 105 landmarks, not 478.
    Batched and differentiable; `.double()` and `.to(device)` work as on any module. All of it is fixed:
    there are no parameters to train, only buffers.

    There are two doors. `forward` takes FLAME's own parameters, rotation vectors of five joints. `pose` and
    `animate` take ours, angles (pitch, yaw, roll) composed as in docs/conventions.md:

    - `head` is the rotation of FLAME's root, which turns everything, the neck with it, about the root joint:
      where trackers and generators of FLAME parameters put the rotation of the head;
    - neck, jaw and eyes are channels beside the expression (`neck_yaw`, `jaw_pitch`, `left_eye_yaw` ...), so that a
      motion is one table; the neck joint turns the skull on a neck that bends;
    - `neck` turns the neck joint too, after its channels.

    The origin and the axes are those of the file: +X the face's own left, +Y up, +Z out of the face.
    """

    template: Tensor
    identity_basis: Tensor
    offset_basis: Tensor
    joint_template: Tensor
    joint_identity_basis: Tensor
    joint_expression_basis: Tensor
    joint_weights: Tensor

    def __init__(self, file: FlameFile, landmarks: FlameLandmarks | None = None) -> None:
        super().__init__()
        self.file = file
        self.embeddings = landmarks or FlameLandmarks()
        columns = file.shapedirs.reshape(-1, SHAPES + EXPRESSIONS).T
        correctives = file.posedirs.reshape(len(columns[0]), -1).T
        # Summed in double: a joint is a mean over many vertices.
        regressor = file.joint_regressor.astype(np.float64)
        joint_basis = np.einsum("jv,vkc->cjk", regressor, file.shapedirs, optimize=True).reshape(len(columns), -1)
        for name, array in {
            "template": file.template,
            "identity_basis": columns[:SHAPES],
            # What follows the frame is one product: expression and pose correctives together.
            "offset_basis": np.concatenate([columns[SHAPES:], correctives]),
            "joint_template": regressor @ file.template,
            "joint_identity_basis": joint_basis[:SHAPES],
            "joint_expression_basis": joint_basis[SHAPES:],
            "joint_weights": file.weights,
        }.items():
            self.register_buffer(name, torch.tensor(np.ascontiguousarray(array, np.float32)), persistent=False)
        for name, embedding in self._embeddings().items():
            corners = torch.tensor(file.faces[embedding.triangles]).long()
            self.register_buffer(f"{name}_corners", corners, persistent=False)
            self.register_buffer(f"{name}_shares", torch.tensor(embedding.shares), persistent=False)

    @property
    def name(self) -> str:
        """`flame`."""
        return "flame"

    @property
    def channels(self) -> tuple[str, ...]:
        """`channels.FLAME`: 100 expression components, then pitch, yaw, roll of neck, jaw, left and right eye."""
        return FLAME

    @property
    def identity_size(self) -> int:
        """300, the number of identity components."""
        return SHAPES

    @property
    def faces(self) -> npt.NDArray[np.int32]:
        """(F, 3) triangles, counter-clockwise from outside."""
        return self.file.faces

    @property
    def mediapipe_places(self) -> tuple[int, ...]:
        """Which of MediaPipe's 478 landmarks `landmarks_mediapipe` gives."""
        return self.embeddings.mediapipe_places

    def forward(
        self,
        identity: Tensor | None = None,
        expression: Tensor | None = None,
        rotations: Tensor | None = None,
        translation: Tensor | None = None,
    ) -> Tensor:
        """Vertices of N heads from FLAME's own parameters.

        Each field has N rows, or one row that is shared by all, or is None for zeros.

        Args:
            identity: (N, 300) standard deviations; elsewhere called shape or betas.
            expression: (N, 100) standard deviations, without jaw and eyes.
            rotations: (N, 5, 3) rotation vectors (axis times angle) in radians of root, neck, jaw, left eye
                and right eye, each relative to its parent.
            translation: (N, 3) metres, added last to everything.

        Returns:
            (N, V, 3) metres.

        Raises:
            InvalidInput: a field has the wrong size; the message names it.
        """
        count = count_rows(
            {
                "identity": (identity, (SHAPES,)),
                "expression": (expression, (EXPRESSIONS,)),
                "rotations": (rotations, (len(JOINTS), 3)),
                "translation": (translation, (3,)),
            }
        )
        matrices = None if rotations is None else vector_to_matrix(rotations)
        return self._posed(count, identity, expression, matrices, translation)

    def pose(self, parameters: FaceParameters) -> Tensor:
        """Vertices (N, V, 3) in metres; `head` is FLAME's root; the other joints are channels.

        Raises:
            InvalidInput: a field has the wrong size; the message names it.
        """
        p = parameters
        count = count_rows(
            {
                "identity": (p.identity, (SHAPES,)),
                "expression": (p.expression, (len(FLAME),)),
                "head": (p.head, (3,)),
                "neck": (p.neck, (3,)),
                "translation": (p.translation, (3,)),
            }
        )
        matrices = self._turns(count, p)
        return self._posed(count, p.identity, p.expression[:, :EXPRESSIONS], matrices, p.translation)

    def carried(self, parameters: FaceParameters) -> Tensor:
        """How the five joints carry the skin: affine transforms (N, 5, 3, 4), from the unposed head to the posed.

        Translation is left out. Fields are those of `pose`, which checks them.
        """
        p = parameters
        count = max(len(field) for field in (p.expression, p.identity, p.head, p.neck) if field is not None)
        joints = self.joint_template + (p.expression[:, :EXPRESSIONS] @ self.joint_expression_basis).view(
            -1, len(JOINTS), 3
        )
        if p.identity is not None:
            joints = joints + (p.identity @ self.joint_identity_basis).view(-1, len(JOINTS), 3)
        return self._transforms(self._turns(count, p), joints.expand(count, -1, -1))

    def animate(self, motion: Moving, identity: Tensor | None = None) -> Tensor:
        """Vertices (T, V, 3) of every frame of a motion.

        Args:
            motion: on the `flame` rig.
            identity: (300,) in place of the motion's own.

        Raises:
            InvalidInput: the motion is on another rig, lacks a channel, or has another identity size.
        """
        if motion.rig != self.name:
            raise InvalidInput(f"This motion is on the '{motion.rig}' rig; a FLAME head plays 'flame' motions.")
        if identity is None and motion.identity is not None:
            identity = torch.tensor(motion.identity)

        def ready(values: object) -> Tensor:
            return torch.as_tensor(np.array(values)).to(self.template)

        return self.pose(
            FaceParameters(
                identity=None if identity is None else identity.to(self.template)[None],
                expression=ready(motion.in_order(FLAME)),
                head=ready(motion.head),
                translation=ready(motion.translation_or_zeros()),
            )
        )

    def landmarks(self, vertices: Tensor) -> Tensor:
        """Refuses: nothing places all of MediaPipe's 478 landmarks on FLAME.

        Raises:
            InvalidInput: always; the message names what there is instead.
        """
        raise InvalidInput(
            f"MediaPipe's 478 landmarks have no places on a FLAME head (of {vertices.shape[-2]} vertices). "
            "Use landmarks_mediapipe for 105 of them, landmarks_51 or landmarks_68."
        )

    def landmarks_51(self, vertices: Tensor) -> Tensor:
        """Brows, nose, eyes and mouth: landmarks 17 to 67 of the usual 68.

        Args:
            vertices: (N, V, 3), as `forward` gives them.

        Returns:
            (N, 51, 3) metres, differentiable.

        Raises:
            InvalidInput: the vertices are not this head's, or no landmark file was given.
        """
        return self._points(vertices, "static")

    def landmarks_68(self, vertices: Tensor, yaw: Tensor) -> Tensor:
        """The usual 68: 17 of the contour, seen from the front at that yaw, then those of `landmarks_51`.

        Args:
            vertices: (N, V, 3), as `forward` gives them.
            yaw: (N,) radians that the head is turned to its own left, see `facing_yaw`. Beyond 39 degrees the
                contour stays that of 39.

        Returns:
            (N, 68, 3) metres, differentiable in the vertices; the contour jumps from one degree to the next.

        Raises:
            InvalidInput: the vertices are not this head's, or a landmark file is missing.
        """
        degrees = torch.rad2deg(yaw.detach()).clamp(-_WIDEST, _WIDEST).round().long()
        # Rows 0 to 39 are degrees to the own right, rows 40 to 78 are 1 to 39 degrees to the own left.
        row = torch.where(degrees > 0, _WIDEST + degrees, -degrees)
        return torch.cat([self._points(vertices, "contour", row), self._points(vertices, "static")], 1)

    def landmarks_mediapipe(self, vertices: Tensor) -> Tensor:
        """Those of MediaPipe's landmarks that have a place on FLAME; `mediapipe_places` says which.

        Args:
            vertices: (N, V, 3), as `forward` gives them.

        Returns:
            (N, 105, 3) metres with the published file, differentiable.

        Raises:
            InvalidInput: the vertices are not this head's, or no landmark file was given.
        """
        return self._points(vertices, "mediapipe")

    def _turns(self, count: int, p: FaceParameters) -> Tensor:
        """(N, 5, 3, 3) rotations of the joints, each relative to its parent, from our angles."""
        still = self.template.new_zeros(1, 3)
        head = euler_to_matrix(still if p.head is None else p.head)[:, None]
        joints = euler_to_matrix(p.expression[:, EXPRESSIONS:].reshape(-1, len(JOINTS) - 1, 3))
        neck, others = joints[:, :1], joints[:, 1:]
        if p.neck is not None:
            neck = euler_to_matrix(p.neck)[:, None] @ neck
        return torch.cat([part.expand(count, -1, -1, -1) for part in (head, neck, others)], 1)

    def _posed(
        self,
        count: int,
        identity: Tensor | None,
        expression: Tensor | None,
        matrices: Tensor | None,
        translation: Tensor | None,
    ) -> Tensor:
        rest, joints = self.template.expand(count, -1, -1), self.joint_template.expand(count, -1, -1)
        if identity is not None:
            rest = rest + (identity @ self.identity_basis).view(-1, *self.template.shape)
            joints = joints + (identity @ self.joint_identity_basis).view(-1, len(JOINTS), 3)
        offsets = []
        if expression is not None:
            offsets.append(expression.expand(count, -1))
            joints = joints + (expression @ self.joint_expression_basis).view(-1, len(JOINTS), 3)
        if matrices is not None:
            straight = torch.eye(3, dtype=matrices.dtype, device=matrices.device)
            offsets.append((matrices[:, 1:] - straight).flatten(1).expand(count, -1))
        if offsets:
            first = EXPRESSIONS if expression is None else 0
            last = EXPRESSIONS if matrices is None else None
            rest = rest + (torch.cat(offsets, 1) @ self.offset_basis[first:last]).view(-1, *self.template.shape)
        if matrices is not None:
            rest = blend(rest, self._transforms(matrices.expand(count, -1, -1, -1), joints), self.joint_weights)
        return rest if translation is None else rest + translation[:, None]

    def _transforms(self, matrices: Tensor, joints: Tensor) -> Tensor:
        """(N, 5, 3, 4): each joint turns about its own place at rest, then follows its parent."""
        own = rotate_about(matrices, joints).unbind(1)
        found = [own[0]]
        for joint in range(1, len(own)):
            found.append(compose(found[self.file.parents[joint]], own[joint]))
        return torch.stack(found, 1)

    def _embeddings(self) -> dict[str, Embedding]:
        e = self.embeddings
        every = {"static": e.static, "contour": e.contour, "mediapipe": e.mediapipe}
        return {name: embedding for name, embedding in every.items() if embedding is not None}

    def _points(self, vertices: Tensor, kind: str, row: Tensor | None = None) -> Tensor:
        if kind not in self._embeddings():
            raise InvalidInput(f"No file places the {kind} landmarks of this head; see docs/flame.md for its name.")
        expected = tuple(self.template.shape)
        if vertices.ndim != 3 or tuple(vertices.shape[1:]) != expected:
            raise InvalidInput(f"vertices has shape {tuple(vertices.shape)}; (N, {expected[0]}, 3) is needed.")
        corners, shares = self.get_buffer(f"{kind}_corners"), self.get_buffer(f"{kind}_shares")
        if row is None:
            return torch.einsum("nlkc,lk->nlc", vertices[:, corners], shares)
        if row.shape != vertices.shape[:1]:
            raise InvalidInput(f"yaw has shape {tuple(row.shape)}; ({len(vertices)},) is needed.")
        chosen = vertices[torch.arange(len(vertices), device=row.device)[:, None, None], corners[row]]
        return torch.einsum("nlkc,nlk->nlc", chosen, shares[row])


def facing_yaw(turns: Tensor) -> Tensor:
    """How far heads are turned to their own left; what `landmarks_68` chooses the contour by.

    `asin(-R[2, 0])`, the angle that the contour file was made for. R is `euler_to_matrix(motion.head)`, or of
    FLAME's own parameters `vector_to_matrix(root) @ vector_to_matrix(neck)`.

    Args:
        turns: (N, 3, 3) rotations of the head, the neck's included.

    Returns:
        (N,) radians, from -pi/2 to pi/2.
    """
    return torch.asin((-turns[:, 2, 0]).clamp(-1, 1))
