"""`tdmm evaluate`: how good the models are, and what the reader sees in a motion."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import TaskID

    from tdmm.evaluation.metric import Progress


def register(app: typer.Typer) -> None:
    """Add the group of commands to the application."""
    group = typer.Typer(help="Measure the models; read what happens in a motion.", no_args_is_help=True)
    group.command()(quick)
    group.command()(read)
    app.add_typer(group, name="evaluate")


def quick(
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write the figures to this JSON file too.")] = None,
    clips: Annotated[int, typer.Option(min=1, max=100_000, help="Held-out clips; 200 prompts for every 500.")] = 500,
    only: Annotated[
        str, typer.Option(help="Comma-separated groups: reader, tokens, animate, words, describe.")
    ] = "reader,tokens,animate,words,describe",
    seed: Annotated[int, typer.Option(help="Of the held-out scripts: another test set.")] = 1_000_003,
    capture: Annotated[
        Path | None, typer.Option(help="A real recording (.csv or .npz) for the tokenizers' errors.")
    ] = None,
) -> None:
    """Measure the bundled models on held-out clips and prompts.

    Every figure comes with its count, its 95% interval and its aim; docs/evaluation.md defines them. The full
    run takes some minutes on two cores.

    Example: tdmm evaluate quick --only reader,tokens --clips 100 --out report.json
    """
    from rich.console import Console

    from tdmm import api
    from tdmm.evaluation.quick import Models, evaluate
    from tdmm.files import require_readable, require_writable

    if out is not None:
        require_writable(out)
    if capture is not None:
        require_readable(capture)
    models = Models(animate=api.animate_many, describe=api.describe_many)
    with _progress() as progress:
        report = evaluate(models, only=only.split(","), clips=clips, seed=seed, capture=capture, progress=progress)
    Console().print(report.table())
    if out is not None:
        report.write(out)
        typer.echo(f"written: {out}", err=True)


@contextmanager
def _progress() -> Iterator[Progress]:
    """Bars on stderr, one for each kind of work."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(done: int, total: int, what: str) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done)

        yield show


def read(
    file: Annotated[Path, typer.Argument(help="A motion: .npz, or a Live Link Face .csv.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
    capture: Annotated[
        bool, typer.Option("--capture", help="A real recording: find its rest instead of taking zero for it.")
    ] = False,
) -> None:
    """List what happens in a motion: FACS actions, head motions, gaze and blinks, with their times.

    No model is used. Example: tdmm evaluate read smirk.npz
    """
    from dataclasses import asdict

    from rich.console import Console

    from tdmm import api
    from tdmm.evaluation import timeline
    from tdmm.reading import reader
    from tdmm.reading.settings import ReaderSettings

    settings = ReaderSettings(rest="measured" if capture else "zero")
    events = reader.read(api.load(file), settings)
    if as_json:
        typer.echo(json.dumps(asdict(events), indent=1))
    else:
        Console().print(timeline.table(events, str(file)))
