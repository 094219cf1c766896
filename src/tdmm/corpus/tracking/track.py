"""A video to the motion of a face on the built-in head."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from tdmm.corpus.tracking.fit import Fitted, fit
from tdmm.corpus.tracking.footage import Footage
from tdmm.corpus.tracking.people import Person, Which, chosen, people
from tdmm.corpus.tracking.refiner import Shown, load_refiner
from tdmm.corpus.tracking.sighting import FaceTracker, Floats
from tdmm.corpus.tracking.sightings_file import Seen, key_of
from tdmm.corpus.tracking.smoothing import ANGLES, COEFFICIENTS, DEPTH, LIDS, PLACES, smoothed
from tdmm.errors import InvalidVideo
from tdmm.face.channels import ARKIT
from tdmm.face.skinning import matrix_to_euler
from tdmm.motion.clip import FPS, FaceMotion
from tdmm.motion.rotation import slerp, to_euler, to_quaternions
from tdmm.motion.timeline import resample

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""

MOST_FACES = 8
"""Faces of a picture that are told apart."""

_SMALL = 70.0
"""Pixels of a face's size below which little of it can be seen."""
_TURNED = math.radians(40.0)
"""Yaw beyond which half of the face is hidden."""
_SLOW = 20.0
"""Pictures a second below which frames are set on the clock of motions at once."""

_CHANGE = 0.25
"""Seconds that a face takes to change its expression, about."""

_LEVEL = math.radians(10.0)
"""Pitch up to which a head that is held so most of the time is taken to be level."""
_LEAST_FRAMES = 24
"""Frames that the refiner is shown at least; it learnt from no fewer than 20."""
_KEEP_EVERY = 250
_GOOD_MM, _BAD_MM = 1.0, 4.0
"""Residuals that deserve all and no confidence."""


@dataclass(frozen=True)
class TrackOptions:
    """How a video is tracked.

    Attributes:
        face: whose; see `Which`.
        focal: of the camera, in units of the picture's longer side; None estimates it.
        level: take the pitch in which the head is held most of the time as level, within 10 degrees. How a head is
            held and how its face slopes look alike to one camera.
        refine: tell what the face does from all frames together (`tdmm.corpus.tracking.refiner`), and from how the face
            is made: low brows are not a frown. Without it coefficients are as fitted, frame by frame.
        smooth: take the jitter of the head, and of coefficients that are not refined.
        fps: pictures a second of a folder of images.
        largest_side: pixels; larger pictures are scaled down.
    """

    face: Which = "largest"
    focal: float | None = None
    level: bool = True
    refine: bool = True
    smooth: bool = True
    fps: float | None = None
    largest_side: int = 1280


@dataclass(frozen=True)
class Tracked:
    """One person of a video.

    Attributes:
        motion: at 25 fps on the `arkit` rig. Where the face was not found, confidence is 0 and the motion goes on from
            what was there before to what comes after.
        pictures: of the video. seen: those in which the face was found.
        size: median of the face's size, pixels.
        residual_mm: median distance of the points from where the fitted head has them.
        gaps: seconds from and to which the face was not found.
        warnings: what makes the result less sure, in words.
        fitted: at the pictures where the face was found. seen_at: their numbers.
    """

    motion: FaceMotion
    pictures: int
    seen: int
    size: float
    residual_mm: float
    gaps: tuple[tuple[float, float], ...]
    warnings: tuple[str, ...]
    fitted: Fitted
    seen_at: tuple[int, ...]

    def report(self) -> str:
        """How good it is, in a line."""
        share = 100 * self.seen / self.pictures
        return (
            f"face in {self.seen} of {self.pictures} pictures ({share:.0f}%), about {self.size:.0f} pixels large; "
            f"the fit is off by {self.residual_mm:.2f} mm in the median"
        )


def track(
    video: Path,
    tracker: FaceTracker,
    options: TrackOptions | None = None,
    *,
    keep: Path | None = None,
    progress: Progress | None = None,
) -> list[Tracked]:
    """Find a face in a video and what it does.

    Args:
        video: anything `Footage` opens.
        tracker: fresh, for this video alone.
        options: how.
        keep: a file of what was seen so far: read to go on from there, written now and then, removed at the end.
        progress: told of the steps.

    Returns:
        The person asked for; with `face="all"` everyone, the largest first.

    Raises:
        FileProblem, InvalidVideo: the video cannot be read, or shows no face.
        InvalidInput: there is no such person in it.
    """
    options = options or TrackOptions()
    footage = Footage.open(video, fps=options.fps, largest_side=options.largest_side)
    seen = look(footage, tracker, options, keep, progress)
    found = people(seen.faces, seen.seconds)
    if not found:
        if keep is not None:
            keep.unlink(missing_ok=True)
        raise InvalidVideo(
            f"{video}: no face was found in any of its {len(seen.faces)} pictures. Faces should be upright, lit, at "
            f"least {_SMALL:.0f} pixels large, and turned to the camera by less than some 60 degrees. If they "
            "are small, crop the pictures to the one that is meant."
        )
    focal = None if options.focal is None else options.focal * max(footage.width, footage.height)
    tracked = []
    for person in chosen(found, options.face):
        tracked.append(_moved(person, seen, footage, focal, options, progress))
    if keep is not None:
        keep.unlink(missing_ok=True)
    return tracked


