"""MediaPipe as a `FaceTracker`: the Face Landmarker's task file, or the face mesh inside an older wheel.

The task file (Apache-2.0, 3.7 MB) gives 478 points and 52 blendshape scores; the face mesh, 478 points. MediaPipe
itself comes with the extra `[video]`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tdmm.corpus.tracking.closer import Closer
from tdmm.corpus.tracking.sighting import LANDMARKS, FaceTracker, Floats, Sighting
from tdmm.errors import ArtifactProblem, FileProblem, MissingDependency
from tdmm.face.channels import ARKIT, INDEX
from tdmm.files import written_aside

TASK_URL = (
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task"
)
TASK_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
TASK_VARIABLE = "TDMM_LANDMARKER"
"""Environment variable with the path of the task file."""
_NAME = "face_landmarker.task"
_LEAST_CONFIDENCE = 0.5
_LEAST_FACES = 2
"""Told to find one face alone the Face Landmarker smooths the points over time, which lags behind blinks and, in
recordings of few pictures a second, behind everything. The fit smooths without a lag."""
_EVERY = 0.5
"""Seconds between searches for faces that are far away."""


def open_tracker(
    task: Path | None = None, *, faces: int = 1, download: bool = True, still: bool = False
) -> FaceTracker:
    """A tracker for the pictures of one video.

    The task file is `task`, or the one named by TDMM_LANDMARKER, or the one in the cache folder; otherwise the face
    mesh inside MediaPipe's wheel, where there is one (0.10.21 is the last); otherwise it is fetched once.

    Args:
        task: `face_landmarker.task`.
        faces: most faces that are looked for.
        download: whether it may be fetched.
        still: whether the pictures have nothing to do with each other, so that each is searched anew.

    Raises:
        MissingDependency: MediaPipe is not installed.
        FileProblem: the task file is missing and cannot be fetched.
        ArtifactProblem: the task file is another than it should be.
    """
    mediapipe = _mediapipe()
    opened = _how(mediapipe, task, download)
    return Closer(opened(faces, still), lambda: opened(faces, True), max(faces, _LEAST_FACES), 0.0 if still else _EVERY)


def _how(mediapipe: Any, task: Path | None, download: bool) -> Callable[[int, bool], FaceTracker]:
    """Opens a tracker of whole pictures, for so many faces, that are stills or not."""
    named = task or (Path(os.environ[TASK_VARIABLE]) if os.environ.get(TASK_VARIABLE) else None)
    if named is not None:
        return partial(_Landmarker, mediapipe, checked(named))
    cached = cache_folder() / _NAME
    if cached.is_file():
        return partial(_Landmarker, mediapipe, checked(cached))
    if hasattr(mediapipe, "solutions"):
        return partial(_Mesh, mediapipe)
    if not download:
        raise FileProblem(_how_to_get(cached))
    return partial(_Landmarker, mediapipe, fetched(cached))


def cache_folder() -> Path:
    """Where fetched models lie: `$XDG_CACHE_HOME/tdmm`, or `~/.cache/tdmm`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tdmm"


def checked(task: Path) -> Path:
    """A task file that is the one we know.

    Raises:
        FileProblem: it cannot be read.
        ArtifactProblem: its SHA-256 is another.
    """
    try:
        digest = hashlib.sha256(task.read_bytes()).hexdigest()
    except OSError as error:
        raise FileProblem(f"{task}: cannot be read ({error.strerror or error}). {_how_to_get(task)}") from error
    if digest != TASK_SHA256:
        raise ArtifactProblem(
            f"{task}: is not the Face Landmarker that tdmm knows "
            f"(SHA-256 {digest[:12]}..., not {TASK_SHA256[:12]}...). Delete it and get the file again: {TASK_URL}"
        )
    return task


def fetched(path: Path) -> Path:
    """Fetch the task file once.

    Raises:
        FileProblem: there is no network, or the folder cannot be written.
        ArtifactProblem: what came is another file.
    """
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(TASK_URL, timeout=30) as answer:
            content = answer.read()
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        raise FileProblem(f"The Face Landmarker could not be fetched ({error}). {_how_to_get(path)}") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(path) as temporary:
        temporary.write_bytes(content)
        checked(temporary)
    return path


def _how_to_get(path: Path) -> str:
    return (
        f"Get {TASK_URL} (3.7 MB) on any machine and give it with --landmarker FILE, name it in {TASK_VARIABLE}, "
        f"or put it at {path}; or install mediapipe==0.10.21, whose wheel carries a face mesh."
    )


