from __future__ import annotations

import numpy as np
import pytest

from tdmm.corpus.tracking.people import chosen, overlap, people
from tdmm.corpus.tracking.sighting import LANDMARKS, Sighting
from tdmm.errors import InvalidInput


def face(x: float, y: float, size: float) -> Sighting:
    places = np.random.default_rng(0).random((LANDMARKS, 3))
    places[0], places[1] = 0.0, 1.0
    return Sighting((places * size + [x, y, 0]).astype(np.float32))


def seconds(count: int) -> list[float]:
    return [frame / 25 for frame in range(count)]


def test_two_who_move_stay_two() -> None:
    seen = [[face(10 + 2 * t, 10, 60), face(200 - 2 * t, 20, 40)] for t in range(20)]
    found = people([list(reversed(each)) if t % 2 else each for t, each in enumerate(seen)], seconds(20))
    assert [len(person.sightings) for person in found] == [20, 20]
    assert found[0].sightings[19].box[0] == pytest.approx(48)
    assert found[1].sightings[19].box[0] == pytest.approx(162)


def test_the_largest_over_time_comes_first() -> None:
    seen = [[face(10, 10, 50)] for _ in range(30)] + [[face(10, 10, 50), face(100, 10, 90)] for _ in range(5)]
    assert len(people(seen, seconds(35))[0].sightings) == 35


def test_who_leaves_and_comes_back_is_the_same() -> None:
    seen = [[face(10, 10, 60)]] * 10 + [[]] * 60 + [[face(180, 40, 55)]] * 10
    found = people(seen, seconds(80))
    assert len(found) == 1
    assert sorted(found[0].sightings) == [*range(10), *range(70, 80)]


def test_who_comes_back_much_larger_is_somebody_else() -> None:
    seen = [[face(10, 10, 30)]] * 10 + [[face(180, 40, 120)]] * 10
    assert len(people(seen, seconds(20))) == 2


def test_the_one_asked_for() -> None:
    found = people([[face(10, 10, 60), face(200, 20, 40)]], [0.0])
    assert chosen(found, "all") == found
    assert chosen(found, "largest") == [found[0]]
    assert chosen(found, 2) == [found[1]]
    with pytest.raises(InvalidInput, match=r"shows 2 face\(s\)"):
        chosen(found, 3)


def test_nobody_is_nobody() -> None:
    assert people([[], []], [0.0, 0.04]) == []


def test_overlap_of_boxes() -> None:
    assert overlap((0, 0, 2, 2), (0, 0, 2, 2)) == 1
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 1, 1), (1, 1, 2, 2)) == 0
