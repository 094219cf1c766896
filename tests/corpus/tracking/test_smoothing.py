from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tdmm.corpus.tracking.smoothing import ANGLES, COEFFICIENTS, DEPTH, LIDS, smoothed


def blink() -> np.ndarray:
    """Four frames shut, at 25 fps."""
    curve = np.zeros(60)
    curve[28:34] = 0.3, 0.9, 1.0, 0.9, 0.5, 0.2
    return curve[:, None]


def test_a_blink_stays_a_blink() -> None:
    out = smoothed(blink(), 25, LIDS)[:, 0]
    assert out.max() > 0.85
    assert abs(int(out.argmax()) - 30) <= 1
    assert out[:24].max() < 0.05


def test_jitter_goes() -> None:
    noise = np.random.default_rng(0).normal(0, 0.02, (400, 1))
    for how, share in ((COEFFICIENTS, 0.6), (ANGLES, 0.6), (DEPTH, 0.3)):
        left = np.abs(np.diff(smoothed(noise, 25, how), axis=0)).mean() / np.abs(np.diff(noise, axis=0)).mean()
        assert left < share


def test_nothing_comes_late() -> None:
    bump = np.exp(-(((np.arange(100) - 50) / 8) ** 2))[:, None]
    assert abs(int(smoothed(bump, 25, COEFFICIENTS)[:, 0].argmax()) - 50) <= 1


@given(arrays(np.float64, st.tuples(st.integers(1, 40), st.just(2)), elements=st.floats(-1, 1)))
def test_it_stays_within_what_was_there(values: np.ndarray) -> None:
    out = smoothed(values, 25, COEFFICIENTS)
    assert (out <= values.max(0) + 1e-9).all()
    assert (out >= values.min(0) - 1e-9).all()


def test_what_is_still_stays() -> None:
    still = np.full((30, 1), 0.4)
    assert smoothed(still, 25, LIDS) == pytest.approx(still)


def test_backwards_is_the_same() -> None:
    values = np.random.default_rng(1).random((50, 1))
    assert smoothed(values[::-1], 25, COEFFICIENTS)[::-1] == pytest.approx(smoothed(values, 25, COEFFICIENTS))
