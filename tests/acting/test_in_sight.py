from __future__ import annotations

import numpy as np
import pytest

from tdmm.acting.in_sight import in_sight
from tdmm.acting.script import Blink, Event, Gaze, HeadMotion, Script
from tdmm.face.channels import ARKIT, INDEX
from tdmm.motion.degradation import PARTS, Part, without


def script(*names: str) -> Script:
    return Script(
        seconds=4,
        events=tuple(Event(descriptor=name, onset=1, apex=1.2, offset=2, end=2.5) for name in names),
        head=(HeadMotion(kind="nod", onset=1, end=2),),
        gaze=(Gaze(direction="up", onset=1, end=2),),
        blinks=(Blink(time=3),),
    )


def left(names: tuple[str, ...], part: Part) -> tuple[str, ...] | None:
    seen = in_sight(script(*names), part)
    return None if seen is None else tuple(event.descriptor for event in seen.events)


def test_what_only_the_hidden_part_shows_is_dropped() -> None:
    assert left(("lower_brows", "pucker_lips"), "mouth") == ("lower_brows",)
    assert left(("lower_brows", "pucker_lips"), "upper") == ("pucker_lips",)


def test_half_of_the_core_is_enough_and_less_makes_the_clip_useless() -> None:
    assert left(("happiness",), "mouth") == ("happiness",)  # lip corners hidden, cheeks in sight
    assert left(("flash_of_anger",), "upper") is None  # of three core actions the pressed lips alone


def test_looks_and_blinks_go_with_the_eyes_and_nods_with_the_head() -> None:
    upper, head, mouth = (in_sight(script("pucker_lips"), part) for part in ("upper", "head", "mouth"))
    assert upper is not None
    assert (upper.gaze, upper.blinks, len(upper.head)) == ((), (), 1)
    assert head is not None
    assert (head.head, len(head.gaze), len(head.blinks)) == ((), 1, 1)
    assert mouth is not None
    assert (len(mouth.gaze), len(mouth.blinks), len(mouth.head)) == (1, 1, 1)


@pytest.mark.parametrize("part", PARTS)
def test_a_hidden_part_shows_nothing_and_the_others_everything(part: Part) -> None:
    features = np.full((5, len(ARKIT) + 6), 0.5, np.float32)
    shown = without(features, part)
    places = {"mouth": INDEX["mouthSmileLeft"], "upper": INDEX["browDownLeft"], "head": len(ARKIT)}
    for each, place in places.items():
        assert bool(shown[:, place].any()) == (each != part)
    assert features.min() == 0.5
