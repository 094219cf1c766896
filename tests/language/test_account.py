"""Answers of a model as a script."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from tdmm.acting.actor import perform
from tdmm.acting.answers import Task, answer
from tdmm.acting.brief import NO_EXPRESSION
from tdmm.acting.script import Event, Gaze, HeadMotion, Script
from tdmm.errors import InvalidMotion
from tdmm.face.channels import ARKIT, INDEX
from tdmm.language.account import NEEDED, account, measured, transcribe
from tdmm.motion.clip import FaceMotion
from tdmm.motion.timeline import trim
from tdmm.tokens.tokenizer import MotionTokens

SMIRK = Event(descriptor="smirk", intensity=0.8, side="left", onset=0.5, apex=0.9, offset=1.6, end=2.1)
FROWN = Event(descriptor="frown", intensity=0.4, onset=3.0, apex=3.4, offset=4.0, end=4.6)
NOD = HeadMotion(kind="nod", intensity=0.6, cycles=2, onset=1.0, end=2.4)
LOOK = Gaze(direction="down", intensity=0.6, onset=2.5, end=3.5)
SCRIPT = Script(seconds=5.0, events=(SMIRK, FROWN), head=(NOD,), gaze=(LOOK,))


def answers(script: Script, **others: str) -> dict[Task, str]:
    told: dict[Task, str] = {task: answer(script, task, 0) for task in NEEDED}
    return {**told, **others}  # type: ignore[dict-item]


def names(script: Script) -> list[str]:
    return [event.descriptor for event in script.events]


def test_answers_that_agree_are_the_script() -> None:
    back = account(answers(SCRIPT), 5.0)
    assert answer(back, "timeline", 0) == answer(SCRIPT, "timeline", 0)


def test_names_are_those_of_the_answer_about_expressions() -> None:
    back = account(answers(SCRIPT, emotion="contempt, then frown"), 5.0)
    assert names(back) == ["contempt", "frown"]
    assert back.events[0].onset == 0.5


def test_what_the_timeline_forgot_lies_between_its_neighbours() -> None:
    strengths = "a strong smirk, then a strong wince, then a slight frown"
    back = account(answers(SCRIPT, emotion="smirk, then wince, then frown", intensity=strengths), 5.0)
    assert names(back) == ["smirk", "wince", "frown"]
    assert back.events[0].end <= back.events[1].onset <= back.events[1].end <= back.events[2].onset
    none = account(answers(SCRIPT, emotion="neutral", intensity="neutral"), 5.0)
    assert names(none) == []


def test_a_name_that_the_lexicon_does_not_have_leaves_what_the_timeline_has() -> None:
    assert names(account(answers(SCRIPT, emotion="smirkfully amused, then frown"), 5.0)) == ["smirk", "frown"]
    assert names(account(answers(SCRIPT, emotion="gloomth, then gloomth"), 5.0)) == ["smirk", "frown"]


def test_what_one_answer_alone_names_is_not_believed() -> None:
    assert names(account(answers(SCRIPT, emotion="smirk, then wince, then frown"), 5.0)) == ["smirk", "frown"]
    assert names(account(answers(SCRIPT, emotion="wince, then frown"), 5.0)) == ["smirk", "frown"]  # two have a smirk
    assert names(account(answers(SCRIPT, emotion="smirk", intensity="a strong smirk"), 5.0)) == ["smirk"]


def test_where_no_two_answers_agree_that_something_is_there_stands() -> None:
    def told(emotion: str = "wince", intensity: str = "a strong pout", line: str = "0.5-2.1 s: smirk") -> list[str]:
        each = answers(SCRIPT, emotion=emotion, intensity=intensity, timeline=f"{line}, strong")
        return names(account(each, 5.0))

    assert told() == ["wince"]
    assert told(emotion=NO_EXPRESSION) == told(intensity=NO_EXPRESSION) == told(line="0.0-5.0 s: neutral") == []


def test_an_expression_told_again_as_it_ends_is_one() -> None:
    again = SMIRK.model_copy(update={"onset": 2.1, "apex": 2.1, "offset": 2.2, "end": 2.3})
    later = SMIRK.model_copy(update={"onset": 3.0, "apex": 3.2, "offset": 3.4, "end": 3.6})
    back = account(answers(SCRIPT.model_copy(update={"events": (SMIRK, again, later)})), 5.0)
    assert [(event.onset, event.end) for event in back.events] == [(0.5, 2.3), (3.0, 3.6)]
    assert back.events[0].offset == pytest.approx(2.2, abs=0.1)


def test_the_same_motion_told_twice_at_once_is_one() -> None:
    again = NOD.model_copy(update={"onset": 2.0, "end": 3.0})
    later = NOD.model_copy(update={"onset": 3.5, "end": 4.5})
    looks = (LOOK, LOOK.model_copy(update={"onset": 3.0, "end": 3.2}), LOOK.model_copy(update={"direction": "up"}))
    back = account(answers(SCRIPT.model_copy(update={"head": (NOD, again, later), "gaze": looks})), 5.0)
    assert [(motion.onset, motion.end) for motion in back.head] == [(1.0, 3.0), (3.5, 4.5)]
    assert [(look.direction, look.onset, look.end) for look in back.gaze] == [("down", 2.5, 3.5), ("up", 2.5, 3.5)]


def test_the_head_is_that_of_the_answer_about_it() -> None:
    back = account(answers(SCRIPT, head="nods twice, then tilts the head to the left"), 5.0)
    assert [motion.kind for motion in back.head] == ["nod", "tilt_left"]
    assert all(0 <= motion.onset < motion.end <= 5.0 for motion in back.head)


def test_rubbish_is_an_empty_script() -> None:
    empty = account({"emotion": "gloomth", "intensity": "", "timeline": "%", "head": ""}, 2.0)
    assert answer(empty, "emotion", 0) == "neutral"


@pytest.mark.parametrize("side", ["left", "right"])
def test_side_and_strength_are_measured(side: str) -> None:
    said = "right" if side == "left" else "left"
    truth = Script(seconds=5.0, events=(SMIRK.model_copy(update={"side": side}), FROWN))
    wrong = Script(seconds=5.0, events=(SMIRK.model_copy(update={"side": said, "intensity": 0.3}), FROWN))
    found = measured(wrong, perform(truth, 3).motion)
    assert [event.side for event in found.events] == [side, "both"]
    assert [event.intensity for event in found.events] == pytest.approx([0.8, 0.4], abs=0.15)


def test_what_is_held_throughout_is_not_the_resting_face() -> None:
    held = Event(descriptor="smile", intensity=0.8, onset=0.05, apex=0.2, offset=4.8, end=4.9)
    script = Script(seconds=5.0, events=(held,))
    assert measured(script, perform(script, 1).motion).events[0].intensity == pytest.approx(0.8, abs=0.1)


@dataclass
class Config:
    max_frames: int = 50


@dataclass
class Teller:
    """Says the same of every part."""

    script: Script
    config: Config = field(default_factory=Config)
    read: list[int] = field(default_factory=list)

    def describe(self, tokens: list[MotionTokens], task: Task) -> list[str]:
        self.read = [each.frames for each in tokens]
        return [answer(self.script, task, 0) for _ in tokens]


class Encoder:
    fingerprint = "codes"

    def encode(self, motion: FaceMotion) -> MotionTokens:
        return MotionTokens(np.zeros((motion.frames, 2), np.int64), "codes")


def test_what_goes_on_across_a_seam_is_one_thing() -> None:
    lasting = Event(descriptor="smile", intensity=0.6, onset=0.0, apex=0.5, offset=1.5, end=2.0)
    part = Script(seconds=2.0, events=(lasting,), head=(NOD.model_copy(update={"onset": 0.5, "end": 1.5}),))
    motion = perform(Script(seconds=4.0, events=(lasting.model_copy(update={"offset": 3.5, "end": 4.0}),)), 1).motion
    teller = Teller(part)
    (whole,) = transcribe(teller, Encoder(), [motion])  # type: ignore[arg-type]
    assert teller.read == [50, 50]
    assert whole.seconds == 4.0
    assert [(event.descriptor, event.onset, event.end) for event in whole.events] == [("smile", 0.0, 4.0)]
    assert [motion.onset for motion in whole.head] == [0.5, 2.5]


def test_two_of_a_kind_after_a_seam_stay_two() -> None:
    early = NOD.model_copy(update={"cycles": 1, "onset": 0.0, "end": 0.2})
    part = Script(seconds=2.0, head=(early, early.model_copy(update={"onset": 0.3, "end": 0.6})))
    (whole,) = transcribe(Teller(part), Encoder(), [perform(Script(seconds=4.0), 1).motion])  # type: ignore[arg-type]
    assert [motion.onset for motion in whole.head] == pytest.approx([0.0, 0.3, 2.0, 2.3])


def test_what_is_told_happens_while_the_face_is_in_sight() -> None:
    nod = NOD.model_copy(update={"cycles": 1, "onset": 0.0, "end": 0.8})
    teller = Teller(Script(seconds=1.0, events=(SMIRK.model_copy(update={"onset": 0.1, "end": 0.9}),), head=(nod,)))
    motion = perform(Script(seconds=4.0), 1).motion
    confidence = np.zeros(100, np.float32)
    confidence[10:35] = confidence[70:95] = 1.0
    (whole,) = transcribe(teller, Encoder(), [motion.with_(confidence=confidence)])  # type: ignore[arg-type]
    assert teller.read == [25, 25]
    assert whole.seconds == 4.0
    assert [(each.onset, each.end) for each in whole.head] == [pytest.approx((0.4, 1.2)), pytest.approx((2.8, 3.6))]
    assert [event.onset for event in whole.events] == pytest.approx([0.5, 2.9])


def test_strength_is_measured_from_the_rest_that_was_seen() -> None:
    values = np.zeros((100, 52), np.float32)
    values[:, [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]] = 0.1
    values[20:30, [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]] = 0.5
    values[60:] = 0.0  # as long as nobody is seen
    confidence = np.ones(100, np.float32)
    confidence[60:] = 0.0
    script = Script(
        seconds=4.0, events=(Event(descriptor="smile", intensity=0.5, onset=0.8, apex=0.9, offset=1.1, end=1.2),)
    )
    motion = FaceMotion(ARKIT, values, np.zeros((100, 3), np.float32))
    (unseen,) = measured(script, motion.with_(confidence=confidence)).events
    (part,) = measured(script, trim(motion, 0.0, 2.4)).events
    assert unseen.intensity == pytest.approx(part.intensity)


def test_a_take_of_minutes_is_one_script_and_one_of_an_hour_is_refused() -> None:
    (long,) = transcribe(Teller(SCRIPT), Encoder(), [perform(Script(seconds=130.0), 1).motion])  # type: ignore[arg-type]
    assert long.seconds == pytest.approx(130.0)
    assert max(event.end for event in long.events) <= 130.0
    still = FaceMotion(("jawOpen",), np.zeros((30100, 1), np.float32), np.zeros((30100, 3), np.float32), 50.0)
    with pytest.raises(InvalidMotion, match="602 s"):
        transcribe(Teller(SCRIPT), Encoder(), [still])  # type: ignore[arg-type]
