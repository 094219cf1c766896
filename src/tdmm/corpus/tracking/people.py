"""Whose face is whose: sightings of many pictures, put together to people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from tdmm.corpus.tracking.sighting import Sighting
from tdmm.errors import InvalidInput

Which = Literal["largest", "all"] | int
"""The person with the largest face over time, all people, or the one of that place among them, 1 the largest."""

SAME = 0.2
"""Overlap of two boxes (intersection over union) above which they are one face, a picture apart."""
_LOST = 1.0
"""Seconds after which a face that comes back is looked for by its size alone, not where it was."""
_ALIKE = 1.6
"""Ratio of sizes up to which a face that comes back may be the one that went."""


@dataclass
class Person:
    """One face through a video.

    Attributes:
        sightings: picture number to what was seen there.
    """

    sightings: dict[int, Sighting] = field(default_factory=dict)

    @property
    def presence(self) -> float:
        """Pixels of its size, summed over pictures: how much of the video is its."""
        return sum(each.size for each in self.sightings.values())


def people(seen: Sequence[Sequence[Sighting]], seconds: Sequence[float]) -> list[Person]:
    """Put sightings together, the person that fills most of the video first.

    A face is the one that it overlaps in the picture before. One that comes where nobody is, after a gap or a cut, is
    the person that went last, if it is about as large; two people in one picture are never one.

    Args:
        seen: of each picture, the faces in it.
        seconds: of each picture.
    """
    found: list[Person] = []
    last: dict[int, tuple[int, Sighting]] = {}
    for picture, sightings in enumerate(seen):
        free = set(range(len(found)))
        left: list[Sighting] = []
        for sighting in sorted(sightings, key=lambda each: -each.size):
            near = [
                (overlap(sighting.box, last[who][1].box), who)
                for who in free
                if seconds[picture] - seconds[last[who][0]] <= _LOST
            ]
            best, who = max(near, default=(0.0, -1))
            if best < SAME:
                left.append(sighting)
                continue
            free.discard(who)
            found[who].sightings[picture] = sighting
            last[who] = picture, sighting
        for sighting in left:
            gone = [who for who in free if 1 / _ALIKE < sighting.size / last[who][1].size < _ALIKE]
            if gone:
                who = max(gone, key=lambda each: last[each][0])
                free.discard(who)
            else:
                found.append(Person())
                who = len(found) - 1
            found[who].sightings[picture] = sighting
            last[who] = picture, sighting
    return sorted(found, key=lambda person: -person.presence)


def chosen(found: Sequence[Person], which: Which) -> list[Person]:
    """The people that are asked for.

    Raises:
        InvalidInput: there are fewer.
    """
    if which == "all":
        return list(found)
    place = 1 if which == "largest" else which
    if not 1 <= place <= len(found):
        raise InvalidInput(f"--face {which}: this video shows {len(found)} face(s); give a number from 1 to that.")
    return [found[place - 1]]


def overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Intersection over union of two boxes (left, top, right, bottom)."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    shared = width * height
    return shared / (sum(areas) - shared)
