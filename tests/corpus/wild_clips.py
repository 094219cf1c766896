"""Clips that nobody directed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tdmm.corpus.rows import Row, Text
from tdmm.motion.features import from_features


def wild_row(number: int, **changes: object) -> Row:
    """A clip that nobody directed: a random walk of half a second to a second, a caption and no script."""
    draw = np.random.default_rng(number)
    walk = np.cumsum(draw.normal(0, 0.02, (13 + number % 12, 58)), axis=0)
    motion = from_features(np.clip(walk, 0, 1)).with_(confidence=np.linspace(0.5, 1, len(walk)))
    row = Row(
        clip_id=f"wild-{number}", motion=motion, source="recorded", person=f"person-{number // 3}",
        texts=(Text("medium", f"someone does thing {number}"),), descriptors=("happy",), native_fps=29.97,
        video_sha256=f"{number:064x}", quality={"jitter_mm": 0.5}, provenance={"file": f"{number}.mp4"},
    )  # fmt: skip
    return replace(row, **changes)  # type: ignore[arg-type]
