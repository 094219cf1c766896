"""`run`: every clip through every stage, once, whatever crashes; the same command goes on where it was.

The driver reads and writes the ledger; workers do the rest. Clips stream: a free worker takes what is furthest on, so
that finished clips come early, and no stage runs further ahead of the next than its queue is long.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tdmm.corpus.pipeline.crew import Batch, Crashed, Crew, Outcome, Seat, Stopped, Worked
from tdmm.corpus.pipeline.ledger import Ledger
from tdmm.corpus.pipeline.lock import build_lock
from tdmm.corpus.pipeline.stage import Job, Stage
from tdmm.corpus.pipeline.status import Summary, summarise
from tdmm.corpus.pipeline.store import Store
from tdmm.errors import InvalidInput, TdmmError
from tdmm.interrupts import stop_requests

_PAUSE = 0.2
"""Seconds between looks at seats that nobody has taken yet, and at a wish to stop."""
_SHOWN_EVERY = 1.0
_UNOPENED = 5
"""How often in a row a stage's workers may die before they have touched a clip."""
_HOPELESS = 20
"""Batches in a row that all crash when they are first tried: it is the stage then, and not the clips."""
_QUEUE = 32

Progress = Callable[[Summary], None]


@dataclass(frozen=True)
class BuildOptions:
    """How a corpus is built; nothing of it changes what is built.

    Attributes:
        workers: processes on this machine; None takes every core. Not with `ray`.
        ray: "auto" (a cluster that runs here, else one for this build) or the address of a cluster.
        store: URL of object storage for the outputs; without it every machine needs the same folder.
        attempts: how often a clip may take its worker with it before it is quarantined.
        patience: seconds that a worker may take for a clip, the opening of its stage included, before it is taken to
            hang and is ended, which counts as a crash.
        redo: make again what was made from other settings or prompts, and try again what was quarantined.
    """

    workers: int | None = None
    ray: str | None = None
    store: str | None = None
    attempts: int = 3
    patience: float = 6 * 3600.0
    redo: bool = False


def run(
    folder: Path,
    stages: Sequence[Stage],
    jobs: Iterable[Job],
    options: BuildOptions = BuildOptions(),
    progress: Progress | None = None,
) -> Summary:
    """Build a corpus, or go on with it.

    Args:
        folder: of the corpus; made if it is missing.
        stages: in their order. They travel to other processes: small, picklable, of modules that can be imported.
        jobs: the clips, always in the same order. Read once, never held in memory; their facts are their content (of
            files that they come with, facts should hold a hash).
        options: how.
        progress: told how far it is, about once a second.

    Returns:
        How far it came. `interrupted` is true when Ctrl-C or SIGTERM ended it: what was done is kept.

    Raises:
        InvalidInput: options make no sense, or results would have to be redone and `redo` is false.
        FileProblem: another build is at work there, the disk is full, or the ledger cannot be used.
        TdmmError: what a worker says that a user can mend: a missing package, a key, a quota. All is kept.
    """
    _check(stages, options)
    store = Store(folder, options.store)
    store.check()
    with build_lock(folder), closing(Ledger(folder)) as ledger:
        ledger.settle(stages, jobs, url=options.store, redo=options.redo)
        ledger.recover(options.attempts)
        build = Build(ledger, stages, options.attempts, options.patience, progress)
        if not summarise(ledger).complete:
            with _crew(stages, store, options, ledger.clips()) as crew:
                build.drive(crew)
        summary = summarise(ledger, interrupted=build.interrupted)
        if summary.complete:
            store.sweep()
        if progress is not None:
            progress(summary)
        return summary


