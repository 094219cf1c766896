"""What a face plainly does is told, whatever a model makes of it."""

from __future__ import annotations

import numpy as np
import pytest

from tdmm.acting.actor import perform
from tdmm.acting.lexicon import load
from tdmm.acting.script import Event, Script
from tdmm.face.channels import ARKIT, INDEX
from tdmm.language.overlooked import with_overlooked
from tdmm.motion.clip import FaceMotion

NOTHING = Script(seconds=4.0)


def doing(*runs: tuple[float, float, float], names: tuple[str, ...]) -> FaceMotion:
    """Four seconds in which channels have a value from and to some second, (value, from, to)."""
    values = np.zeros((100, 52), np.float32)
    for value, start, end in runs:
        values[round(start * 25) : round(end * 25), [INDEX[name] for name in names]] = value
    return FaceMotion(ARKIT, values, np.zeros((100, 3), np.float32))


SMILE = ("mouthSmileLeft", "mouthSmileRight")


def names(script: Script) -> list[str]:
    return [event.descriptor for event in script.events]


@pytest.mark.parametrize("name", ["grin", "surprise", "puff_cheeks", "bare_teeth"])
def test_what_nothing_tells_of_is_told(name: str) -> None:
    event = Event(descriptor=name, intensity=1.0, onset=1.0, apex=1.3, offset=2.6, end=3.0)
    found = with_overlooked(NOTHING, perform(Script(seconds=4.0, events=(event,)), 1).motion).events
    assert {load().get(each.descriptor).family for each in found} & {load().get(name).family}
    first = min(found, key=lambda each: each.onset)
    assert (first.onset, first.end) == (pytest.approx(1.1, abs=0.3), pytest.approx(2.9, abs=0.3))
    assert first.onset <= first.apex <= first.offset <= first.end


def test_one_side_is_seen_too() -> None:
    assert names(with_overlooked(NOTHING, doing((0.9, 1.0, 2.0), names=("mouthUpperUpLeft",))))


def test_what_is_told_is_not_told_again() -> None:
    smile = Event(descriptor="smile", intensity=0.5, onset=1.0, apex=1.2, offset=1.8, end=2.0)
    told = Script(seconds=4.0, events=(smile,))
    assert with_overlooked(told, doing((0.9, 1.0, 2.0), names=SMILE)) == told
    assert with_overlooked(told, doing((0.9, 1.0, 3.5), names=SMILE)) == told  # and lasts longer
    later = with_overlooked(told, doing((0.9, 1.0, 2.0), (0.9, 3.0, 3.6), names=SMILE))
    assert [event.onset for event in later.events] == [1.0, pytest.approx(3.0)]


@pytest.mark.parametrize(
    "motion",
    [
        doing((0.5, 1.0, 2.0), names=SMILE),  # not plain enough
        doing((0.9, 1.0, 1.2), names=SMILE),  # too short
        doing((0.9, 0.0, 4.0), names=SMILE),  # from first to last
        doing((0.9, 1.0, 2.0), names=("browDownLeft", "browDownRight")),  # how brows rest
        doing((0.9, 1.0, 2.0), names=("eyeBlinkLeft", "eyeBlinkRight")),
        doing((0.9, 1.0, 2.0), names=SMILE).with_(confidence=np.r_[np.ones(20), np.zeros(80)].astype(np.float32)),
    ],
)
def test_what_may_be_something_else_is_left_alone(motion: FaceMotion) -> None:
    assert with_overlooked(NOTHING, motion) == NOTHING


def test_a_motion_of_a_moment_has_nothing() -> None:
    short = FaceMotion(ARKIT, np.ones((3, 52), np.float32), np.zeros((3, 3), np.float32))
    assert with_overlooked(Script(seconds=0.12), short).events == ()
