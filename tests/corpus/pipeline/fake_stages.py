"""A stage that does as it is told, in whatever process it is opened."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tdmm.corpus.pipeline.stage import Done, Job, Rejected
from tdmm.errors import MissingDependency


@dataclass(frozen=True)
class FakeStage:
    """Writes a file per clip that tells its name, the stage's word and what the stage before wrote.

    Attributes:
        log: file in which every clip that is begun leaves a line.
        does: clip id to what happens to it: die, raise, reject, full, wait (until `log` has a neighbour "go"), stop.
        opening: the same for opening: die, raise, stop.
    """

    name: str
    log: Path
    word: str = "plain"
    does: Mapping[str, str] = field(default_factory=dict)
    opening: str = ""
    batch: int = 1
    seconds: float = 0.0
    cpus: float = 1
    gpus: float = 0

    @property
    def settings(self) -> dict[str, Any]:
        return {"word": self.word}

    def open(self) -> FakeWorker:
        act(self.opening, self.name)
        return FakeWorker(self)


@dataclass(frozen=True)
class FakeWorker:
    stage: FakeStage

    def work(self, jobs: Sequence[Job], folder: Path) -> list[Done | Rejected]:
        with self.stage.log.open("a") as log:
            log.writelines(f"{job.clip_id}\n" for job in jobs)
        return [self._one(job, folder) for job in jobs]

    def _one(self, job: Job, folder: Path) -> Done | Rejected:
        does = self.stage.does.get(job.clip_id, "")
        if does == "reject":
            return Rejected("too-plain", "plainness 0.9, at most 0.5", {"plainness": 0.9})
        if does == "wait":
            while not self.stage.log.with_name("go").exists():
                time.sleep(0.01)
        path = folder / f"{job.clip_id}.txt"
        before = job.files["text"].read_text() if "text" in job.files else ""
        path.write_text(f"{before}{job.clip_id} {self.stage.name} {self.stage.word}\n")
        act(does, job.clip_id)
        time.sleep(self.stage.seconds)
        return Done({"word": self.stage.word, "stages": sorted(job.facts)}, {"text": path})


def act(what: str, name: str) -> None:
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "raise":
        raise RuntimeError(f"{name} is beyond me")
    if what == "full":
        raise OSError(errno.ENOSPC, "No space left on device")
    if what == "stop":
        raise MissingDependency("needs the package of the moon. Install it: pip install moon")


def jobs_of(count: int, mood: str = "calm") -> Iterator[Job]:
    for number in range(count):
        yield Job(f"clip-{number:03d}", {"prompts": {"face": f"face {number}", "mood": mood}}, {})


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
