"""Put the figures of the JSON files in docs into the pages of `PAGES`.

With --check, fail when they differ.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from statistics import median
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


def tracking(report: dict[str, Any]) -> str:
    """The closed loop as a Markdown table."""

    def share(name: str, things: str) -> str:
        low, high = report[name]["interval"]
        return (
            f"{100 * report[name]['share']:.1f}% ({100 * low:.1f} to {100 * high:.1f}) of {report[name]['of']} {things}"
        )

    rows = (
        ("moving face, median of all frames", f"{report['face_mm_median']:.2f} mm", "≤ 1.2 mm"),
        ("head, median of all frames", f"{report['head_deg_median']:.2f}°", "≤ 1.5°"),
        ("blinks found", share("blinks", "blinks"), "≥ 95%"),
        ("false blinks", share("false_blinks", "found"), "≤ 5%"),
        ("actions found by the reader, side right", share("actions", "actions"), "≥ 85%"),
        ("actions found that were not done", f"{report['false_actions'] / report['clips']:.2f} a clip", ""),
        ("head motions found", share("head_motions", "motions"), ""),
        ("head motions found that were not made", f"{report['false_head_motions'] / report['clips']:.2f} a clip", ""),
        ("jitter of a still face, frame to frame", f"{report['jitter_mm']:.3f} mm", "≤ 0.1 mm"),
        ("speed, video to motion", f"{report['times_real_time']:.2g} times real time", "≥ 1"),
    )
    lines = [f"| {report['clips']} clips, seed {report['seed']} | | aim |", "|---|---:|---:|"]
    return "\n".join([*lines, *(f"| {what} | {value} | {aim} |" for what, value, aim in rows)])


def recordings(report: dict[str, Any]) -> str:
    """Every recording as a row of a Markdown table, and every channel that moves in one as a row of another."""
    lines = [
        "| recording | pictures with a face: ours, theirs, of all | residual | head apart: turn (pitch, yaw, roll) "
        "| median correlation |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, clip in report["clips"].items():
        seen = f"{clip['seen']}, {clip['seen_by_second']}, {clip['pictures']}"
        if "refused" in clip:
            lines.append(f"| {name} | {seen} | refused | | |")
            continue
        if "head_deg" not in clip:
            lines.append(f"| {name} | {seen} | {clip['residual_mm']:.2f} mm | seen by ours alone | |")
            continue
        apart = clip["head_deg"]
        head = f"{apart['turn']:.1f}° ({apart['pitch']:.1f}, {apart['yaw']:.1f}, {apart['roll']:.1f})"
        found = clip["correlations"].values()
        alike = f"{median(found):.2f} ({len(found)} channels)" if found else "too short"
        lines.append(f"| {name} | {seen} | {clip['residual_mm']:.2f} mm | {head} | {alike} |")
    lines += ["", "| channel | correlation: left, right | clips |", "|---|---:|---:|"]
    sides: dict[str, dict[str, dict[str, float]]] = {}
    for name, each in report["channels"].items():
        stem = name.removesuffix("Left").removesuffix("Right")
        # mouthLeft is no side of a pair.
        pair = f"{stem}Left" in report["channels"] and f"{stem}Right" in report["channels"]
        sides.setdefault(stem if pair and stem not in ("mouth", "jaw") else name, {})[name] = each
    for stem, pair in sides.items():
        values = ", ".join(f"{each['correlation']:.2f}" for each in pair.values())
        counts = ", ".join(str(each["clips"]) for each in pair.values())
        lines.append(f"| {stem} | {values} | {counts} |")
    return "\n".join(lines)


def laptop(report: dict[str, Any]) -> str:
    """What became of a build: `tdmm corpus status FOLDER --json`."""
    rows = ["| stage | passed | rejected | seconds of a core, a clip |", "|---|---:|---:|---:|"]
    for stage in report["stages"]:
        rows.append(f"| {stage['name']} | {stage['done']} | {stage['rejected']} | {stage['seconds_a_clip']:.2f} |")
    rules = ", ".join(f"{rule.split(': ')[1]} {count}" for rule, count in report["rejections"].items()) or "none"
    kinds = report["recalls"]
    asked, found = (sum(each[what] for each in kinds.values()) for what in ("asked", "found"))
    named = (("action", "actions"), ("head", "head motions"), ("blink", "blinks"), ("gaze", "looks"))
    shares = ", ".join(f"{kinds[kind]['found']} of {kinds[kind]['asked']} {name}" for kind, name in named)
    rows.append("")
    prompts = report["clips"] - report["again"]
    rows.append(
        f"`recipes/corpus-laptop.yaml`, {prompts} prompts by the built-in renderer, offline: "
        f"{report['finished']} came through every stage, {report['again']} clips having been made again (rejected: "
        f"{rules}). Of {asked} events that the scripts ask for, the reader found {found} "
        f"({100 * found / asked:.1f}%) in what was tracked of their first takes, rejected clips included: {shares}. "
        "`tdmm corpus status FOLDER --json` gives these figures."
    )
    return "\n".join(rows)


def filled(page: str) -> str:
    """A page with its blocks of figures brought up to date."""
    tables = {"evaluation": quality, "speed": speed, "tracking": tracking, "recordings": recordings, "laptop": laptop}
    for name, table in tables.items():
        report = json.loads((ROOT / "docs" / f"{name}.json").read_text())
        block = re.compile(rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)", re.DOTALL)
        text = table(report)
        page = block.sub(lambda match, text=text: f"{match[1]}{text}\n{match[2]}", page)
    return page


def _number(row: dict[str, Any], value: float) -> str:
    return f"{100 * value:.1f}%" if row["unit"] == "share" else f"{value:.3g}"


PAGES = ("README.md", "docs/corpus.md", "docs/tracking.md")

if __name__ == "__main__":
    for name in PAGES:
        path = ROOT / name
        old = path.read_text()
        new = filled(old)
        if "--check" not in sys.argv:
            path.write_text(new)
        elif new != old:
            sys.exit(f"{name} is stale: run python tools/write_figures.py")