def look(
    footage: Footage,
    tracker: FaceTracker,
    options: TrackOptions,
    keep: Path | None = None,
    progress: Progress | None = None,
) -> Seen:
    """What the tracker sees in every picture; see `track`."""
    seen = Seen(key_of(footage.path, tracker.name, options.largest_side))
    if keep is not None:
        seen = Seen.read(keep, seen.key)
    done = len(seen.faces)
    try:
        for number, picture in enumerate(footage):
            if number < done:
                continue
            seen.add(picture.seconds, tracker.faces(picture.rgb, picture.seconds))
            if progress is not None:
                progress("pictures", number + 1, max(footage.pictures or 0, number + 1))
            if keep is not None and number % _KEEP_EVERY == _KEEP_EVERY - 1:
                seen.write(keep)
    finally:
        # Interrupted, out of memory, or asked for a face that is not there: what was seen is not lost.
        if keep is not None and len(seen.faces) > done:
            seen.write(keep)
    return seen


def _moved(
    person: Person, seen: Seen, footage: Footage, focal: float | None, options: TrackOptions, progress: Progress | None
) -> Tracked:
    numbers = sorted(person.sightings)
    points = np.stack([person.sightings[number].points for number in numbers])
    told = None if progress is None else lambda done, count: progress("frames fitted", done, count)
    times = np.array(seen.seconds)
    fitted = fit(points, (footage.width, footage.height), seconds=times[numbers], focal=focal, progress=told)
    size = float(np.median([person.sightings[number].size for number in numbers]))
    scores = [person.sightings[number].scores for number in numbers]
    motion = motion_of(fitted, scores, times[numbers], times, footage.fps, size, options)
    gaps = tuple(_gaps(numbers, times, 1.0 / footage.fps))
    residual = float(np.median(fitted.residual_mm))
    motion = motion.with_(
        provenance={
            "tracked": footage.path.name, "pictures": len(times), "seen": len(numbers),
            "focal_pixels": round(fitted.focal, 1), "size_pixels": round(size, 1), "residual_mm": round(residual, 3),
        }
    )  # fmt: skip
    warnings = [*_warnings(motion, size, len(numbers), len(times), footage.problem)]
    if max(map(len, seen.faces)) >= MOST_FACES:
        warnings.append(
            f"{MOST_FACES} faces were seen in one picture, and no more are looked for: some may be left out"
        )
    return Tracked(motion, len(times), len(numbers), size, residual, gaps, tuple(warnings), fitted, tuple(numbers))


def motion_of(
    fitted: Fitted,
    scores: Sequence[Floats | None],
    seen_at: npt.NDArray[np.float64],
    times: npt.NDArray[np.float64],
    nominal: float,
    size: float,
    options: TrackOptions,
) -> FaceMotion:
    """What fitted frames show, on an even clock, without gaps or jitter, at 25 fps.

    Args:
        fitted: F frames in which the face was found.
        scores: F times the tracker's own, (52,), where it has them.
        seen_at: (F,) seconds of those frames.
        times: (P,) seconds of all pictures.
        nominal: pictures a second of the video.
        size: of the face, pixels.
        options: how.
    """
    fps = nominal if len(times) < 2 else 1.0 / float(np.median(np.diff(times)))
    if fps < _SLOW:
        fps = FPS  # a coarse even clock would step over pictures
    even = np.arange(max(1, round(float(times[-1]) * fps) + 1)) / fps
    expression = _between(even, seen_at, fitted.expression)
    head = _turned(even, seen_at, fitted.rotation)
    place = _between(even, seen_at, fitted.place)
    sure = np.clip((_BAD_MM - fitted.residual_mm) / (_BAD_MM - _GOOD_MM), 0.05, 1.0) * min(1.0, size / _SMALL)
    near = np.isin(times[_nearest(even, times)], seen_at)
    confidence = np.where(near, sure[_nearest(even, seen_at)], 0.0)
    if options.smooth:
        lids = np.array([name.startswith("eye") for name in ARKIT])
        expression = np.where(lids, smoothed(expression, fps, LIDS), smoothed(expression, fps, COEFFICIENTS))
        head = smoothed(head, fps, ANGLES)
        place = np.concatenate([smoothed(place[:, :2], fps, PLACES), smoothed(place[:, 2:], fps, DEPTH)], axis=1)
    if options.level:
        pitch = most_frequent(head[near, 0])
        if abs(pitch) <= _LEVEL:
            head[:, 0] -= pitch
    # Where a head is, is told from where it is most of the time.
    motion = FaceMotion(
        channels=ARKIT,
        expression=np.clip(expression, 0.0, 1.0).astype(np.float32),
        head=head.astype(np.float32),
        fps=fps,
        translation=(place - np.median(place[near], axis=0)).astype(np.float32),
        identity=fitted.identity,
        confidence=confidence.astype(np.float32),
    )
    motion = resample(motion, FPS)
    if not options.refine or motion.confidence is None:
        return motion
    return motion.with_(expression=_refined(fitted, scores, seen_at, motion.confidence))


