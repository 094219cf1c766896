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
POLISHED = "prompt"
"""The entry of what the stage "polish" tells that holds the prompt in other words."""


def prompt_of(facts: Mapping[str, Any]) -> ClipPrompt | None:
    """The prompt of a clip, in its last words; None for a recording, which has none."""
    found = facts.get("polish", {}).get(POLISHED) or facts.get(PROMPTS)
    return None if found is None else ClipPrompt.model_validate(found)


@dataclass(frozen=True)
class VideoStage:
    """Makes `files["video"]`, and `files["truth"]` where the backend knows it, of `facts["prompts"]`.

    Attributes:
        backend: cheap to make and picklable; its models are loaded where the stage is opened.
        desk: folder that the backend works in, the same at every attempt; for one that keeps the numbers of jobs which
            run elsewhere, and are paid for. None is a new one every time.
        cpus, gpus, batch: see `Stage`.
    """

    backend: VideoBackend
    desk: Path | None = None
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
        return _VideoWorker(self.backend, self.desk)


@dataclass(frozen=True)
class _VideoWorker:
    backend: VideoBackend
    desk: Path | None

    def work(self, jobs: Sequence[Job], folder: Path) -> list[Done | Rejected]:
        prompts = [prompt_of(job.facts) for job in jobs]
        if self.desk is not None:
            self.desk.mkdir(parents=True, exist_ok=True)
        made = self.backend.make([prompt for prompt in prompts if prompt is not None], self.desk or folder)
        results: list[Done | Rejected] = []
        for each in made:
            if isinstance(each, Declined):
                results.append(Rejected("declined", each.reason))
                continue
            facts = {"fps": each.fps, "frames": each.frames, "width": each.width, "height": each.height}
            made_of = {"video": each.path} | ({} if each.truth is None else {"truth": each.truth})
            away = self.desk is not None
            files = {name: path.replace(folder / path.name) if away else path for name, path in made_of.items()}
            results.append(Done({**facts, "provenance": dict(each.provenance)}, files))
        return results
