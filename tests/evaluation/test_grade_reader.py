from __future__ import annotations

import pytest

from tdmm.evaluation.grade_reader import grade_reader
from tdmm.evaluation.held_out import SEED


@pytest.mark.slow
def test_the_reader_finds_what_is_acted() -> None:
    # Another seed than the report's, so that the report stays a test.
    measurements = {each.definition.name: each for each in grade_reader(60, seed=SEED + 1)}
    recall, false = measurements["reader.recall"], measurements["reader.false"]
    assert recall.passed
    assert false.passed
    assert recall.n > 150
    assert recall.interval is not None
    assert measurements["reader.recall_head"].value >= 0.95
    assert measurements["reader.gaze"].value >= 0.9
    assert measurements["reader.blinks"].value >= 0.9


def test_grading_is_deterministic_and_tells_its_progress() -> None:
    told: list[tuple[int, int]] = []
    first = grade_reader(3, progress=lambda done, total, what: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert first == grade_reader(3)
