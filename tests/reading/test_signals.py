from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tdmm.reading.signals import Span, despiked, smoothed, spans_above, split_at_valleys, turning_points


def test_smoothing_keeps_a_constant_and_the_middle_of_three_frames() -> None:
    assert smoothed([0.4] * 5).tolist() == pytest.approx([0.4] * 5)
    assert smoothed([0, 0, 1, 1, 1, 0, 0])[3] == 1.0


def test_spikes_of_one_frame_go_and_plateaus_stay() -> None:
    assert despiked([0, 0, 1, 0, 0], 0.1).tolist() == [0, 0, 0, 0, 0]
    assert despiked([0, 0.5, 1, 0.5, 0], 0.1).tolist() == [0, 0.5, 1, 0.5, 0]


def test_hysteresis_needs_the_high_and_lasts_to_the_low_threshold() -> None:
    signal = np.array([0, 0.15, 0.3, 0.15, 0, 0.15, 0.15, 0, 0.5])
    assert spans_above(signal, 0.2, 0.1) == [Span(1, 4), Span(8, 9)]
    assert spans_above(signal, 0.2, 0.1, gap=1) == [Span(1, 9)]


def test_a_span_splits_at_a_deep_valley_only() -> None:
    signal = np.array([0.2, 0.8, 0.3, 0.7, 0.6, 0.7, 0.2])
    assert split_at_valleys(signal, Span(0, 7), 0.5, 0.2) == [Span(0, 2), Span(2, 7)]


def test_turning_points_of_a_sine() -> None:
    signal = 5 * np.sin(2 * np.pi * np.arange(101) / 50)
    points = turning_points(signal, 2.0)
    assert points[0] == 0
    assert points[-1] == 100
    assert [round(float(signal[point])) for point in points[-5:-1]] == [5, -5, 5, -5]


@given(arrays(np.float64, st.integers(1, 80), elements=st.floats(-20, 20)), st.floats(0.1, 10))
def test_turning_points_alternate_and_swing_enough(signal: np.ndarray, swing: float) -> None:
    points = turning_points(signal, swing)
    assert points == sorted(set(points))
    inner = np.diff(signal[points[1:-1]])
    assert (np.abs(inner) >= swing - 1e-9).all()
    assert (np.sign(inner[1:]) == -np.sign(inner[:-1])).all()
