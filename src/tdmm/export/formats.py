"""One door to every format: the extension of a path says which writer makes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from tdmm.errors import FileProblem, InvalidInput, UnknownFormat, did_you_mean
from tdmm.files import require_writable
from tdmm.motion import files, livelink
from tdmm.motion.clip import FaceMotion
from tdmm.registry import Registry

View = Literal["front", "left", "right", "three-quarter"]
"""Where the camera of a picture stands; `left` is the side of the face's own left cheek."""

VIEWS: tuple[View, ...] = get_args(View)

Progress = Callable[[int, int], None]
"""Called with the number of frames done and of all, from time to time."""

SIZES = (16, 4096)
"""Least and largest number of pixels a side."""

PICTURES = (".mp4", ".png")
"""Extensions of formats that show a rendered face."""


@dataclass(frozen=True)
class ExportOptions:
    """What pictures look like; formats without pictures ignore it.

    Attributes:
        size: pixels, width and height of a rendered face.
        view: where the camera stands.
        progress: told how far a long file is.

    Raises:
        InvalidInput: the size makes no sense.
    """

    size: int = 384
    view: View = "front"
    progress: Progress | None = None

    def __post_init__(self) -> None:
        low, high = SIZES
        if not low <= self.size <= high:
            raise InvalidInput(f"size is {self.size} pixels; it must lie between {low} and {high}.")


Writer = Callable[[FaceMotion, Path, ExportOptions], None]

WRITERS: Registry[None] = Registry("format")
"""Extensions to writers, each imported when it is first asked for."""
WRITERS.register(".npz", "tdmm.export.formats:write_npz")
WRITERS.register(".csv", "tdmm.export.formats:write_csv")
WRITERS.register(".glb", "tdmm.export.gltf:write_glb")
WRITERS.register(".mp4", "tdmm.export.video:write_mp4")
WRITERS.register(".png", "tdmm.export.sheet:write_png")
WRITERS.register(".json", "tdmm.export.web:write_json")


def extensions() -> tuple[str, ...]:
    """The extensions that `save` writes."""
    return WRITERS.names()


def check(paths: Sequence[Path]) -> None:
    """Refuse paths that cannot be written; call this before long work.

    Raises:
        InvalidInput: there is no path, or one stands there twice.
        UnknownFormat: an extension nobody handles; the message lists those that are.
        FileProblem: a folder is missing or read-only.
    """
    if not paths:
        raise InvalidInput("Name at least one file to write, for example -o face.glb")
    for path in paths:
        _writer(path)
    for path in paths:
        require_writable(path)
    if len({path.resolve() for path in paths}) < len(paths):
        raise FileProblem("The same file is named twice; each output needs its own name.")


def picture_options(path: Path, size: int, view: str) -> ExportOptions:
    """Options for a rendering into `path`, checked before any work.

    Raises:
        UnknownFormat: the extension is not one of a video or a picture.
        InvalidInput: the size or the view makes no sense.
        FileProblem: the folder is missing or read-only.
    """
    if path.suffix.lower() not in PICTURES:
        raise UnknownFormat(f"{path}: a rendering is one of {', '.join(PICTURES)}; `tdmm export` writes the others.")
    if view not in VIEWS:
        raise InvalidInput(f"Unknown view '{view}'.{did_you_mean(view, VIEWS)} Known: {', '.join(VIEWS)}.")
    check([path])
    return ExportOptions(size, view)


def save(
    motion: FaceMotion,
    paths: Sequence[Path],
    *,
    size: int = 384,
    view: View = "front",
    progress: Progress | None = None,
) -> None:
    """Write a motion to files, the format of each by its extension.

    All paths are checked before the first is written, and each file is written whole or not at all.

    Args:
        motion: on the `arkit` rig.
        paths: `.npz`, `.csv` (Live Link Face), `.glb`, `.mp4`, `.png` (contact sheet) or `.json`.
        size: pixels of a rendered face (`.mp4`, `.png`).
        view: where the camera stands (`.mp4`, `.png`).
        progress: told how far a rendering is.

    Raises:
        InvalidInput, UnknownFormat, FileProblem: as `check`, or the disk is full.
        InvalidMotion: the motion is on another rig or lacks a channel.
    """
    options = ExportOptions(size, view, progress)
    check(paths)
    for path in paths:
        _writer(path)(motion, path, options)


def write_npz(motion: FaceMotion, path: Path, _: ExportOptions) -> None:
    """Our own format, nothing lost (`tdmm.motion.files`)."""
    files.write_npz(motion, path)


def write_csv(motion: FaceMotion, path: Path, _: ExportOptions) -> None:
    """Live Link Face CSV (`tdmm.motion.livelink`)."""
    livelink.write(motion, path)


def _writer(path: Path) -> Writer:
    extension = path.suffix.lower()
    if extension not in WRITERS.names():
        named = f"'{extension}'" if extension else "a name without an extension"
        raise UnknownFormat(
            f"{path}: cannot write {named}.{did_you_mean(extension, WRITERS.names())} "
            f"Known: {', '.join(WRITERS.names())}."
        )
    return WRITERS.get(extension)
