"""The bounded solver against scipy's."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tdmm.face.bounded import solve_bounded


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_finds_what_scipy_finds(seed: int, size: int) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(seed)
    tall = rng.normal(size=(3, size + 4, size))
    aims = rng.normal(size=(3, size + 4)) * 2
    start = rng.random((3, size))
    matrix = torch.from_numpy(np.einsum("nab,nac->nbc", tall, tall))
    wanted = torch.from_numpy(np.einsum("nab,na->nb", tall, aims))
    found = solve_bounded(matrix, wanted, torch.from_numpy(start), sweeps=2000).numpy()
    for one, aim, mine in zip(tall, aims, found, strict=True):
        best = optimize.lsq_linear(one, aim, bounds=(0, 1), tol=1e-12).x
        assert mine.min() >= 0
        assert mine.max() <= 1
        cost, least = (float(np.square(one @ each - aim).sum()) for each in (mine, best))
        assert cost <= least + 1e-3 * max(1.0, least)


def test_keeps_its_start_as_it_was() -> None:
    start = torch.full((1, 2), 0.5)
    solve_bounded(torch.eye(2)[None], torch.tensor([[2.0, -1.0]]), start)
    assert start.tolist() == [[0.5, 0.5]]


def test_goes_to_the_bounds() -> None:
    found = solve_bounded(torch.eye(3)[None], torch.tensor([[2.0, -1.0, 0.25]]), torch.zeros(1, 3))
    assert found.tolist() == [[1.0, 0.0, 0.25]]
