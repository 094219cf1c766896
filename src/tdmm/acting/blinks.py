"""Blinks: those asked for, those that come by themselves, and when they may not.

Rates are 8.0 to 21.0 a minute in silent primary gaze (Doughty 2001, Optom Vis Sci 78:712); 52.9 % are
partial (Ousler et al. 2014, Clin Ophthalmol 8:869); a spontaneous down-phase takes about 66 ms, a
voluntary one 78 ms, and closing is markedly faster than opening (Trutoiu et al. 2011, ACM TAP 8:17).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tdmm.acting.envelope import Array, Timing, on_frame, rise_and_release
from tdmm.acting.script import Blink
from tdmm.face.channels import INDEX
from tdmm.motion.clip import FPS
from tdmm.motion.events import BlinkEvent, GazeEvent, HeadEvent

_LIDS = [INDEX[name] for name in ("eyeWideLeft", "eyeWideRight", "eyeBlinkLeft", "eyeBlinkRight")]
_PARTIAL = 0.529
_MEANT_APART = 0.5  # seconds kept free around blinks that were asked for, so that these can be counted


@dataclass(frozen=True)
class BlinkShape:
    """One blink. Seconds; `peak` is the moment of greatest closure, which lies on a frame."""

    peak: float
    closing: float
    shut: float
    opening: float
    strength: float

    @property
    def onset(self) -> float:
        """When the lid starts down."""
        return self.peak - self.closing

    @property
    def end(self) -> float:
        """When the lid is up again."""
        return self.peak + self.shut + self.opening

    def curve(self, times: Array) -> Array:
        """(T,) closure."""
        timing = Timing(self.onset, self.peak, self.peak + self.shut, self.end)
        return self.strength * rise_and_release(times, timing)

    def event(self, times: Array) -> BlinkEvent:
        """The blink as it shows on the frames at `times`."""
        strength = float(self.curve(times).max())
        return BlinkEvent(self.onset, self.end - self.onset, strength)


def spontaneous(peak: float, rng: np.random.Generator) -> BlinkShape:
    """A blink nobody asked for: about half are partial."""
    partial = rng.random() < _PARTIAL
    strength = rng.uniform(0.35, 0.8) if partial else rng.uniform(0.9, 1.0)
    closing = rng.normal(0.066, 0.008) * (0.75 + 0.25 * strength)
    opening = closing + rng.uniform(0.07, 0.12)
    return BlinkShape(on_frame(peak), float(closing), 0.008, float(opening), float(strength))


def voluntary(peak: float, rng: np.random.Generator, slow: bool) -> BlinkShape:
    """A blink that was asked for: whole, and a little slower; a `slow` one takes almost half a second."""
    strength = float(rng.uniform(0.94, 1.0))
    if slow:
        closing, opening = rng.normal(0.15, 0.008), rng.uniform(0.22, 0.26)
        return BlinkShape(on_frame(peak), float(closing), 0.06, float(opening), strength)
    closing = rng.normal(0.078, 0.006)
    opening = closing + rng.uniform(0.07, 0.11)
    return BlinkShape(on_frame(peak), float(closing), 0.013, float(opening), strength)


def spontaneous_times(seconds: float, rng: np.random.Generator, per_minute: float) -> list[float]:
    """Moments of blinks as a renewal process already under way when the clip starts."""
    mean = 60.0 / per_minute
    at = -float(rng.uniform(0.0, 4.0 * mean))
    moments = []
    while at < seconds:
        if at > 0.0:
            moments.append(at)
        # Log-normal intervals with a refractory half second; sigma gives the long tail seen in people.
        at += 0.5 + float(rng.lognormal(math.log(mean - 0.5) - 0.5 * 0.7**2, 0.7))
    return moments


def asked_blinks(wanted: Sequence[Blink], seconds: float, rng: np.random.Generator) -> list[BlinkShape]:
    """Blinks of a script; those that would not end within the clip's `seconds` are left out."""
    blinks = []
    for group in wanted:
        peak = group.time + (0.16 if group.slow else 0.08)
        for _ in range(group.count):
            blink = voluntary(peak, rng, group.slow)
            if blink.end <= seconds:
                blinks.append(blink)
            peak += rng.uniform(0.58, 0.68) if group.slow else rng.uniform(0.34, 0.44)
    return blinks


def coupled_times(head: Sequence[HeadEvent], gaze: Sequence[GazeEvent], rng: np.random.Generator) -> list[float]:
    """Moments of blinks that hide a gaze shift or a large turn of the head."""
    moments = [shift.onset + 0.08 for shift in gaze if rng.random() < 0.35 * shift.strength]
    for turn in head:
        if turn.kind in ("turn_left", "turn_right") and rng.random() < 0.5 * math.sqrt(turn.amplitude / 35.0):
            moments.append(turn.onset + 0.12)
    return moments


def unasked_blinks(
    moments: list[float],
    seconds: float,
    coefficients: Array,
    asked: list[BlinkShape],
    rng: np.random.Generator,
) -> list[BlinkShape]:
    """Blinks at those moments that a face leaves free.

    None comes near a blink that was asked for, and none while an eye is held wide or shut.

    Args:
        moments: when a blink would come.
        seconds: length of the clip.
        coefficients: (T, 52) without blinks.
        asked: blinks that were asked for.
        rng: draws each blink's shape.
    """
    held = coefficients[:, _LIDS].max(axis=1) > 0.25
    kept: list[BlinkShape] = []
    for moment in sorted(moments):
        blink = spontaneous(moment, rng)
        first, last = int(max(blink.onset - 0.1, 0.0) * FPS), int((blink.end + 0.1) * FPS) + 1
        near_asked = any(
            blink.onset < other.end + _MEANT_APART and other.onset < blink.end + _MEANT_APART for other in asked
        )
        too_soon = bool(kept) and blink.onset < kept[-1].end + 0.3
        outside = blink.onset < 0.0 or blink.end > seconds
        if not (outside or near_asked or too_soon or held[first:last].any()):
            kept.append(blink)
    return kept
