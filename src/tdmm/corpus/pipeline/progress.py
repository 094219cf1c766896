"""What a build shows: a table that stays in place on a terminal, lines elsewhere; on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table

from tdmm.corpus.pipeline.status import Summary

_LINE_EVERY = 30.0
_RULES = 12


class Pace:
    """How fast a build is, since this was made.

    Args:
        clock: of seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._first: Summary | None = None

    def hourly(self, summary: Summary) -> list[float]:
        """Clips that each stage settles in an hour."""
        first = self._first = self._first or summary
        elapsed = self._clock() - self._began
        return [
            3600.0 * (now.settled - then.settled) / elapsed if elapsed > 0 else 0.0
            for now, then in zip(summary.stages, first.stages, strict=True)
        ]

    def seconds_left(self, summary: Summary) -> float | None:
        """Until the slowest stage is through; None while a stage with work to do has not settled a clip yet."""
        left = 0.0
        for number, hourly in enumerate(self.hourly(summary)):
            remaining = summary.remaining(number)
            if remaining and not hourly:
                return None
            left = max(left, 3600.0 * remaining / hourly if remaining else 0.0)
        return left


@contextmanager
def shown_progress(console: Console | None = None) -> Iterator[Callable[[Summary], None]]:
    """A function for `run` to tell its progress to.

    Args:
        console: where it is shown; stderr when left out.
    """
    console = console or Console(stderr=True)
    pace = Pace()
    if console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            yield lambda summary: live.update(progress_table(summary, pace), refresh=True)
        return
    told = [float("-inf")]

    def tell(summary: Summary) -> None:
        if summary.complete or summary.interrupted or time.monotonic() - told[0] > _LINE_EVERY:
            told[0] = time.monotonic()
            console.print(progress_line(summary, pace), highlight=False, soft_wrap=True)

    yield tell


def progress_table(summary: Summary, pace: Pace | None = None) -> Table:
    """Counts per stage, and with a pace how fast it goes and when it ends."""
    title = f"{summary.finished} of {summary.clips} clips finished"
    columns = ["stage", "waiting", "running", "done", "rejected", "quarantined", "s a clip"]
    table = Table(*columns, *(["clips an hour"] if pace else []), title=title, caption=_left(summary, pace))
    for column in table.columns[1:]:
        column.justify = "right"
    hourly = pace.hourly(summary) if pace else []
    for number, stage in enumerate(summary.stages):
        judged = stage.done + stage.rejected
        table.add_row(
            stage.name,
            *(str(count) for count in (stage.waiting, stage.running, stage.done, stage.rejected, stage.quarantined)),
            f"{stage.seconds / judged:.2f}" if judged else "",
            *([f"{hourly[number]:.0f}"] if pace else []),
        )
    return table


def progress_line(summary: Summary, pace: Pace) -> str:
    """The same in a line, for logs."""
    stages = ", ".join(
        f"{stage.name} {stage.settled}/{summary.clips} ({hourly:.0f}/h)"
        for stage, hourly in zip(summary.stages, pace.hourly(summary), strict=True)
    )
    lost = sum(stage.rejected for stage in summary.stages), sum(stage.quarantined for stage in summary.stages)
    return (
        f"{summary.finished} of {summary.clips} clips finished; {stages}; {lost[0]} rejected, {lost[1]} quarantined"
        f"; {_left(summary, pace)}"
    )


def losses_tables(summary: Summary) -> list[Table]:
    """Rejections by rule, and clips that were given up with the last line of their errors; nothing where none are."""
    tables = []
    if summary.rejections:
        table = Table("stage", "rule", "clips", title="Rejected")
        for (stage, rule), clips in list(summary.rejections.items())[:_RULES]:
            table.add_row(stage, rule, str(clips))
        tables.append(table)
    if summary.quarantined:
        table = Table("clip", "stage", "attempts", "last error", title="Quarantined")
        for clip in summary.quarantined:
            table.add_row(clip.clip_id, clip.stage, str(clip.attempts), clip.error.splitlines()[-1])
        tables.append(table)
    return tables


def _left(summary: Summary, pace: Pace | None) -> str:
    if summary.complete:
        return "complete"
    if summary.interrupted:
        return "stopped; run the same command again to go on"
    left = pace.seconds_left(summary) if pace else None
    if left is None:
        return "unfinished"
    minutes = int(left // 60)
    return f"about {minutes // 60} h {minutes % 60:02d} min left" if minutes else "less than a minute left"
