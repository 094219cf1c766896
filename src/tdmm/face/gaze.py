"""Where the eyes of a rig look, as angles, and which channels make them look there.

Gaze goes from head to head as the rotation of the eyeballs, not by surface: the ball of one head may be larger, its
iris flat or bulging, but eyes that are turned alike look alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tdmm.face.head_surface import SIDES, HeadSurface
from tdmm.face.skinning import matrix_to_euler

LOOKS = ("eyeLookDown", "eyeLookUp", "eyeLookIn", "eyeLookOut")
"""ARKit's names of the channels that turn an eye, without the side."""

_NOMINAL = {"eyeLookDown": 0.193, "eyeLookUp": -0.269, "eyeLookIn": 0.256, "eyeLookOut": 0.249}
"""Radians that a channel at 1.0 means on a head whose eyeballs its shapes leave where they are: those of our head."""
_INERT = 0.02
"""Radians; a channel that turns an eye by less leaves it where it is."""
_STEPS = 21
_POINTS = 80


def ball_angles(rest: Tensor, moved: Tensor) -> Tensor:
    """The turn that brings points nearest to where they moved.

    W. Kabsch, *A solution for the best rotation to relate two sets of vectors* (Acta Crystallographica A32, 1976).

    Args:
        rest: (P, 3) of an eyeball.
        moved: (N, P, 3).

    Returns:
        (N, 3) pitch, yaw, roll in radians.
    """
    a = (rest - rest.mean(0)).double()
    b = (moved - moved.mean(1, keepdim=True)).double()
    left, _, right = torch.linalg.svd(b.mT @ a)
    signs = torch.ones(len(b), 3, dtype=b.dtype)
    signs[:, 2] = torch.linalg.det(left @ right).sign()
    return matrix_to_euler((left * signs[:, None]) @ right).to(moved)


@dataclass(frozen=True)
class ShapedEyes:
    """Eyes that blendshapes turn.

    Attributes:
        rest: side to (P, 3) points of the eyeball.
        moves: side to (E, P, 3), how 1.0 of each channel moves them.
        looks: side to the places of the channels down, up, in, out; those that the rig has.
        tables: side to look to (`_STEPS`,) radians that the channel turns the eye at 0 to 1, about its axis, with sign.
        told: (E, 2, 2) radians of pitch and yaw of the left and the right eye for 1.0 of each channel, where the shapes
            leave the eyeballs where they are and the name alone says where the eye looks.
    """

    rest: Mapping[str, Tensor]
    moves: Mapping[str, Tensor]
    looks: Mapping[str, Mapping[str, int]]
    tables: Mapping[str, Mapping[str, Tensor]]
    told: Tensor

    @staticmethod
    def of(surface: HeadSurface, basis: Tensor, meaning: Mapping[str, int]) -> ShapedEyes:
        """Measure the eyes of a rig.

        Args:
            surface: of the rig.
            basis: (E, V, 3) metres for 1.0 of each channel.
            meaning: ARKit's name to the place of the rig's channel.
        """
        rest, moves, looks = {}, {}, {}
        tables: dict[str, dict[str, Tensor]] = {}
        steps, told = torch.linspace(0, 1, _STEPS), torch.zeros(len(basis), 2, 2)
        for number, side in enumerate(SIDES):
            ball = np.unique(surface.eyes[side])
            ball = ball[:: max(1, len(ball) // _POINTS)]
            rest[side] = torch.as_tensor(surface.vertices[ball])
            moves[side] = basis[:, ball]
            names = {look: f"{look}{side.capitalize()}" for look in LOOKS}
            looks[side] = {look: meaning[name] for look, name in names.items() if name in meaning}
            tables[side] = {}
            for look, place in looks[side].items():
                axis = _axis(look)
                table = ball_angles(rest[side], rest[side] + steps[:, None, None] * moves[side][place])[:, axis]
                if table.abs().max() < _INERT:
                    # The right eye looks in to the face's own left, as the left eye looks out.
                    sign = -1 if (look, side) in (("eyeLookIn", "left"), ("eyeLookOut", "right")) else 1
                    table = steps * _NOMINAL[look] * sign
                    told[place, number, axis] = table[-1]
                tables[side][look] = table
        return ShapedEyes(rest, moves, looks, tables, told)

    def angles(self, values: Tensor) -> Tensor:
        """(N, 2, 2) pitch and yaw of the left and the right eye for channel values (N, E), radians."""
        each = [
            ball_angles(self.rest[side], self.rest[side] + torch.einsum("ne,epc->npc", values, self.moves[side]))
            for side in SIDES
        ]
        return torch.stack(each, 1)[..., :2] + torch.einsum("ne,esa->nsa", values, self.told)

    def channels(self, angles: Tensor) -> dict[int, Tensor]:
        """Place of a channel to its values (N,), so that the eyes look along angles (N, 2, 2); 1 at most."""
        found: dict[int, Tensor] = {}
        for number, side in enumerate(SIDES):
            for look, place in self.looks[side].items():
                table = self.tables[side][look]
                wanted = angles[:, number, _axis(look)] * table[-1].sign()
                found[place] = _interpolated(wanted, table.abs())
        return found


def _axis(look: str) -> int:
    return 0 if look in LOOKS[:2] else 1


def _interpolated(wanted: Tensor, table: Tensor) -> Tensor:
    """Where in 0 to 1 a rising table has these values."""
    wanted = wanted.clamp_min(0)
    above = torch.searchsorted(table, wanted.contiguous()).clamp(1, len(table) - 1)
    low, high = table[above - 1], table[above]
    share = ((wanted - low) / (high - low).clamp_min(1e-9)).clamp(0, 1)
    return (above - 1 + share) / (len(table) - 1)
