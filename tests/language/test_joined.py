from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tdmm.language.joined import Joined


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(0, 26), st.integers(0, 26))
def test_it_reads_as_the_one_array_would(lengths: list[int], first: int, last: int) -> None:
    parts = [np.arange(3 * length).reshape(length, 3) + 100 * number for number, length in enumerate(lengths)]
    joined, whole = Joined(parts), np.concatenate(parts)
    assert len(joined) == len(whole)
    assert joined.shape == whole.shape
    assert np.array_equal(joined[first:last], whole[first:last])
    assert np.array_equal(joined[:last], whole[:last])


def test_what_lies_in_one_part_is_not_copied() -> None:
    parts = [np.zeros((5, 2)), np.ones((4, 2))]
    assert np.shares_memory(Joined(parts)[6:8], parts[1])
