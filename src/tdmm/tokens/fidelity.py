"""What a tokenizer loses: millimetres by region, degrees of the head, coefficients, unused codes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tdmm.errors import InvalidMotion
from tdmm.face.channels import ARKIT
from tdmm.face.geometry import vertex_error_curves_mm
from tdmm.motion.rotation import to_quaternions
from tdmm.tokens.quantizers import CodeUsage
from tdmm.tokens.tokenizer import Tokenizer

Floats = npt.NDArray[np.float32]

_E = len(ARKIT)


@dataclass(frozen=True)
class Fidelity:
    """Means over all frames of all clips.

    Attributes:
        clips: how many were measured.
        frames: of all of them.
        face_mm: mean vertex error over the moving face, millimetres.
        regions_mm: the same for every region of `face.geometry.REGIONS`.
        head_deg: angle between the true and the rebuilt head rotation.
        coefficients: mean absolute error of the 52 coefficients.
        used: share of the codes of each level that occurred.
        perplexity: of each level's codes.
    """

    clips: int
    frames: int
    face_mm: float
    regions_mm: dict[str, float]
    head_deg: float
    coefficients: float
    used: tuple[float, ...]
    perplexity: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        """A JSON-serialisable form, rounded to what the figures can bear."""
        rounded = {name: round(value, 4) for name, value in self.regions_mm.items()}
        return {
            **asdict(self),
            "face_mm": round(self.face_mm, 4),
            "regions_mm": rounded,
            "head_deg": round(self.head_deg, 4),
            "coefficients": round(self.coefficients, 5),
            "used": [round(value, 4) for value in self.used],
            "perplexity": [round(value, 1) for value in self.perplexity],
        }


def measure(tokenizer: Tokenizer, clips: Iterable[Floats]) -> Fidelity:
    """Send clips, each (T, 58) features at 25 fps, through the tokenizer and back.

    Raises:
        InvalidMotion: there are no clips.
    """
    usage = CodeUsage(tokenizer.levels, tokenizer.codebook_size)
    regions: dict[str, float] = {}
    head, coefficients, frames, count = 0.0, 0.0, 0, 0
    for clip in clips:
        codes = tokenizer.encode_features(torch.tensor(clip)[None])
        rebuilt = tokenizer.decode_codes(codes)[0].cpu().numpy()
        usage.add(codes)
        for name, curve in vertex_error_curves_mm(np.asarray(clip[:, :_E]), rebuilt[:, :_E]).items():
            regions[name] = regions.get(name, 0.0) + float(curve.sum())
        head += float(rotation_errors_deg(clip[:, _E : _E + 3], rebuilt[:, _E : _E + 3]).sum())
        coefficients += float(np.abs(clip[:, :_E] - rebuilt[:, :_E]).mean(1).sum())
        frames, count = frames + len(clip), count + 1
    if not frames:
        raise InvalidMotion("There are no clips to measure.")
    means = {name: total / frames for name, total in regions.items()}
    face = means.pop("face")
    return Fidelity(count, frames, face, means, head / frames, coefficients / frames, usage.used(), usage.perplexity())


def rotation_errors_deg(head_a: npt.ArrayLike, head_b: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """(T,) angles in degrees between two tracks (T, 3) of pitch, yaw, roll in radians."""
    cosine = np.abs((to_quaternions(head_a) * to_quaternions(head_b)).sum(1))
    angles: npt.NDArray[np.float64] = np.degrees(2 * np.arccos(np.minimum(cosine, 1.0)))
    return angles
