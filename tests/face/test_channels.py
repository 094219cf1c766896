from __future__ import annotations

from tdmm.face.channels import ARKIT, INDEX, mirrored, side_of
from tdmm.face.facs import ACTIONS, BY_UNIT


def test_there_are_52_and_mirrors_pair_up() -> None:
    assert len(ARKIT) == len(set(ARKIT)) == len(INDEX) == 52
    for name in ARKIT:
        assert mirrored(name) in INDEX
        assert mirrored(mirrored(name)) == name
    assert mirrored("eyeLookInLeft") == "eyeLookInRight"
    assert side_of("jawOpen") == "both"
    assert side_of("jawLeft") == "left"


def test_actions_cover_every_channel_but_the_gaze() -> None:
    driven = {channel for action in ACTIONS.values() for channel in (action.left, action.right)}
    assert driven == {name for name in ARKIT if not name.startswith("eyeLook")}
    for action in ACTIONS.values():
        assert mirrored(action.left) == action.right or not action.sided
    assert BY_UNIT["AU12"].channels("left") == ("mouthSmileLeft",)
    assert BY_UNIT["AU1"].channels("left") == ("browInnerUp",)
