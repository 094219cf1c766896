"""Whether a script can be acted at all: times in order and inside the clip, nothing against itself."""

from __future__ import annotations

from itertools import combinations, pairwise

from tdmm.acting.lexicon import load
from tdmm.acting.script import Event, Gaze, HeadMotion, Script
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
        same_side = first.side == second.side or "both" in (first.side, second.side)
        if first.descriptor == second.descriptor and same_side and _overlap(first, second):
            raise InvalidScript(
                f"{where}: '{first.descriptor}' is asked for twice at once, from {first.onset:g} s and from "
                f"{second.onset:g} s. Let the first end before the second, or remove one."
            )
    for one, other in combinations(script.head, 2):
        if _overlap(one, other) and (one.kind == other.kind or frozenset({one.kind, other.kind}) in _OPPOSITES):
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
