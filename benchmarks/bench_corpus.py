"""The corpus engine with stages that do nothing: how it grows, and what is left after everything was killed.

python benchmarks/bench_corpus.py scale --clips 60000
python benchmarks/bench_corpus.py chaos --clips 2000 [--ray]

`scale` drives the ledger alone, with a crew that has always finished. `chaos` builds with real workers while one of
them is killed with -9 every few seconds and the driver once, and then looks at every clip.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tdmm.corpus.pipeline.crew import Batch, Outcome, Seat, Worked
from tdmm.corpus.pipeline.ledger import NAME, Ledger
from tdmm.corpus.pipeline.runner import Build, BuildOptions, run
from tdmm.corpus.pipeline.stage import Done, Job, Rejected
from tdmm.corpus.pipeline.status import finished, status
from tdmm.corpus.pipeline.store import Kept

SEATS, BATCH = 8, 8
SEED = 11


@dataclass(frozen=True)
class Digest:
    """A stage that writes a file: the digest of the clip and of what the stage before wrote."""

    name: str
    seconds: float = 0.0
    poison: str = ""
    batch: int = 1
    cpus: float = 1
    gpus: float = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def open(self) -> Digest:
        return self

    def work(self, jobs: Sequence[Job], folder: Path) -> list[Done | Rejected]:
        answers: list[Done | Rejected] = []
        for job in jobs:
            if job.clip_id == self.poison:
                os.kill(os.getpid(), signal.SIGKILL)
            before = job.files["digest"].read_bytes() if "digest" in job.files else b""
            path = folder / f"{job.clip_id}.bin"
            with path.open("wb") as file:  # in two halves, so that a kill can come between
                content = content_of(job.clip_id, self.name, before)
                file.write(content[: len(content) // 2])
                file.flush()
                time.sleep(self.seconds)
                file.write(content[len(content) // 2 :])
            answers.append(Done({"bytes": len(content)}, {"digest": path}))
        return answers


def content_of(clip_id: str, stage: str, before: bytes) -> bytes:
    return hashlib.sha256(f"{clip_id} {stage}".encode() + before).digest() * 128


def jobs_of(clips: int) -> Iterator[Job]:
    """Jobs with facts as long as those of real prompts."""
    for number in range(clips):
        words = f"She raises her left brow, take {number}. " * 20
        yield Job(f"clip-{number:06d}", {"prompts": {"face": words, "seed": number}}, {})


class Finished:
    """A crew that has always finished."""

    def __init__(self, stages: int) -> None:
        self._seats = [Seat(number, tuple(range(stages)), 1, 0, f"simulated:{number}") for number in range(SEATS)]
        self._given: list[Batch] = []

    @property
    def size(self) -> int:
        return SEATS

    def idle(self) -> list[Seat]:
        return self._seats

    def give(self, _seat: Seat, batch: Batch) -> None:
        self._given.append(batch)

    def outcomes(self, _timeout: float) -> list[Outcome]:
        given, self._given = self._given, []
        return [Worked(batch, tuple(self._one(batch.stage, task.clip) for task in batch.tasks)) for batch in given]

    def kill(self, _batch: Batch) -> None:
        pass

    def close(self) -> None:
        pass

    def _one(self, stage: int, clip: int) -> Kept:
        if (clip + stage) % 20 == 0:
            return Kept("rejected", {}, {}, "twentieth", "every twentieth is rejected", 0.0)
        facts = {"note": "what a tracker says " * 20, "fps": 25.0}
        return Kept("done", facts, {f"file{stage}": f"store/{stage}/{clip}.bin"}, seconds=0.0)


PHASES = ("settle", "build", "resume", "read")


def scale(clips: int, folder: Path) -> None:
    """CPU seconds and peak memory of a process of its own, at an eighth, a quarter, a half and all of the clips."""
    columns = ["clips", *(f"{phase} s" for phase in PHASES), "CPU ms a clip", "wall s", "peak MiB", "ledger MiB"]
    print(" ".join(f"{column:>13}" for column in columns))
    for divisor in (8, 4, 2, 1):
        count = clips // divisor
        command = [sys.executable, __file__, "one", "--clips", str(count), "--folder", str(folder / str(count))]
        told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        spent = [told[phase] for phase in PHASES]
        values = [*spent, 1000 * sum(spent) / count, told["wall"], told["peak"], told["size"]]
        print(" ".join([f"{count:13d}", *(f"{value:13.2f}" for value in values)]), flush=True)


def one(clips: int, folder: Path) -> dict[str, float]:
    stages = [Digest(name, batch=BATCH) for name in ("video", "track", "quality", "texts")]
    folder.mkdir(parents=True)
    seconds, wall = {}, time.perf_counter()

    def settle() -> None:
        with closing(Ledger(folder)) as ledger:
            ledger.settle(stages, jobs_of(clips))

    def build() -> None:
        with closing(Ledger(folder)) as ledger:
            Build(ledger, stages, BuildOptions().attempts, BuildOptions().patience, lambda _: None).drive(
                Finished(len(stages))
            )

    def read() -> None:
        with closing(Ledger(folder, writable=False)) as ledger:
            assert sum(1 for _ in ledger.finished()) == ledger.counts()[-1].done > clips // 2

    for phase, step in zip(PHASES, (settle, build, settle, read), strict=True):
        began = time.process_time()
        step()
        seconds[phase] = time.process_time() - began
    return {
        **seconds,
        "wall": time.perf_counter() - wall,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "size": (folder / NAME).stat().st_size / 2**20,
    }


def stages_of_chaos(clips: int, seconds: float) -> list[Digest]:
    return [
        Digest("video", seconds, batch=4),
        Digest("track", seconds, poison=f"clip-{clips // 3:06d}", batch=8),
        Digest("quality", seconds / 4, batch=8),
    ]


def build(clips: int, folder: Path, ray: bool, seconds: float) -> None:
    """What the driver runs that is killed."""
    options = BuildOptions(ray="auto") if ray else BuildOptions(workers=2)
    summary = run(folder, stages_of_chaos(clips, seconds), jobs_of(clips), options)
    print(f"driver: {summary.finished} of {summary.clips} clips finished", flush=True)


def chaos(clips: int, folder: Path, ray: bool, seconds: float, every: float) -> None:
    draw = random.Random(SEED)
    command = [sys.executable, __file__, "build", "--clips", str(clips), "--folder", str(folder)]
    command += ["--seconds", str(seconds), *(["--ray"] if ray else [])]
    began, kills, drivers = time.perf_counter(), 0, 1
    driver = subprocess.Popen(command)
    try:
        while driver.poll() is None:
            time.sleep(every * draw.uniform(0.5, 1.5))
            kills += kill_one(folder, draw)
            if drivers == 1 and settled(folder) > clips:
                driver.kill()
                driver.wait()
                print(f"the driver was killed after {time.perf_counter() - began:.0f} s", flush=True)
                driver, drivers = subprocess.Popen(command), 2
    finally:
        driver.kill()
        driver.wait()
    print(f"{kills} workers and {drivers - 1} driver killed in {time.perf_counter() - began:.0f} s")
    assert driver.returncode == 0, "the build failed"
    assert drivers == 2, "the driver was done before it could be killed: take more clips"
    check(clips, folder, seconds)


def settled(folder: Path) -> int:
    return sum(stage.settled for stage in status(folder).stages) if (folder / NAME).exists() else 0


def kill_one(folder: Path, draw: random.Random) -> bool:
    """Kill a process that the ledger says to be at work, if it is a worker of ours still."""
    if not (folder / NAME).exists():
        return False
    with closing(sqlite3.connect(f"{(folder / NAME).absolute().as_uri()}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT DISTINCT worker FROM work WHERE state = 'running' ORDER BY worker").fetchall()
    workers = [int(worker.rpartition(":")[2]) for (worker,) in rows]
    for pid in draw.sample(workers, len(workers)):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"spawn_main" in words or words.startswith(b"ray::Hand"):
                os.kill(pid, signal.SIGKILL)
                return True
        except OSError:
            continue
    return False


def check(clips: int, folder: Path, seconds: float) -> None:
    """Every clip once, the poisoned one quarantined, every byte as it must be."""
    summary = status(folder)
    stages = stages_of_chaos(clips, seconds)
    poison = stages[1].poison
    expected = [f"clip-{number:06d}" for number in range(clips) if f"clip-{number:06d}" != poison]
    assert [(clip.clip_id, clip.stage, clip.attempts) for clip in summary.quarantined] == [(poison, "track", 3)]
    found = list(finished(folder))
    assert [clip.clip_id for clip in found] == expected, "not every clip once"
    for clip in found:
        content = b""
        for stage in stages:
            content = content_of(clip.clip_id, stage.name, content)
        assert clip.files["digest"].read_bytes() == content, f"{clip.clip_id} is torn"
    for stage, count in (("video", clips), ("track", clips - 1), ("quality", clips - 1)):
        kept = Counter(path.parent.name for path in (folder / "store" / stage).glob("*/*/result.json"))
        assert len(kept) == sum(kept.values()) == count, f"{stage}: {len(kept)} outputs of {count}"
    with closing(sqlite3.connect(folder / NAME)) as database:
        again = database.execute("SELECT count(*) FROM work WHERE attempts > 1").fetchone()[0]
    left = sorted(path.name for path in folder.iterdir())
    print(f"{len(found)} of {clips} clips finished, each once, every byte right; {poison} quarantined after 3 attempts")
    print(f"{again} of {3 * clips - 1} steps were tried more than once; in the folder: {', '.join(left)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["scale", "chaos", "one", "build"])
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--folder", type=Path, help="kept; a temporary one when left out")
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--seconds", type=float, default=0.04, help="that a clip takes at a stage")
    parser.add_argument("--every", type=float, default=4.0, help="seconds between kills of workers")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary) / "corpus"
        if asked.what == "scale":
            scale(asked.clips, folder)
        elif asked.what == "one":
            print(json.dumps(one(asked.clips, folder)))
        elif asked.what == "build":
            build(asked.clips, folder, asked.ray, asked.seconds)
        else:
            chaos(asked.clips, folder, asked.ray, asked.seconds, asked.every)


if __name__ == "__main__":
    main()
