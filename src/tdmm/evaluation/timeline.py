"""Events of a motion as a table, in the order in which they happen."""

from __future__ import annotations

from rich.table import Table

from tdmm.face.facs import ACTIONS
from tdmm.motion.events import MotionEvents


def table(events: MotionEvents, title: str = "") -> Table:
    """One row an event: when, what, on which side, how strong; an empty motion has none."""
    rows: list[tuple[float, tuple[str, str, str, str, str]]] = []
    for action in events.actions:
        units = "+".join(ACTIONS[action.action].units)
        name = f"{action.action} ({units})" if units else action.action
        rows.append(
            (
                action.onset,
                (_times(action.onset, action.end), "action", name, action.side, f"{action.strength:.2f}"),
            )
        )
    for head in events.head:
        unit = "mm" if head.kind in ("lean_forward", "lean_back", "recoil") else "deg"
        name = f"{head.kind} x{head.cycles}" if head.cycles > 1 else head.kind
        rows.append((head.onset, (_times(head.onset, head.end), "head", name, "", f"{head.amplitude:.0f} {unit}")))
    for gaze in events.gaze:
        rows.append((gaze.onset, (_times(gaze.onset, gaze.end), "gaze", gaze.direction, "", f"{gaze.strength:.2f}")))
    for blink in events.blinks:
        times = _times(blink.time, blink.time + blink.duration)
        name = "blink" if blink.side == "both" else "wink"
        rows.append((blink.time, (times, "lids", name, blink.side, f"{blink.strength:.2f}")))
    listed = Table(title=title or None, title_justify="left")
    for heading in ("seconds", "kind", "event", "side", "strength"):
        listed.add_column(heading, no_wrap=True, justify="right" if heading == "strength" else "left")
    for _, row in sorted(rows, key=lambda each: each[0]):
        listed.add_row(*row)
    return listed


def _times(onset: float, end: float) -> str:
    return f"{onset:6.2f} - {end:6.2f}"
