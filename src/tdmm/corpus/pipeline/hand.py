"""`Hand`: runs stages in the process that it lives in, on one machine or on a cluster's."""

from __future__ import annotations

import errno
import os
import socket
import time
import traceback
from collections.abc import Sequence

from tdmm.corpus.pipeline.crew import Batch, Crashed, Outcome, Stopped, Task, Worked
from tdmm.corpus.pipeline.stage import Job, Stage, Worker
from tdmm.corpus.pipeline.store import Kept, Store
from tdmm.errors import FileProblem, TdmmError

_TOLD = 2000  # letters of a traceback that are kept


class Hand:
    """Opens each stage once, at its first batch, and keeps it open."""

    def __init__(self, stages: Sequence[Stage], store: Store) -> None:
        self._stages = tuple(stages)
        self._store = store
        self._workers: dict[int, Worker] = {}

    def name(self) -> str:
        """Where it lives, "host:pid"."""
        return f"{socket.gethostname()}:{os.getpid()}"

    def open(self, batch: Batch) -> Stopped | None:
        """Load what the stage of a batch needs; what goes wrong is nobody's but the stage's and stops the build."""
        if batch.stage in self._workers:
            return None
        stage = self._stages[batch.stage]
        try:
            self._workers[batch.stage] = stage.open()
        except TdmmError as error:
            return Stopped(batch, error)
        except Exception as error:  # noqa: BLE001 - it is told to the user, whatever it is
            return Stopped(batch, TdmmError(f"The stage '{stage.name}' could not be opened: {_told(error)}"))
        return None

    def work(self, batch: Batch) -> Outcome:
        """Do a batch, and put its files in the store. What was made before is found there and not made again."""
        stopped = self.open(batch)
        if stopped is not None:
            return stopped
        stage = self._stages[batch.stage]
        try:
            kept = {task.key: self._store.find(stage.name, task.key) for task in batch.tasks}
            missing = [task for task in batch.tasks if kept[task.key] is None]
            made = self._make(batch.stage, missing) if missing else {}
            return Worked(batch, tuple(kept[task.key] or made[task.key] for task in batch.tasks))
        except TdmmError as error:
            return Stopped(batch, error)
        except Exception as error:  # noqa: BLE001 - a clip can raise anything; it is kept with the clip
            if _is_full(error):
                return Stopped(
                    batch,
                    FileProblem(
                        f"{self._store.folder}: no space is left on the disk. Nothing is torn and what was made is "
                        "kept; make room and run the same command again."
                    ),
                )
            return Crashed(batch, _told(error))

    def _make(self, number: int, tasks: Sequence[Task]) -> dict[str, Kept]:
        stage, worker = self._stages[number], self._workers[number]
        jobs = [
            Job(task.clip_id, task.facts, {name: self._store.local(path) for name, path in task.files.items()})
            for task in tasks
        ]
        with self._store.scratch(stage.name, [task.key for task in tasks]) as folder:
            began = time.perf_counter()
            answers = worker.work(jobs, folder)
            seconds = (time.perf_counter() - began) / len(jobs)
            if len(answers) != len(jobs):
                raise RuntimeError(f"stage '{stage.name}' gave {len(answers)} answers to {len(jobs)} jobs")
            return {
                task.key: self._store.keep(stage.name, task.key, answer, seconds, folder)
                for task, answer in zip(tasks, answers, strict=True)
            }


def _told(error: Exception) -> str:
    return "".join(traceback.format_exception(error))[-_TOLD:].strip()


def _is_full(error: BaseException | None) -> bool:
    """Whether a full disk is behind an exception."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False
