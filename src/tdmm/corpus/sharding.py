"""Rows become a corpus: shards, what describes them, and the manifest, in one pass and in little memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tdmm.corpus.balance import Balance
from tdmm.corpus.manifest import (
    FEATURES_FILE,
    PLAN,
    SCHEMA_VERSION,
    SHARD_CLIPS,
    Manifest,
    Shard,
    make_folder,
    save,
    sha256,
)
from tdmm.corpus.rows import COLUMNS, SCHEMA, Row, to_table
from tdmm.corpus.splits import SPLITS, Split
from tdmm.errors import FileProblem, InvalidInput
from tdmm.face.channels import ARKIT
from tdmm.files import written_aside
from tdmm.motion.clip import FPS
from tdmm.motion.features import FEATURES

ROW_GROUP = 32
"""Clips that are read together: few enough for one clip to be had quickly."""

_DICTIONARY = ["split", "source", "person", "subject", "energy"]
_MEANINGS = {
    "head_pitch": "chin down", "head_yaw": "to the face's own left", "head_roll": "to its own right shoulder",
    "translation_x": "to the face's own left", "translation_y": "up", "translation_z": "out of the face",
}  # fmt: skip

Progress = Callable[[int], None]


def write_shards(
    folder: Path,
    rows: Iterable[Row],
    *,
    origin: Mapping[str, Any],
    shard_clips: int = SHARD_CLIPS,
    progress: Progress | None = None,
) -> Manifest:
    """Write clips as a corpus that `tdmm.corpus.shards` reads.

    Each shard holds clips of one split, in the order in which they come; at most `shard_clips` of each split are in
    memory. The same rows give the same bytes. A shard's name holds a digest of its content, so a corpus that was in
    the folder stays whole and readable until the new manifest takes the place of its own; then its shards go. After
    a failure or a kill, give the same rows again.

    Args:
        folder: made if it is missing; other files in it are left alone.
        rows: in the order in which they are to lie.
        origin: how the corpus comes to be, see `Manifest`.
        shard_clips: clips in a file.
        progress: told how many clips were written since it was told last.

    Raises:
        InvalidInput: no rows, a clip's id comes twice, or `shard_clips` is not positive.
        FileProblem: the folder holds an acted corpus, it cannot be written, or the disk is full.
    """
    if shard_clips < 1:
        raise InvalidInput(f"shard_clips must be 1 or more, not {shard_clips}.")
    make_folder(folder)
    if (folder / PLAN).is_file():
        raise FileProblem(f"{folder}: holds an acted corpus, which would be mixed up with this one. Name another.")
    _sweep(folder)
    waiting: dict[Split, list[Row]] = {split: [] for split in SPLITS}
    written: dict[Split, list[Shard]] = {split: [] for split in SPLITS}
    balance, seen = Balance(), set[str]()

    def write(split: Split) -> None:
        shard = _write_named(folder, split, len(written[split]), waiting[split])
        written[split].append(shard)
        if progress is not None:
            progress(len(waiting[split]))
        waiting[split] = []

    for row in rows:
        if row.clip_id in seen:
            raise InvalidInput(f"The clip '{row.clip_id}' comes twice; an id stands for one clip of a corpus.")
        seen.add(row.clip_id)
        balance.add(row.columns, row.script)
        waiting[row.split].append(row)
        if len(waiting[row.split]) == shard_clips:
            write(row.split)
    for split in SPLITS:
        if waiting[split]:
            write(split)
    if not seen:
        raise InvalidInput(f"{folder}: there are no clips to write.")
    shards = tuple(shard for split in SPLITS for shard in written[split])
    manifest = Manifest(origin, shards, balance.summary(), SCHEMA_VERSION)
    finish(folder, manifest)
    kept = {shard.name for shard in shards}
    for split in SPLITS:
        for path in folder.glob(f"{split}-*.parquet"):
            if path.name not in kept:
                path.unlink()
    return manifest


def finish(folder: Path, manifest: Manifest) -> None:
    """Write `features.json`, then the manifest."""
    with written_aside(folder / FEATURES_FILE) as aside:
        aside.write_text(json.dumps(described(), indent=1) + "\n")
    save(folder, manifest)


def write_shard(path: Path, rows: Sequence[Row], metadata: Mapping[str, str]) -> None:
    """Write one file, aside first. Splits lie in row groups of their own.

    Raises:
        FileProblem: it cannot be written; nothing is left behind.
    """
    schema = SCHEMA.with_metadata({"tdmm.schema_version": str(SCHEMA_VERSION), **metadata})
    with (
        written_aside(path) as aside,
        pq.ParquetWriter(
            aside, schema, compression="zstd", use_dictionary=_DICTIONARY, write_page_checksum=True,
            write_page_index=True,
        ) as writer,
    ):  # fmt: skip
        for split in SPLITS:
            _write_groups(writer, [row for row in rows if row.split == split], schema)


def _write_groups(writer: pq.ParquetWriter, rows: Sequence[Row], schema: pa.Schema) -> None:
    for first in range(0, len(rows), ROW_GROUP):
        table = to_table(rows[first : first + ROW_GROUP])
        writer.write_table(table.cast(schema), row_group_size=ROW_GROUP)


def _write_named(folder: Path, split: Split, number: int, rows: Sequence[Row]) -> Shard:
    content = hashlib.sha256(str(SCHEMA_VERSION).encode())
    for row in rows:
        content.update(repr(list(row.columns.items())).encode())
        content.update(row.content.encode())
    path = folder / f"{split}-{number:05d}-{content.hexdigest()[:8]}.parquet"
    write_shard(path, rows, {})
    frames = sum(row.columns["frames"] for row in rows)
    return Shard(path.name, sha256(path), path.stat().st_size, {split: len(rows)}, {split: frames})


def _sweep(folder: Path) -> None:
    """Remove what a killed run left aside."""
    for leftover in folder.glob(".*-*.parquet"):
        leftover.unlink(missing_ok=True)


def described() -> dict[str, Any]:
    """What stands in `features.json`: the numbers of a frame with their units, and the columns of a shard."""
    features = [
        {
            "name": name,
            "unit": "1" if name in ARKIT else "rad" if name.startswith("head") else "m",
            "meaning": "ARKit coefficient, 0 to 1" if name in ARKIT else f"positive: {_MEANINGS[name]}",
        }
        for name in FEATURES
    ]
    columns = [{"name": each.name, "type": str(each.type), "meaning": each.meaning} for each in COLUMNS]
    return {"schema_version": SCHEMA_VERSION, "fps": FPS, "features": features, "columns": columns}
