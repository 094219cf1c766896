"""Whether a script can be acted at all: times in order and inside the clip, nothing against itself. And how one that
nobody wrote is made so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise

from tdmm.acting.lexicon import load
from tdmm.acting.script import MOMENTS, Event, Gaze, HeadMotion, Lasting, Script
from tdmm.errors import InvalidScript, did_you_mean
from tdmm.motion.events import HeadMotionKind

_SLACK = 1e-6

_OPPOSITES: tuple[frozenset[HeadMotionKind], ...] = (
    frozenset({"turn_left", "turn_right"}),
    frozenset({"tilt_left", "tilt_right"}),
    frozenset({"bow", "raise"}),
    frozenset({"lean_forward", "lean_back"}),
    frozenset({"lean_forward", "recoil"}),
)


def check_coherence(script: Script, where: str = "script") -> None:
    """Refuse a script that no face can act.

    Args:
        script: what to check.
        where: names the script in messages (a file).

    Raises:
        InvalidScript: an unknown descriptor; times out of order or beyond the clip; the same descriptor
            twice at once on one side; the head or the eyes two ways at once.
    """
    for event in script.events:
        _check_event(event, script.seconds, where)
    for motion in script.head:
        _check_times(motion.kind, (motion.onset, motion.end), script.seconds, where)
    for gaze in script.gaze:
        _check_times(f"look {gaze.direction}", (gaze.onset, gaze.end), script.seconds, where)
    for blink in script.blinks:
        _check_times("blink", (blink.time,), script.seconds, where)
    for first, second in combinations(script.events, 2):
        if _same(first, second) and _overlap(first, second):
            raise InvalidScript(
                f"{where}: '{first.descriptor}' is asked for twice at once, from {first.onset:g} s and from "
                f"{second.onset:g} s. Let the first end before the second, or remove one."
            )
    for one, other in combinations(script.head, 2):
        if _overlap(one, other) and _at_odds(one, other):
            raise InvalidScript(
                f"{where}: the head cannot do '{one.kind}' (from {one.onset:g} s) and '{other.kind}' (from "
                f"{other.onset:g} s) at once. Move one of them."
            )
    for look, another in combinations(script.gaze, 2):
        if _overlap(look, another):
            raise InvalidScript(
                f"{where}: the eyes cannot look {look.direction} (from {look.onset:g} s) and {another.direction} "
                f"(from {another.onset:g} s) at once. Move one of them."
            )


def coherent(script: Script) -> Script:
    """A script that was read from a motion, so that `check_coherence` has nothing to refuse.

    Head motions and looks that cannot be at once follow one another: the earlier ends where the later begins, and is
    left out when it would have no length. The same expression twice at once is one that lasts as long as both. What has
    no length gets some, and nothing goes on beyond the clip.
    """
    return script.model_copy(
        update={
            "events": _merged([_lasting(event, script.seconds) for event in script.events]),
            "head": _one_by_one([_lasting(motion, script.seconds) for motion in script.head], _at_odds),
            "gaze": _one_by_one([_lasting(look, script.seconds) for look in script.gaze], _two_ways),
            "blinks": tuple(blink for blink in script.blinks if blink.time <= script.seconds),
        }
    )


_LEAST = 0.1
"""Seconds: what is shorter is no motion of a head, no look and no expression."""


def _lasting(part: Lasting, seconds: float) -> Lasting:
    """The same, of some length and within a clip."""
    latest = max(0.0, seconds - _LEAST)
    onset = min(part.onset, latest)
    end = max(min(part.end, seconds), min(onset + _LEAST, seconds))
    if (onset, end) == (part.onset, part.end):
        return part
    between = {name: min(max(getattr(part, name), onset), end) for name in MOMENTS if hasattr(part, name)}
    return part.model_copy(update={**between, "onset": onset, "end": end})


def _one_by_one(parts: Sequence[Lasting], at_odds: Callable[[Lasting, Lasting], bool]) -> tuple[Lasting, ...]:
    kept: list[Lasting] = []
    for part in sorted(parts, key=lambda each: each.onset):
        for place, other in enumerate(kept):
            if _overlap(other, part) and at_odds(other, part):
                kept[place] = other.model_copy(update={"end": part.onset})
        kept = [other for other in kept if other.end - other.onset >= _LEAST - _SLACK]
        kept.append(part)
    return tuple(kept)


def _merged(events: Sequence[Event]) -> tuple[Event, ...]:
    kept: list[Event] = []
    for event in sorted(events, key=lambda each: each.onset):
        # Two that became one last longer, perhaps on both sides, and may meet another that neither met.
        while other := next((each for each in kept if _same(each, event) and _overlap(each, event)), None):
            kept.remove(other)
            event = _as_one(*sorted((other, event), key=lambda each: each.onset))
        kept.append(event)
    return tuple(sorted(kept, key=lambda each: each.onset))


def _as_one(first: Event, second: Event) -> Event:
    return first.model_copy(
        update={
            "offset": max(first.offset, second.offset),
            "end": max(first.end, second.end),
            "intensity": max(first.intensity, second.intensity),
            "side": first.side if first.side == second.side else "both",
        }
    )


def _same(first: Event, second: Event) -> bool:
    return first.descriptor == second.descriptor and (first.side == second.side or "both" in (first.side, second.side))


def _at_odds(one: HeadMotion, other: HeadMotion) -> bool:
    return one.kind == other.kind or frozenset({one.kind, other.kind}) in _OPPOSITES


def _two_ways(*_: Gaze) -> bool:
    return True


def _check_event(event: Event, seconds: float, where: str) -> None:
    if event.descriptor not in load():
        raise InvalidScript(
            f"{where}: unknown descriptor '{event.descriptor}'.{did_you_mean(event.descriptor, load().descriptors)} "
            "`tdmm lexicon` lists them."
        )
    _check_times(event.descriptor, (event.onset, event.apex, event.offset, event.end), seconds, where)


def _check_times(name: str, times: tuple[float, ...], seconds: float, where: str) -> None:
    if any(later < earlier - _SLACK for earlier, later in pairwise(times)):
        raise InvalidScript(f"{where}: the times of '{name}' run backwards: {', '.join(f'{t:g}' for t in times)} s.")
    if len(times) > 1 and times[-1] - times[0] < _SLACK:
        raise InvalidScript(f"{where}: '{name}' at {times[0]:g} s has no length.")
    if times[-1] > seconds + _SLACK:
        raise InvalidScript(f"{where}: '{name}' ends at {times[-1]:g} s, after the script's {seconds:g} s.")


def _overlap(first: Event | HeadMotion | Gaze, second: Event | HeadMotion | Gaze) -> bool:
    return first.onset < second.end - _SLACK and second.onset < first.end - _SLACK
