"""The stage that finds the motion of the face in a video."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tdmm.corpus.pipeline.stage import Done, Job, Rejected, Worker
from tdmm.corpus.quality.measures import Seen
from tdmm.corpus.recordings.head_poses import EXTENSION as POSES
from tdmm.corpus.recordings.head_poses import with_head_poses
from tdmm.corpus.recordings.imported import EXTENSIONS, imported
from tdmm.corpus.tracking.footage import Footage
from tdmm.corpus.tracking.mediapipe_faces import open_tracker
from tdmm.corpus.tracking.refiner import fingerprint
from tdmm.corpus.tracking.sighting import FaceTracker
from tdmm.corpus.tracking.track import TrackOptions, track
from tdmm.errors import FileProblem, InvalidMotion, InvalidVideo
from tdmm.face.arkit import load_head
from tdmm.motion.clip import FaceMotion
from tdmm.motion.files import write_npz
from tdmm.motion.retarget import Converter, open_rig
from tdmm.motion.timeline import resample


@dataclass(frozen=True)
class TrackStage:
    """Makes `files["motion"]` (`.npz`, `arkit` rig, 25 fps) of `files["video"]`.

    Its facts are those of `tdmm.corpus.quality.measures.Seen`, and the tracker's name, gaps and warnings. A video that
    cannot be read is rejected as `unreadable`, one without a face as `no-face`.

    Attributes:
        landmarker: MediaPipe's task file; see `tdmm.corpus.tracking.mediapipe_faces.open_tracker`.
        options: of the tracker.
    """

    landmarker: Path | None = None
    options: TrackOptions = field(default_factory=TrackOptions)
    cpus: float = 1.0
    gpus: float = 0.0
    batch: int = 1
    name: str = "track"

    @property
    def settings(self) -> Mapping[str, Any]:
        """The tracker's options, and which refiner tells what its points mean."""
        refiner = fingerprint() if self.options.refine else None
        return {"tracker": "mediapipe", "refiner": refiner, **asdict(self.options)}

    def open(self) -> Worker:
        """Open the tracker once, so that what is missing is told before the work."""
        opened = TrackWorker(lambda: open_tracker(self.landmarker), self.options)
        opened.open_tracker().close()
        return opened


@dataclass(frozen=True)
class TrackWorker:
    """A `Worker`.

    Attributes:
        open_tracker: opens one for each video: it follows a face from picture to picture.
        options: of the tracker.
    """

    open_tracker: Callable[[], FaceTracker]
    options: TrackOptions

    def work(self, jobs: Sequence[Job], folder: Path) -> list[Done | Rejected]:
        """Track each video."""
        return [self._one(job, folder) for job in jobs]

    def _one(self, job: Job, folder: Path) -> Done | Rejected:
        video = job.files["video"]
        try:
            Footage.open(video, largest_side=self.options.largest_side)
        except InvalidVideo as error:
            return Rejected("unreadable", str(error))
        tracker = self.open_tracker()
        named = tracker.name
        try:
            found = track(video, tracker, self.options)[0]
        except InvalidVideo as error:
            return Rejected("no-face", str(error))
        finally:
            tracker.close()
        path = folder / f"{job.clip_id}.npz"
        write_npz(found.motion, path)
        told = {"tracker": named, "gaps": [list(gap) for gap in found.gaps], "warnings": list(found.warnings)}
        return Done({**asdict(Seen.of(found)), **told}, {"motion": path})


@dataclass(frozen=True)
class ImportStage:
    """Makes `files["motion"]` of what another tracker found, in place of `TrackStage`: `FOLDER/CLIP_ID.*`.

    A clip without such a file is rejected as `not-tracked`, one that cannot be read as `unreadable`.

    Attributes:
        results: folder of files that `tdmm.corpus.recordings.imported` reads.
        flame: FLAME's file, on which its parameters are brought to the `arkit` rig.
        fps: of files that do not say; that of the video by default.
        poses: folder of heads in the place of the results' own, `FOLDER/CLIP_ID.npy` (`recordings.head_poses`).
    """

    results: Path
    flame: Path | None = None
    fps: float | None = None
    poses: Path | None = None
    cpus: float = 1.0
    gpus: float = 0.0
    batch: int = 1
    name: str = "track"

    @property
    def settings(self) -> Mapping[str, Any]:
        """Where the results lie, and the rate they are read at."""
        settings = {
            "tracker": "imported",
            "results": str(self.results),
            "flame": str(self.flame or ""),
            "fps": self.fps,
        }
        return settings if self.poses is None else {**settings, "poses": str(self.poses)}

    def open(self) -> Worker:
        """Read FLAME, where there is one."""
        converter = None if self.flame is None else Converter(open_rig(f"flame:{self.flame}"), load_head())
        return ImportWorker(self.results, converter, self.fps, self.poses)


@dataclass(frozen=True)
class ImportWorker:
    """A `Worker`.

    Attributes:
        results, fps, poses: see `ImportStage`.
        converter: from FLAME to the `arkit` rig, if there is one.
    """

    results: Path
    converter: Converter | None
    fps: float | None
    poses: Path | None

    def work(self, jobs: Sequence[Job], folder: Path) -> list[Done | Rejected]:
        """Read what was found of each clip."""
        return [self._one(job, folder) for job in jobs]

    def _one(self, job: Job, folder: Path) -> Done | Rejected:
        named = [self.results / f"{job.clip_id}{extension}" for extension in EXTENSIONS]
        found = [path for path in named if path.is_file()]
        if not found:
            return Rejected("not-tracked", f"{self.results}: holds no {job.clip_id} with {', '.join(EXTENSIONS)}.")
        poses = None if self.poses is None else self.poses / f"{job.clip_id}{POSES}"
        if poses is not None and not poses.is_file():
            return Rejected("not-tracked", f"{poses}: is missing, and heads are to be taken from there.")
        try:
            motion = imported(found[0], fps=self.fps or Footage.open(job.files["video"]).fps)
            motion = motion if poses is None else with_head_poses(motion, poses)
        except (InvalidMotion, InvalidVideo) as error:
            return Rejected("unreadable", str(error))
        motion = resample(self._on_arkit(motion))
        path = folder / f"{job.clip_id}.npz"
        write_npz(motion, path)
        return Done({**asdict(Seen()), "source": found[0].name}, {"motion": path})

    def _on_arkit(self, motion: FaceMotion) -> FaceMotion:
        if motion.rig == "arkit":
            return motion
        if self.converter is None:
            raise FileProblem(
                f"{self.results}: holds motions on the rig '{motion.rig}'. Give your FLAME file, so that they can be "
                "brought to the arkit rig (flame: PATH)."
            )
        return self.converter.convert(motion).motion
