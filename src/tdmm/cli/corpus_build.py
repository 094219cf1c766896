"""`tdmm corpus build` and what belongs to it: a recipe becomes a corpus."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from tdmm.corpus.build import Built
    from tdmm.corpus.costs import CorpusCost
    from tdmm.corpus.pipeline.status import Summary

Recipe = Annotated[Path, typer.Argument(help="A YAML file; recipes/corpus-laptop.yaml is one.")]


def register(commands: typer.Typer) -> None:
    """Add the commands to `tdmm corpus`."""
    commands.command("build")(build)
    commands.command("status")(status)
    commands.command("prune")(prune)
    commands.command("plan")(plan)
    commands.command("prompts")(prompts)


def build(
    recipe: Recipe,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the corpus; made if it is missing.")],
    clips: Annotated[int | None, typer.Option(help="How many prompts, in the place of the recipe's.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes on this machine; every core when left out.")] = None,
    ray: Annotated[
        str | None, typer.Option(help="Build on Ray: auto, or the address of a cluster. Needs the extra `ray`.")
    ] = None,
    store: Annotated[
        str | None, typer.Option(help="Object storage for outputs, as fsspec writes it: s3://bucket/corpus.")
    ] = None,
    attempts: Annotated[int, typer.Option(min=1, help="Crashes after which a clip is given up.")] = 3,
    patience: Annotated[
        float, typer.Option(help="Minutes that a worker may take for a clip before it is taken to hang and is ended.")
    ] = 360.0,
    redo: Annotated[
        bool, typer.Option("--redo", help="Make again what a changed recipe would make otherwise.")
    ] = False,
) -> None:
    """Make a corpus from a recipe: prompts to videos to motions to shards, or recordings to shards.

    Every clip goes through every stage once. Stopped, killed or crashed, the same command goes on where it was; what a
    clip was rejected for is in tdmm corpus status. A landmarker for the tracker is found as by tdmm track.

    Example: tdmm corpus build recipes/corpus-laptop.yaml --out corpus
    """
    import time

    from rich.console import Console

    from tdmm.corpus.build import build as build_corpus
    from tdmm.corpus.pipeline.progress import losses_tables, shown_progress
    from tdmm.corpus.pipeline.runner import BuildOptions
    from tdmm.corpus.recipe import read

    asked = read(recipe, clips)
    command = f"tdmm corpus build {recipe}" + (f" --clips {clips}" if clips is not None else "")
    options = BuildOptions(workers=workers, ray=ray, store=store, attempts=attempts, patience=60 * patience, redo=redo)
    began = time.monotonic()
    with shown_progress() as progress:
        built = build_corpus(asked, out, options, command=command, progress=progress)
    console = Console()
    for table in (_stage_table(built.summary), *losses_tables(built.summary)):
        console.print(table)
    if built.manifest is None:
        typer.echo(f"Stopped. Everything done is kept; go on: {command} --out {out}", err=True)
        raise typer.Exit(130)
    typer.echo(_told(built, out, time.monotonic() - began))


def status(
    folder: Annotated[Path, typer.Argument(help="Folder of a corpus that is being built, or was.")],
    as_json: Annotated[bool, typer.Option("--json", help="The same for programs.")] = False,
) -> None:
    """Say how far a build is, what it rejected and why. A build may be at work there.

    Example: tdmm corpus status corpus
    """
    from rich.console import Console

    from tdmm.corpus.pipeline.progress import losses_tables
    from tdmm.corpus.pipeline.status import status as status_of

    summary, console = status_of(folder), Console()
    if as_json:
        typer.echo(json.dumps(_figures(folder, summary), indent=1))
        return
    for table in (_stage_table(summary), *losses_tables(summary)):
        console.print(table)
    typer.echo(
        f"{summary.finished} of {summary.clips} clips passed every stage; "
        + ("nothing is left to do." if summary.complete else "the build is not through.")
    )


def prune(
    folder: Annotated[Path, typer.Argument(help="Folder of a corpus that was built.")],
    look: Annotated[bool, typer.Option("--look", help="Say what would be removed, and remove nothing.")] = False,
) -> None:
    """Remove what a changed recipe left behind: outputs that no clip of the build leads to any more.

    Shards, the ledger and all that they were made of stay. To go back to an older recipe makes its outputs anew.

    Example: tdmm corpus prune corpus --look
    """
    from tdmm.corpus.pipeline.pruning import prune as prune_folder

    found = prune_folder(folder, only_look=look)
    said = "can be removed" if look else "were removed"
    typer.echo(f"{folder}: {found.outputs:,} outputs of {found.bytes / 2**20:,.1f} MiB {said}")


def plan(
    recipe: Recipe,
    clips: Annotated[int, typer.Option(help="How many clips are to be asked for.")] = 60000,
    pilot: Annotated[
        Path | None, typer.Option(help="Folder of a small build of the same recipe: its hours and sizes are measured.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes for the stages without a GPU.")] = 64,
    gpu_hour: Annotated[float | None, typer.Option(help="Price of a GPU for an hour.")] = None,
    clip_price: Annotated[float | None, typer.Option(help="Price of one clip at a remote generator.")] = None,
) -> None:
    """Say what a corpus will take before it is made: GPU-hours, hours, storage and money.

    Example: tdmm corpus plan corpus.yaml --clips 57000 --pilot pilot --gpu-hour 2.50
    """
    from rich.console import Console

    from tdmm.corpus.costs import plan as plan_corpus
    from tdmm.corpus.recipe import read

    cost = plan_corpus(read(recipe), clips, pilot=pilot, gpu_hour=gpu_hour, clip=clip_price)
    Console().print(_cost_table(cost))
    hours = "not known" if cost.gpu_hours is None else f"{cost.gpu_hours:,.0f}"
    typer.echo(f"{cost.clips:,} clips asked for, about {cost.kept:,.0f} kept; {cost.gibibytes:,.1f} GiB on disk")
    typer.echo(
        f"GPU-hours: {hours}; hours without a GPU: {cost.cpu_hours:,.0f} of one core, "
        f"{cost.cpu_hours / workers:,.1f} with {workers} workers"
    )
    if cost.money is not None:
        typer.echo(f"Money, in the currency of your prices: {cost.money:,.0f}")


def prompts(
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 12,
    style: Annotated[str, typer.Option(help="Whose dialect: wan, hunyuan, ltx, veo, omni, humo, open-sora, plain.")] = (
        "plain"
    ),
    seed: Annotated[int, typer.Option(help="Of the suite.")] = 7,
    evenness: Annotated[bool, typer.Option("--evenness", help="Print how evenly the suite is dealt, instead.")] = False,
) -> None:
    """Print the first prompts of a suite as a generator is told them, or how balanced it is.

    Example: tdmm corpus prompts --count 3 --style wan
    """
    from rich.console import Console
    from rich.table import Table

    from tdmm.corpus.prompts.evenness import imbalance
    from tdmm.corpus.prompts.scenes import negative_for
    from tdmm.corpus.prompts.suite import preview, suite

    if not evenness:
        for clip_id, text, _ in preview(count, style, seed):
            typer.echo(f"{clip_id}\n  {text}\n")
        typer.echo(f"Not to be seen: {negative_for(style) or '(this generator takes no negative prompt)'}")
        return
    table = Table("what", "kinds", "mean", "fewest", "most", "within 5% or one clip", title=f"{count:,} prompts")
    for name, even in imbalance(suite(count, seed)).items():
        table.add_row(
            name, f"{even.levels:,}", f"{even.mean:,.2f}", f"{even.lowest:,g}", f"{even.highest:,g}",
            "yes" if even.even else f"no: {100 * even.share:.1f}%",
        )  # fmt: skip
    Console().print(table)


def _stage_table(summary: Summary) -> Table:
    from rich.table import Table

    table = Table("stage", "waiting", "running", "done", "rejected", "given up", "seconds a clip", title="Stages")
    for number, stage in enumerate(summary.stages):
        each = f"{stage.seconds / stage.settled:.2f}" if stage.settled else ""
        waiting = max(0, summary.remaining(number) - stage.running)
        counts = (waiting, stage.running, stage.done, stage.rejected, stage.quarantined)
        table.add_row(stage.name, *map(str, counts), each)
    return table


def _figures(folder: Path, summary: Summary) -> dict[str, Any]:
    from tdmm.corpus.build import agreement, later_takes, later_windows

    stages = [
        {
            "name": stage.name, "done": stage.done, "rejected": stage.rejected, "given_up": stage.quarantined,
            "seconds": round(stage.seconds, 2), "seconds_a_clip": round(stage.seconds / max(1, stage.settled), 3),
        }
        for stage in summary.stages
    ]  # fmt: skip
    rules = {f"{stage}: {rule}": count for (stage, rule), count in summary.rejections.items()}
    return {
        "clips": summary.clips, "again": later_takes(folder), "windows": later_windows(folder),
        "finished": summary.finished, "complete": summary.complete, "stages": stages,
        "rejections": rules, "given_up": [each.clip_id for each in summary.quarantined],
        "recalls": {kind: asdict(each) for kind, each in agreement(folder).items()},
    }  # fmt: skip


def _cost_table(cost: CorpusCost) -> Table:
    from rich.table import Table

    table = Table("stage", "clips", "seconds a clip", "hours", "GPUs", "from", title="What it takes")
    for stage in cost.stages:
        seconds = "?" if stage.seconds is None else f"{stage.seconds:.2f}"
        hours = "?" if stage.hours is None else f"{stage.hours:,.1f}"
        table.add_row(stage.name, f"{stage.clips:,.0f}", seconds, hours, f"{stage.gpus:g}", stage.source)
    return table


def _told(built: Built, out: Path, seconds: float) -> str:
    manifest = built.manifest
    clips = 0 if manifest is None else sum(sum(shard.clips.values()) for shard in manifest.shards)
    text = f"{out}: {clips} clips in shards, in {seconds / 60:.1f} minutes"
    if built.again:
        text += f"; {built.again} clips were made again after a rejection"
    if built.windows:
        text += f"; {built.windows} clips are further windows of longer recordings"
    if built.duplicates:
        text += f"; {built.duplicates} left out as near copies of others"
    asked = sum(each.asked for each in built.recalls.values())
    if asked:
        found = sum(each.found for each in built.recalls.values())
        kinds = ", ".join(f"{kind} {each.found} of {each.asked}" for kind, each in built.recalls.items())
        text += (
            f"\nOf {asked} events that scripts asked for the reader found {found} in the tracked motions "
            f"({100 * found / asked:.1f}%: {kinds})"
        )
    return f"{text}\nLook closer: tdmm corpus stats {out}; tdmm corpus status {out}"
