"""The actor: a script becomes a motion, and the truth of what was acted.

No learned weights and nothing but numpy; the same script and seed give the same motion. Another seed is
another take: which optional actions take part, how strong, how staggered, when the face blinks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from tdmm.acting.blinks import (
    BlinkShape,
    asked_blinks,
    coupled_times,
    spontaneous_times,
    unasked_blinks,
)
from tdmm.acting.contributions import Contribution, acted_events, contributions
from tdmm.acting.envelope import Array, smooth_maximum
from tdmm.acting.gaze import look, to_channels
from tdmm.acting.gesture import CYCLIC, Gesture, gesture, in_si
from tdmm.acting.idle import TEMPERS, sway
from tdmm.acting.lexicon import Descriptor, load
from tdmm.acting.script import Blink, Event, Gaze, HeadMotion, Script
from tdmm.errors import InvalidScript
from tdmm.face.channels import ARKIT, INDEX
from tdmm.motion.clip import FPS, FaceMotion
from tdmm.motion.events import BlinkEvent, GazeDirection, GazeEvent, HeadEvent, HeadMotionKind, MotionEvents

BLINK_SECONDS = 0.5
"""A closing and opening of the lids shorter than this is a blink (or a wink), a longer one is an action."""

_EVENTS, _HEAD, _GAZE, _BLINKS, _SWAY = range(5)  # streams of chance: adding a nod leaves the smile as it was
_BLINK_COLUMNS = (INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"])


@dataclass(frozen=True)
class Performance:
    """A motion, and what really happens in it.

    Attributes:
        motion: as acted.
        events: all that happens.
        asked: the same without the blinks that nobody asked for.
    """

    motion: FaceMotion
    events: MotionEvents
    asked: MotionEvents


def perform(script: Script, seed: int) -> Performance:
    """Act a script at 25 frames a second.

    Args:
        script: what to do and when.
        seed: which take; the same seed gives the same motion.

    Returns:
        A motion on the `arkit` rig with coefficients in [0, 1], and its events. A closure of the lids
        shorter than half a second is among the blinks, whoever asked for it; spontaneous blinks are too.

    Raises:
        InvalidScript: an event whose times run backwards, or that starts after the clip's end.
        UnknownName: a descriptor that the lexicon does not have.
    """
    _require_order(script)
    temper = TEMPERS[script.energy]
    frames = max(1, round(script.seconds * FPS))
    times = np.arange(frames) / FPS
    known = [(event, load().get(event.descriptor)) for event in script.events]

    parts = [
        part
        for index, (event, descriptor) in enumerate(known)
        for part in contributions(event, descriptor, temper, _stream(seed, _EVENTS, index))
    ]
    coefficients = _compose(parts, times)

    gestures = _gestures(_motions(script, known), times, seed)
    scripted_head = sum((each.curve for each in gestures), np.zeros((frames, 6)))
    head_events = tuple(sorted((each.event for each in gestures), key=lambda event: event.onset))
    place, gaze_events = look(
        _gazes(script, known), head_events, scripted_head, times, _stream(seed, _GAZE), temper.fixation
    )
    to_channels(place, coefficients)

    # The truth about actions is read off before blinks share their channels.
    actions = acted_events(parts, coefficients, times)
    asked, own = (
        [blink for blink in blinks if blink.peak <= times[-1] and not _shut(blink, parts)]
        for blinks in _blinks(script, known, coefficients, head_events, gaze_events, seed)
    )
    for blink in [*asked, *own]:
        for column in _BLINK_COLUMNS:
            coefficients[:, column] = smooth_maximum([coefficients[:, column], blink.curve(times)])

    rotation, translation = sway(times, _stream(seed, _SWAY), temper.sway)
    acted_rotation, acted_translation = in_si(scripted_head)
    motion = FaceMotion(
        channels=ARKIT,
        expression=np.clip(coefficients, 0.0, 1.0).astype(np.float32),
        head=(rotation + acted_rotation).astype(np.float32),
        translation=(translation + acted_translation).astype(np.float32),
        fps=FPS,
        provenance={"by": "actor", "seed": seed, "script": script.model_dump(mode="json")},
    )
    brief = [each for each in actions if each.action == "eye_closure" and each.end - each.onset < BLINK_SECONDS]
    shown = [blink.event(times) for blink in asked]
    shown += [BlinkEvent(each.onset, each.end - each.onset, each.strength, each.side) for each in brief]
    wanted = MotionEvents(
        actions=tuple(each for each in actions if each not in brief),
        head=head_events,
        gaze=tuple(gaze_events),
        blinks=_in_time(shown),
    )
    return Performance(
        motion, replace(wanted, blinks=_in_time([*shown, *(blink.event(times) for blink in own)])), wanted
    )


def _in_time(blinks: Sequence[BlinkEvent]) -> tuple[BlinkEvent, ...]:
    return tuple(sorted(blinks, key=lambda blink: blink.time))


def _stream(seed: int, *place: int) -> np.random.Generator:
    return np.random.default_rng([abs(seed), int(seed < 0), *place])


def _require_order(script: Script) -> None:
    for event in script.events:
        _require(
            event.onset <= event.apex <= event.offset <= event.end,
            f"'{event.descriptor}' has its times out of order: onset <= apex <= offset <= end is needed, not "
            f"{event.onset:g}, {event.apex:g}, {event.offset:g}, {event.end:g}.",
        )
        _require_start(event.descriptor, event.onset, script.seconds)
    for motion in script.head:
        _require(motion.onset <= motion.end, f"'{motion.kind}' ends at {motion.end:g} s, before it starts.")
        _require_start(motion.kind, motion.onset, script.seconds)
    for gaze in script.gaze:
        _require(gaze.onset <= gaze.end, f"Gaze '{gaze.direction}' ends at {gaze.end:g} s, before it starts.")
        _require_start(f"gaze {gaze.direction}", gaze.onset, script.seconds)
    for blink in script.blinks:
        _require_start("blink", blink.time, script.seconds)


def _require_start(what: str, start: float, seconds: float) -> None:
    message = f"'{what}' starts at {start:g} s, but the clip lasts {seconds:g} s. Make `seconds` longer."
    _require(start < seconds, message)


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise InvalidScript(message)


def _compose(parts: list[Contribution], times: Array) -> Array:
    """(T, 52): contributions to one channel meet in a smooth maximum, then conflicts are settled."""
    curves: dict[int, list[Array]] = {}
    for part in parts:
        for column, curve in part.curves(times):
            curves.setdefault(column, []).append(curve)
    coefficients = np.zeros((len(times), len(ARKIT)))
    for column, several in curves.items():
        coefficients[:, column] = smooth_maximum(several)
    for side in ("Left", "Right"):
        # A shut eye is not wide, and one nearly shut is not either.
        shut = coefficients[:, INDEX[f"eyeBlink{side}"]]
        coefficients[:, INDEX[f"eyeWide{side}"]] *= np.maximum(1.0 - 1.2 * shut, 0.0)
    for left, right in (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight")):
        shared = np.minimum(coefficients[:, INDEX[left]], coefficients[:, INDEX[right]])
        coefficients[:, [INDEX[left], INDEX[right]]] -= shared[:, None]
    return coefficients


def _motions(script: Script, known: list[tuple[Event, Descriptor]]) -> list[HeadMotion]:
    """Head motions of the script, and those that descriptors mean, where the script leaves room."""
    motions = list(script.head)
    for event, descriptor in known:
        if descriptor.head is None:
            continue
        kind = cast(HeadMotionKind, descriptor.head)
        cycles = max(1, round((event.end - event.onset) / 0.6)) if kind in CYCLIC else 1
        meant = HeadMotion(
            kind=kind, intensity=event.intensity, cycles=min(cycles, 3), onset=event.onset, end=event.end
        )
        if not any(meant.onset < other.end and other.onset < meant.end for other in script.head):
            motions.append(meant)
    return motions


def _gestures(motions: list[HeadMotion], times: Array, seed: int) -> list[Gesture]:
    acted = (gesture(motion, times, _stream(seed, _HEAD, index)) for index, motion in enumerate(motions))
    return [each for each in acted if each is not None]


def _gazes(script: Script, known: list[tuple[Event, Descriptor]]) -> list[Gaze]:
    """Looks of the script, and those that descriptors mean; none overlaps an earlier one."""
    wanted = list(script.gaze) + [
        Gaze(
            direction=cast(GazeDirection, descriptor.gaze),
            intensity=event.intensity,
            onset=event.onset,
            end=max(event.offset, event.onset + 0.3),
        )
        for event, descriptor in known
        if descriptor.gaze is not None
    ]
    kept: list[Gaze] = []
    for gaze in wanted:
        if not any(gaze.onset < other.end and other.onset < gaze.end for other in kept):
            kept.append(gaze)
    return kept


def _blinks(
    script: Script,
    known: list[tuple[Event, Descriptor]],
    coefficients: Array,
    head: tuple[HeadEvent, ...],
    gaze: list[GazeEvent],
    seed: int,
) -> tuple[list[BlinkShape], list[BlinkShape]]:
    """Those that were asked for, and the actor's own."""
    meant = [Blink(time=event.apex, count=each.blinks) for event, each in known if each.blinks]
    asked = asked_blinks([*script.blinks, *meant], script.seconds, _stream(seed, _BLINKS, 0))
    rng = _stream(seed, _BLINKS, 1)
    moments = spontaneous_times(script.seconds, rng, TEMPERS[script.energy].blinks_a_minute)
    moments += coupled_times(head, gaze, rng)
    return asked, unasked_blinks(moments, script.seconds, coefficients, asked, rng)


def _shut(blink: BlinkShape, parts: list[Contribution]) -> bool:
    """Whether an action already shuts an eye then."""
    return any(
        part.action == "eye_closure" and part.timing.onset < blink.end and blink.onset < part.timing.end
        for part in parts
    )
