"""The stage that makes videos of prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tdmm.corpus.pipeline.stage import Done, Job, Rejected, Worker
from tdmm.corpus.prompts.prompt import ClipPrompt
from tdmm.corpus.video.backend import Declined, VideoBackend

PROMPTS = "prompts"
"""The entry of `Job.facts` that holds a clip's prompt."""


def prompt_of(job: Job) -> ClipPrompt | None:
    """The prompt of a clip; None for a recording, which has none."""
    facts = job.facts.get(PROMPTS)
    return None if facts is None else ClipPrompt.model_validate(facts)


@dataclass(frozen=True)
class VideoStage:
    """Makes `files["video"]`, and `files["truth"]` where the backend knows it, of `facts["prompts"]`.

    Attributes:
        backend: cheap to make and picklable; its models are loaded where the stage is opened.
        cpus, gpus, batch: see `Stage`.
    """

    backend: VideoBackend
    cpus: float = 1.0
    gpus: float = 0.0
    batch: int = 1
    name: str = "video"

    @property
    def settings(self) -> Mapping[str, Any]:
        """Those of the backend."""
        return dict(self.backend.settings)

    def open(self) -> Worker:
        """The backend loads what it needs with its first clip."""
        return _VideoWorker(self.backend)


@dataclass(frozen=True)
class _VideoWorker:
    backend: VideoBackend

    def work(self, jobs: Sequence[Job], folder: Path) -> list[Done | Rejected]:
        prompts = [ClipPrompt.model_validate(job.facts[PROMPTS]) for job in jobs]
        made = self.backend.make(prompts, folder)
        results: list[Done | Rejected] = []
        for each in made:
            if isinstance(each, Declined):
                results.append(Rejected("declined", each.reason))
                continue
            facts = {"fps": each.fps, "frames": each.frames, "width": each.width, "height": each.height}
            files = {"video": each.path} | ({} if each.truth is None else {"truth": each.truth})
            results.append(Done({**facts, "provenance": dict(each.provenance)}, files))
        return results
