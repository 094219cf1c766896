"""Which of the true events were found, and which findings are false."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tdmm.motion.events import ActionEvent, BlinkEvent, GazeEvent, HeadEvent, MotionEvents
from tdmm.reading.statistics import Interval, wilson

Kind = Literal["action", "head"]
EventKind = Literal["action", "head", "blink", "gaze"]

EYE_CLOSURE = "eye_closure"

SAME_BLINK = 0.2
"""Seconds that a found blink may lie before or after the true one."""


@dataclass(frozen=True)
class Recall:
    """How many true events of a kind there were, and how many of them were found."""

    asked: int
    found: int

    def __add__(self, other: Recall) -> Recall:
        return Recall(self.asked + other.asked, self.found + other.found)


@dataclass(frozen=True)
class Mark:
    """An action or a head motion with what matching needs of it.

    Attributes:
        name: the action ("lip_corner_puller") or the head motion ("nod").
        side: `both` for head motions.
        size: strength 0 to 1 of an action; amplitude in degrees or millimetres of a head motion.
    """

    kind: Kind
    name: str
    side: str
    size: float
    onset: float
    end: float


@dataclass(frozen=True)
class Hit:
    """A true event and the finding that matches it."""

    truth: Mark
    found: Mark


@dataclass(frozen=True)
class Fault:
    """A true event that was missed, or a finding that is false, and why."""

    mark: Mark
    reason: str


@dataclass(frozen=True)
class Matching:
    """How the findings of one motion, or of many together, compare with the truth."""

    hits: tuple[Hit, ...] = ()
    misses: tuple[Fault, ...] = ()
    false: tuple[Fault, ...] = ()
    found: int = 0

    def __add__(self, other: Matching) -> Matching:
        return Matching(
            self.hits + other.hits,
            self.misses + other.misses,
            self.false + other.false,
            self.found + other.found,
        )

    @property
    def asked(self) -> int:
        """True events that had to be found."""
        return len(self.hits) + len(self.misses)

    @property
    def recall(self) -> float:
        """Share of the true events that were found; 1 when there were none."""
        return len(self.hits) / self.asked if self.asked else 1.0

    @property
    def false_rate(self) -> float:
        """Share of the findings that match no true event; 0 when nothing was found."""
        return len(self.false) / self.found if self.found else 0.0

    @property
    def recall_interval(self) -> Interval:
        """Wilson 95% interval of `recall`."""
        return wilson(len(self.hits), self.asked)

    @property
    def false_interval(self) -> Interval:
        """Wilson 95% interval of `false_rate`."""
        return wilson(len(self.false), self.found)


def match(
    truth: MotionEvents,
    found: MotionEvents,
    *,
    weakest: float = 0.3,
    weakest_head: float = 0.0,
) -> Matching:
    """Compare what was found in a motion with what was really done.

    A finding matches a true event if it is the same action or head motion on the same side, and both share
    time. Each true event of strength `weakest` or more must be matched; one long finding may match several
    true events that run into one another. A finding is false if it matches no true event of any strength.
    Blinks and closed eyes differ only in how long they last, so that one may match the other; blinks are
    otherwise neither asked for nor false here.

    Args:
        truth: what was done.
        found: what the reader says.
        weakest: true actions below this strength need not be found.
        weakest_head: true head motions below this amplitude (degrees or millimetres) need not be found.
    """
    true_marks, found_marks = marks(truth), marks(found)
    true_blinks, found_blinks = _blink_marks(truth), _blink_marks(found)
    hits: list[Hit] = []
    misses: list[Fault] = []
    for mark in true_marks:
        if mark.size < (weakest if mark.kind == "action" else weakest_head):
            continue
        fitting = [(_shared(mark, other), other) for other in found_marks + found_blinks if _matches(mark, other)]
        if fitting:
            hits.append(Hit(mark, max(fitting, key=lambda pair: pair[0])[1]))
        else:
            misses.append(Fault(mark, _reason(mark, found_marks)))
    false = [
        Fault(mark, _reason(mark, true_marks))
        for mark in found_marks
        if not any(_matches(mark, other) for other in true_marks + true_blinks)
    ]
    return Matching(tuple(hits), tuple(misses), tuple(false), len(found_marks))


def recalls(truth: MotionEvents, found: MotionEvents) -> dict[EventKind, Recall]:
    """How much of all that was done was found, by kind: as `match` has it, blinks of both eyes, and looks.

    A blink is found within `SAME_BLINK`; a look, when one to the same direction shares time with it.
    """
    matching = match(truth, found)
    blinks = [blink for blink in truth.blinks if blink.side == "both"]
    return {
        "action": _of_kind(matching, "action"),
        "head": _of_kind(matching, "head"),
        "blink": Recall(len(blinks), sum(any(_same_blink(one, other) for other in found.blinks) for one in blinks)),
        "gaze": Recall(len(truth.gaze), sum(any(_same_look(one, each) for each in found.gaze) for one in truth.gaze)),
    }


def _of_kind(matching: Matching, kind: Kind) -> Recall:
    hits = sum(hit.truth.kind == kind for hit in matching.hits)
    return Recall(hits + sum(miss.mark.kind == kind for miss in matching.misses), hits)


def _same_blink(one: BlinkEvent, other: BlinkEvent) -> bool:
    return other.side == one.side and abs(other.time - one.time) <= SAME_BLINK


def _same_look(one: GazeEvent, other: GazeEvent) -> bool:
    return one.direction == other.direction and one.onset < other.end and other.onset < one.end


def marks(events: MotionEvents) -> list[Mark]:
    """The actions and head motions among events, in one form."""
    return [_action_mark(event) for event in events.actions] + [_head_mark(event) for event in events.head]


def _action_mark(event: ActionEvent) -> Mark:
    return Mark("action", event.action, event.side, event.strength, event.onset, event.end)


def _head_mark(event: HeadEvent) -> Mark:
    return Mark("head", event.kind, "both", event.amplitude, event.onset, event.end)


def _blink_marks(events: MotionEvents) -> list[Mark]:
    return [
        Mark("action", EYE_CLOSURE, blink.side, blink.strength, blink.time, blink.time + blink.duration)
        for blink in events.blinks
    ]


def _shared(one: Mark, other: Mark) -> float:
    return min(one.end, other.end) - max(one.onset, other.onset)


def _matches(one: Mark, other: Mark) -> bool:
    return one.name == other.name and one.side == other.side and _shared(one, other) > 0


def _reason(mark: Mark, others: list[Mark]) -> str:
    """Why nothing among the others matches."""
    together = [other for other in others if _shared(mark, other) > 0 and other.kind == mark.kind]
    same = [other for other in together if other.name == mark.name]
    if same:
        return f"side is {same[0].side}, not {mark.side}"
    if any(other.name == mark.name for other in others):
        return "at another time"
    if mark.kind == "head" and together:
        return f"is {together[0].name} there"
    return "nothing there"