class Build:
    """The driver: gives out batches, records what comes back.

    Args:
        ledger: settled on the stages.
        stages: in their order.
        attempts, patience: see `BuildOptions`.
        progress: see `run`.
    """

    def __init__(
        self, ledger: Ledger, stages: Sequence[Stage], attempts: int, patience: float, progress: Progress | None = None
    ) -> None:
        self._ledger = ledger
        self._stages = tuple(stages)
        self._attempts = attempts
        self._patience = patience
        self._progress = progress
        self._shown = 0.0
        # By the first clip of each batch, which is in one at a time: the batch, and when it is overdue.
        self._given: dict[int, tuple[Batch, float]] = {}
        self._overdue: set[int] = set()
        self._unopened: Counter[int] = Counter()
        self._hopeless: Counter[int] = Counter()
        self._error: TdmmError | None = None
        self.interrupted = False

    def drive(self, crew: Crew) -> None:
        """Give out work until nothing is left, or somebody says stop.

        Raises:
            TdmmError: what a worker says that a user can mend; what was ready by then is recorded.
        """
        outcomes: list[Outcome] = []
        with stop_requests() as stop:
            try:
                while True:
                    given = self._turn(crew, outcomes, stop)
                    outcomes = []
                    for seat, batch in given:
                        crew.give(seat, batch)
                    if self._error is not None or stop.is_set() or not (self._given or self._is_waiting()):
                        break
                    self._end_overdue(crew)
                    outcomes = crew.outcomes(_PAUSE)
                    self._show()
            finally:
                self._take_back(crew, outcomes)
            self.interrupted = stop.is_set()
        if self._error is not None:
            raise self._error

    def _turn(self, crew: Crew, outcomes: Sequence[Outcome], stop: threading.Event) -> list[tuple[Seat, Batch]]:
        """Record what came back, choose what is given out next: one transaction."""
        with self._ledger.transaction():
            for outcome in outcomes:
                self._record(outcome)
            given: list[tuple[Seat, Batch]] = []
            if self._error is None and not stop.is_set() and self._is_waiting():
                for seat in crew.idle():
                    batch = self._next(seat, crew.size)
                    if batch is not None:
                        given.append((seat, batch))
        for _, batch in given:
            self._given[batch.tasks[0].clip] = batch, time.monotonic() + self._patience * len(batch.tasks)
        return given

    def _end_overdue(self, crew: Crew) -> None:
        now = time.monotonic()
        for clip, (batch, due) in self._given.items():
            if now > due and clip not in self._overdue:
                self._overdue.add(clip)
                crew.kill(batch)

    def _next(self, seat: Seat, seats: int) -> Batch | None:
        """What is furthest on, unless enough of it waits for the stage that follows."""
        for number in sorted(seat.stages, reverse=True):
            if number + 1 < len(self._stages):
                queue = _QUEUE + 4 * seats * max(stage.batch for stage in self._stages[number : number + 2])
                if self._ledger.waiting(number + 1, queue) == queue:
                    continue
            batch = self._ledger.take(number, self._stages[number].batch, seat.worker)
            if batch is not None:
                return batch
        return None

    def _record(self, outcome: Outcome) -> None:
        batch = outcome.batch
        self._given.pop(batch.tasks[0].clip, None)
        if batch.tasks[0].clip in self._overdue:
            self._overdue.remove(batch.tasks[0].clip)
            if isinstance(outcome, Crashed):
                said = f"it took longer than {self._patience:g} s a clip and was ended, as a worker that hangs"
                outcome = replace(outcome, error=said)
        if isinstance(outcome, Worked):
            following = self._stages[batch.stage + 1] if batch.stage + 1 < len(self._stages) else None
            self._ledger.record(batch, outcome.results, following)
            self._unopened[batch.stage] = self._hopeless[batch.stage] = 0
        elif isinstance(outcome, Stopped):
            self._ledger.release(batch)
            self._error = self._error or outcome.error
        elif outcome.began:
            self._ledger.crashed(batch, outcome.error, self._attempts)
            self._hopeless[batch.stage] += batch.tasks[0].attempt == 1
            if self._hopeless[batch.stage] >= _HOPELESS:
                self._give_up(outcome, f"crashed {_HOPELESS} times in a row, on clips that it had not seen before")
        else:
            self._ledger.release(batch)
            self._unopened[batch.stage] += 1
            if self._unopened[batch.stage] >= _UNOPENED:
                self._give_up(outcome, f"lost {_UNOPENED} workers in a row while they opened it")

    def _give_up(self, outcome: Crashed, what: str) -> None:
        name = self._stages[outcome.batch.stage].name
        self._error = self._error or TdmmError(
            f"The stage '{name}' {what}. The last time: {outcome.error} "
            "Mend that and run the same command again; what was made is kept."
        )

    def _take_back(self, crew: Crew, outcomes: Sequence[Outcome]) -> None:
        """Record what is ready; what is still in work is given back as if it had never been given out."""
        with self._ledger.transaction():
            for outcome in (*outcomes, *(crew.outcomes(0) if self._given else ())):
                self._record(outcome)
            for batch, _ in self._given.values():
                self._ledger.release(batch)
        self._given.clear()

    def _is_waiting(self) -> bool:
        return any(self._ledger.waiting(number, 1) for number in range(len(self._stages)))

    def _show(self) -> None:
        if self._progress is not None and time.monotonic() - self._shown > _SHOWN_EVERY:
            self._shown = time.monotonic()
            self._progress(summarise(self._ledger))


def _check(stages: Sequence[Stage], options: BuildOptions) -> None:
    if not stages:
        raise InvalidInput("A corpus needs one stage at least.")
    if len({stage.name for stage in stages}) < len(stages):
        raise InvalidInput(f"Two stages have one name: {', '.join(stage.name for stage in stages)}.")
    if options.workers is not None and options.workers < 1:
        raise InvalidInput(f"workers must be 1 or more, not {options.workers}.")
    if options.workers is not None and options.ray is not None:
        raise InvalidInput("--workers is for one machine; with --ray the cluster decides. Leave one of them out.")
    if options.patience <= 0:
        raise InvalidInput(f"patience must be more than 0 seconds, not {options.patience:g}.")
    if options.attempts < 1:
        raise InvalidInput(f"attempts must be 1 or more, not {options.attempts}.")


@contextmanager
def _crew(stages: Sequence[Stage], store: Store, options: BuildOptions, clips: int) -> Iterator[Crew]:
    crew: Crew
    if options.ray is not None:
        from tdmm.corpus.pipeline.on_ray import RayCrew

        crew = RayCrew(stages, store, options.ray)
    else:
        from tdmm.corpus.pipeline.local import LocalCrew

        crew = LocalCrew(stages, store, min(options.workers or os.cpu_count() or 1, clips))
    try:
        yield crew
    finally:
        crew.close()
