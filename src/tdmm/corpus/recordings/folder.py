"""A folder of videos of which nothing is known but their names."""

from __future__ import annotations

from pathlib import Path

from tdmm.corpus.recordings.recording import Listing, Recording, with_ids
from tdmm.errors import FileProblem, InvalidInput

VIDEO_EXTENSIONS = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".gif")


def list_folder(folder: Path) -> Listing:
    """Every video in a folder and the folders in it. Nothing is known of them but their names.

    Raises:
        FileProblem: the folder cannot be read.
        InvalidInput: there is no video in it.
    """
    found = [(str(path.relative_to(folder).with_suffix("")), Recording("", path)) for path in videos_in(folder)]
    if not found:
        raise InvalidInput(f"{folder}: holds no video. Known are {', '.join(VIDEO_EXTENSIONS)}.")
    return Listing(with_ids(found))


def videos_in(folder: Path) -> list[Path]:
    """Videos in a folder and below it, sorted by their paths; hidden ones left out.

    Raises:
        FileProblem: the folder is missing or cannot be read.
    """
    return files_in(folder, VIDEO_EXTENSIONS)


def files_in(folder: Path, extensions: tuple[str, ...]) -> list[Path]:
    """Files with one of these extensions in a folder and below it, sorted by their paths; hidden ones left out.

    Raises:
        FileProblem: the folder is missing or cannot be read.
    """
    if not folder.is_dir():
        raise FileProblem(f"{folder}: no such folder. Check the spelling and the folder you run in.")
    try:
        found = [path for path in folder.rglob("*") if path.suffix.lower() in extensions and path.is_file()]
    except OSError as error:
        raise FileProblem(f"{folder}: cannot be listed ({error.strerror or error}). Check its permissions.") from error
    shown = [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return sorted(shown, key=lambda path: path.relative_to(folder).parts)
