"""The stage that rewords prompts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tdmm.corpus.pipeline.stage import Done, Job, Rejected, Worker
from tdmm.corpus.prompts.polish import PARAPHRASES, Polisher, polishing
from tdmm.corpus.prompts.prompt import ClipPrompt
from tdmm.corpus.stages.video import POLISHED, PROMPTS


@dataclass(frozen=True)
class PolishStage:
    """Finds other words for a prompt, by a language model or, without `url`, by rules. Its facts are the new prompt.

    Attributes:
        url, model: of an OpenAI-compatible endpoint.
        key_variable: environment variable with its key; servers of one's own need none.
        cache: folder of its answers.
        seed, timeout, paraphrases: see `tdmm.corpus.prompts.polish.polishing`.
    """

    url: str | None = None
    model: str = ""
    key_variable: str = "OPENAI_API_KEY"
    cache: Path = Path("answers")
    seed: int = 0
    timeout: float = 120.0
    paraphrases: int = PARAPHRASES
    cpus: float = 0.25
    gpus: float = 0.0
    batch: int = 8
    name: str = "polish"

    @property
    def settings(self) -> Mapping[str, Any]:
        """Who finds the words, and how many of them."""
        by = {"model": self.model, "seed": self.seed} if self.url else {"model": None}
        return {**by, "paraphrases": self.paraphrases}

    def open(self) -> Worker:
        """Open the connection, which lasts as long as the process."""
        if self.url is None:
            return _PolishWorker(Polisher(paraphrases=self.paraphrases))
        polisher = ExitStack().enter_context(
            polishing(
                self.cache,
                endpoint=self.url,
                model=self.model,
                api_key=os.environ.get(self.key_variable),
                seed=self.seed,
                timeout=self.timeout,
                paraphrases=self.paraphrases,
            )
        )
        return _PolishWorker(polisher)


@dataclass(frozen=True)
class _PolishWorker:
    polisher: Polisher

    def work(self, jobs: Sequence[Job], folder: Path) -> list[Done | Rejected]:
        del folder  # answers are kept in the cache
        return [self._one(job) for job in jobs]

    def _one(self, job: Job) -> Done:
        polished = self.polisher.polish(ClipPrompt.model_validate(job.facts[PROMPTS]))
        return Done({POLISHED: polished.prompt.model_dump(mode="json"), "refused": list(polished.refused)})
