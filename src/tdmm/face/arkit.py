"""The built-in head: ARKit's 52 channels, an identity space, a neck joint and a head joint."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from tdmm.errors import InvalidInput
from tdmm.face.channels import ARKIT
from tdmm.face.head_asset import HeadAsset, load_asset
from tdmm.face.model import FaceParameters, Moving, count_rows
from tdmm.face.skinning import blend, compose, euler_to_matrix, rotate_about


class ArkitHead(nn.Module):
    """Turns identity, expression and pose into vertices of the built-in head.

    A FaceModel. Batched and differentiable; `.double()` and `.to(device)` work as on any module. All of
    it is fixed: there are no parameters to train, only buffers.

    Head rotation turns the skull about the head joint; the skin of the neck follows in part, so that the
    neck bends and does not tear. Shoulders stay where they are.
    """

    template: Tensor
    expression_basis: Tensor
    identity_basis: Tensor
    neck_joint: Tensor
    neck_joint_basis: Tensor
    joint_weights: Tensor
    landmark_corners: Tensor
    landmark_weights: Tensor

    def __init__(self, asset: HeadAsset | None = None) -> None:
        super().__init__()
        self.asset = asset or load_asset()
        a = self.asset
        for name, array in {
            "template": a.vertices,
            "expression_basis": a.expression.reshape(len(ARKIT), -1),
            "identity_basis": a.identity.reshape(len(a.identity), -1),
            "neck_joint": a.neck_joint,
            "neck_joint_basis": a.neck_joint_identity,
            "joint_weights": a.joint_weights,
            "landmark_weights": a.landmark_weights,
        }.items():
            self.register_buffer(name, torch.tensor(array), persistent=False)
        self.register_buffer("landmark_corners", torch.tensor(a.faces[a.landmark_faces]).long(), persistent=False)

    @property
    def name(self) -> str:
        """`arkit`."""
        return "arkit"

    @property
    def channels(self) -> tuple[str, ...]:
        """Apple's 52 names in `channels.ARKIT` order."""
        return ARKIT

    @property
    def identity_size(self) -> int:
        """I, the number of identity components."""
        return len(self.asset.identity)

    @property
    def faces(self) -> npt.NDArray[np.int32]:
        """(F, 3) triangles, counter-clockwise from outside."""
        return self.asset.faces

    def forward(
        self,
        identity: Tensor | None = None,
        expression: Tensor | None = None,
        head: Tensor | None = None,
        neck: Tensor | None = None,
        translation: Tensor | None = None,
    ) -> Tensor:
        """Vertices of N heads.

        Each field has N rows, or one row that is shared by all, or is None for zeros.

        Args:
            identity: (N, I) standard deviations.
            expression: (N, 52) in `channels.ARKIT` order.
            head: (N, 3) pitch, yaw, roll in radians, about the head joint (the origin).
            neck: (N, 3) the same about the neck joint; carries the head along.
            translation: (N, 3) metres, added last to everything.

        Returns:
            (N, V, 3) metres.

        Raises:
            InvalidInput: a field has the wrong size; the message names it.
        """
        count = count_rows(
            {
                "identity": (identity, (self.identity_size,)),
                "expression": (expression, (len(ARKIT),)),
                "head": (head, (3,)),
                "neck": (neck, (3,)),
                "translation": (translation, (3,)),
            }
        )
        vertices = self.template.expand(count, -1, -1)
        if identity is not None:
            vertices = vertices + (identity @ self.identity_basis).view(-1, *self.template.shape)
        if expression is not None:
            vertices = vertices + (expression @ self.expression_basis).view(-1, *self.template.shape)
        if head is not None or neck is not None:
            vertices = blend(vertices, self._joints(count, identity, head, neck), self.joint_weights)
        return vertices if translation is None else vertices + translation[:, None]

    def pose(self, parameters: FaceParameters) -> Tensor:
        """As `forward`, from one object."""
        p = parameters
        return self(p.identity, p.expression, p.head, p.neck, p.translation)  # type: ignore[no-any-return]

    def animate(self, motion: Moving, identity: Tensor | None = None) -> Tensor:
        """Vertices (T, V, 3) of every frame of a motion.

        Args:
            motion: on the `arkit` rig.
            identity: (I,) in place of the motion's own.

        Raises:
            InvalidInput: the motion is on another rig, lacks a channel, or has another identity size.
        """
        if motion.rig != self.name:
            raise InvalidInput(f"This motion is on the '{motion.rig}' rig; the built-in head plays 'arkit' motions.")
        if identity is None and motion.identity is not None:
            identity = torch.tensor(motion.identity)

        def ready(values: object) -> Tensor:
            return torch.as_tensor(np.array(values)).to(self.template)

        return self(  # type: ignore[no-any-return]
            identity=None if identity is None else identity.to(self.template)[None],
            expression=ready(motion.in_order(ARKIT)),
            head=ready(motion.head),
            translation=ready(motion.translation_or_zeros()),
        )

    def landmarks(self, vertices: Tensor) -> Tensor:
        """MediaPipe's 478 face landmarks.

        Args:
            vertices: (N, V, 3), as `forward` gives them.

        Returns:
            (N, 478, 3) metres, differentiable.

        Raises:
            InvalidInput: the vertices are not this head's.
        """
        expected = (len(self.template), 3)
        if vertices.ndim != 3 or tuple(vertices.shape[1:]) != expected:
            raise InvalidInput(f"vertices has shape {tuple(vertices.shape)}; (N, {expected[0]}, 3) is needed.")
        return torch.einsum("nlkc,lk->nlc", vertices[:, self.landmark_corners], self.landmark_weights)

    def _joints(self, count: int, identity: Tensor | None, head: Tensor | None, neck: Tensor | None) -> Tensor:
        still = self.template.new_zeros(count, 3)
        joint = self.neck_joint if identity is None else self.neck_joint + identity @ self.neck_joint_basis
        root = rotate_about(euler_to_matrix(still), still)
        below = rotate_about(euler_to_matrix(still if neck is None else neck.expand(count, 3)), joint.expand(count, 3))
        above = rotate_about(euler_to_matrix(still if head is None else head.expand(count, 3)), still)
        return torch.stack([root, below, compose(below, above)], 1)


@cache
def load_head() -> ArkitHead:
    """The built-in head in float32 on the CPU, made once a process. Copy it before moving it elsewhere."""
    return ArkitHead().eval()
