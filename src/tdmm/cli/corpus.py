"""`tdmm corpus`: making and looking at corpora of acted clips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from tdmm.corpus.manifest import Manifest

commands = typer.Typer(
    name="corpus",
    help="Make and inspect corpora: clips by the thousand, each with its script, its events and its words.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add `tdmm corpus` to the command line."""
    app.add_typer(commands)


@commands.command("act")
def act(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the corpus; made if it is missing.")],
    clips: Annotated[int, typer.Option(help="How many clips.")] = 20000,
    seed: Annotated[int, typer.Option(help="The corpus depends on it, not on the number of workers.")] = 7,
    workers: Annotated[int | None, typer.Option(help="Processes; every core when left out.")] = None,
    single_share: Annotated[
        float, typer.Option(help="Share of the clips in which one thing alone happens, 0 to 1; for a planner.")
    ] = 0.0,
) -> None:
    """Act a corpus: random scripts, each performed and put into words. No model, no GPU.

    Writes Parquet shards and a manifest.json. Stopped or killed, the same command goes on where it was.

    Example: tdmm corpus act --clips 20000 --seed 7 --out corpus
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from tdmm.corpus.act import act as act_corpus

    bar = Progress(
        TextColumn("acting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=Console(stderr=True),
    )  # fmt: skip
    with bar:
        task = bar.add_task("clips", total=clips)
        manifest = act_corpus(
            out,
            clips=clips,
            seed=seed,
            workers=workers,
            progress=lambda done: bar.advance(task, done),
            single_share=single_share,
        )
    _show(manifest)
    typer.echo(f"{out}: {manifest.plan.clips} clips. Look closer: tdmm corpus inspect {out}")


@commands.command("inspect")
def inspect(
    folder: Annotated[Path, typer.Argument(help="Folder of a corpus.")],
    verify: Annotated[bool, typer.Option("--verify", help="Check the SHA-256 of every shard.")] = False,
    examples: Annotated[int, typer.Option(min=0, help="How many clips of the test split to print.")] = 3,
    split: Annotated[str, typer.Option(help="Where the examples come from: train, validation or test.")] = "test",
) -> None:
    """Say what a corpus holds: sizes, balance, and what some of its clips are called.

    Example: tdmm corpus inspect corpus --verify --examples 5
    """
    from itertools import islice

    from tdmm.corpus.manifest import load
    from tdmm.corpus.shards import read
    from tdmm.corpus.shards import verify as verify_shards

    manifest = verify_shards(folder) if verify else load(folder)
    _show(manifest)
    if verify:
        typer.echo(f"All {len(manifest.shards)} shards are as they were written.")
    columns = ["clip_id", "seconds", "split", "texts"]
    for clip in islice(read(folder, split, columns), examples):
        typer.echo(f"\n{clip.clip_id} ({clip.split}, {clip.seconds:.1f} s)")
        for each in clip.texts:
            typer.echo(f"  {each.detail:>6}  {each.text}")


def _show(manifest: Manifest) -> None:
    from rich.console import Console

    plan, seconds = manifest.plan, manifest.balance["seconds"]
    size = sum(shard.bytes for shard in manifest.shards) / 2**20
    hours = seconds["total"] / 3600.0
    typer.echo(f"{plan.clips} clips, {hours:.2f} hours, {len(manifest.shards)} shards, {size:.1f} MiB")
    typer.echo(f"seed {plan.seed}, schema {plan.schema_version}, digest {manifest.digest[:12]}")
    Console().print(_balance_table(manifest.balance))


def _balance_table(balance: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table("what", "kinds", "least", "median", "most", "counts", title="Balance")
    for name, counts in balance.items():
        if name == "seconds":
            span = f"{counts['min']:g} to {counts['max']:g}, median {counts['median']:g}"
            table.add_row("seconds a clip", "", "", "", "", span)
            continue
        ordered = sorted(counts.values()) or [0]
        detail = ", ".join(f"{key} {count}" for key, count in counts.items()) if len(counts) <= 12 else ""
        middle = ordered[len(ordered) // 2]
        table.add_row(name.replace("_", " "), str(len(counts)), str(ordered[0]), str(middle), str(ordered[-1]), detail)
    return table
