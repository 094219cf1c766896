"""The stage that cuts a recording to a clip around its face."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tdmm.corpus.pipeline.stage import Done, Job, Rejected, Worker
from tdmm.corpus.recordings.cutting import CutOptions, look, windows, write_windows
from tdmm.corpus.tracking.mediapipe_faces import open_tracker
from tdmm.corpus.tracking.sighting import FaceTracker
from tdmm.corpus.tracking.track import MOST_FACES
from tdmm.errors import InvalidVideo


@dataclass(frozen=True)
class CutStage:
    """Makes `files["video"]` anew: the longest window of the recording, of those equally long the largest face.

    One recording gives one clip, because a clip is what goes through a pipeline. Recordings of more than some seconds
    are cut before, by `tdmm.corpus.recordings.cutting.cut`. One without a window is rejected as `no-window`.

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
        video = job.files["video"]
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
                f"a face in {faces} of {len(looked.faces)} pictures, but no {self.options.shortest:g} s of one face "
                f"alone of {self.options.smallest_face:g} pixels in one shot",
                {"pictures": len(looked.faces), "with_face": faces, "shots": 1 + int(looked.cuts.sum())},
            )
        best = max(planned, key=lambda each: (round(each.seconds, 2), each.face, -each.start))
        path = folder / f"{job.clip_id}.mp4"
        write_windows(video, [(best, path)], self.options)
        return Done({**asdict(best), "windows": len(planned)}, {"video": path})
