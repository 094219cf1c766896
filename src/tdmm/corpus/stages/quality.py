"""The stage that lets good clips pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tdmm.acting.actor import perform
from tdmm.corpus.pipeline.stage import Done, Job, Rejected, Worker
from tdmm.corpus.quality.measures import Seen, measure
from tdmm.corpus.quality.rules import Rules, judge
from tdmm.corpus.stages.video import prompt_of
from tdmm.motion.files import load


@dataclass(frozen=True)
class QualityStage:
    """Measures `files["motion"]` and judges it; its facts are the figures.

    A clip that breaks a rule is rejected by the first it breaks; the reason names them all. What was asked for comes
    from the script of `facts["prompts"]`; recordings were asked for nothing.

    Attributes:
        rules: thresholds.
        tracking: name of the stage that tracked, whose facts tell of face and fit.
    """

    rules: Rules = field(default_factory=Rules)
    tracking: str = "track"
    cpus: float = 1.0
    gpus: float = 0.0
    batch: int = 8
    name: str = "quality"

    @property
    def settings(self) -> Mapping[str, Any]:
        """The rules."""
        return self.rules.model_dump(mode="json")

    def open(self) -> Worker:
        """Nothing to load."""
        return _QualityWorker(self.rules, self.tracking)


@dataclass(frozen=True)
class _QualityWorker:
    rules: Rules
    tracking: str

    def work(self, jobs: Sequence[Job], folder: Path) -> list[Done | Rejected]:
        del folder  # nothing is written
        return [self._one(job) for job in jobs]

    def _one(self, job: Job) -> Done | Rejected:
        prompt = prompt_of(job.facts)
        expected = None if prompt is None else perform(prompt.script, prompt.seed).asked
        measures = measure(load(job.files["motion"]), Seen.from_facts(job.facts.get(self.tracking, {})), expected)
        broken = judge(measures, self.rules)
        if broken:
            return Rejected(broken[0].rule, "; ".join(each.reason for each in broken), measures.as_facts())
        return Done(measures.as_facts())
