"""What a corpus folder holds, without building anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tdmm.corpus.pipeline.ledger import Ledger, Quarantined, StageCounts
from tdmm.corpus.pipeline.store import Store

_SHOWN = 100


@dataclass(frozen=True)
class Summary:
    """How far a build is.

    Attributes:
        clips: how many are asked for.
        stages: counts, in the order of the stages.
        rejections: (stage, rule) to how many clips it rejected, most first.
        quarantined: the first hundred clips that were given up, with their last errors.
        interrupted: whether the build was told to stop before its end.
    """

    clips: int
    stages: tuple[StageCounts, ...]
    rejections: Mapping[tuple[str, str], int]
    quarantined: tuple[Quarantined, ...]
    interrupted: bool = False

    @property
    def finished(self) -> int:
        """Clips that passed every stage."""
        return self.stages[-1].done if self.stages else 0

    def remaining(self, stage: int) -> int:
        """Clips that a stage has still to look at, if nothing more is lost on the way there."""
        lost = sum(before.rejected + before.quarantined for before in self.stages[:stage])
        return self.clips - lost - self.stages[stage].settled

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        return all(self.remaining(stage) == 0 for stage in range(len(self.stages)))


@dataclass(frozen=True)
class FinishedClip:
    """A clip that passed every stage.

    Attributes:
        clip_id: its name.
        position: in the list of jobs, from 0; rejected clips leave gaps.
        facts: by stage, what the clip came with included.
        files: by name, on this machine.
    """

    clip_id: str
    position: int
    facts: Mapping[str, Any]
    files: Mapping[str, Path]


def summarise(ledger: Ledger, *, interrupted: bool = False) -> Summary:
    """A summary of an open ledger."""
    return Summary(
        ledger.clips(),
        ledger.counts(),
        ledger.rejections(),
        tuple(islice(ledger.quarantined(), _SHOWN)),
        interrupted,
    )


def status(folder: Path) -> Summary:
    """How far the build of a folder is; a build may be at work there.

    Raises:
        FileProblem: no corpus is being built there, or its ledger cannot be read.
    """
    with closing(Ledger(folder, writable=False)) as ledger:
        return summarise(ledger)


def finished(folder: Path) -> Iterator[FinishedClip]:
    """Clips that passed every stage, in the order of the jobs, one after another from the disk.

    Raises:
        FileProblem: no corpus is being built there, or a file of it is gone.
    """
    with closing(Ledger(folder, writable=False)) as ledger:
        store = Store(folder, ledger.url)
        for clip in ledger.finished():
            files = {name: store.local(path) for name, path in clip.files.items()}
            yield FinishedClip(clip.clip_id, clip.position, clip.facts, files)


def told(folder: Path, stage: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Id of each clip that a stage looked at, and what it told of it, whether it passed or was rejected.

    Raises:
        FileProblem: no corpus is being built there, or its ledger cannot be read.
    """
    with closing(Ledger(folder, writable=False)) as ledger:
        yield from ledger.told(stage)


def fates(folder: Path) -> Iterator[tuple[str, bool]]:
    """Id of each clip that is asked for, in the order of the jobs, and whether a stage rejected it.

    Raises:
        FileProblem: no corpus is being built there, or its ledger cannot be read.
    """
    with closing(Ledger(folder, writable=False)) as ledger:
        yield from ledger.fates()
