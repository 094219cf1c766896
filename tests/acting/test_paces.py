"""Paces in words."""

from __future__ import annotations

import pytest

from tdmm.acting.paces import Pace, pace_of


@pytest.mark.parametrize(
    ("text", "pace"),
    [
        ("she smiles", None),
        ("a slow smile", "slow"),
        ("Little by little she frowns.", "slow"),
        ("he takes it in, taking his time", "slow"),
        ("all of a sudden she grins", "quick"),
        ("shakes her head rapidly", "quick"),
        ("she slowly smiles, then quickly frowns", None),
        ("she looks as if the train had suddenly left", None),
        ("he nods like a slow old man", None),
        ("she is fast asleep", None),
        ("not too quickly, she nods", None),
    ],
)
def test_paces_are_heard_where_they_are_meant(text: str, pace: Pace | None) -> None:
    assert pace_of(text) == pace
