"""`act`: a corpus of acted clips, on all cores, the same bytes whoever makes it, and never torn.

A shard is written aside and renamed when it is whole. After a kill the same command verifies what is
there and makes the rest.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tdmm.corpus.balance import balance
from tdmm.corpus.manifest import SHARD_CLIPS, Manifest, Plan, Shard, save, settle, sha256
from tdmm.corpus.rows import SCHEMA, SCHEMA_VERSION, SPLITS, Row, make_row, to_clips, to_table
from tdmm.errors import InvalidInput, TdmmError
from tdmm.files import written_aside

ROW_GROUP = 32
_PROBES = 4  # clips that the fingerprint looks at
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

Progress = Callable[[int], None]


def act(
    folder: Path,
    *,
    clips: int,
    seed: int = 7,
    workers: int | None = None,
    progress: Progress | None = None,
    shard_clips: int = SHARD_CLIPS,
    single_share: float = 0.0,
) -> Manifest:
    """Make a corpus, or complete one.

    Args:
        folder: made if it is missing.
        clips: how many.
        seed: the corpus depends on it and on nothing else; not on `workers`.
        workers: processes; None takes every core.
        progress: told how many clips were done since it was told last.
        shard_clips: clips in a file.
        single_share: share of the clips in which one thing alone happens.

    Raises:
        InvalidInput: a number makes no sense, or the folder holds another corpus.
        FileProblem: the folder cannot be written, or the disk is full; finished shards stay.
    """
    for name, value in (("clips", clips), ("shard_clips", shard_clips)):
        if value < 1:
            raise InvalidInput(f"{name} must be 1 or more, not {value}.")
    workers = workers if workers is not None else os.cpu_count() or 1
    if workers < 1:
        raise InvalidInput(f"workers must be 1 or more, not {workers}.")
    if not 0 <= seed < 2**63:
        raise InvalidInput(f"seed must lie between 0 and 2**63 - 1, not {seed}.")
    tell = progress or (lambda _: None)
    if not 0 <= single_share <= 1:
        raise InvalidInput(f"single_share must lie between 0 and 1, not {single_share:g}.")
    plan = Plan(SCHEMA_VERSION, seed, clips, shard_clips, fingerprint(seed), single_share)
    settle(folder, plan)
    _sweep(folder)
    missing = []
    for number in range(plan.shards):
        if _is_whole(folder, plan, number):
            tell(len(plan.indices(number)))
        else:
            missing.append(number)
    for number in _write_all(folder, plan, missing, workers):
        tell(len(plan.indices(number)))
    manifest = _manifest(folder, plan)
    save(folder, manifest)
    return manifest


def fingerprint(seed: int) -> str:
    """SHA-256 of a few clips of that seed: any change in casting, acting or narrating shows in it."""
    digest = hashlib.sha256()
    for index in range(_PROBES):
        row = make_row(seed, index)
        digest.update(repr(sorted(row.columns.items())).encode())
        digest.update(row.features.tobytes())
    return digest.hexdigest()


def _write_all(folder: Path, plan: Plan, numbers: list[int], workers: int) -> Iterator[int]:
    if workers == 1 or len(numbers) < 2:
        for number in numbers:
            yield write_shard(folder, plan, number)
        return
    workers = min(workers, len(numbers))
    with _single_threaded(), ProcessPoolExecutor(workers, get_context("spawn"), _leave_with_parent) as pool:
        futures = [pool.submit(write_shard, folder, plan, number) for number in numbers]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise TdmmError(
                "A worker process died, perhaps for want of memory. Run the same command again with fewer "
                "--workers; finished shards are kept."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Children started within use one thread each: there is one child a core already."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _leave_with_parent() -> None:
    """Runs in each worker: when the parent is killed, nobody else would end it."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def write_shard(folder: Path, plan: Plan, number: int) -> int:
    """Make one shard and return its number. Splits lie in row groups of their own."""
    rows = [make_row(plan.seed, index, plan.single_share) for index in plan.indices(number)]
    schema = SCHEMA.with_metadata(_metadata(plan, number))
    with (
        written_aside(folder / plan.shard_name(number)) as aside,
        pq.ParquetWriter(
            aside,
            schema,
            compression="zstd",
            use_dictionary=["split", "subject", "energy"],
            write_page_checksum=True,
        ) as writer,
    ):
        for split in SPLITS:
            of_split = [row for row in rows if row.columns["split"] == split]
            _write_groups(writer, of_split, schema)
    return number


def _write_groups(writer: pq.ParquetWriter, rows: list[Row], schema: pa.Schema) -> None:
    for first in range(0, len(rows), ROW_GROUP):
        table = to_table(rows[first : first + ROW_GROUP])
        writer.write_table(table.cast(schema), row_group_size=ROW_GROUP)


def _metadata(plan: Plan, number: int) -> dict[str, str]:
    return {
        "tdmm.schema_version": str(plan.schema_version),
        "tdmm.plan": plan.digest,
        "tdmm.shard": str(number),
    }


def _sweep(folder: Path) -> None:
    """Remove what a killed run left aside."""
    for leftover in folder.glob(".shard-*.parquet"):
        leftover.unlink(missing_ok=True)


def _is_whole(folder: Path, plan: Plan, number: int) -> bool:
    """Whether a shard is there, of this plan, with every page as it was written."""
    path = folder / plan.shard_name(number)
    if not path.is_file():
        return False
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            found = {key.decode(): value.decode() for key, value in (file.schema_arrow.metadata or {}).items()}
            table = file.read()
    except (OSError, pa.ArrowException):
        return False
    return found == _metadata(plan, number) and table.num_rows == len(plan.indices(number))


def _manifest(folder: Path, plan: Plan) -> Manifest:
    shards, scripts = [], []
    splits: list[str] = []
    for number in range(plan.shards):
        path = folder / plan.shard_name(number)
        clips = to_clips(pq.read_table(path, columns=["split", "frames", "script"]))
        count: dict[str, int] = dict.fromkeys(SPLITS, 0)
        frames: dict[str, int] = dict.fromkeys(SPLITS, 0)
        for clip in clips:
            count[clip.split] += 1
            frames[clip.split] += clip.frames
            scripts.append(clip.script)
            splits.append(clip.split)
        shards.append(Shard(path.name, sha256(path), path.stat().st_size, count, frames))
    return Manifest(plan, tuple(shards), balance(scripts, splits))
