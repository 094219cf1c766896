"""`Crew`: those who do the work, wherever they are; and what passes between them and the driver.

Everything here is small and picklable: facts and names of files travel, pictures never do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from tdmm.corpus.pipeline.stage import Stage
from tdmm.corpus.pipeline.store import Kept
from tdmm.errors import InvalidInput, TdmmError


@dataclass(frozen=True)
class Task:
    """One clip at one stage.

    Attributes:
        clip: its number in the ledger.
        clip_id: its name.
        key: content key of what is to be made.
        attempt: 1 when it is tried for the first time.
        facts: of the stages before, by name.
        files: of the stages before, by name, relative to the corpus folder (or absolute, where it came with them).
    """

    clip: int
    clip_id: str
    key: str
    attempt: int
    facts: Mapping[str, Any]
    files: Mapping[str, str]


@dataclass(frozen=True)
class Batch:
    """Clips that one worker gets at once; `stage` counts from 0."""

    stage: int
    tasks: tuple[Task, ...]


@dataclass(frozen=True)
class Worked:
    """Every clip of a batch was done or rejected; one result per task, in their order."""

    batch: Batch
    results: tuple[Kept, ...]


@dataclass(frozen=True)
class Crashed:
    """The worker died or raised what it should not have; `began` says whether a clip had been touched by then."""

    batch: Batch
    error: str
    began: bool = True


@dataclass(frozen=True)
class Stopped:
    """What a user has to mend before anything can go on."""

    batch: Batch
    error: TdmmError


Outcome = Worked | Crashed | Stopped


@dataclass(frozen=True)
class Seat:
    """Room for one worker.

    Attributes:
        number: counts from 0.
        stages: what is done there.
        cpus, gpus: what is reserved for it.
        worker: who sits there now, "host:pid"; empty while nobody does.
    """

    number: int
    stages: tuple[int, ...]
    cpus: float
    gpus: float
    worker: str = ""


class Crew(Protocol):
    """Workers. They are replaced when they die; a seat holds one batch at a time."""

    @property
    def size(self) -> int:
        """How many seats there are."""

    def idle(self) -> list[Seat]:
        """Seats where somebody is ready for a batch."""

    def give(self, seat: Seat, batch: Batch) -> None:
        """Hand a batch to an idle seat."""

    def outcomes(self, timeout: float) -> list[Outcome]:
        """What came to an end; waits for the first, `timeout` seconds at most."""

    def kill(self, batch: Batch) -> None:
        """End the worker that has this batch, as a crash would; `outcomes` tells of it."""

    def close(self) -> None:
        """Send everybody home, whatever they are at."""


def plan_seats(stages: Sequence[Stage], cpus: int, gpus: int) -> list[Seat]:
    """Seats for a machine or a cluster.

    Stages that ask for the same share their seats, so that no core waits for one of them. GPUs are divided evenly
    among those who ask for different amounts. Stages that ask for less than one core (they wait for somebody else's
    server) get a seat a core and reserve nothing. Where there are fewer cores than seats, each reserves less.

    Raises:
        InvalidInput: the GPUs do not suffice for one worker of every stage that asks for them.
    """
    groups: dict[tuple[float, float], list[int]] = {}
    for number, stage in enumerate(stages):
        groups.setdefault((stage.gpus, stage.cpus), []).append(number)
    on_gpus = [asked for asked in groups if asked[0] > 0]
    wanted = sum(asked[0] for asked in on_gpus)
    if wanted > gpus:
        names = ", ".join(f"'{stage.name}' ({stage.gpus:g})" for stage in stages if stage.gpus > 0)
        raise InvalidInput(
            f"One worker for each of the stages {names} takes {wanted:g} GPUs, and there are {gpus}. "
            "Ask for fewer a worker (half a GPU is 0.5), or build where there are more."
        )
    counts: dict[tuple[float, float], int] = {}
    for asked in groups:
        if asked in on_gpus:
            counts[asked] = max(1, int(gpus / len(on_gpus) / asked[0]))
        else:
            counts[asked] = max(1, cpus if asked[1] < 1 else int(cpus / asked[1]))
    reserving = [asked for asked in groups if asked[1] >= 1]

    def reserved() -> float:
        return sum(counts[asked] * asked[1] for asked in reserving)

    while reserved() > cpus and (many := [asked for asked in reserving if counts[asked] > 1 and asked[0] == 0]):
        counts[max(many, key=lambda asked: counts[asked] * asked[1])] -= 1
    share = min(1.0, cpus / reserved()) if reserving else 1.0
    seats: list[Seat] = []
    for asked, numbers in groups.items():
        reserves = asked[1] * share if asked[1] >= 1 else 0.0
        seat = Seat(0, tuple(numbers), reserves if reserves < 1 else float(int(reserves)), asked[0])  # as Ray wants it
        seats += [replace(seat, number=len(seats) + each) for each in range(counts[asked])]
    return seats
