"""How a face is fitted to tracked points."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FitOptions:
    """How a face is fitted.

    Attributes:
        caution: how many times the measured errors the points are taken to have: real faces differ from those
            that the tracker was measured on.
        strength: standard deviation of a coefficient that nothing is known of. lid_strength: the same of a blink.
        likeness: how far shapes are believed to come together as they do in acted clips, 0 to below 1.
        rare: mean of a coefficient that nothing is known of (of an exponential prior: most are zero at any time).
        uneven: standard deviation of the difference of the two sides of a shape.
        change: standard deviation of what a coefficient changes by from frame to frame, beyond the trend of its
            neighbours. lid_change: the same of the lids, which are quicker.
        offset_mm: standard deviation of a point's constant offset in a clip.
        robust: scatters beyond which an error counts less (Huber).
        key_frames: frames that identity, offsets and focal length are found on.
        rounds: of Gauss-Newton.
    """

    caution: float = 1.5
    strength: float = 0.3
    lid_strength: float = 0.6
    likeness: float = 0.9
    rare: float = 0.25
    uneven: float = 0.12
    change: float = 0.15
    lid_change: float = 0.6
    offset_mm: float = 0.6
    robust: float = 2.5
    key_frames: int = 40
    rounds: int = 6
