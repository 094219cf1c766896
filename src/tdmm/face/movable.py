"""Rigs as conversion sees them: numbers in, displacements of chosen points out, and the slope of it.

N frames, E channels, P points. Lengths are millimetres here: they make well-scaled equations.
"""

from __future__ import annotations

from typing import Final, Protocol

import torch
from torch import Tensor

from tdmm.errors import InvalidInput
from tdmm.face.arkit import ArkitHead
from tdmm.face.channels import ARKIT, FLAME
from tdmm.face.flame import FlameHead
from tdmm.face.flame_file import EXPRESSIONS
from tdmm.face.gaze import ShapedEyes
from tdmm.face.head_surface import HeadSurface, Places
from tdmm.face.linear_head import LinearHead
from tdmm.face.model import FaceModel, FaceParameters

_JAW: Final = {"jaw_pitch": (-0.1, 0.7), "jaw_yaw": (-0.25, 0.25), "jaw_roll": (-0.1, 0.1)}
"""Radians that a jaw turns. A mouth as wide open as it goes is 50 mm between the teeth, of a jaw 90 mm long."""
_GAZE_LIMIT = 0.9
_NUDGE = 1e-3


class Movable(Protocol):
    """A rig at chosen points."""

    channels: tuple[str, ...]
    low: Tensor
    """(E,) least value of each channel."""
    high: Tensor
    """(E,) greatest."""
    unit: Tensor
    """(E,) what counts as one unit of each channel when large values are discouraged."""
    straight: bool
    """Displacements are proportional to the values; the slope is the same everywhere."""

    def moved(self, values: Tensor) -> Tensor:
        """(N, P, 3) mm that the points move for values (N, E)."""

    def slope(self, values: Tensor) -> Tensor:
        """(N or 1, E, P, 3) mm that the points move for 1.0 of each channel more."""

    def gaze(self, values: Tensor) -> Tensor:
        """(N, 2, 2) radians: pitch, yaw of the left and of the right eye."""

    def looking(self, angles: Tensor) -> dict[int, Tensor]:
        """Place of a channel to its values (N,) with which the eyes look along angles (N, 2, 2)."""


def movable(rig: FaceModel, surface: HeadSurface, places: Places) -> Movable:
    """A rig at these points of its surface.

    Raises:
        InvalidInput: a rig of a kind that motions are not brought to.
    """
    if isinstance(rig, FlameHead):
        return MovableFlame(rig, places)
    if isinstance(rig, ArkitHead):
        return MovableShapes(rig, surface, places, {name: place for place, name in enumerate(ARKIT)})
    if isinstance(rig, LinearHead):
        meaning: dict[str, int] = {}
        for name, arkit in rig.file.meaning.items():
            meaning.setdefault(arkit, rig.channels.index(name))
        return MovableShapes(rig, surface, places, meaning)
    raise InvalidInput(f"The rig '{rig.name}' is neither the built-in head, a FLAME head nor a linear head.")


class MovableShapes:
    """Linear blendshapes, from 0 to 1."""

    straight = True

    def __init__(
        self, rig: ArkitHead | LinearHead, surface: HeadSurface, places: Places, meaning: dict[str, int]
    ) -> None:
        self.channels = rig.channels
        count = len(self.channels)
        basis = rig.expression_basis.detach().float().cpu().view(count, -1, 3)
        self.basis = torch.as_tensor(places.on(basis.numpy())) * 1e3
        self.eyes = ShapedEyes.of(surface, basis, meaning)
        self.low, self.high, self.unit = torch.zeros(count), torch.ones(count), torch.ones(count)

    def moved(self, values: Tensor) -> Tensor:
        """As `Movable`."""
        return (values @ self.basis.flatten(1)).view(len(values), -1, 3)

    def slope(self, values: Tensor) -> Tensor:
        """As `Movable`; the same for all values."""
        del values
        return self.basis[None]

    def gaze(self, values: Tensor) -> Tensor:
        """As `Movable`."""
        return self.eyes.angles(values)

    def looking(self, angles: Tensor) -> dict[int, Tensor]:
        """As `Movable`."""
        return self.eyes.channels(angles)


class MovableFlame:
    """FLAME's expression components and its jaw; neck at rest. Its head is the average one."""

    straight = False

    def __init__(self, rig: FlameHead, places: Places) -> None:
        self.rig, self.places = rig, places
        self.channels = FLAME
        self.low, self.high = torch.full((len(FLAME),), -torch.inf), torch.full((len(FLAME),), torch.inf)
        self.unit = torch.ones(len(FLAME))
        self.low[EXPRESSIONS:] = self.high[EXPRESSIONS:] = 0.0
        for name, (low, high) in _JAW.items():
            place = FLAME.index(name)
            self.low[place], self.high[place], self.unit[place] = low, high, high
        self.jaw = [FLAME.index(name) for name in _JAW]
        corners, shares = torch.as_tensor(places.corners), torch.as_tensor(places.shares)
        basis = rig.offset_basis[:EXPRESSIONS].float().cpu().view(EXPRESSIONS, -1, 3)[:, corners]
        self.basis = torch.einsum("epkc,pk->epc", basis, shares) * 1e3
        self.weights = torch.einsum("pkj,pk->pj", rig.joint_weights.float().cpu()[corners], shares)
        self.corners, self.shares = corners, shares
        self.rest = self._at(torch.zeros(1, len(FLAME)))

    def moved(self, values: Tensor) -> Tensor:
        """As `Movable`."""
        return self._at(values) - self.rest

    def slope(self, values: Tensor) -> Tensor:
        """As `Movable`. Of the expressions: as the joints turn the skin they act on. Of the jaw: by differences."""
        turns = self.rig.carried(FaceParameters(self._still(values)))[..., :3]
        skin = torch.einsum("pj,njcd->npcd", self.weights, turns)
        slopes = torch.zeros(len(values), len(FLAME), *self.rest.shape[1:])
        slopes[:, :EXPRESSIONS] = torch.einsum("npcd,epd->nepc", skin, self.basis)
        here = self._at(values)
        for place in self.jaw:
            further = values.clone()
            further[:, place] += _NUDGE
            slopes[:, place] = (self._at(further) - here) / _NUDGE
        return slopes

    def gaze(self, values: Tensor) -> Tensor:
        """As `Movable`."""
        return torch.stack([values[:, self._eye(side)] for side in ("left", "right")], 1)

    def looking(self, angles: Tensor) -> dict[int, Tensor]:
        """As `Movable`."""
        limited = angles.clamp(-_GAZE_LIMIT, _GAZE_LIMIT)
        return {
            place: limited[:, number, axis]
            for number, side in enumerate(("left", "right"))
            for axis, place in enumerate(self._eye(side))
        }

    def _at(self, values: Tensor) -> Tensor:
        vertices = self.rig.pose(FaceParameters(self._still(values)))
        return torch.einsum("npkc,pk->npc", vertices[:, self.corners], self.shares) * 1e3

    def _still(self, values: Tensor) -> Tensor:
        """Without the neck, which is the motion of the head, and without the eyes, which go by angle."""
        still = values.clone()
        kept = torch.zeros(len(FLAME), dtype=torch.bool)
        kept[:EXPRESSIONS] = True
        kept[self.jaw] = True
        still[:, ~kept] = 0
        return still

    def _eye(self, side: str) -> list[int]:
        return [FLAME.index(f"{side}_eye_pitch"), FLAME.index(f"{side}_eye_yaw")]
