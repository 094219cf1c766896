"""The stage that finds words for recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tdmm.corpus.captions.annotator import Annotator, AnnotatorOptions, Filtered, Malformed
from tdmm.corpus.captions.caption import Caption
from tdmm.corpus.captions.from_events import script_of, sentence_of
from tdmm.corpus.pipeline.stage import Done, Job, Rejected, Worker
from tdmm.corpus.recordings.recording import FACTS
from tdmm.corpus.stages.video import prompt_of
from tdmm.motion.files import load
from tdmm.reading.reader import read


@dataclass(frozen=True)
class CaptionStage:
    """Tells what a clip shows: its facts are those of `tdmm.corpus.captions.caption.Caption`.

    A clip with a prompt passes with the prompt's words. For a recording a model is asked, if there is one; else, or
    where the model declines (`filtered` says why), its own texts are taken; else, a sentence is made of what the reader
    finds in `files["motion"]`. A clip that nothing can be said of is rejected as `no-words`, one about which the model
    gives no answer that can be read as `caption-malformed`.

    Attributes:
        annotator: which model is asked, if any.
        cache: folder of its answers; needed with it.
    """

    annotator: AnnotatorOptions | None = None
    cache: Path | None = None
    cpus: float = 0.25
    gpus: float = 0.0
    batch: int = 1
    name: str = "caption"

    @property
    def settings(self) -> Mapping[str, Any]:
        """What decides an answer of the model."""
        return {"model": None} if self.annotator is None else self.annotator.deciding

    def open(self) -> Worker:
        """Open the connection."""
        if self.annotator is None:
            return _CaptionWorker(None)
        return _CaptionWorker(Annotator(self.annotator, self.cache or Path("captions")))


@dataclass(frozen=True)
class _CaptionWorker:
    annotator: Annotator | None

    def work(self, jobs: Sequence[Job], folder: Path) -> list[Done | Rejected]:
        del folder  # answers are kept in the cache
        return [self._one(job) for job in jobs]

    def _one(self, job: Job) -> Done | Rejected:
        prompt = prompt_of(job.facts)
        if prompt is not None:
            return _done(Caption(text=prompt.face, source="given", subject=prompt.script.subject))
        filtered = ""
        if self.annotator is not None:
            try:
                answer = self.annotator.annotate(job.files["video"])
            except Malformed as error:
                return Rejected("caption-malformed", str(error))
            if not isinstance(answer, Filtered):
                return _done(answer)
            filtered = answer.reason
        caption = _given(job) or _found(job)
        if caption is None:
            return Rejected(
                "no-words", filtered or "no caption is given, no model is asked, and there is no motion to read"
            )
        return _done(caption, filtered)


def _done(caption: Caption, filtered: str = "") -> Done:
    return Done({**caption.model_dump(mode="json"), **({"filtered": filtered} if filtered else {})})


def _given(job: Job) -> Caption | None:
    texts = job.facts.get(FACTS, {}).get("texts") or ()
    return Caption(text=texts[0], more=tuple(texts[1:]), source="given") if texts else None


def _found(job: Job) -> Caption | None:
    if "motion" not in job.files:
        return None
    motion = load(job.files["motion"])
    events = read(motion)
    script = script_of(events, motion.seconds)
    return Caption(
        text=sentence_of(events, motion.seconds), source="events", head=tuple(each.kind for each in script.head)
    )
