"""What a sentence or a frame can mean: every descriptor, head motion and look, and the blink, by number."""

from __future__ import annotations

from typing import Final

from tdmm.acting.lexicon import load
from tdmm.motion.events import GAZE_DIRECTIONS, HEAD_MOTIONS

MEANINGS: Final[tuple[str, ...]] = (
    *sorted(load().descriptors), *HEAD_MOTIONS, *(f"gaze_{each}" for each in GAZE_DIRECTIONS), "blink",
)  # fmt: skip
"""What can be meant."""

PLACES: Final[dict[str, int]] = {name: place for place, name in enumerate(MEANINGS)}
"""Where each stands in `MEANINGS`."""
