"""`Stage`: one step that every clip of a corpus goes through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Job:
    """A clip that is ready for a stage.

    Attributes:
        clip_id: unique in the corpus.
        facts: what is known of it, JSON-serialisable, one entry per stage that it passed ("prompts" is the first).
        files: paths of what earlier stages made, by name ("video", "truth", "motion").
    """

    clip_id: str
    facts: Mapping[str, Any]
    files: Mapping[str, Path]


@dataclass(frozen=True)
class Done:
    """A clip that passed.

    Attributes:
        facts: what this stage tells of it, JSON-serialisable.
        files: what it made, by name, under the folder that it was given.
    """

    facts: Mapping[str, Any]
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Rejected:
    """A clip that goes no further.

    Attributes:
        rule: short name of the rule, for counting: 'jitter'.
        reason: the whole of it, with value and threshold.
        facts: what was measured.
    """

    rule: str
    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class Worker(Protocol):
    """A stage where its models are loaded."""

    def work(self, jobs: Sequence[Job], folder: Path) -> list[Done | Rejected]:
        """One answer per job, in their order; files are written under `folder`, named by clip."""


class Stage(Protocol):
    """One step. Small and picklable: it travels to where it is to run, and is opened there."""

    @property
    def name(self) -> str:
        """Of the stage: "video", "track"."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """All that decides its results besides its jobs, JSON-serialisable. Other settings, other results."""

    @property
    def cpus(self) -> float:
        """What one worker takes."""

    @property
    def gpus(self) -> float:
        """What one worker takes."""

    @property
    def batch(self) -> int:
        """How many clips a worker is given at once."""

    def open(self) -> Worker:
        """Load what it needs, in the process that it is to run in."""
