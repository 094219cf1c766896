"""`tdmm animate` and `tdmm describe`: the two directions of the main job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

TASKS = ("describe", "emotion", "head", "intensity", "timeline")


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(animate)
    app.command()(describe)


def animate(
    prompt: Annotated[str, typer.Argument(help='What the face does: "a shy smile that fades, then she looks down".')],
    out: Annotated[
        list[Path], typer.Option("-o", "--out", help="A file to write; the extension says what. Repeatable.")
    ],
    more: Annotated[
        list[Path] | None, typer.Argument(help="Further files, so that -o a.glb b.csv c.mp4 works.", metavar="FILE...")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Length of the motion. Default: the model ends it where it sees fit.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed is another take.")] = 0,
    takes: Annotated[int, typer.Option(min=1, max=64, help="Several takes: face-1.glb, face-2.glb ...")] = 1,
    guidance: Annotated[float | None, typer.Option(help="How hard the words pull; 1 is plain sampling.")] = None,
    temperature: Annotated[float | None, typer.Option(help="How much takes differ; 0 is always the likeliest.")] = None,
    identity: Annotated[int | None, typer.Option(help="A random head of this seed instead of the average one.")] = None,
    size: Annotated[int, typer.Option(min=64, max=2048, help="Pixels of a rendered frame (mp4, png).")] = 384,
) -> None:
    """Turn a sentence into a moving face.

    Formats: .glb (Blender, Unity, web), .csv (Live Link Face, Unreal), .npz (numpy), .mp4 (preview),
    .png (contact sheet), .json (web page).

    Example: tdmm animate "he smirks and shakes his head" -o smirk.glb smirk.csv smirk.mp4
    """
    from tdmm import api, export

    paths = [*out, *(more or [])]
    api.check_prompt(prompt)
    targets = [[_take(path, index, takes) for path in paths] for index in range(takes)]
    for group in targets:
        export.check(group)
    understood = api.understand(prompt)
    if understood.note:
        typer.secho(understood.note, err=True, fg="yellow")
    motions = api.animate_many(
        [prompt] * takes,
        [seed + index for index in range(takes)],
        seconds=seconds,
        guidance=guidance,
        temperature=temperature,
        identity=identity,
    )
    for motion, group in zip(motions, targets, strict=True):
        export.save(motion, group, size=size)
        typer.echo(f"{motion.seconds:.1f} s at {motion.fps:g} fps: " + " ".join(str(path) for path in group))


def describe(
    file: Annotated[Path, typer.Argument(help="A motion: .npz, or a Live Link Face .csv.")],
    task: Annotated[str, typer.Option(help="What to say: " + ", ".join(TASKS) + ".")] = "describe",
    as_json: Annotated[bool, typer.Option("--json", help="Every task, as one JSON object.")] = False,
) -> None:
    """Say in words what a face does.

    Example: tdmm describe smirk.npz --task timeline
    """
    from tdmm import api

    motion = api.load(file)
    if as_json:
        answers = {name: api.describe(motion, task=name) for name in TASKS}
        typer.echo(json.dumps({"file": str(file), "seconds": round(motion.seconds, 3), **answers}, indent=1))
    else:
        typer.echo(api.describe(motion, task=task))


def _take(path: Path, index: int, takes: int) -> Path:
    return path if takes == 1 else path.with_name(f"{path.stem}-{index + 1}{path.suffix}")
