"""What a run shows and hears: a progress bar on stderr, and requests to stop."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class Bar:
    """A progress bar on stderr, or nothing."""

    def __init__(self, display: Progress | None) -> None:
        self._display = display
        self._task = display.add_task("training", total=1.0, step=0, loss=math.nan) if display else None

    def show(self, fraction: float, step: int, loss: float) -> None:
        """Move to `fraction` of the run, 0 to 1."""
        if self._display is not None and self._task is not None:
            self._display.update(self._task, completed=min(1.0, fraction), step=step, loss=loss)


@contextmanager
def shown_bar(shown: bool) -> Iterator[Bar]:
    """A bar while the context lasts; nothing when not `shown`."""
    if not shown:
        yield Bar(None)
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TextColumn("step {task.fields[step]}  loss {task.fields[loss]:.4g}"),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as display:
        yield Bar(display)
