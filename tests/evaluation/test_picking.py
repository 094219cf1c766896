from __future__ import annotations

import pytest

from tdmm.acting.actor import perform
from tdmm.acting.script import Event, Script
from tdmm.evaluation.picking import best


def take(*descriptors: str) -> Script:
    events = [Event(descriptor=name, intensity=0.9, onset=0.3, apex=0.6, offset=1.4, end=1.9) for name in descriptors]
    return Script(seconds=2.5, events=tuple(events))


def test_the_take_that_shows_what_was_meant_is_picked() -> None:
    asked = perform(take("puff_cheeks"), 0).events
    motions = [perform(script, 1).motion for script in (take(), take("scowl"), take("puff_cheeks"), take("grin"))]
    assert best(motions, [asked] * 4) == 2


def test_what_nobody_meant_counts_against_a_take() -> None:
    asked = perform(take("puff_cheeks"), 0).events
    motions = [perform(script, 1).motion for script in (take("puff_cheeks", "scowl"), take("puff_cheeks"))]
    assert best(motions, [asked] * 2) == 1


def test_one_take_that_misheard_does_not_decide() -> None:
    right, wrong = perform(take("puff_cheeks"), 0), perform(take("scowl"), 0)
    assert best([wrong.motion, right.motion, right.motion], [wrong.events, right.events, right.events]) == 1


def test_no_takes_is_an_error() -> None:
    with pytest.raises(ValueError, match="one at least"):
        best([], [])
