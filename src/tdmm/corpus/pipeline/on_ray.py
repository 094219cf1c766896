"""`RayCrew`: the same workers as Ray actors, on one machine or many.

Ray finds the machines and places the actors; what is done once and what is tried again, the ledger decides. So
actors are never restarted by Ray: whoever dies is told to the driver, which counts it and starts another.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tdmm.corpus.pipeline.crew import Batch, Crashed, Outcome, Seat, plan_seats
from tdmm.corpus.pipeline.hand import Hand
from tdmm.corpus.pipeline.stage import Stage
from tdmm.corpus.pipeline.store import Store
from tdmm.errors import InvalidInput, MissingDependency, TdmmError

_STILLBORN = 5
"""How many actors may die in a row before they have said who they are."""


class RayCrew:
    """Actors, one a seat.

    Args:
        stages: in their order.
        store: where outputs go. Without a URL all nodes have to see its folder.
        address: "auto" (a cluster that runs on this machine, else one is started for this build) or an address.

    Raises:
        MissingDependency: ray is not installed.
        InvalidInput: no cluster answers there, or it has too few GPUs.
    """

    def __init__(self, stages: Sequence[Stage], store: Store, address: str) -> None:
        # CPU actors are kept off the GPUs, which newer versions of Ray want to have said.
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "1")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Ray puts a function of its own in the place of print, for bars that we do not draw.
        os.environ.setdefault("RAY_TQDM_PATCH_PRINT", "0")
        try:
            import ray
        except ImportError as error:
            raise MissingDependency("--ray needs Ray. Install it: pip install 'tdmm[ray]'") from error
        self._ray = ray
        self._joined = not ray.is_initialized()
        if self._joined:
            try:
                ray.init(None if address == "auto" else address, log_to_driver=False, logging_level="error")
            except (ConnectionError, ValueError) as error:
                raise InvalidInput(
                    f"No Ray cluster answers at '{address}' ({error}). Start one: ray start --head; "
                    "or let this build have one of its own: --ray auto"
                ) from error
        cluster = ray.cluster_resources()
        self._seats = plan_seats(stages, int(cluster.get("CPU", 1)), int(cluster.get("GPU", 0)))
        self._stages, self._store = ray.put(tuple(stages)), ray.put(store)
        self._stillborn = 0
        self._actors = [self._start(seat) for seat in self._seats]

    @property
    def size(self) -> int:
        """How many seats there are."""
        return len(self._seats)

    def idle(self) -> list[Seat]:
        """Seats whose actor lives and has no batch. Those that wait for room in the cluster are not among them."""
        ready = []
        for seat, actor in zip(self._seats, self._actors, strict=True):
            if not actor.worker and self._is_ready(actor.named):
                try:
                    actor.worker = self._ray.get(actor.named)
                    self._stillborn = 0
                except self._ray.exceptions.RayError as error:
                    self._bury(seat.number, error)
                    continue
            if actor.worker and actor.batch is None:
                ready.append(replace(seat, worker=actor.worker))
        return ready

    def give(self, seat: Seat, batch: Batch) -> None:
        """Hand a batch to an idle seat."""
        actor = self._actors[seat.number]
        actor.batch = batch
        actor.opened = actor.handle.open.remote(batch)
        actor.worked = actor.handle.work.remote(batch)

    def outcomes(self, timeout: float) -> list[Outcome]:
        """What came to an end."""
        busy = {actor.worked: actor for actor in self._actors if actor.batch is not None}
        coming = [*busy, *(actor.named for actor in self._actors if not actor.worker)]
        if coming:
            self._ray.wait(coming, num_returns=1, timeout=timeout, fetch_local=False)
        ready = self._ray.wait(list(busy), num_returns=len(busy), timeout=0)[0] if busy else []
        return [self._heard(busy[worked]) for worked in ready]

    def kill(self, batch: Batch) -> None:
        """End the worker that has this batch, as a crash would; `outcomes` tells of it."""
        for actor in self._actors:
            if actor.batch is batch:
                self._ray.kill(actor.handle)

    def close(self) -> None:
        """Send everybody home, whatever they are at."""
        for actor in self._actors:
            self._ray.kill(actor.handle)
        if self._joined:
            self._ray.shutdown()

    def _start(self, seat: Seat) -> _Actor:
        remote = self._ray.remote(num_cpus=seat.cpus, num_gpus=seat.gpus, max_restarts=0)(Hand)
        handle = remote.remote(self._stages, self._store)
        return _Actor(seat, handle, handle.name.remote())

    def _heard(self, actor: _Actor) -> Outcome:
        batch = actor.batch
        assert batch is not None
        actor.batch = None
        try:
            outcome: Outcome = self._ray.get(actor.worked)
        except self._ray.exceptions.RayError as error:
            outcome = Crashed(batch, f"its worker died ({_last_line(error)})", self._has_opened(actor))
        if isinstance(outcome, Crashed):  # what raised the unexpected is not trusted with more
            self._ray.kill(actor.handle)
            self._actors[actor.seat.number] = self._start(actor.seat)
        return outcome

    def _has_opened(self, actor: _Actor) -> bool:
        try:
            return self._is_ready(actor.opened) and self._ray.get(actor.opened) is None
        except self._ray.exceptions.RayError:
            return False

    def _is_ready(self, reference: Any) -> bool:
        return bool(self._ray.wait([reference], timeout=0)[0])

    def _bury(self, number: int, error: Exception) -> None:
        """Start another actor for one that died before it had said who it is."""
        self._stillborn += 1
        if self._stillborn >= _STILLBORN:
            raise TdmmError(
                f"Ray lost {_STILLBORN} workers in a row before they began. The last time: {_last_line(error)}. "
                "Is tdmm installed on every node, in the same version?"
            ) from error
        self._actors[number] = self._start(self._seats[number])


@dataclass(eq=False)
class _Actor:
    """An actor and what it is at: references to who it is, whether its stage is open, what came of its batch."""

    seat: Seat
    handle: Any
    named: Any
    worker: str = ""
    batch: Batch | None = None
    opened: Any = None
    worked: Any = None


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1].strip() if str(error).strip() else type(error).__name__
