"""Files of named arrays that other programs wrote: `.pkl`, `.npz`, and `.npy` of a dictionary or of one array."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tdmm.errors import ArtifactProblem, FileProblem, UnknownFormat
from tdmm.face.inert_objects import BROKEN, MAX_BYTES, the_one_object
from tdmm.face.inert_pickle import unpickle
from tdmm.files import require_readable

READABLE = (".pkl", ".pickle", ".npy", ".npz")
"""Extensions that `read_mapping` reads."""


def read_mapping(path: Path) -> dict[str, Any]:
    """The names and values of a `.pkl`, a `.npz`, or a `.npy` that holds one dictionary; runs nothing.

    Values may be inert; `tdmm.face.inert_objects.to_array` makes arrays of them. The array of a plain `.npy` has
    no name; it comes with an empty one.

    Raises:
        UnknownFormat: another extension.
        FileProblem: the file is missing, cannot be read or is too large.
        ArtifactProblem: it is damaged, holds no dictionary, or asks for a name that is refused.
    """
    extension = path.suffix.lower()
    if extension not in READABLE:
        raise UnknownFormat(f"{path}: cannot be read here; readable: {', '.join(READABLE)}.")
    size = require_readable(path).stat().st_size
    if size > MAX_BYTES:
        raise FileProblem(f"{path}: is {size / 2**20:.0f} MiB; at most {MAX_BYTES / 2**20:.0f} are read.")
    if extension == ".npz":
        return _read_npz(path)
    stream = io.BytesIO(path.read_bytes())
    try:
        content = _after_header(stream, str(path)) if extension == ".npy" else unpickle(stream, str(path))
    except BROKEN as error:
        raise ArtifactProblem(
            f"{path}: is not a whole {extension} file that can be read ({error}). Download it again."
        ) from error
    if not isinstance(content, Mapping) or not all(isinstance(name, str) for name in content):
        raise ArtifactProblem(f"{path}: holds no named arrays. Give the file as it was downloaded.")
    return dict(content)


def listed(content: Mapping[str, Any]) -> str:
    """The first names of a file, for a message."""
    return ", ".join(sorted(name or "one array without a name" for name in content)[:8]) or "nothing"


def _after_header(stream: io.BytesIO, where: str) -> Any:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    if not dtype.hasobject:
        if math.prod(shape) * dtype.itemsize > len(stream.getbuffer()) - stream.tell():
            raise ValueError(f"its array claims shape {shape}, more than it holds")
        stream.seek(0)
        return {"": np.lib.format.read_array(stream, allow_pickle=False)}
    if shape != ():
        raise ArtifactProblem(f"{where}: holds {shape} Python objects; one dictionary of arrays is needed.")
    return the_one_object(unpickle(stream, where))


def _read_npz(path: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MAX_BYTES:
            raise FileProblem(f"{path}: unpacks to {size / 2**20:.0f} MiB; at most {MAX_BYTES / 2**20:.0f} are read.")
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (*BROKEN, OSError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise ArtifactProblem(f"{path}: is not a whole .npz of plain arrays ({error}). Write it again.") from error
