"""Casting: balanced, playable, the same for a seed whatever the order."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest

from tdmm.acting.casting import BLOCK, LONGEST, SHORTEST, Cues, cast, stage
from tdmm.acting.lexicon import load
from tdmm.acting.script import Script
from tdmm.face.facs import ACTIONS
from tdmm.motion.events import GAZE_DIRECTIONS, HEAD_MOTIONS

CLIPS = 20 * BLOCK


@cache
def scripts() -> tuple[Script, ...]:
    return tuple(cast(7, index) for index in range(CLIPS))


def test_a_clip_depends_on_seed_and_index_alone() -> None:
    assert [cast(7, index) for index in (412, 3, 150)] == [scripts()[index] for index in (412, 3, 150)]
    assert cast(8, 3) != scripts()[3]


def test_descriptors_are_dealt_evenly() -> None:
    counts = Counter(event.descriptor for script in scripts() for event in script.events)
    assert set(counts) == set(load().descriptors)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_shares_of_a_block() -> None:
    shares = Counter(len(script.events) for script in scripts())
    assert {count: shares[count] / CLIPS for count in range(4)} == {0: 0.05, 1: 0.44, 2: 0.39, 3: 0.12}
    energies = Counter(script.energy for script in scripts())
    assert (energies["low"], energies["high"]) == (CLIPS // 4, CLIPS // 4)
    neutral = sum(not (script.events or script.head or script.gaze or script.blinks) for script in scripts())
    assert 0.02 <= neutral / CLIPS <= 0.04


def test_head_gaze_and_blinks_have_their_shares() -> None:
    assert 0.48 <= sum(bool(script.head) for script in scripts()) / CLIPS <= 0.6
    assert 0.24 <= sum(bool(script.gaze) for script in scripts()) / CLIPS <= 0.34
    assert 0.14 <= sum(bool(script.blinks) for script in scripts()) / CLIPS <= 0.24
    kinds = Counter(motion.kind for script in scripts() for motion in script.head)
    assert set(kinds) == set(HEAD_MOTIONS)
    assert min(kinds.values()) > 0.85 * max(kinds.values())
    directions = Counter(gaze.direction for script in scripts() for gaze in script.gaze)
    assert set(directions) == set(GAZE_DIRECTIONS)
    assert min(directions.values()) > 0.75 * max(directions.values())


def test_intensities_are_spread() -> None:
    levels = [event.intensity for script in scripts() for event in script.events]
    assert min(levels) == pytest.approx(0.3)
    assert max(levels) == pytest.approx(1.0)
    fifths = Counter(sum(level >= limit for limit in (0.36, 0.5, 0.7, 0.9)) for level in levels)
    assert min(fifths.values()) > 0.15 * len(levels)


def test_sides_are_asked_only_where_the_lexicon_allows_them() -> None:
    sides = Counter(event.side for script in scripts() for event in script.events)
    assert 0.7 < sides["left"] / sides["right"] < 1.4
    for script in scripts():
        for event in script.events:
            if event.side != "both":
                assert load().get(event.descriptor).side != "both"


def test_everything_fits_its_clip() -> None:
    for script in scripts():
        assert SHORTEST <= script.seconds <= LONGEST
        assert round(script.seconds * 25) == pytest.approx(script.seconds * 25)
        for event in script.events:
            assert 0.0 <= event.onset < event.apex <= event.offset < event.end <= script.seconds
        for motion in (*script.head, *script.gaze):
            assert 0.0 <= motion.onset < motion.end <= script.seconds
        for one, other in zip(script.head, script.head[1:], strict=False):
            assert one.end < other.onset
        for blink in script.blinks:
            assert blink.time + blink.count * (0.68 if blink.slow else 0.44) <= script.seconds


def test_events_that_overlap_use_different_regions() -> None:
    overlaps = 0
    for script in scripts():
        for one, other in zip(script.events, script.events[1:], strict=False):
            assert one.onset <= other.onset
            if other.onset < one.end - 0.15:
                overlaps += 1
                regions = [
                    {ACTIONS[recipe.action].region for recipe in load().get(each.descriptor).actions}
                    for each in (one, other)
                ]
                assert not regions[0] & regions[1]
    assert overlaps > 0


def test_a_negative_index_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="index"):
        cast(7, -1)


def test_what_happens_can_be_told_and_is_then_laid_out() -> None:
    descriptors = (load().get("smirk"), load().get("yawn"))
    cues = Cues(descriptors, "low", head=("nod",), gaze=("up",), blinks=1)
    scripts = [stage(cues, np.random.default_rng(seed), shortest=4.0) for seed in range(20)]
    for script in scripts:
        assert [event.descriptor for event in script.events] == ["smirk", "yawn"]
        assert [motion.kind for motion in script.head] == ["nod"]
        assert script.energy == "low"
        assert 4.0 <= script.seconds <= LONGEST
    assert any(script.gaze and script.gaze[0].direction == "up" for script in scripts)
    assert any(script.blinks for script in scripts)
    assert len({script.model_dump_json() for script in scripts}) == 20
