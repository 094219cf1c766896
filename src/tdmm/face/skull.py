"""How the head of a rig as a whole has turned and moved, apart from its face."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tdmm.face.channels import FLAME
from tdmm.face.flame import FlameHead
from tdmm.face.flame_file import EXPRESSIONS
from tdmm.face.head_surface import SIDES, HeadSurface
from tdmm.face.model import FaceModel, FaceParameters
from tdmm.face.skinning import euler_to_matrix, matrix_to_euler

Floats = npt.NDArray[np.float32]

_NECK, _JAW = 1, EXPRESSIONS + 3


@torch.no_grad()
def skull_motion(rig: FaceModel, surface: HeadSurface, expression: Floats, head: Floats) -> tuple[Floats, Floats]:
    """The turn of the skull, and where it takes the point midway between the eyes.

    On FLAME the turn is that of the root and the neck together, about their joints; elsewhere it is `head`, about the
    origin. Translation is left out.

    Args:
        rig: of the motion. surface: of the rig.
        expression: (T, E) in the order of the rig's channels.
        head: (T, 3) radians.

    Returns:
        (T, 3) pitch, yaw, roll in radians, and (T, 3) metres.
    """
    middle = torch.tensor(np.mean([surface.eye_centre(side) for side in SIDES], axis=0), dtype=torch.float32)
    angles = torch.tensor(np.array(head), dtype=torch.float32)
    if isinstance(rig, FlameHead):
        columns = torch.zeros(len(angles), len(FLAME))
        columns[:, EXPRESSIONS:_JAW] = torch.tensor(np.array(expression[:, EXPRESSIONS:_JAW]))
        carried = rig.carried(FaceParameters(columns, head=angles))[:, _NECK]
        turn, moved = carried[..., :3], carried[..., :3] @ middle + carried[..., 3]
        return _numbers(matrix_to_euler(turn)), _numbers(moved - middle)
    return np.array(head, np.float32), _numbers(euler_to_matrix(angles) @ middle - middle)


def _numbers(values: Tensor) -> Floats:
    numbers: Floats = values.float().numpy()
    return numbers