def _refined(
    fitted: Fitted, scores: Sequence[Floats | None], seen_at: npt.NDArray[np.float64], confidence: Floats
) -> Floats:
    """(T, 52) what the fitted frames show together, at 25 fps; confidence (T,) is 0 where nobody is in the picture."""
    none = np.zeros(len(ARKIT), np.float32)
    parts = (
        fitted.expression,
        np.stack([none if each is None else each for each in scores]),
        matrix_to_euler(torch.from_numpy(fitted.rotation)).numpy(),
        fitted.lacking,
    )
    even = np.arange(len(confidence)) / FPS
    # What is only held while nobody is seen says nothing of how the face is made.
    known = even[(confidence > 0) | (np.abs(even - seen_at[_nearest(even, seen_at)]) <= _CHANGE)]
    # What is too short to be told from its surroundings is taken to go on at both ends.
    spare = max(0, _LEAST_FRAMES - len(known))
    padded = np.pad(known, (spare // 2, spare - spare // 2), mode="edge")
    shown = Shown(*(_between(padded, seen_at, part).astype(np.float32) for part in parts))
    refined = load_refiner().refined(shown)[spare // 2 :][: len(known)]
    return _between(even, known, refined).astype(np.float32)


def most_frequent(values: npt.ArrayLike) -> float:
    """Of some numbers, the one about which they lie closest (half-sample mode, Bickel and Frühwirth 2006)."""
    ordered = np.sort(np.asarray(values, np.float64))
    while len(ordered) > 3:
        half = (len(ordered) + 1) // 2
        start = int(np.argmin(ordered[half - 1 :] - ordered[: len(ordered) - half + 1]))
        ordered = ordered[start : start + half]
    return float(ordered.mean())


def _nearest(even: npt.NDArray[np.float64], at: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The place in `at` that is nearest to each even time."""
    after = np.clip(np.searchsorted(at, even), 0, len(at) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(np.abs(even - at[before]) <= np.abs(even - at[after]), before, after)


def _between(
    even: npt.NDArray[np.float64], at: npt.NDArray[np.float64], values: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Rows of values at even times."""
    rows = np.asarray(values)
    before, after, share = _places(even, at)
    share = share.reshape(-1, *[1] * (rows.ndim - 1))
    return np.asarray(rows[before] * (1.0 - share) + rows[after] * share, np.float64)


def _turned(
    even: npt.NDArray[np.float64], at: npt.NDArray[np.float64], rotation: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Pitch, yaw and roll (N, 3) at even times, along the shortest arcs."""
    quaternions = to_quaternions(matrix_to_euler(torch.as_tensor(np.asarray(rotation))).numpy())
    before, after, share = _places(even, at)
    return np.asarray(to_euler(slerp(quaternions[before], quaternions[after], share)), np.float64)


def _places(
    even: npt.NDArray[np.float64], at: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The pictures before and after each even time, and how much the later one counts.

    Between pictures that are far apart nobody knows; a face changes within `_CHANGE` and then keeps still for a while,
    so it changes midway.
    """
    after = np.clip(np.searchsorted(at, even), 1, len(at) - 1) if len(at) > 1 else np.zeros(len(even), np.int64)
    before = np.maximum(after - 1, 0)
    span = np.maximum(at[after] - at[before], 1e-9)
    share = (even - at[before]) / span
    share = (share - 0.5) * np.maximum(1.0, span / _CHANGE) + 0.5
    return before, after, np.clip(share, 0.0, 1.0)


def _gaps(numbers: Sequence[int], times: npt.NDArray[np.float64], interval: float) -> Iterator[tuple[float, float]]:
    here = np.zeros(len(times), bool)
    here[list(numbers)] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[True], here, [True]]).astype(int)))
    for start, stop in edges.reshape(-1, 2):
        end = times[stop] if stop < len(times) else times[-1] + interval
        yield round(float(times[start]), 3), round(float(end), 3)


def _warnings(motion: FaceMotion, size: float, seen: int, pictures: int, problem: str | None) -> Iterator[str]:
    if problem is not None:
        yield problem
    if seen < pictures:
        yield f"the face is missing from {pictures - seen} of {pictures} pictures; confidence is 0 there"
    if size < _SMALL:
        yield f"the face is {size:.0f} pixels large; below {_SMALL:.0f} little can be told of it"
    turned = float((np.abs(motion.head[:, 1]) > _TURNED).mean())
    if turned > 0.1:
        yield (
            f"the head is turned away by more than 40 degrees in {100 * turned:.0f}% of the time; "
            "half of the face is guessed there"
        )
