"""Progress says how much is left, truthfully."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tdmm.corpus.pipeline.ledger import Quarantined, StageCounts
from tdmm.corpus.pipeline.progress import Pace, losses_tables, progress_table, shown_progress
from tdmm.corpus.pipeline.status import Summary


def summary(first: StageCounts, second: StageCounts, clips: int = 100, **more: bool) -> Summary:
    quarantined = (Quarantined("clip-7", "judge", 3, "Traceback\nRuntimeError: beyond me"),)
    return Summary(clips, (first, second), {("judge", "jitter"): 4, ("draw", "dull"): 1}, quarantined, **more)


AT_FIRST = summary(StageCounts("draw", waiting=100), StageCounts("judge"))
LATER = summary(
    StageCounts("draw", waiting=50, done=40, rejected=10, seconds=25.0),
    StageCounts("judge", waiting=20, done=15, rejected=4, quarantined=1, seconds=38.0),
)
AT_LAST = summary(StageCounts("draw", done=90, rejected=10), StageCounts("judge", done=80, rejected=9, quarantined=1))


def printed(what: object) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(what)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


def test_the_slowest_stage_decides_when_it_ends() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    assert pace.seconds_left(AT_FIRST) is None
    now[0] = 100.0
    assert pace.hourly(LATER) == [1800.0, 720.0]
    # 90 of the 100 clips reach the second stage as far as is known; it has settled 20 in 100 s.
    assert pace.seconds_left(LATER) == pytest.approx(70 / 0.2)


def test_a_build_that_goes_on_counts_only_what_it_does_itself() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    pace.hourly(LATER)
    now[0] = 10.0
    assert pace.hourly(LATER) == [0.0, 0.0]
    assert pace.seconds_left(LATER) is None
    assert pace.seconds_left(AT_LAST) == 0.0


def test_the_table_has_every_count() -> None:
    text = printed(progress_table(LATER))
    assert "15 of 100 clips finished" in text
    assert [cell.strip() for cell in text.splitlines()[4].split("│")[1:-1]] == [
        "draw",
        "50",
        "0",
        "40",
        "10",
        "0",
        "0.50",
    ]
    assert [cell.strip() for cell in text.splitlines()[5].split("│")[1:-1]] == [
        "judge",
        "20",
        "0",
        "15",
        "4",
        "1",
        "2.00",
    ]
    assert "unfinished" in text
    assert "complete" in printed(progress_table(AT_LAST))


def test_losses_are_listed() -> None:
    rejected, quarantined = (printed(table) for table in losses_tables(LATER))
    assert rejected.index("jitter") < rejected.index("dull")
    assert "clip-7" in quarantined
    assert "RuntimeError: beyond me" in quarantined
    assert "Traceback" not in quarantined
    assert losses_tables(Summary(1, (StageCounts("draw", done=1),), {}, ())) == []


def test_lines_where_there_is_no_terminal() -> None:
    file = io.StringIO()
    with shown_progress(Console(file=file, width=40)) as show:
        for each in (AT_FIRST, LATER, LATER, AT_LAST):
            show(each)
    first, last = file.getvalue().splitlines()
    assert first.startswith("0 of 100 clips finished; draw 0/100 (0/h), judge 0/100")
    assert last.endswith("19 rejected, 1 quarantined; complete")
    interrupted = io.StringIO()
    with shown_progress(Console(file=interrupted)) as show:
        show(summary(*LATER.stages, interrupted=True))
    assert "run the same command again to go on" in interrupted.getvalue().replace("\n", " ")


def test_a_terminal_gets_a_table_that_stays_in_place() -> None:
    file = io.StringIO()
    with shown_progress(Console(file=file, force_terminal=True, width=120, height=20)) as show:
        show(AT_FIRST)
        show(LATER)
    assert "15 of 100 clips finished" in file.getvalue()
    assert "clips an hour" in file.getvalue()
