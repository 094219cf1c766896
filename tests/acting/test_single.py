"""Scripts of one thing at a time."""

from __future__ import annotations

from collections import Counter

import numpy as np

from tdmm.acting.casting import cast
from tdmm.acting.coherence import check_coherence
from tdmm.acting.lexicon import load
from tdmm.acting.narrator import narrate
from tdmm.acting.single import single
from tdmm.language.steps import steps


def test_one_thing_is_left_of_a_script_and_it_holds_together() -> None:
    kinds: Counter[str] = Counter()
    for index in range(200):
        whole = cast(3, index)
        alone = single(whole, np.random.default_rng((3, index)))
        check_coherence(alone, "script")
        assert len(alone.events) <= 1
        assert len(alone.events) + len(alone.head) + len(alone.gaze) + len(alone.blinks) <= 2
        assert {each.descriptor for each in alone.events} <= {each.descriptor for each in whole.events}
        onsets = [each.onset for each in (*alone.events, *alone.head, *alone.gaze)]
        assert all(onset <= 1.2 for onset in onsets)
        assert all(load().get(each.descriptor).head is None or not alone.head for each in alone.events)
        kinds.update(name for name in ("events", "head", "gaze", "blinks") if getattr(alone, name))
        if not (whole.events or whole.head or whole.gaze or whole.blinks):
            assert not onsets
    assert kinds["events"] > kinds["head"] > kinds["gaze"] > 0
    assert kinds["blinks"] > 0


def test_it_is_told_in_one_step() -> None:
    texts = [
        narrate(single(cast(3, index), np.random.default_rng((3, index))), index, "medium") for index in range(100)
    ]
    assert sum(len(steps(text)) == 1 for text in texts) >= 98


def test_the_same_chance_gives_the_same_script() -> None:
    assert single(cast(3, 5), np.random.default_rng(1)) == single(cast(3, 5), np.random.default_rng(1))
