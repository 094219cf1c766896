"""`act`: a corpus of acted clips, on all cores, the same bytes whoever makes it, and never torn.

A shard is written aside and renamed when it is whole. After a kill the same command verifies what is
there and makes the rest.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tdmm.acting.actor import perform
from tdmm.acting.casting import cast
from tdmm.acting.narrator import AS_WRITTEN, narrate
from tdmm.acting.script import Script
from tdmm.acting.single import single
from tdmm.corpus.balance import COLUMNS as COUNTED
from tdmm.corpus.balance import Balance
from tdmm.corpus.manifest import SCHEMA_VERSION, SHARD_CLIPS, Manifest, Plan, Shard, settle, sha256
from tdmm.corpus.rows import ACTED, DETAILS, Detail, Row, Text
from tdmm.corpus.sharding import Progress, finish, write_shard
from tdmm.corpus.splits import SPLITS, digest, family_of
from tdmm.errors import InvalidInput, TdmmError

TEXTS_A_DETAIL = 2
_PROBES = 4  # clips that the fingerprint looks at
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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
    finish(folder, manifest)
    return manifest


def fingerprint(seed: int) -> str:
    """SHA-256 of a few clips of that seed: any change in casting, acting or narrating shows in it."""
    content = hashlib.sha256()
    for index in range(_PROBES):
        row = acted_row(seed, index)
        content.update(repr(sorted(row.columns.items())).encode())
        content.update(row.features.tobytes())
    return content.hexdigest()


def _write_all(folder: Path, plan: Plan, numbers: list[int], workers: int) -> Iterator[int]:
    if workers == 1 or len(numbers) < 2:
        for number in numbers:
            yield _make_shard(folder, plan, number)
        return
    workers = min(workers, len(numbers))
    with _single_threaded(), ProcessPoolExecutor(workers, get_context("spawn"), _leave_with_parent) as pool:
        futures = [pool.submit(_make_shard, folder, plan, number) for number in numbers]
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


def _make_shard(folder: Path, plan: Plan, number: int) -> int:
    """Make one shard and return its number."""
    rows = [acted_row(plan.seed, index, plan.single_share) for index in plan.indices(number)]
    write_shard(folder / plan.shard_name(number), rows, _metadata(plan, number))
    return number


def acted_row(seed: int, index: int, single_share: float = 0.0) -> Row:
    """Cast, act and narrate clip `index` of the corpus of that seed.

    Args:
        seed, index: of the casting.
        single_share: share of the clips in which one thing alone happens.
    """
    script, draw = cast(seed, index), np.random.default_rng((seed, index, 9))
    if draw.random() < single_share:
        script = single(script, draw)
    take = _clip_seed(seed, index)
    performance = perform(script, take)
    return Row(
        clip_id=f"acted-{seed}-{index:07d}",
        motion=performance.motion,
        source=ACTED,
        texts=said(script, take),
        script=script,
        events=performance.events,
        family=family_of(script) or str(index),
        seed=take,
    )


def _clip_seed(seed: int, index: int) -> int:
    """Seed of the take of clip `index`, within 63 bits."""
    return digest(f"take/{seed}/{index}") >> 1


def said(script: Script, seed: int) -> tuple[Text, ...]:
    """What a script is called: `TEXTS_A_DETAIL` texts of each detail."""
    return tuple(Text(detail, text) for detail in DETAILS for text in _say(script, seed, detail))


def _say(script: Script, seed: int, detail: Detail) -> list[str]:
    """Texts of one detail, different where a few attempts find different ones."""
    texts: list[str] = []
    for attempt in range(3 * TEXTS_A_DETAIL):
        text = narrate(script, seed + attempt, detail, AS_WRITTEN)
        if text not in texts:
            texts.append(text)
        if len(texts) == TEXTS_A_DETAIL:
            return texts
    return (texts * TEXTS_A_DETAIL)[:TEXTS_A_DETAIL]


def _metadata(plan: Plan, number: int) -> dict[str, str]:
    return {"tdmm.plan": plan.digest, "tdmm.shard": str(number)}


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
    except (OSError, pa.ArrowException, UnicodeDecodeError):
        return False
    return _metadata(plan, number).items() <= found.items() and table.num_rows == len(plan.indices(number))


def _manifest(folder: Path, plan: Plan) -> Manifest:
    shards, balance = [], Balance()
    for number in range(plan.shards):
        path = folder / plan.shard_name(number)
        count: dict[str, int] = dict.fromkeys(SPLITS, 0)
        frames: dict[str, int] = dict.fromkeys(SPLITS, 0)
        for row in pq.read_table(path, columns=[*COUNTED, "frames"]).to_pylist():
            count[row["split"]] += 1
            frames[row["split"]] += row["frames"]
            balance.add(row, Script.model_validate_json(row["script"]))
        shards.append(Shard(path.name, sha256(path), path.stat().st_size, count, frames))
    return Manifest(plan.origin, tuple(shards), balance.summary())
