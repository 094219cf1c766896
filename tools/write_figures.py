"""Put the figures of docs/evaluation.json and docs/speed.json into README.md. With --check, fail when they differ."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def quality(report: dict[str, Any]) -> str:
    """The measurements as a Markdown table."""
    lines = ["| measure | value | 95% interval | n | aim |", "|---|---:|---|---:|---:|"]
    for row in report["measurements"]:
        if row["value"] is None:
            lines.append(f"| {row['name']} | not measured: {row['note']} | | | |")
            continue
        interval = row["interval95"]
        between = "" if interval is None else f"{_number(row, interval[0])} to {_number(row, interval[1])}"
        aim = ""
        if row["threshold"] is not None:
            aim = ("≥ " if row["better"] == "up" else "≤ ") + _number(row, row["threshold"])
            aim += "" if row["passed"] else " (missed)"
        unit = "" if row["unit"] == "share" else f" {row['unit']}"
        value, count = _number(row, row["value"]) + unit, f"{row['n']} {row['of']}"
        lines.append(f"| {row['name']} | {value} | {between} | {count} | {aim} |")
    return "\n".join(lines)


def speed(report: dict[str, Any]) -> str:
    """The speeds as a Markdown table."""
    lines = ["| part | seconds of work | seconds of motion | times real time |", "|---|---:|---:|---:|"]
    for row in report["speeds"]:
        if row["seconds"] is None:
            lines.append(f"| {row['part']} | not measured: {row['note']} | | |")
        else:
            lines.append(
                f"| {row['part']} | {row['seconds']:.3f} | {row['motion_seconds']:.1f} | {row['times_real_time']:.3g} |"
            )
    return "\n".join(lines)


def filled(readme: str) -> str:
    """README.md with its blocks of figures brought up to date."""
    for name, table in (("evaluation", quality), ("speed", speed)):
        report = json.loads((ROOT / "docs" / f"{name}.json").read_text())
        block = re.compile(rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)", re.DOTALL)
        text = table(report)
        readme = block.sub(lambda match, text=text: f"{match[1]}{text}\n{match[2]}", readme)
    return readme


def _number(row: dict[str, Any], value: float) -> str:
    return f"{100 * value:.1f}%" if row["unit"] == "share" else f"{value:.3g}"


if __name__ == "__main__":
    path = ROOT / "README.md"
    old = path.read_text()
    new = filled(old)
    if "--check" in sys.argv:
        if new != old:
            sys.exit("README.md is stale: run python tools/write_figures.py")
    else:
        path.write_text(new)
