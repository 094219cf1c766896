"""Faces that are far away are found in parts of the picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdmm.corpus.tracking.closer import Closer
from tdmm.corpus.tracking.sighting import Sighting

Picture = npt.NDArray[np.uint8]


class Shortsighted:
    """Sees squares of one colour that are whole and at least an eighth of what it is shown."""

    name = "shortsighted"

    def __init__(self, ghosts: int = 0) -> None:
        self.asked, self.closed = 0, False
        self._ghosts = ghosts

    def faces(self, rgb: Picture, seconds: float) -> list[Sighting]:
        self.asked += 1
        found = []
        for colour in np.unique(rgb[..., 0])[1:]:
            rows, columns = np.nonzero(rgb[..., 0] == colour)
            box = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            whole = (box[2] - box[0]) == (box[3] - box[1]) == rgb[..., 1].max()
            if whole and box[2] - box[0] >= max(rgb.shape[:2]) / 8:
                found.append(sighting(*box))
        if self._ghosts == rgb.shape[1]:
            found.append(sighting(40, 40, 80, 80))
        return found

    def close(self) -> None:
        self.closed = True


def sighting(left: float, top: float, right: float, bottom: float) -> Sighting:
    across = np.stack([np.linspace(left, right, 478), np.linspace(top, bottom, 478), np.zeros(478)], 1)
    return Sighting(across.astype(np.float32))


def picture(*places: tuple[int, int], side: int = 48, size: tuple[int, int] = (640, 480)) -> Picture:
    drawn = np.zeros((size[1], size[0], 3), np.uint8)
    for number, (left, top) in enumerate(places):
        drawn[top : top + side, left : left + side, :2] = number + 1, side
    return drawn


def closer(faces: int = 2, every: float = 0.5) -> Closer:
    return Closer(Shortsighted(), Shortsighted, faces, every)


def test_a_face_that_is_far_away_is_followed() -> None:
    tracker = closer()
    for number in range(30):
        left = 100 + 12 * number
        shown = picture((left, 300))
        assert Shortsighted().faces(shown, 0.0) == []
        (face,) = tracker.faces(shown, number / 25)
        assert face.box == pytest.approx((left, 300, left + 48, 348), abs=0.01)


@given(st.data(), st.sampled_from([(640, 480), (270, 481), (1280, 300), (333, 333)]))
def test_it_is_found_wherever_it_is(data: st.DataObject, size: tuple[int, int]) -> None:
    side = data.draw(st.integers(max(33, max(size) // 16 + 1), max(size) // 6))
    left = data.draw(st.integers(0, size[0] - side))
    top = data.draw(st.integers(0, size[1] - side))
    (face,) = closer().faces(picture((left, top), side=side, size=size), 0.0)
    assert face.box == pytest.approx((left, top, left + side, top + side), abs=0.01)


def test_who_is_near_costs_no_second_look() -> None:
    def never() -> Shortsighted:
        raise AssertionError("no second tracker is needed")

    tracker = Closer(Shortsighted(), never, 2, 0.5)
    for number in range(20):
        assert len(tracker.faces(picture((100, 100), side=200), number / 25)) == 1


def test_where_nobody_is_the_picture_is_searched_now_and_then() -> None:
    parts = Shortsighted()
    tracker = Closer(Shortsighted(), lambda: parts, 2, 0.5)
    asked = []
    for number in range(27):
        assert tracker.faces(picture(), number / 25) == []
        asked.append(parts.asked)
    assert [int(each) for each in np.flatnonzero(np.diff([0, *asked]))] == [0, 13, 26]
    tracker.close()
    assert parts.closed


def test_who_is_not_seen_for_a_picture_is_looked_for_where_they_were() -> None:
    tracker = closer()
    shown = [picture((200, 200)), picture(), picture((204, 200))]
    assert [len(tracker.faces(each, number / 25)) for number, each in enumerate(shown)] == [1, 0, 1]


def test_of_a_crowd_no_more_are_told_than_are_asked_for() -> None:
    places = [(20 + 60 * (number % 10), 20 + 60 * (number // 10)) for number in range(50)]
    for wanted in (8, 100):
        found = closer(faces=wanted).faces(picture(*places), 0.0)
        assert len({face.box for face in found}) == len(found) == min(wanted, 50)


def test_what_a_second_look_does_not_show_is_nobody() -> None:
    tracker = Closer(Shortsighted(), lambda: Shortsighted(ghosts=320), 2, 0.5)
    assert tracker.faces(picture(), 0.0) == []
