"""The ledger refuses what it cannot trust, and writes all of a step or nothing of it."""

from __future__ import annotations

import re
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest
from fake_stages import FakeStage, jobs_of
from hypothesis import given
from hypothesis import strategies as st

from tdmm.corpus.pipeline.ledger import NAME, SCHEMA_VERSION, Ledger, stage_key
from tdmm.corpus.pipeline.status import finished, status
from tdmm.corpus.pipeline.store import Kept, canonical, content_key
from tdmm.errors import FileProblem

CONTENT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(content=st.dictionaries(st.text(), CONTENT, max_size=4))
def test_a_key_does_not_depend_on_the_order_of_settings(content: dict[str, object]) -> None:
    assert content_key(content) == content_key(dict(reversed(content.items())))
    assert re.fullmatch("[0-9a-f]{64}", content_key(content))


def test_a_key_depends_on_stage_settings_clip_and_what_was_before(tmp_path: Path) -> None:
    plain = FakeStage("draw", tmp_path)
    keys = {
        stage_key(plain, "a", "0"),
        stage_key(plain, "b", "0"),
        stage_key(plain, "a", "1"),
        stage_key(FakeStage("draw", tmp_path, word="bold"), "a", "0"),
        stage_key(FakeStage("draw two", tmp_path), "a", "0"),
    }
    assert len(keys) == 5
    assert stage_key(FakeStage("draw", tmp_path, batch=7), "a", "0") in keys  # how it is run decides nothing


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError):
        canonical({"jitter": float("nan")})


def test_a_folder_without_a_ledger(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="tdmm corpus build"):
        status(tmp_path)
    with pytest.raises(FileProblem, match="tdmm corpus build"):
        next(finished(tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_newer_ledger_is_refused_and_left_alone(tmp_path: Path) -> None:
    Ledger(tmp_path).close()
    with sqlite3.connect(tmp_path / NAME) as database:
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    database.close()
    before = (tmp_path / NAME).read_bytes()
    for writable in (True, False):
        with pytest.raises(FileProblem, match=r"newer version of tdmm \(schema 2, this one knows 1\)\. Update tdmm"):
            Ledger(tmp_path, writable=writable)
    assert (tmp_path / NAME).read_bytes() == before


def test_other_files_of_that_name_are_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / NAME) as database:
        database.execute("CREATE TABLE songs (title TEXT)")
    database.close()
    with pytest.raises(FileProblem, match="is not a ledger of tdmm"):
        Ledger(tmp_path)
    (tmp_path / NAME).write_bytes(b"thesis " * 1000)
    with pytest.raises(FileProblem, match="found in the store"):
        Ledger(tmp_path)


def test_a_disk_that_is_full_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    stages = [FakeStage("draw", tmp_path)]
    ledger = Ledger(tmp_path)
    ledger.settle(stages, jobs_of(3))
    before = ledger.counts()
    pages = ledger._database.execute("PRAGMA page_count").fetchone()[0]
    ledger._database.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(FileProblem, match="make room; then run the same command again"):
        ledger.settle(stages, jobs_of(5000))
    assert (ledger.clips(), ledger.counts()) == (3, before)
    ledger.close()


def test_half_a_step_is_not_written(tmp_path: Path) -> None:
    stages = [FakeStage("draw", tmp_path), FakeStage("judge", tmp_path)]
    ledger = Ledger(tmp_path)
    ledger.settle(stages, jobs_of(2))
    with ledger.transaction():
        batch = ledger.take(0, 2, "here:1")
    assert batch is not None
    with suppress(KeyboardInterrupt), ledger.transaction():
        ledger.record(batch, [Kept("done", {}), Kept("done", {})], stages[1])
        raise KeyboardInterrupt
    assert [(stage.running, stage.waiting) for stage in ledger.counts()] == [(2, 0), (0, 0)]
    with ledger.transaction():
        ledger.record(batch, [Kept("done", {}, seconds=2.0), Kept("rejected", {}, rule="dull", seconds=1.0)], stages[1])
    first, second = ledger.counts()
    assert (first.done, first.rejected, first.seconds, second.waiting) == (1, 1, 3.0, 1)
    ledger.close()


def test_a_status_can_be_asked_for_while_a_build_writes(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.settle([FakeStage("draw", tmp_path)], jobs_of(2))
    with ledger.transaction():
        assert ledger.take(0, 1, "here:1") is not None
        assert status(tmp_path).stages[0].waiting == 2
    assert (status(tmp_path).stages[0].waiting, status(tmp_path).stages[0].running) == (1, 1)
    ledger.close()
