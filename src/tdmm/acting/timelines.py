"""A script as one line of text, everything with its seconds, and such a line as a script again.

``0.4-3.2 s: anxiety, strong; 1.0-2.3 s: nods twice; 3.8-4.7 s: looks to the right``
"""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from random import Random

from tdmm.acting.beats import end_of, items_of, onset_of
from tdmm.acting.brief import DEGREES, NO_EXPRESSION, is_empty, name_of
from tdmm.acting.clauses import Item, Manner, clause_of
from tdmm.acting.intensity_words import MIDDLES, level_of
from tdmm.acting.lexicon import load
from tdmm.acting.pronouns import NOBODY
from tdmm.acting.script import Blink, Event, Gaze, HeadMotion, Script
from tdmm.face.facs import Side
from tdmm.motion.events import GAZE_DIRECTIONS, HEAD_MOTIONS

_RISE, _FALL = 0.25, 0.3
"""Shares of an expression's time in which it rises and fades; a line gives its beginning and end alone."""

_PLAIN = MIDDLES["plain"]
_ENTRY = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?) s: (.+)")
_EXPRESSION = re.compile(rf"(.+?)(?: \((left|right)\))?, ({'|'.join(DEGREES.values())})")


def span_of(item: Item) -> str:
    """`0.4-3.2 s`."""
    return f"{onset_of(item):.1f}-{end_of(item):.1f} s"


def line_of(script: Script) -> str:
    """Everything in turn, with its seconds; "neutral" where there is nothing."""
    told = (f"{span_of(item)}: {_what(item)}" for item in items_of(script))
    return f"0.0-{script.seconds:.1f} s: {NO_EXPRESSION}" if is_empty(script) else "; ".join(told)


def script_of(line: str, seconds: float) -> Script:
    """What a line says, as far as it keeps to the form; the size of head motions and looks is left at plain.

    Args:
        line: as `line_of` writes it; a model may have written it. An entry that nothing is known by is left out.
        seconds: of the motion; what a line puts behind its end ends there.
    """
    events, head, gaze, blinks = list[Event](), list[HeadMotion](), list[Gaze](), list[Blink]()
    for entry in line.split("; "):
        read = _ENTRY.fullmatch(entry.strip())
        if not read:
            continue
        start = min(float(read[1]), max(seconds - 0.1, 0.0))
        end = min(max(float(read[2]), start + 0.1), max(seconds, start + 0.1))
        said = _EXPRESSION.fullmatch(read[3])
        item = _template(read[3])
        if said and (name := said[1].replace(" ", "_")) in load():
            events.append(_event(name, _DEGREE[said[3]], _SIDES[said[2]], start, end))
        elif isinstance(item, HeadMotion):
            head.append(item.model_copy(update={"onset": start, "end": end}))
        elif isinstance(item, Gaze):
            gaze.append(item.model_copy(update={"onset": start, "end": end}))
        elif isinstance(item, Blink):
            blinks.append(item.model_copy(update={"time": start}))
    return Script(seconds=seconds, events=tuple(events), head=tuple(head), gaze=tuple(gaze), blinks=tuple(blinks))


_SIDES: dict[str | None, Side] = {None: "both", "left": "left", "right": "right"}
_DEGREE = {word: MIDDLES[level] for level, word in DEGREES.items()}


def _event(name: str, intensity: float, side: Side, start: float, end: float) -> Event:
    length = end - start
    return Event(
        descriptor=name, intensity=intensity, side=side, onset=start, apex=start + _RISE * length,
        offset=end - _FALL * length, end=end,
    )  # fmt: skip


def _what(item: Item) -> str:
    if isinstance(item, Event):
        side = f" ({item.side})" if item.side != "both" else ""
        return f"{name_of(item)}{side}, {DEGREES[level_of(item.intensity)]}"
    manner = Manner(pronouns=NOBODY, details=isinstance(item, HeadMotion), phrasings=1)
    if isinstance(item, HeadMotion):  # its size belongs to another task
        item = item.model_copy(update={"intensity": _PLAIN})
    return clause_of(item, manner, Random(0)).finite(plural_subject=False)


def _template(what: str) -> Item | None:
    """A thing that is not an expression, by what `_what` says of it."""
    return _templates().get(what)


@cache
def _templates() -> dict[str, Item]:
    """Every thing that is not an expression, at no particular time."""
    items: list[Item] = [
        HeadMotion(kind=kind, intensity=_PLAIN, cycles=cycles, onset=0.0, end=0.6 * cycles)
        for kind, cycles in product(HEAD_MOTIONS, range(1, 11))
    ]
    items += [
        Gaze(direction=direction, intensity=_PLAIN, onset=0.0, end=end)
        for direction, end in product(GAZE_DIRECTIONS, (0.5, 1.5))
    ]
    items += [Blink(time=0.0, count=count, slow=slow) for count, slow in product(range(1, 11), (False, True))]
    # Reversed, so that of those that are told alike (one turn and two) the first stays.
    return {_what(item): item for item in reversed(items)}
