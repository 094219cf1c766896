"""What the reader finds in a motion, as a script and as a plain sentence. No model is asked.

Facial actions that go on together are named by what the lexicon calls them (`lip_corner_puller` with `cheek_raiser` is
a smile): among its facial actions, emotions left out, because nobody can tell those from a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from tdmm.acting.descriptors import Descriptor
from tdmm.acting.gesture import intensity_of
from tdmm.acting.lexicon import load
from tdmm.acting.narrator import narrate
from tdmm.acting.script import Blink, Event, Gaze, HeadMotion, Script
from tdmm.face.facs import Side
from tdmm.motion.events import ActionEvent, BlinkEvent, MotionEvents

_TOGETHER = 0.3
"""Seconds between onsets of actions that are one expression."""
_SHARED = 0.5
"""Share of the shorter action's time that they then have in common."""
_SEVERAL = 0.7
"""Seconds between blinks that are one doing; a single blink is nobody's doing and is not told."""
_WEAKEST = 0.05
_TOLD = 0.3
"""Strength below which an action or a look is not told: in a tracked motion it is as often the tracker's."""
_PLAINEST = (
    "lower_brows", "widen_eyes", "close_eyes", "squint", "raise_upper_lip", "pucker_lips", "suck_lower_lip", "drop_jaw",
    "raise_outer_brows", "stick_out_tongue", "smile", "raise_brows", "wink", "smirk",
)  # fmt: skip
"""Of entries with the very same actions, the ones that say no more than that."""


def sentence_of(events: MotionEvents, seconds: float, subject: str = "a person") -> str:
    """One sentence that says what happens in a motion: in order, with sides, strengths and counts.

    The same events give the same sentence.

    Args:
        events: of the reader.
        seconds: of the motion.
        subject: who.
    """
    return narrate(script_of(events, seconds, subject), 0, "medium")


def script_of(events: MotionEvents, seconds: float, subject: str = "a person") -> Script:
    """What the reader finds, as somebody might have asked for it.

    Args:
        events: of the reader.
        seconds: of the motion.
        subject: who.
    """
    faces = [
        face for group in _groups([each for each in events.actions if each.strength >= _TOLD]) for face in _named(group)
    ]
    head = [
        HeadMotion(
            kind=each.kind,
            intensity=intensity_of(each.kind, each.amplitude),
            cycles=min(max(each.cycles, 1), 10),
            onset=each.onset,
            end=each.end,
        )
        for each in events.head
    ]
    gaze = [
        Gaze(direction=each.direction, intensity=_strength(each.strength), onset=each.onset, end=each.end)
        for each in events.gaze
        if each.strength >= _TOLD
    ]
    winks = [_wink(each) for each in events.blinks if each.side != "both"]
    return Script(
        seconds=seconds,
        subject=subject,
        events=tuple(sorted([*faces, *winks], key=lambda event: event.onset)),
        head=tuple(head),
        gaze=tuple(gaze),
        blinks=tuple(_blinks([each for each in events.blinks if each.side == "both"])),
    )


def _groups(actions: Sequence[ActionEvent]) -> list[list[ActionEvent]]:
    """Actions that begin and go on together, on the same side."""
    groups: list[list[ActionEvent]] = []
    for action in sorted(actions, key=lambda each: each.onset):
        for group in groups:
            first = group[0]
            shared = min(first.end, action.end) - max(first.onset, action.onset)
            shorter = max(min(first.end - first.onset, action.end - action.onset), 1e-6)
            together = action.onset - first.onset <= _TOGETHER and action.side == first.side
            if together and shared >= _SHARED * shorter:
                group.append(action)
                break
        else:
            groups.append([action])
    return groups


def _named(group: Sequence[ActionEvent]) -> list[Event]:
    """A group as entries of the lexicon: the one that covers most of it first, until all is covered."""
    left = {each.action: each for each in group}
    found = []
    while left:
        entry = _covering(frozenset(left), group[0].side != "both")
        covered = [left.pop(action) for action in entry.core if action in left]
        found.append(_event(entry, covered))
    return found


@cache
def _covering(actions: frozenset[str], one_sided: bool) -> Descriptor:
    """The facial action of the lexicon whose core covers most of some actions, with the least besides."""
    known = [entry for entry in load().entries if entry.kind == "action" and set(entry.core) & actions]
    return max(
        known,
        key=lambda entry: (
            entry.side != "both" if one_sided else entry.side != "one",
            -len(set(entry.core) - actions),
            len(entry.core),
            entry.name in _PLAINEST,
            -known.index(entry),
        ),
    )


def _event(entry: Descriptor, actions: Sequence[ActionEvent]) -> Event:
    side: Side = actions[0].side if entry.side != "both" else "both"
    peaks = {recipe.action: sum(recipe.peak) / 2 for recipe in entry.actions}
    strengths = [each.strength / peaks[each.action] for each in actions]
    onset, end = min(each.onset for each in actions), max(each.end for each in actions)
    apex = min(max(min(each.apex for each in actions), onset), end)
    return Event(
        descriptor=entry.name,
        intensity=_strength(sum(strengths) / len(strengths)),
        side=side,
        onset=onset,
        apex=apex,
        offset=min(max(max(each.offset for each in actions), apex), end),
        end=end,
    )


def _wink(blink: BlinkEvent) -> Event:
    middle = blink.time + blink.duration / 2
    return Event(
        descriptor="wink", intensity=_strength(blink.strength), side=blink.side, onset=blink.time, apex=middle,
        offset=middle, end=blink.time + blink.duration,
    )  # fmt: skip


def _blinks(blinks: Sequence[BlinkEvent]) -> list[Blink]:
    """Blinks in quick succession."""
    runs: list[list[BlinkEvent]] = []
    for blink in sorted(blinks, key=lambda each: each.time):
        if runs and blink.time - runs[-1][-1].time <= _SEVERAL:
            runs[-1].append(blink)
        else:
            runs.append([blink])
    return [Blink(time=run[0].time, count=min(len(run), 10)) for run in runs if len(run) > 1]


def _strength(value: float) -> float:
    return min(max(value, _WEAKEST), 1.0)