def _mediapipe() -> Any:
    # It writes its own news to stderr from C++.
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import mediapipe
    except ImportError as error:
        raise MissingDependency(f"Tracking faces needs MediaPipe ({error}): pip install 'tdmm[video]'") from error
    return mediapipe


class _Landmarker:
    """The task file."""

    def __init__(self, mediapipe: Any, task: Path, faces: int, still: bool) -> None:
        from mediapipe.tasks.python import vision
        from mediapipe.tasks.python.core.base_options import BaseOptions

        self.name = f"mediapipe {mediapipe.__version__} face_landmarker {TASK_SHA256[:12]}, faces: {faces}"
        self._mediapipe = mediapipe
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=task.read_bytes()),
            running_mode=vision.RunningMode.IMAGE if still else vision.RunningMode.VIDEO,
            num_faces=max(faces, _LEAST_FACES),
            min_face_detection_confidence=_LEAST_CONFIDENCE,
            min_face_presence_confidence=_LEAST_CONFIDENCE,
            min_tracking_confidence=_LEAST_CONFIDENCE,
            output_face_blendshapes=True,
        )
        with _quiet():
            self._landmarker = vision.FaceLandmarker.create_from_options(options)
        self._still, self._last = still, -1

    def faces(self, rgb: npt.NDArray[np.uint8], seconds: float) -> list[Sighting]:
        image = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(rgb))
        # It takes whole milliseconds, and only rising ones.
        self._last = max(self._last + 1, round(1000 * seconds))
        with _quiet():
            if self._still:
                found = self._landmarker.detect(image)
            else:
                found = self._landmarker.detect_for_video(image, self._last)
        height, width = rgb.shape[:2]
        scores = [_in_order(each) for each in found.face_blendshapes]
        return [
            Sighting(_pixels(points, width, height), score)
            for points, score in zip(found.face_landmarks, scores, strict=True)
        ]

    def close(self) -> None:
        self._landmarker.close()


class _Mesh:
    """The face mesh inside the wheel; it has no scores."""

    def __init__(self, mediapipe: Any, faces: int, still: bool) -> None:
        self.name = f"mediapipe {mediapipe.__version__} face mesh, faces: {faces}"
        with _quiet():
            self._mesh = mediapipe.solutions.face_mesh.FaceMesh(
                static_image_mode=still,
                max_num_faces=faces,
                refine_landmarks=True,
                min_detection_confidence=_LEAST_CONFIDENCE,
                min_tracking_confidence=_LEAST_CONFIDENCE,
            )
            # Its models are loaded, and talked about, in threads that only a first picture waits for.
            self._mesh.process(np.zeros((64, 64, 3), np.uint8))

    def faces(self, rgb: npt.NDArray[np.uint8], seconds: float) -> list[Sighting]:
        del seconds  # it goes by the order alone
        with _quiet():
            found = self._mesh.process(np.ascontiguousarray(rgb)).multi_face_landmarks
        height, width = rgb.shape[:2]
        return [Sighting(_pixels(face.landmark, width, height)) for face in found or []]

    def close(self) -> None:
        self._mesh.close()


def _pixels(points: Any, width: int, height: int) -> Floats:
    """MediaPipe's shares of the picture, z in the scale of x, as pixels."""
    table = np.array([(point.x, point.y, point.z) for point in points], np.float32)
    if table.shape != (LANDMARKS, 3):
        raise ArtifactProblem(f"The face model gives points of shape {table.shape}, not ({LANDMARKS}, 3).")
    return table * np.array([width, height, width], np.float32)


def _in_order(categories: Any) -> Floats:
    """Scores by ARKit's names. MediaPipe has `_neutral` and no `tongueOut`."""
    scores = np.zeros(len(ARKIT), np.float32)
    for each in categories:
        if each.category_name in INDEX:
            scores[INDEX[each.category_name]] = each.score
    return scores


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what MediaPipe's C++ writes to the terminal, which no setting of it stops."""
    import sys

    try:
        stderr = sys.__stderr__.fileno() if sys.__stderr__ is not None else -1
    except (OSError, ValueError):
        stderr = -1
    if stderr < 0:
        yield
        return
    kept = os.dup(stderr)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stderr)
        try:
            yield
        finally:
            os.dup2(kept, stderr)
            os.close(kept)
