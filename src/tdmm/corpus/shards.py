"""Reading a corpus: clip by clip, or all motion of a split as one array on disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from tdmm.corpus.manifest import Manifest, load, make_folder, sha256
from tdmm.corpus.rows import COLUMNS, SCHEMA, Clip, to_clips
from tdmm.corpus.splits import SPLITS
from tdmm.errors import FileProblem, UnknownName, did_you_mean
from tdmm.files import written_aside
from tdmm.motion.clip import Floats
from tdmm.motion.features import FEATURES


@dataclass(frozen=True)
class PackedMotion:
    """All motion of a split.

    Attributes:
        features: (F, 58) float32, columns named by `FEATURES`, clips one after another; on disk until used.
        offsets: (N + 1,) int64; clip n is `features[offsets[n]:offsets[n + 1]]`, in the order of `read`.
    """

    features: Floats
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def clip(self, number: int) -> Floats:
        """(T, 58) of one clip."""
        motion: Floats = self.features[self.offsets[number] : self.offsets[number + 1]]
        return motion


def read(folder: Path, split: str, columns: Sequence[str] | None = None) -> Iterator[Clip]:
    """Clips of a split, in a fixed order.

    Args:
        folder: of the corpus.
        split: train, validation, test or unused.
        columns: names of `SCHEMA` to read; None reads all. Without `motion` it is many times faster. What a corpus
            of schema 1 does not have is told as it would be today.

    Raises:
        FileProblem: the corpus is unfinished or of a newer tdmm, or a shard is missing, torn or altered.
        UnknownName: no such split or column.
    """
    manifest = load(folder)
    _require_known("split", split, SPLITS)
    for name in columns or ():
        _require_known("column", name, SCHEMA.names)
    return _clips(folder, manifest, split, list(columns) if columns is not None else None)


def pack(folder: Path, split: str) -> PackedMotion:
    """Motion of a split, from a cache beside the shards that is made on the first call.

    Raises:
        FileProblem: as in `read`, or the cache cannot be written.
    """
    manifest = load(folder)
    _require_known("split", split, SPLITS)
    cache = folder / "packed"
    stem = f"{split}-{manifest.digest[:16]}"
    features_path, offsets_path = cache / f"{stem}.npy", cache / f"{stem}-offsets.npy"
    if not (features_path.is_file() and offsets_path.is_file()):
        make_folder(cache)
        _write_pack(folder, manifest, split, features_path, offsets_path)
    # Mapped without the right to write: a cache must not change under other readers.
    features = np.load(features_path, mmap_mode="r")
    return PackedMotion(features, np.load(offsets_path))


def verify(folder: Path) -> Manifest:
    """Check every byte of a corpus against its manifest.

    Raises:
        FileProblem: a shard is missing or altered.
    """
    manifest = load(folder)
    for shard in manifest.shards:
        path = folder / shard.name
        if not path.is_file() or sha256(path) != shard.sha256:
            raise _torn(path, manifest)
    return manifest


def _write_pack(folder: Path, manifest: Manifest, split: str, features_path: Path, offsets_path: Path) -> None:
    lengths = []
    with written_aside(features_path) as aside:
        shape = (manifest.frames(split), len(FEATURES))
        if shape[0] == 0:
            np.save(aside, np.zeros(shape, np.float32))
        else:
            packed = np.lib.format.open_memmap(aside, mode="w+", dtype=np.float32, shape=shape)
            at = 0
            for clip in _clips(folder, manifest, split, ["motion"]):
                packed[at : at + len(clip.features)] = clip.features
                lengths.append(len(clip.features))
                at += lengths[-1]
            packed.flush()
            del packed
    with written_aside(offsets_path) as aside:
        np.save(aside, np.cumsum([0, *lengths]).astype(np.int64))


def _clips(folder: Path, manifest: Manifest, split: str, columns: list[str] | None) -> Iterator[Clip]:
    asked = SCHEMA.names if columns is None else columns
    later = {column.name for column in COLUMNS if column.since > manifest.schema_version}
    absent = [name for name in asked if name in later]
    # Schema 1 has no families; they are told from what was asked.
    needed = sorted({*asked, *(("script", "clip_id") if "family" in absent else ())} - later)
    for shard in manifest.shards:
        expected = shard.clips.get(split, 0)
        if expected == 0:
            continue
        path = folder / shard.name
        if not path.is_file() or path.stat().st_size != shard.bytes:
            raise _torn(path, manifest)
        found = 0
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                if not all(_like(file.schema_arrow, name) for name in needed):
                    raise _torn(path, manifest)
                for group in _groups(file, split):
                    clips = to_clips(file.read_row_group(group, columns=needed), absent)
                    found += len(clips)
                    yield from clips
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            raise _torn(path, manifest) from error
        if found != expected:
            raise _torn(path, manifest)


def _like(schema: pa.Schema, name: str) -> bool:
    """Whether a column is there as it was written: a byte of the footer may have changed."""
    return name in schema.names and schema.field(name).type == SCHEMA.field(name).type


def _groups(file: pq.ParquetFile, split: str) -> Iterator[int]:
    """Row groups of a split: each group holds one split only, and its statistics say which."""
    leaf = next(i for i in range(file.metadata.num_columns) if file.schema.column(i).path == "split")
    for group in range(file.num_row_groups):
        if file.metadata.row_group(group).column(leaf).statistics.min == split:
            yield group


def _require_known(kind: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise UnknownName(f"Unknown {kind} '{name}'.{did_you_mean(name, known)} Known: {', '.join(known)}.")


def _torn(path: Path, manifest: Manifest) -> FileProblem:
    state = "was altered or cut short" if path.exists() else "is missing"
    return FileProblem(f"{path}: this shard {state}. {manifest.again(path.parent)}")
