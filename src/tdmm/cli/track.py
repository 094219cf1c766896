"""`tdmm track`: a face in a video becomes a motion."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tdmm.corpus.tracking.people import Which
    from tdmm.corpus.tracking.track import Progress, Tracked, TrackOptions
    from tdmm.motion.clip import FaceMotion


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(track)


def track(
    video: Annotated[Path, typer.Argument(help="A video, an animated image, a still, or a folder of images.")],
    out: Annotated[
        list[Path], typer.Option("-o", "--out", help="A file to write; the extension says what. Repeatable.")
    ],
    more: Annotated[
        list[Path] | None, typer.Argument(help="Further files, so that -o a.npz b.glb works.", metavar="FILE...")
    ] = None,
    face: Annotated[str, typer.Option(help="largest, all, or a number: 2 is the second largest.")] = "largest",
    overlay: Annotated[
        Path | None, typer.Option(help="Also write the video with the fitted face drawn on it (.mp4).")
    ] = None,
    landmarker: Annotated[
        Path | None, typer.Option(help="MediaPipe's face_landmarker.task. Default: the cache, or fetched once.")
    ] = None,
    focal: Annotated[
        float | None,
        typer.Option(help="Focal length of the camera, in units of the picture's longer side. Default: estimated."),
    ] = None,
    level: Annotated[
        bool, typer.Option(help="Take the pitch that the head is held in most of the time as level (within 10°).")
    ] = True,
    refine: Annotated[
        bool, typer.Option(help="Tell what the face does from all frames together; else as fitted, frame by frame.")
    ] = True,
    smooth: Annotated[bool, typer.Option(help="Take the jitter out; blinks stay.")] = True,
    fps: Annotated[float | None, typer.Option(help="Pictures a second of a folder of images. Default: 25.")] = None,
    size: Annotated[int, typer.Option(help="Pixels of a rendered face (.mp4, .png).")] = 384,
) -> None:
    """Track a face in a video: 52 blendshapes, head, gaze and blinks at 25 fps, on our head.

    Formats: .npz, .csv (Live Link Face), .glb, .mp4, .png (contact sheet), .json (web page). With --face all every
    face has files of its own, take-1.npz, take-2.npz ... Interrupt it and call it again: it goes on.

    Needs MediaPipe, which comes with the extra `video`: docs/tracking.md.

    Example: tdmm track take.mp4 -o take.npz take.glb --overlay check.mp4
    """
    from tdmm import export as exporting
    from tdmm.corpus.tracking.footage import Footage
    from tdmm.corpus.tracking.overlay import write_overlay
    from tdmm.corpus.tracking.track import TrackOptions
    from tdmm.errors import UnknownFormat
    from tdmm.files import require_writable

    paths = [*out, *(more or [])]
    exporting.check(paths)
    if overlay is not None:
        if overlay.suffix.lower() != ".mp4":
            raise UnknownFormat(f"{overlay}: an overlay is a video; name it .mp4.")
        require_writable(overlay)
    options = TrackOptions(face=_which(face), focal=focal, level=level, refine=refine, smooth=smooth, fps=fps)
    # A wrong video is told before a model is fetched.
    footage = Footage.open(video, fps=fps, largest_side=options.largest_side)
    keep = paths[0].with_name(f".{paths[0].name}.seen")
    with _progress() as progress:
        try:
            found = _tracked(video, options, landmarker, keep, progress)
        except KeyboardInterrupt:
            if keep.exists():
                typer.echo(f"Stopped. What was seen is kept in {keep}; the same command goes on from there.", err=True)
            raise
        for place, each in enumerate(found):
            for path in paths:
                exporting.save(each.motion, [_numbered(path, place, len(found))], size=size)
            if overlay is not None:
                file = _numbered(overlay, place, len(found))
                write_overlay(footage, each, file, lambda done, count: progress("overlay", done, count))
    for place, each in enumerate(found):
        written = [*paths, *([overlay] if overlay is not None else [])]
        names = ", ".join(str(_numbered(path, place, len(found))) for path in written)
        typer.echo(f"{names}: {each.motion.seconds:.2f} s at {each.motion.fps:g} fps; {each.report()}")
        _warn(each)


def tracked(video: Path) -> FaceMotion:
    """The motion of the largest face of a video, with what makes it less sure on stderr.

    Raises:
        MissingDependency: MediaPipe is not installed.
        FileProblem, InvalidVideo: the video cannot be read, or shows no face.
    """
    from tdmm.corpus.tracking.footage import Footage
    from tdmm.corpus.tracking.track import TrackOptions

    options = TrackOptions()
    Footage.open(video, largest_side=options.largest_side)
    with _progress() as progress:
        (found,) = _tracked(video, options, None, None, progress)
    sure = float(found.motion.confidence.mean()) if found.motion.confidence is not None else 1.0
    typer.secho(f"{video}: {found.report()}; confidence {sure:.2f}", err=True)
    _warn(found)
    return found.motion


def _tracked(
    video: Path, options: TrackOptions, landmarker: Path | None, keep: Path | None, progress: Progress
) -> list[Tracked]:
    from tdmm.corpus.tracking.mediapipe_faces import open_tracker
    from tdmm.corpus.tracking.track import MOST_FACES
    from tdmm.corpus.tracking.track import track as track_video

    # One face is tracked steadily from picture to picture; several are looked for anew, which costs more.
    tracker = open_tracker(landmarker, faces=1 if options.face == "largest" else MOST_FACES)
    try:
        return track_video(video, tracker, options, keep=keep, progress=progress)
    finally:
        tracker.close()


def _warn(found: Tracked) -> None:
    for start, end in found.gaps:
        typer.secho(f"  no face from {start:.2f} s to {end:.2f} s", fg="yellow", err=True)
    for warning in found.warnings:
        typer.secho(f"  {warning}", fg="yellow", err=True)


def _which(face: str) -> Which:
    from tdmm.errors import InvalidInput

    if face in ("largest", "all"):
        return "largest" if face == "largest" else "all"
    if not face.isdigit() or int(face) < 1:
        raise InvalidInput(f"--face {face}: give largest, all, or a number from 1.")
    return int(face)


def _numbered(path: Path, place: int, count: int) -> Path:
    return path if count == 1 else path.with_name(f"{path.stem}-{place + 1}{path.suffix}")


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar for every step, on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks = {}

        def show(step: str, done: int, count: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=count)
            bars.update(tasks[step], completed=done, total=count)

        yield show
