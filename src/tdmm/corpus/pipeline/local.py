"""`LocalCrew`: workers on this machine, each in a process of its own that may die."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from tdmm.corpus.pipeline.crew import Batch, Crashed, Outcome, Seat, plan_seats
from tdmm.corpus.pipeline.hand import Hand
from tdmm.corpus.pipeline.stage import Stage
from tdmm.corpus.pipeline.store import Store

_BEGAN = "began"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class LocalCrew:
    """Processes, single-threaded unless a stage asks for more cores, that leave with their parent."""

    def __init__(self, stages: Sequence[Stage], store: Store, workers: int) -> None:
        self._stages = tuple(stages)
        self._store = store
        gpus = _gpus() if any(stage.gpus > 0 for stage in stages) else 0
        self._seats = plan_seats(stages, workers, gpus)
        self._gpus = gpus
        self._children: dict[int, _Child] = {}

    @property
    def size(self) -> int:
        """How many seats there are."""
        return len(self._seats)

    def idle(self) -> list[Seat]:
        """Seats without a batch; whoever died there is replaced."""
        ready = []
        for seat in self._seats:
            child = self._children.get(seat.number)
            if child is not None and child.batch is not None:
                continue
            if child is not None and child.is_dead():
                self._children.pop(seat.number).end()
                child = None
            if child is None:
                child = self._children[seat.number] = self._start(seat)
            ready.append(replace(seat, worker=f"{os.uname().nodename}:{child.process.pid}"))
        return ready

    def give(self, seat: Seat, batch: Batch) -> None:
        """Hand a batch to an idle seat."""
        child = self._children[seat.number]
        child.batch, child.began = batch, False
        with suppress(OSError):  # where it has died meanwhile, `outcomes` tells so
            child.line.send(batch)

    def outcomes(self, timeout: float) -> list[Outcome]:
        """What came to an end."""
        busy = {child.line: number for number, child in self._children.items() if child.batch is not None}
        if not busy:
            time.sleep(timeout)
            return []
        ended = []
        for line in connection.wait(list(busy), timeout):
            assert isinstance(line, Connection)
            child = self._children[busy[line]]
            outcome = child.heard()
            if outcome is None and line.poll():
                outcome = child.heard()
            if outcome is not None:
                ended.append(outcome)
            if isinstance(outcome, Crashed):  # what raised the unexpected is not trusted with more
                self._children.pop(busy[line]).end()
        return ended

    def kill(self, batch: Batch) -> None:
        """End the worker that has this batch, as a crash would; `outcomes` tells of it."""
        for child in self._children.values():
            if child.batch is batch:
                child.kill()

    def close(self) -> None:
        """Send everybody home, whatever they are at."""
        for child in self._children.values():
            child.end()
        self._children.clear()

    def _start(self, seat: Seat) -> _Child:
        devices = _devices(seat, self._seats, self._gpus)
        threads = max(1, *(int(self._stages[number].cpus) for number in seat.stages))
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, threads, devices))
        process.start()
        theirs.close()
        child = _Child(process, ours)
        with suppress(OSError):  # where it has died at once, `outcomes` tells so when it is given something
            ours.send((self._stages, self._store))
        return child


class _Child:
    """A process, the line to it, and what it is at."""

    def __init__(self, process: SpawnProcess, line: Connection) -> None:
        self.process = process
        self.line = line
        self.batch: Batch | None = None
        self.began = False
        self._ended = False

    def heard(self) -> Outcome | None:
        """What it says; None when it only says that it has begun."""
        assert self.batch is not None
        try:
            said = self.line.recv()
        except (EOFError, OSError):
            self.end()
            return Crashed(self.batch, f"its worker process died ({_cause(self.process.exitcode)})", self.began)
        if said == _BEGAN:
            self.began = True
            return None
        outcome: Outcome = said
        self.batch = None
        return outcome

    def is_dead(self) -> bool:
        """Whether it has died while it waited."""
        return bool(connection.wait([self.process.sentinel], 0))

    def kill(self) -> None:
        """Kill it and all that it started."""
        assert self.process.pid is not None
        # Its number belongs to it until it is joined; its group may outlive it.
        for kill in (os.killpg, os.kill):
            with suppress(ProcessLookupError, PermissionError):
                kill(self.process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Have nothing more to do with it."""
        self.line.close()
        if not self._ended:
            self.kill()
            self.process.join()
            self._ended = True


def _serve(line: Connection, threads: int, devices: str | None) -> None:
    """Runs in the child. What is heavy is imported with the stages, after the environment is set."""
    os.setsid()
    _leave_with_parent()
    os.environ.update(dict.fromkeys(_THREADS, str(threads)))
    if devices is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = devices
    try:
        hand = Hand(*line.recv())
        while True:
            batch: Batch = line.recv()
            stopped = hand.open(batch)
            if stopped is not None:
                line.send(stopped)
                continue
            line.send(_BEGAN)
            line.send(hand.work(batch))
    except (EOFError, OSError):
        return  # the driver has closed the line


def _leave_with_parent() -> None:
    """When the driver is killed, nobody else would end this process and what it started."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        connection.wait([parent.sentinel])
        os.killpg(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def _cause(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        return f"{name}, perhaps for want of memory" if -exit_code == signal.SIGKILL else name
    return f"exit code {exit_code}"


def _gpus() -> int:
    import torch

    return torch.cuda.device_count()


def _devices(seat: Seat, seats: Sequence[Seat], gpus: int) -> str | None:
    """Value of CUDA_VISIBLE_DEVICES for a seat; None leaves things as they are."""
    if seat.gpus == 0 or gpus < 2:
        return None
    first = int(sum(other.gpus for other in seats[: seat.number]))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(gpus)))).split(",")
    return ",".join(visible[first : first + max(1, round(seat.gpus))])
