from __future__ import annotations

import json

import numpy as np
import pytest
from pydantic import ValidationError

from tdmm.acting.actor import perform
from tdmm.acting.script import Event, HeadMotion, Script
from tdmm.corpus.quality.measures import Measures, Seen, measure
from tdmm.corpus.quality.rules import RULES, Rules, judge
from tdmm.errors import InvalidMotion
from tdmm.motion.clip import FaceMotion

SCRIPT = Script(
    seconds=4.0,
    events=(
        Event(descriptor="smile", intensity=0.9, onset=0.3, apex=0.7, offset=1.5, end=1.9),
        Event(descriptor="raise_brows", intensity=0.9, onset=2.2, apex=2.5, offset=3.0, end=3.4),
    ),
    head=(HeadMotion(kind="nod", intensity=0.8, cycles=2, onset=2.0, end=3.4),),
)
GOOD = Seen(pictures=100, found=100, size=200.0, residual_mm=0.6)


def acted() -> FaceMotion:
    return perform(SCRIPT, 5).motion


def test_what_was_asked_and_done_agrees_and_is_good() -> None:
    found = measure(acted(), GOOD, perform(SCRIPT, 5).asked)
    assert found.asked >= 4
    assert found.agreement is not None
    assert found.agreement > 0.9
    assert all(each.found == each.asked for each in found.events.values())
    assert found.events["action"].asked + found.events["head"].asked == found.asked
    assert found.seconds == pytest.approx(4.0)
    assert judge(found) == []
    json.dumps(found.as_facts())


def test_a_face_that_does_nothing_was_not_asked_for() -> None:
    still = perform(Script(seconds=4.0), 5).motion
    found = measure(still, GOOD, perform(SCRIPT, 5).asked)
    (broken,) = judge(found)
    assert broken.rule == "not-as-asked"
    assert judge(found, Rules(least_agreement=None)) == []
    assert measure(still, GOOD, perform(Script(seconds=4.0), 5).asked).agreement is None


def test_jitter_is_that_of_every_frame_and_not_of_a_blink() -> None:
    motion = acted()
    quiet = measure(motion).jitter_mm
    draw = np.random.default_rng(0)
    shaken = motion.with_(expression=motion.expression + draw.normal(0, 0.05, motion.expression.shape))
    turned = motion.with_(head=motion.head + draw.normal(0, 0.01, motion.head.shape))
    assert measure(shaken).jitter_mm > 5 * quiet
    # A radian of scatter about each of three axes moves the skin by 90 mm times the root of three, about.
    assert measure(turned).jitter_mm == pytest.approx(0.01 * 90 * np.sqrt(3), rel=0.25)
    blinking = motion.expression.copy()
    blinking[30:34] += 0.5
    assert measure(motion.with_(expression=blinking)).jitter_mm < 2 * quiet + 0.01


@pytest.mark.parametrize(
    ("rule", "seen", "words"),
    [
        ("face-missing", Seen(100, 80, 200.0, 0.6), "pictures with the face 0.8, at least 0.95"),
        ("small-face", Seen(100, 100, 30.0, 0.6), "size of the face 30 px, at least 80 px"),
        ("misfit", Seen(100, 100, 200.0, 3.25), "residual of the fit 3.25 mm, at most 1.5 mm"),
    ],
)
def test_each_rule_says_value_threshold_and_unit(rule: str, seen: Seen, words: str) -> None:
    (broken,) = judge(measure(acted(), seen))
    assert broken.rule == rule
    assert broken.reason == words


def test_rules_of_the_motion_itself() -> None:
    motion = acted()
    away = motion.head.copy()
    away[40:60, 1] = np.radians(70)
    outside = motion.expression.copy()
    outside[10:40, 3] = 1.2
    short = perform(Script(seconds=1.0), 0).motion
    found = {
        "turned-away": motion.with_(head=away),
        "out-of-bounds": motion.with_(expression=outside),
        "short": short,
    }
    for rule, each in found.items():
        assert rule in [broken.rule for broken in judge(measure(each, GOOD))]
        assert rule in RULES


def test_what_cannot_be_told_rejects_nobody() -> None:
    found = measure(acted())
    assert (found.face_share, found.face_pixels, found.residual_mm) == (None, None, None)
    assert judge(found) == []


def test_the_worst_clip_breaks_every_rule_but_one_of_length() -> None:
    worst = Measures(0.5, 0.1, 10.0, 9.0, 9.0, 90.0, 1.0, 0.0, 5)
    assert [each.rule for each in judge(worst)] == [rule for rule in RULES if rule != "long"]


def test_rules_are_strict() -> None:
    assert Rules.model_validate({"most_jitter_mm": None}).most_jitter_mm is None
    with pytest.raises(ValidationError):
        Rules.model_validate({"most_jiter_mm": 1.0})


def test_another_rig_is_refused() -> None:
    motion = FaceMotion(("a",), np.zeros((3, 1)), np.zeros((3, 3)), rig="flame")
    with pytest.raises(InvalidMotion, match="on 'flame'"):
        measure(motion)
