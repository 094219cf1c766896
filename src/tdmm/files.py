"""Writing files so that nothing half-written is ever left behind."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tdmm.errors import FileProblem


def require_readable(path: Path) -> Path:
    """Return `path` if it is a file that can be opened.

    Raises:
        FileProblem: it does not exist, is a folder, or is not readable.
    """
    if not path.exists():
        raise FileProblem(f"{path}: no such file. Check the spelling and the folder you run in.")
    if path.is_dir():
        raise FileProblem(f"{path}: is a folder, a file is needed here.")
    if not os.access(path, os.R_OK):
        raise FileProblem(f"{path}: you may not read this file. Check its permissions.")
    return path


def require_writable(path: Path) -> Path:
    """Return `path` if a file can be written there; call this before long work, not after.

    Raises:
        FileProblem: the folder is missing or read-only, or `path` is itself a folder.
    """
    folder = path.parent
    if not folder.is_dir():
        raise FileProblem(f"{path}: the folder {folder} does not exist. Create it first: mkdir -p {folder}")
    if path.is_dir():
        raise FileProblem(f"{path}: is a folder; name a file, for example {path / 'face.glb'}")
    if not os.access(folder, os.W_OK):
        raise FileProblem(f"{path}: the folder {folder} is read-only. Choose another with -o.")
    return path


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it into place on success, remove it on failure.

    The temporary name keeps the suffix of `path`, so writers that look at extensions work.

    Raises:
        FileProblem: the folder cannot be written, or the disk is full.
    """
    require_writable(path)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise FileProblem(f"{path}: cannot write here ({error.strerror or error}).") from error
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise FileProblem(
            f"{path}: could not be written ({error.strerror or error}); nothing was left behind."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def folder_written_aside(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside `folder`; on success it takes its place whole, on failure nothing is left.

    Folders above it are made. An older `folder` is replaced only once the new one is complete.

    Raises:
        FileProblem: it cannot be written, or the disk is full.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise FileProblem(f"{folder}: cannot write here ({error.strerror or error}).") from error
    try:
        yield temporary
        for path in temporary.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)  # safetensors writes for the owner alone
        temporary.chmod(0o755)
        if folder.exists():
            retired = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
            os.rename(folder, retired / folder.name)  # noqa: PTH104 - a directory over a directory
            os.rename(temporary, folder)  # noqa: PTH104
            shutil.rmtree(retired)
        else:
            os.rename(temporary, folder)  # noqa: PTH104
    except OSError as error:
        raise FileProblem(f"{folder}: could not be written ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
