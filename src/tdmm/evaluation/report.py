"""A report: measurements as a table for people and as JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from tdmm.evaluation.metric import Measurement
from tdmm.files import written_aside

SCHEMA = 1
"""Version of the JSON; raised when a field changes its meaning."""


@dataclass(frozen=True)
class Report:
    """Measurements, and what they were made with.

    Attributes:
        settings: command, seeds, counts and fingerprints of the artifacts: what is needed to do it again.
    """

    measurements: tuple[Measurement, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Measurement:
        """The measurement of that name.

        Raises:
            KeyError: the report has none.
        """
        for measurement in self.measurements:
            if measurement.definition.name == name:
                return measurement
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        """Plain types only."""
        return {
            "schema": SCHEMA,
            "settings": dict(self.settings),
            "measurements": [_as_json(measurement) for measurement in self.measurements],
        }

    def write(self, path: Path) -> None:
        """Write the JSON.

        Raises:
            FileProblem: the path cannot be written.
        """
        with written_aside(path) as temporary:
            temporary.write_text(json.dumps(self.to_json(), indent=1) + "\n", encoding="utf-8")

    def table(self) -> Table:
        """One row a measurement: figure, interval, count, aim, verdict, failures and notes."""
        table = Table(title="tdmm evaluate quick", title_justify="left")
        for heading in ("measure", "value", "95% interval", "n", "aim", "", "note"):
            right = heading in ("value", "n", "aim")
            table.add_column(heading, justify="right" if right else "left", no_wrap=heading != "note")
        group = ""
        for alike in _alike(self.measurements):
            here = alike[0].definition.name.split(".")[0]
            if group and here != group:
                table.add_section()
            group = here
            if len(alike) > 1:
                table.add_row(_common_name(alike), "-", "", f"{len(alike)} figures", "", "", _note(alike[0]))
            else:
                table.add_row(*_row(alike[0]))
        return table


def _alike(measurements: Sequence[Measurement]) -> list[list[Measurement]]:
    """Measurements one by one, but neighbours of a group that were skipped for the same reason together."""
    runs: list[list[Measurement]] = []
    for measurement in measurements:
        before = runs[-1][-1] if runs else None
        if (
            before is not None
            and before.value is None
            and measurement.value is None
            and _note(before) == _note(measurement)
            and before.definition.name.split(".")[:-1] == measurement.definition.name.split(".")[:-1]
        ):
            runs[-1].append(measurement)
        else:
            runs.append([measurement])
    return runs


def _common_name(measurements: Sequence[Measurement]) -> str:
    return measurements[0].definition.name.rpartition(".")[0] + ".*"


def _note(measurement: Measurement) -> str:
    if measurement.failures:
        return f"{measurement.failures} failed. {measurement.note}".strip()
    return measurement.note


def _as_json(measurement: Measurement) -> dict[str, Any]:
    definition, interval = measurement.definition, measurement.interval
    return {
        "name": definition.name,
        "value": measurement.value,
        "unit": definition.unit,
        "n": measurement.n,
        "of": definition.of,
        "interval95": None if interval is None else [interval.low, interval.high],
        "threshold": definition.threshold,
        "better": definition.better,
        "passed": measurement.passed,
        "failures": measurement.failures,
        "formula": definition.formula,
        "note": measurement.note,
    }


def _row(measurement: Measurement) -> tuple[str, ...]:
    definition, interval = measurement.definition, measurement.interval
    percent = definition.unit == "share"
    unit = "" if percent else f" {definition.unit}"
    value = "-" if measurement.value is None else _number(measurement.value, percent) + unit
    between = "" if interval is None else f"{_number(interval.low, percent)} to {_number(interval.high, percent)}"
    aim = ""
    if definition.threshold is not None:
        aim = (">= " if definition.better == "up" else "<= ") + _number(definition.threshold, percent)
    verdict = {True: "[green]reached[/green]", False: "[red]missed[/red]", None: ""}[measurement.passed]
    return (definition.name, value, between, f"{measurement.n} {definition.of}", aim, verdict, _note(measurement))


def _number(value: float, percent: bool) -> str:
    return f"{100 * value:.1f}%" if percent else f"{value:.3g}"
