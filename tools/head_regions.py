"""Which region of the face each vertex belongs to: places on the average head, then what moves there most."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tdmm.face.channels import ARKIT

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
REGIONS = ("none", "brows", "lids", "gaze", "nose", "cheeks", "mouth", "jaw", "tongue")
STILL = 5e-5  # metres: what no shape moves further belongs to no region


def assign_regions(
    parts: dict[str, npt.NDArray[np.int64]],
    vertices: Array,
    expression: Array,
    lining: Bools,
    lips: Bools,
    rigid: Bools,
) -> npt.NDArray[np.uint8]:
    """(V,) places in `REGIONS`.

    Args:
        parts: vertex numbers of skin, eyes, lashes, teeth, tongue and brows.
        vertices: (V, 3) metres. expression: (52, V, 3) metres.
        lining: (V,) inside of mouth and eye sockets. lips: (V,). rigid: (V,) turns wholly with the head.
    """
    size = np.linalg.norm(expression, axis=2)
    moved = (size.max(0) > STILL) & rigid & ~lining
    x, y = np.abs(vertices[:, 0]), vertices[:, 1]
    eye = vertices[parts["eye-l"]].mean(0)
    mouth = vertices[lips].mean(0)
    region = np.zeros(len(vertices), np.uint8)

    def give(name: str, where: Bools) -> None:
        region[where & (region == 0) & moved] = REGIONS.index(name)

    give("lids", ((x - eye[0]) / 0.025) ** 2 + ((y - eye[1]) / 0.0165) ** 2 < 1)
    give("mouth", (x / 0.038) ** 2 + ((y - mouth[1]) / 0.0215) ** 2 < 1)
    bridge = np.interp(y, [mouth[1], eye[1] - 0.01, eye[1] + 0.008], [0.028, 0.018, 0.013])
    give("nose", (x < bridge) & (y > mouth[1]) & (y < eye[1] + 0.008))
    give("brows", y > eye[1] + 0.012)
    reach = {name: size[i] / size[i].max() for i, name in enumerate(ARKIT)}
    jaw = np.maximum(reach["jawOpen"], reach["jawForward"])
    cheek = np.maximum.reduce([reach[n] for n in ("cheekPuff", "cheekSquintLeft", "cheekSquintRight")])
    give("jaw", ((y < mouth[1]) & (jaw > cheek)) | (y < mouth[1] - 0.03))
    give("cheeks", np.ones(len(vertices), bool))
    for part, members in parts.items():
        if part.startswith("eye-"):
            region[members] = np.where(
                vertices[members, 2] > vertices[members, 2].max() - 0.0145, REGIONS.index("gaze"), 0
            )
        elif part != "skin":
            region[members] = REGIONS.index("tongue") if part == "helper-tongue" else 0
    return region
