"""FLAME from its paper's formulas, vertex by vertex and joint by joint, in double. Slow and obvious.

Li et al., SIGGRAPH Asia 2017, equations 1 to 5; the skinning is that of SMPL (Loper et al. 2015, eq. 2 to 4).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]


def rotation(vector: Doubles) -> Doubles:
    """Rodrigues: the axis is kept, what is across it turns by the vector's length."""
    angle = math.sqrt(float(vector @ vector))
    if angle == 0.0:
        return np.eye(3)
    x, y, z = vector / angle
    axis = np.array([[x, y, z]])
    across = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return math.cos(angle) * np.eye(3) + (1 - math.cos(angle)) * axis.T @ axis + math.sin(angle) * across


def vertices(
    arrays: Mapping[str, npt.NDArray[Any]],
    identity: Doubles,
    expression: Doubles,
    rotations: Doubles,
    translation: Doubles,
) -> Doubles:
    """One head, (V, 3): identity (300,), expression (100,), rotations (5, 3) axis times angle, translation (3,)."""
    components = np.concatenate([identity, expression])
    turns = [rotation(vector) for vector in rotations]
    shaped = arrays["v_template"] + sum(components[k] * arrays["shapedirs"][:, :, k] for k in range(len(components)))
    places = [sum(row[v] * shaped[v] for v in range(len(shaped))) for row in arrays["J_regressor"]]
    unlike_rest = np.concatenate([(turn - np.eye(3)).ravel() for turn in turns[1:]])
    corrected = shaped + sum(unlike_rest[k] * arrays["posedirs"][:, :, k] for k in range(len(unlike_rest)))

    found = np.zeros_like(corrected)
    for joint in range(len(places)):
        for v, vertex in enumerate(corrected):
            found[v] += arrays["weights"][v, joint] * _carried(vertex, joint, places, turns, arrays["kintree_table"])
    return found + translation


def _carried(point: Doubles, joint: int, places: list[Doubles], turns: list[Doubles], tree: Any) -> Doubles:
    """Where a point goes that is fixed to a joint: it turns about it, then about each joint above it."""
    while True:
        point = turns[joint] @ (point - places[joint]) + places[joint]
        if joint == 0:
            return point
        joint = int(tree[0, joint])
