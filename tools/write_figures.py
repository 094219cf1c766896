"""Put the figures of docs/evaluation.json and docs/speed.json into README.md. With --check, fail when they differ."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"(<!-- figures:begin -->\n).*?(<!-- figures:end -->)", re.DOTALL)


def table(report: dict[str, Any]) -> str:
    """The measurements as a Markdown table."""
    lines = ["| measure | value | 95% interval | n | aim |", "|---|---:|---|---:|---:|"]
    for row in report["measurements"]:
        if row["value"] is None:
            lines.append(f"| {row['name']} | not measured: {row['note']} | | | |")
            continue
        interval = row["interval95"]
        between = "" if interval is None else f"{_number(row, interval[0])} to {_number(row, interval[1])}"
        unit = "" if row["unit"] == "share" else f" {row['unit']}"
        aim = ""
        if row["threshold"] is not None:
            aim = ("≥ " if row["better"] == "up" else "≤ ") + _number(row, row["threshold"])
            aim += "" if row["passed"] else " (missed)"
        value, count = _number(row, row["value"]) + unit, f"{row['n']} {row['of']}"
        lines.append(f"| {row['name']} | {value} | {between} | {count} | {aim} |")
    return "\n".join(lines)


def filled(readme: str) -> str:
    """README.md with the block of figures brought up to date."""
    report = json.loads((ROOT / "docs" / "evaluation.json").read_text())
    return BLOCK.sub(lambda match: f"{match[1]}{table(report)}\n{match[2]}", readme)


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
