"""A part of a clip, as recordings are cut: it may begin and end in the midst of what a face does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tdmm.acting.beats import end_of, items_of, onset_of
from tdmm.acting.clauses import Item
from tdmm.acting.lexicon import load
from tdmm.acting.script import Blink, Event, Gaze, HeadMotion, Script
from tdmm.motion.clip import FPS

_SEEN = 0.4
"""Seconds for which what is cut has to be in full sight, so that it can be told."""
_UNSEEN = 0.1
"""Seconds of a beginning or an end that nobody would notice."""
_TURNED = 0.2
"""Seconds that eyes take to look somewhere."""
_SHORTEST = 1.2
_STEADY = 0.8
"""Seconds for which an expression has to be held, to be seen held for longer."""
_LONGEST_HOLD = 6.0
_TRIES = 8
_MOMENTS = ("onset", "apex", "offset", "end", "time")


@dataclass(frozen=True)
class Excerpt:
    """A part of a clip.

    Attributes:
        start, end: seconds of the clip.
        script: what happens between; its seconds are counted from `start`. Where it lasts longer than that, what is
            between goes forth and back.
    """

    start: float
    end: float
    script: Script

    @property
    def frames(self) -> npt.NDArray[np.int64]:
        """(T,) places in the clip, at 25 a second."""
        there = np.arange(round(self.start * FPS), round(self.end * FPS))
        if self.script.seconds <= self.end - self.start:
            return there
        return np.resize(np.concatenate([there, there[-2:0:-1]]), round(self.script.seconds * FPS))


def drawn_excerpt(script: Script, draw: np.random.Generator) -> Excerpt | None:
    """A part that begins, ends or does both while an expression is held; None where none was found.

    At least 1.2 s long, with an expression.
    """
    held = [(event.apex, event.offset) for event in script.events if event.offset - event.apex >= _SEEN]
    for _ in range(_TRIES if held else 0):
        start, end = sorted(draw.uniform(*held[int(draw.integers(len(held)))]) for _ in range(2))
        edges = draw.choice(["start", "end", "both"])
        start, end = (0.0 if edges == "end" else start), (script.seconds if edges == "start" else end)
        left = excerpt(script, start, end) if end - start >= _SHORTEST else None
        if left is not None and left.events:
            return Excerpt(start, end, left)
    return None


def drawn_hold(script: Script, draw: np.random.Generator) -> Excerpt | None:
    """One expression, held for longer than it was, and nothing beside it; None where a script has none such.

    2 to 6 s, as of a recording that begins and ends while a face keeps its expression.
    """
    long = [event for event in script.events if event.offset - event.apex >= _STEADY]
    for place in draw.permutation(len(long)):
        event = long[place]
        left = excerpt(script, event.apex, event.offset)
        if left is None or len(left.events) != 1 or left.head or left.gaze or left.blinks:
            continue
        seconds = float(draw.uniform(max(2.0, left.seconds), max(_LONGEST_HOLD, left.seconds)))
        held = left.events[0].model_copy(update={"offset": seconds, "end": seconds})
        return Excerpt(event.apex, event.offset, left.model_copy(update={"seconds": seconds, "events": (held,)}))
    return None


def excerpt(script: Script, start: float, end: float) -> Script | None:
    """What a script has between two moments; None where a cut goes through something that could not be told then.

    An expression that is cut has to be at its height, and a look to last, for 0.4 s of what is left. A head motion, a
    blink, and an expression to which a head motion belongs (a bow to shame), are left as a whole or not at all.

    Args:
        script: of the whole clip.
        start, end: seconds of the clip.

    Raises:
        ValueError: they are not within it.
    """
    if not 0 <= start < end <= script.seconds:
        raise ValueError(f"{start} to {end} s is no part of a clip of {script.seconds} s")
    items = [item for item in items_of(script) if end_of(item) > start + _UNSEEN and onset_of(item) < end - _UNSEEN]
    if not all(_told(item, start, end) for item in items):
        return None
    left = [_counted_from(item, start, end) for item in items]
    return Script(
        seconds=end - start,
        subject=script.subject,
        energy=script.energy,
        events=tuple(item for item in left if isinstance(item, Event)),
        head=tuple(item for item in left if isinstance(item, HeadMotion)),
        gaze=tuple(item for item in left if isinstance(item, Gaze)),
        blinks=tuple(item for item in left if isinstance(item, Blink)),
    )


def _told(item: Item, start: float, end: float) -> bool:
    if start <= onset_of(item) and end_of(item) <= end:
        return True
    if isinstance(item, Event) and not load().get(item.descriptor).head:
        risen = start <= item.onset or item.apex <= start
        return risen and min(item.offset, end) - max(item.apex, start) >= _SEEN
    return isinstance(item, Gaze) and min(item.end, end) - max(item.onset + _TURNED, start) >= _SEEN


def _counted_from(item: Item, start: float, end: float) -> Item:
    moments = {name: getattr(item, name) for name in _MOMENTS if hasattr(item, name)}
    return item.model_copy(update={name: min(max(each, start), end) - start for name, each in moments.items()})
