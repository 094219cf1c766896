"""What a run shows and hears: a progress bar on stderr, and requests to stop."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

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


@contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """An event set by the first Ctrl-C or SIGTERM; a second one acts as it always does."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def request(number: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, request)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
