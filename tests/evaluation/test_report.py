from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from tdmm.errors import FileProblem
from tdmm.evaluation.metric import Definition, Measurement, average, exact, ratio, share, skipped
from tdmm.evaluation.report import Report

UP = Definition("group.up", "share", "how", threshold=0.5, better="up")
DOWN = Definition("group.down", "mm", "how", threshold=0.5, better="down")


def test_thresholds_are_judged_in_the_right_direction() -> None:
    assert share(UP, [True, True, False]).passed is True
    assert share(UP, [True, False, False]).passed is False
    assert average(DOWN, [0.4, 0.5]).passed is True
    assert average(DOWN, [0.4, 0.9]).passed is False
    assert exact(Definition("group.info", "mm", "how"), 1.0, 1).passed is None


def test_failures_are_counted_and_never_pass() -> None:
    measurement = share(UP, [True] * 9, failures=1)
    assert (measurement.value, measurement.n, measurement.failures, measurement.passed) == (1.0, 9, 1, False)


def test_nothing_to_measure_is_said_and_not_made_up() -> None:
    for measurement in (share(UP, []), average(DOWN, []), ratio(UP, [], []), ratio(UP, [0], [0])):
        assert measurement.value is None
        assert measurement.passed is None
        assert measurement.note


def test_a_ratio_weighs_by_its_denominators() -> None:
    assert ratio(UP, [1, 9], [10, 10]).value == 0.5
    assert ratio(UP, [1, 0], [1, 9]).value == 0.1
    assert ratio(UP, [1, 0], [1, 9]).n == 10


def test_a_ratio_without_a_fault_is_still_not_certain() -> None:
    interval = ratio(UP, [10, 10], [10, 10]).interval
    assert interval is not None
    assert 0.8 < interval.low < interval.high == 1.0


def test_json_and_table_say_the_same(tmp_path: Path) -> None:
    report = Report((share(UP, [True] * 30), skipped(DOWN, "no file")), {"seed": 3})
    report.write(tmp_path / "report.json")
    stored = json.loads((tmp_path / "report.json").read_text())
    assert stored["settings"] == {"seed": 3}
    first, second = stored["measurements"]
    assert (first["name"], first["value"], first["n"], first["passed"]) == ("group.up", 1.0, 30, True)
    assert first["interval95"][0] == pytest.approx(0.886, abs=1e-3)
    assert (second["value"], second["interval95"], second["note"]) == (None, None, "no file")
    console = Console(width=160, record=True, file=(tmp_path / "table.txt").open("w"))
    console.print(report.table())
    text = console.export_text()
    console.file.close()
    assert "group.up" in text
    assert "100.0%" in text
    assert "reached" in text
    assert "no file" in text
    assert isinstance(report.get("group.up"), Measurement)
    with pytest.raises(KeyError):
        report.get("group.sideways")


def test_figures_skipped_for_one_reason_are_one_row(tmp_path: Path) -> None:
    report = Report((skipped(UP, "no weights"), skipped(DOWN, "no weights"), share(UP, [True])))
    console = Console(width=160, record=True, file=(tmp_path / "table.txt").open("w"))
    console.print(report.table())
    text = console.export_text()
    console.file.close()
    assert text.count("no weights") == 1
    assert "2 figures" in text


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="mkdir"):
        Report(()).write(tmp_path / "nowhere" / "report.json")
