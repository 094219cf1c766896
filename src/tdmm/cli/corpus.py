"""`tdmm corpus`: making corpora, looking at them, joining them and publishing them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from tdmm.corpus.manifest import Manifest

commands = typer.Typer(
    name="corpus",
    help="Make, inspect, join and publish corpora: clips by the thousand, each with its motion and its words.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add `tdmm corpus` to the command line."""
    from tdmm.cli import corpus_build

    corpus_build.register(commands)
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
    typer.echo(f"{out}: {manifest.clips()} clips. Look closer: tdmm corpus inspect {out}")


@commands.command("inspect")
def inspect(
    folder: Annotated[Path, typer.Argument(help="Folder of a corpus.")],
    verify: Annotated[bool, typer.Option("--verify", help="Check the SHA-256 of every shard.")] = False,
    examples: Annotated[int, typer.Option(min=0, help="How many clips of the test split to print.")] = 3,
    split: Annotated[str, typer.Option(help="Where examples come from: train, validation, test or unused.")] = "test",
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
    columns = ["clip_id", "seconds", "source", "split", "texts"]
    for clip in islice(read(folder, split, columns), examples):
        typer.echo(f"\n{clip.clip_id} ({clip.source}, {clip.split}, {clip.seconds:.1f} s)")
        for each in clip.texts:
            typer.echo(f"  {each.detail:>6}  {each.text}")


@commands.command("stats")
def stats(
    folder: Annotated[Path, typer.Argument(help="Folder of a corpus.")],
) -> None:
    """Measure a corpus: how even descriptors and subjects are, how long clips last, how far heads turn.

    Reads every clip. Deviations are from the mean count of all descriptors.

    Example: tdmm corpus stats corpus
    """
    import numpy as np
    from rich.columns import Columns
    from rich.console import Console

    from tdmm.corpus.card import evenness_lines
    from tdmm.corpus.stats import measure

    found = measure(folder)
    typer.echo(f"{len(found.seconds)} clips, {found.texts} texts, {found.families} families, {found.persons} persons")
    for name, counts in (("sources", found.sources), ("splits", found.splits)):
        typer.echo(f"{name}: " + ", ".join(f"{each} {count}" for each, count in counts.items()))
    if found.undirected:
        typer.echo(f"{found.undirected} clips have no script: nobody directed them")
    typer.echo(f"seconds: {_spread(np.percentile(found.seconds, _SHOWN))}")
    if found.intensities.size:
        typer.echo(f"intensities: {_spread(np.percentile(found.intensities, _SHOWN))}")
    for axis, name in enumerate(("pitch", "yaw", "roll")):
        typer.echo(f"head {name}, degrees a clip: {_spread(np.percentile(found.head_deg[:, axis], _SHOWN))}")
    for line in evenness_lines(found):
        typer.echo(line)
    even = found.descriptors
    listed = [f"{kind} {even.counts[kind]} ({even.deviation(kind):+.1%})" for kind in even.ordered()]
    Console(highlight=False).print(Columns(listed, column_first=True, padding=(0, 2)))


_SHOWN = (0, 5, 50, 95, 100)


def _spread(values: Any) -> str:
    least, low, middle, high, most = (f"{value:.2f}" for value in values)
    return f"{middle} in the middle, nine in ten from {low} to {high}, all from {least} to {most}"


@commands.command("card")
def card(
    folder: Annotated[Path, typer.Argument(help="Folder of a corpus; the card becomes its README.md.")],
    licence: Annotated[str, typer.Option(help="As the Hugging Face hub names it: cc-by-4.0, cc0-1.0, ...")] = "unknown",
    title: Annotated[str | None, typer.Option(help="What it is called; the folder's name when left out.")] = None,
) -> None:
    """Write the card of a corpus: a README.md for the Hugging Face hub, with figures.

    Needs: pip install 'tdmm[eval]'

    Example: tdmm corpus card corpus --licence cc-by-4.0 --title "Faces that do what they are told"
    """
    from tdmm.corpus.card import write_card

    typer.echo(str(write_card(folder, title=title, licence=licence)))


@commands.command("merge")
def merge(
    folders: Annotated[list[Path], typer.Argument(help="Folders of corpora of any source.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A new folder, or one that a merge wrote before.")],
) -> None:
    """Write several corpora as one. Clips with the same motion are kept once; ids stay unique.

    Older corpora come out in the newest schema, and every shard holds one split.

    Example: tdmm corpus merge acted wild --out both
    """
    from tdmm.corpus.merging import merge as merge_corpora

    merged = merge_corpora(folders, out)
    _show(merged.manifest)
    typer.echo(f"{merged.duplicates} clips were there twice and were kept once; {merged.renamed} ids were taken.")
    typer.echo(str(out))


@commands.command("verify")
def verify(
    folder: Annotated[Path, typer.Argument(help="Folder of a corpus.")],
) -> None:
    """Check every byte of every shard against the manifest.

    Example: tdmm corpus verify corpus
    """
    from tdmm.corpus.shards import verify as verify_shards

    manifest = verify_shards(folder)
    typer.echo(f"All {len(manifest.shards)} shards are as they were written ({manifest.clips()} clips).")


@commands.command("push")
def push(
    folder: Annotated[Path, typer.Argument(help="Folder of a corpus with its card.")],
    repository: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="Dataset of the Hugging Face hub.")],
    public: Annotated[bool, typer.Option("--public", help="If the dataset is made now, let everybody see it.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would go, and send nothing.")] = False,
) -> None:
    """Put a corpus on the Hugging Face hub, in one commit. Log in before: hf auth login.

    Example: tdmm corpus push corpus me/faces --dry-run
    """
    import os

    from tdmm.corpus.hub import files_of
    from tdmm.corpus.hub import push as push_to_hub

    if not dry_run:
        os.environ["HF_HUB_OFFLINE"] = "0"  # every other command stays off the network
    sent = files_of(folder) if dry_run else push_to_hub(folder, repository, private=not public)
    for each in sent:
        typer.echo(f"{each.bytes:>12,}  {each.name}")
    total = sum(each.bytes for each in sent) / 2**20
    said = "would go to" if dry_run else "are at"
    typer.echo(f"{len(sent)} files, {total:.1f} MiB, {said} https://huggingface.co/datasets/{repository}")


def _show(manifest: Manifest) -> None:
    from rich.console import Console

    seconds = manifest.balance["seconds"]
    size = sum(shard.bytes for shard in manifest.shards) / 2**20
    hours = seconds["total"] / 3600.0
    typer.echo(f"{manifest.clips()} clips, {hours:.2f} hours, {len(manifest.shards)} shards, {size:.1f} MiB")
    origin = manifest.origin
    made = f"seed {origin['seed']}" if "seed" in origin else str(origin.get("kind", "of unknown origin"))
    typer.echo(f"{made}, schema {manifest.schema_version}, digest {manifest.digest[:12]}")
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
