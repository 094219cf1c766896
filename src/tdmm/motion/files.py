"""Motion files: our `.npz` in and out, and one door for reading every format.

An `.npz` holds `rig`, `channels` (E,), `expression` (T, E), `head` (T, 3) pitch, yaw and roll in
radians, `fps`, and where there is any `identity` (I,), `translation` (T, 3) in metres, `confidence`
(T,), `text` and `provenance` (JSON). ``numpy.load(path, allow_pickle=False)`` opens it anywhere.
"""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from tdmm.errors import InvalidMotion, UnknownFormat, did_you_mean
from tdmm.files import require_readable, written_aside
from tdmm.motion import livelink
from tdmm.motion.clip import FaceMotion

READABLE = (".npz", ".csv")
"""Extensions that `load` reads."""

MAX_BYTES = 512 * 2**20
"""Largest content of an `.npz` that is read: ten hours of motion at 60 fps."""

_NUMBERS = ("expression", "head", "identity", "translation", "confidence")
_TEXTS = ("rig", "text", "provenance")
_NEEDED = ("rig", "channels", "expression", "head", "fps")
_KNOWN = ("rig", "channels", "fps", *_NUMBERS, "text", "provenance")


def load(path: Path) -> FaceMotion:
    """Read a motion; the extension says how: `.npz` (ours) or `.csv` (Live Link Face).

    Raises:
        UnknownFormat: another extension.
        FileProblem: the file is missing or cannot be read.
        InvalidMotion: its content is not a motion; the message says what and where.
    """
    extension = path.suffix.lower()
    if extension not in READABLE:
        raise UnknownFormat(
            f"{path}: cannot read a motion from '{extension or 'a name without extension'}'."
            f"{did_you_mean(extension, READABLE)} Readable: {', '.join(READABLE)}."
        )
    return read_npz(path) if extension == ".npz" else livelink.read(path)


def write_npz(motion: FaceMotion, path: Path) -> None:
    """Write a motion whole, nothing lost.

    Raises:
        FileProblem: the folder is missing or read-only, or the disk is full; nothing is left behind.
    """
    arrays: dict[str, Any] = {
        "rig": np.array(motion.rig),
        "channels": np.array(motion.channels, dtype=np.str_),
        "fps": np.array(motion.fps, dtype=np.float32),
    }
    for name in _NUMBERS:
        value = getattr(motion, name)
        if value is not None:
            arrays[name] = value
    if motion.text:
        arrays["text"] = np.array(motion.text)
    if motion.provenance:
        arrays["provenance"] = np.array(json.dumps(dict(motion.provenance), ensure_ascii=False))
    with written_aside(path) as temporary, temporary.open("wb") as handle:
        # Not allow_pickle=False: NumPy before 2.1 stores that as one more array.
        np.savez_compressed(handle, **arrays)


def read_npz(path: Path) -> FaceMotion:
    """Read what `write_npz` wrote, or another program after the same description.

    Nothing is unpickled: an array of objects is refused before its content is looked at.

    Raises:
        FileProblem: the file is missing or cannot be read.
        InvalidMotion: not a zip archive, truncated, other arrays, wrong kinds or shapes, or too large.
    """
    require_readable(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(path, archive)
            arrays = {name: _array(path, archive, member) for name, member in members.items()}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise InvalidMotion(
            f"{path}: is not a whole .npz file ({error}). It may be truncated; copy or write it again."
        ) from error
    try:
        with np.errstate(over="ignore"):  # too large for float32 becomes infinite, and is refused as such
            return _motion(arrays)
    except InvalidMotion as error:
        raise InvalidMotion(f"{path}: {error}") from error


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    missing = [name for name in _NEEDED if name not in members]
    if missing:
        held = ", ".join(sorted(members)[:8]) or "nothing"
        raise InvalidMotion(
            f"{path}: is not a motion: it lacks {', '.join(missing)} (it holds {held}). "
            f"A motion holds {', '.join(_NEEDED)}; tdmm writes one with -o FILE.npz."
        )
    unknown = [name for name in members if name not in _KNOWN]
    if unknown:
        raise InvalidMotion(
            f"{path}: unknown array '{unknown[0]}'.{did_you_mean(unknown[0], _KNOWN)} Known: {', '.join(_KNOWN)}."
        )
    size = sum(info.file_size for info in members.values())
    if size > MAX_BYTES:
        raise InvalidMotion(f"{path}: unpacks to {size / 2**20:.0f} MiB; at most {MAX_BYTES / 2**20:.0f} are read.")
    return members


def _array(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> npt.NDArray[Any]:
    name = member.filename.removesuffix(".npy")
    try:
        with archive.open(member) as stream:
            _check_header(path, name, stream, member.file_size)
        with archive.open(member) as stream:
            array: npt.NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
            if stream.read(1):
                raise InvalidMotion(f"{path}: array '{name}' is followed by other bytes.")
            return array
    except (ValueError, SyntaxError, TypeError, MemoryError) as error:
        raise InvalidMotion(f"{path}: array '{name}' cannot be read ({error}). Write the file again.") from error


def _check_header(path: Path, name: str, stream: IO[bytes], size: int) -> None:
    """Refuse objects and shapes that the archive does not hold, before memory is set aside for them."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    if dtype.hasobject:
        raise InvalidMotion(
            f"{path}: array '{name}' holds Python objects, which are never unpickled. Save numbers and strings only."
        )
    if math.prod(shape) * dtype.itemsize > size:
        raise InvalidMotion(f"{path}: array '{name}' claims shape {shape}, more than the file holds.")
    if name in _NUMBERS or name == "fps":
        if dtype.kind not in "fiu":
            raise InvalidMotion(f"{path}: array '{name}' is of type {dtype}; numbers are needed.")
    elif dtype.kind != "U":
        raise InvalidMotion(f"{path}: array '{name}' is of type {dtype}; text is needed.")


def _motion(arrays: dict[str, npt.NDArray[Any]]) -> FaceMotion:
    for name in ("fps", *_TEXTS):
        if name in arrays and arrays[name].size != 1:
            raise InvalidMotion(f"'{name}' has shape {arrays[name].shape}; one value is needed.")
    if arrays["channels"].ndim != 1:
        raise InvalidMotion(f"'channels' has shape {arrays['channels'].shape}; one row of names is needed.")
    texts = {name: str(arrays[name].item()) for name in _TEXTS if name in arrays}
    return FaceMotion(
        channels=tuple(str(name) for name in arrays["channels"]),
        fps=float(arrays["fps"].item()),
        rig=texts["rig"],
        text=texts.get("text", ""),
        provenance=_provenance(texts.get("provenance", "{}")),
        **{name: arrays[name] for name in _NUMBERS if name in arrays},
    )


def _provenance(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidMotion(f"'provenance' is not JSON ({error}).") from error
    if not isinstance(content, dict):
        raise InvalidMotion("'provenance' must be a JSON object.")
    return content
