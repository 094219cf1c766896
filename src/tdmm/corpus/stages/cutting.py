"""The stage that cuts a recording to a clip around its face."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tdmm.corpus.pipeline.stage import Done, Job, Rejected, Worker
from tdmm.corpus.recordings.cutting import CutOptions, Window, look, windows, write_windows
from tdmm.corpus.recordings.recording import FACTS as RECORDINGS
from tdmm.corpus.tracking.mediapipe_faces import open_tracker
from tdmm.corpus.tracking.sighting import FaceTracker
from tdmm.corpus.tracking.track import MOST_FACES
from tdmm.errors import InvalidVideo

WINDOW = "window"
"""The entry of `Job.facts` that says which window of its recording a clip is; without it the recording is looked at."""
FURTHER = "further"
"""Of what the stage tells of a recording that it looked at: the windows beside the one that it cut."""
WINDOW_ID = re.compile(r"_[0-9]+$")
"""What ids of further windows end in; no recording has an underscore in its own."""


@dataclass(frozen=True)
class CutStage:
    """Makes `files["video"]` anew: the longest window of the recording, of those equally long the largest face.

    One clip goes through a pipeline as one. The other windows of a recording, told as `further`, are clips of their own
    in the next round (`further_windows`), and are cut without another look. A recording without a window is rejected as
    `no-window`.

    Attributes:
        landmarker: MediaPipe's task file; see `tdmm.corpus.tracking.mediapipe_faces.open_tracker`.
        options: how.
    """

    landmarker: Path | None = None
    options: CutOptions = field(default_factory=CutOptions)
    cpus: float = 1.0
    gpus: float = 0.0
    batch: int = 1
    name: str = "cut"

    @property
    def settings(self) -> Mapping[str, Any]:
        """How it is cut."""
        return asdict(self.options)

    def open(self) -> Worker:
        """Open the tracker once, so that what is missing is told before the work."""
        opened = CutWorker(lambda: open_tracker(self.landmarker, faces=MOST_FACES), self.options)
        opened.open_tracker().close()
        return opened


@dataclass(frozen=True)
class CutWorker:
    """A `Worker`.

    Attributes:
        open_tracker: opens one for each recording.
        options: how.
    """

    open_tracker: Callable[[], FaceTracker]
    options: CutOptions

    def work(self, jobs: Sequence[Job], folder: Path) -> list[Done | Rejected]:
        """Cut each recording."""
        return [self._one(job, folder) for job in jobs]

    def _one(self, job: Job, folder: Path) -> Done | Rejected:
        video, further = job.files["video"], []
        if WINDOW in job.facts:
            window, several = Window(**job.facts[WINDOW]["window"]), job.facts[WINDOW]["several"]
        else:
            tracker = self.open_tracker()
            try:
                looked = look(video, tracker, self.options)
            except InvalidVideo as error:
                return Rejected("unreadable", str(error))
            finally:
                tracker.close()
            planned = windows(looked, self.options)
            if not planned:
                faces = sum(bool(each) for each in looked.faces)
                return Rejected(
                    "no-window",
                    f"a face in {faces} of {len(looked.faces)} pictures, but no {self.options.shortest:g} s of one "
                    f"face alone of {self.options.smallest_face:g} pixels in one shot",
                    {"pictures": len(looked.faces), "with_face": faces, "shots": 1 + int(looked.cuts.sum())},
                )
            window, *further = sorted(planned, key=lambda each: (-round(each.seconds, 2), -each.face, each.start))
            several = len({each.person for each in planned}) > 1
        path = folder / f"{job.clip_id}.mp4"
        write_windows(video, [(window, path)], self.options)
        told = {**asdict(window), "several": several}
        if further:
            told[FURTHER] = [asdict(each) for each in further]
        return Done(told, {"video": path})


def further_windows(told: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Windows of recordings that are still to be clips of their own, by the id of the recording, the best first.

    Args:
        told: ids of clips, and what the stage told of them.
    """
    return {
        clip_id: [{"window": window, "several": facts["several"]} for window in facts[FURTHER]]
        for clip_id, facts in told
        if FURTHER in facts
    }


def window_job(first: Job, window: Mapping[str, Any], number: int) -> Job:
    """The job of a recording's window, 2 for the second."""
    return Job(f"{first.clip_id}_{number}", {**first.facts, WINDOW: window}, first.files)


def person_in(facts: Mapping[str, Any]) -> str:
    """Who is seen in a clip: the person of its recording, numbered where several people are in that."""
    name, cut = str(facts[RECORDINGS]["person"]), facts.get("cut", {})
    return f"{name}-{cut['person']}" if cut.get("several") else name
