from __future__ import annotations

import numpy as np
import pytest

from tdmm.corpus.embedding import tsne


def test_groups_stay_apart_and_neighbours_stay_near() -> None:
    draw = np.random.default_rng(0)
    centres = draw.normal(0, 4, (5, 20))
    groups = np.repeat(np.arange(5), 30)
    places = tsne(centres[groups] + draw.normal(0, 1, (150, 20)), perplexity=15, steps=250)
    distances = np.linalg.norm(places[:, None] - places, axis=-1)
    np.fill_diagonal(distances, np.inf)
    assert (groups[distances.argmin(1)] == groups).mean() > 0.97
    assert np.isfinite(places).all()


def test_the_same_seed_gives_the_same_map_and_still_columns_do_no_harm() -> None:
    points = np.hstack([np.random.default_rng(1).normal(size=(12, 3)), np.ones((12, 2))])
    first = tsne(points, steps=50)
    assert first.shape == (12, 2)
    assert np.array_equal(first, tsne(points, steps=50))
    assert not np.array_equal(first, tsne(points, steps=50, seed=1))
    with pytest.raises(ValueError, match="at least 4"):
        tsne(points[:3])
