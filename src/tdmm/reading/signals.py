"""Small signal processing for the reader: smoothing, spans above a threshold, turning points.

Everything works on one signal (T,) at 25 frames a second and needs numpy alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Span:
    """Frames `start` to `stop`, the last one excluded."""

    start: int
    stop: int

    @property
    def frames(self) -> int:
        """How many frames it has."""
        return self.stop - self.start

    def overlap(self, other: Span) -> int:
        """Frames that both have."""
        return max(0, min(self.stop, other.stop) - max(self.start, other.start))


def smoothed(values: npt.ArrayLike, passes: int = 1) -> Signal:
    """Smooth (T,) or (T, C) with the kernel 1/4 1/2 1/4, ends repeated.

    One pass halves white noise's variance and more, and leaves the middle of a plateau of three frames as
    it was, so that a micro-expression survives it.
    """
    signal = np.asarray(values, np.float64)
    for _ in range(passes):
        padded = np.concatenate([signal[:1], signal, signal[-1:]])
        signal = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
    return signal


def despiked(values: npt.ArrayLike, rest: float) -> Signal:
    """Replace single frames that stand out between neighbours at rest (below `rest`) by the neighbours' mean.

    No face does anything in one frame of 40 ms; trackers do.
    """
    signal = np.asarray(values, np.float64).copy()
    if signal.size < 3:
        return signal
    before, here, after = signal[:-2], signal[1:-1], signal[2:]
    spike = (before < rest) & (after < rest) & (here >= 2 * rest)
    here[spike] = 0.5 * (before + after)[spike]
    return signal


def spans_above(signal: Signal, high: float, low: float, gap: int = 0) -> list[Span]:
    """Spans in which the signal stays above `low` and reaches `high` at least once (hysteresis).

    Args:
        gap: spans with at most so many frames between them become one.
    """
    above = np.concatenate([[False], signal > low, [False]])
    edges = np.flatnonzero(above[1:] != above[:-1])
    joined: list[Span] = []
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if joined and start - joined[-1].stop <= gap:
            joined[-1] = Span(joined[-1].start, stop)
        else:
            joined.append(Span(start, stop))
    return [span for span in joined if signal[span.start : span.stop].max() >= high]


def split_at_valleys(signal: Signal, span: Span, depth: float, high: float) -> list[Span]:
    """Cut a span where the signal falls to less than `depth` times the lower of the peaks on either side.

    A breathing hold stays whole; two performances that touch come apart.

    Args:
        depth: 0 to 1; smaller cuts less often.
        high: both peaks must reach this.
    """
    inside = signal[span.start : span.stop]
    if inside.size < 5:
        return [span]
    peaks_before = np.maximum.accumulate(inside)
    peaks_after = np.maximum.accumulate(inside[::-1])[::-1]
    lower_peak = np.minimum(peaks_before, peaks_after)
    deep = (inside < depth * lower_peak) & (lower_peak >= high)
    if not deep.any():
        return [span]
    valley = span.start + int(np.argmax(np.where(deep, lower_peak - inside, -np.inf)))
    left, right = Span(span.start, valley), Span(valley, span.stop)
    return split_at_valleys(signal, left, depth, high) + split_at_valleys(signal, right, depth, high)


def turning_points(signal: Signal, swing: float) -> list[int]:
    """Frames where the signal turns round, alternately maxima and minima, each swing at least `swing` high.

    The first and the last frame are included, so that consecutive points bound every swing of the signal.
    """
    if signal.size == 0:
        return []
    points = [0]
    highest = lowest = 0
    direction = 0
    for frame in range(1, signal.size):
        value = signal[frame]
        if direction >= 0 and value > signal[highest]:
            highest = frame
        if direction <= 0 and value < signal[lowest]:
            lowest = frame
        if direction >= 0 and signal[highest] - value >= swing:
            if highest != points[-1]:
                points.append(highest)
            direction, lowest = -1, frame
        elif direction <= 0 and value - signal[lowest] >= swing:
            if lowest != points[-1]:
                points.append(lowest)
            direction, highest = 1, frame
    last = signal.size - 1
    candidate = highest if direction > 0 else lowest if direction < 0 else last
    if candidate not in (points[-1], last) and abs(signal[candidate] - signal[points[-1]]) >= swing:
        points.append(candidate)
    if points[-1] != last:
        points.append(last)
    return points
