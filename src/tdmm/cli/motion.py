"""`tdmm act`, `tdmm export` and `tdmm render`: motions without a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tdmm.export.formats import Progress
    from tdmm.motion.clip import FaceMotion


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(act)
    app.command()(export)
    app.command()(render)


def act(
    script: Annotated[Path, typer.Argument(help="A script in YAML: what happens when (docs/script.md).")],
    out: Annotated[
        list[Path], typer.Option("-o", "--out", help="A file to write; the extension says what. Repeatable.")
    ],
    more: Annotated[
        list[Path] | None, typer.Argument(help="Further files, so that -o a.glb b.csv works.", metavar="FILE...")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed is another take of the same script.")] = 0,
    size: Annotated[int, typer.Option(help="Pixels of a rendered face (.mp4, .png).")] = 384,
) -> None:
    """Perform a script exactly, without a model.

    Formats: .npz, .csv (Live Link Face), .glb, .mp4, .png (contact sheet), .json (web page).

    Example: tdmm act smirk.yaml -o smirk.glb smirk.mp4
    """
    from tdmm import api
    from tdmm import export as exporting

    paths = [*out, *(more or [])]
    exporting.check(paths)
    motion = api.act(script, seed=seed)
    with _progress() as progress:
        exporting.save(motion, paths, size=size, progress=progress)
    _report(motion.seconds, motion.fps, paths)


def export(
    source: Annotated[Path, typer.Argument(help="A motion: .npz, or a Live Link Face .csv.", metavar="IN")],
    out: Annotated[list[Path], typer.Argument(help="Files to write; the extension says what.", metavar="OUT...")],
    fps: Annotated[float | None, typer.Option(help="Frames a second to write. Default: those of the motion.")] = None,
    size: Annotated[int, typer.Option(help="Pixels of a rendered face (.mp4, .png).")] = 384,
    rig: Annotated[
        str | None,
        typer.Option(help="Convert to this rig first: arkit, flame:PATH or linear:FOLDER (docs/retargeting.md)."),
    ] = None,
    source_rig: Annotated[
        str | None, typer.Option("--from", help="The rig that IN is on, where that is a file of yours: flame:PATH.")
    ] = None,
) -> None:
    """Turn a motion file into other formats, or into the motion of another head.

    Formats: .npz, .csv (Live Link Face), .glb, .mp4, .png (contact sheet), .json (web page).

    Example: tdmm export take.csv take.glb take.npz --fps 25
    """
    from tdmm import api
    from tdmm import export as exporting
    from tdmm.motion.timeline import resample

    exporting.check(out)
    motion = api.load(source)
    if rig is not None or source_rig is not None:
        motion = _converted(motion, rig or "arkit", source_rig, out)
    elif motion.rig != "arkit":
        from tdmm.motion.retarget import require_arkit

        require_arkit(motion, out)
    if fps is not None:
        motion = resample(motion, fps)
    with _progress() as progress:
        exporting.save(motion, out, size=size, progress=progress)
    _report(motion.seconds, motion.fps, out)


def render(
    source: Annotated[Path, typer.Argument(help="A motion: .npz, or a Live Link Face .csv.", metavar="IN")],
    out: Annotated[Path, typer.Option("-o", "--out", help="An .mp4, or a .png contact sheet.")],
    size: Annotated[int, typer.Option(help="Pixels, width and height of the face.")] = 512,
    start: Annotated[float, typer.Option(help="First second to show.")] = 0.0,
    end: Annotated[float | None, typer.Option(help="Second to stop at. Default: the end.")] = None,
    view: Annotated[str, typer.Option(help="front, left (the face's own), right, or three-quarter.")] = "front",
) -> None:
    """Render a motion as a video, or as a contact sheet of its telling frames.

    Example: tdmm render take.csv -o take.mp4 --start 3 --end 8 --view three-quarter
    """
    from tdmm import api
    from tdmm import export as exporting
    from tdmm.motion.timeline import trim

    options = exporting.picture_options(out, size, view)
    motion = trim(api.load(source), start, end)
    if motion.rig != "arkit":
        from tdmm.motion.retarget import require_arkit

        require_arkit(motion, [out])
    with _progress() as progress:
        exporting.save(motion, [out], size=options.size, view=options.view, progress=progress)
    _report(motion.seconds, motion.fps, [out])


def _converted(motion: FaceMotion, rig: str, source_rig: str | None, out: list[Path]) -> FaceMotion:
    """The motion on another rig; prints how well the face could follow."""
    from tdmm.motion.retarget import convert, require_arkit

    if rig == motion.rig == "arkit" and source_rig is None:
        return motion
    if rig != "arkit":
        # Before the work: what cannot be written need not be made.
        require_arkit(motion.with_(rig=rig.partition(":")[0]), out)
    done = convert(motion, rig, source_rig)
    worst = int(done.fit.residual_mm.argmax())
    typer.echo(
        f"{motion.rig} to {done.motion.rig}: the face is {done.fit.residual_mm.mean():.2f} mm from where it should be "
        f"in the mean, {done.fit.residual_mm[worst]:.2f} mm at worst ({worst / motion.fps:.2f} s)"
    )
    return done.motion


def _report(seconds: float, fps: float, paths: list[Path]) -> None:
    typer.echo(f"{seconds:.1f} s at {fps:g} fps: " + " ".join(str(path) for path in paths))


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on stderr while a video is rendered; nothing when it is not a terminal."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("rendering", total=None, visible=False)

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=True)

        yield update
