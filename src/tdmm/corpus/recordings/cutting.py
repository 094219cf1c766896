"""Clips of four to six seconds out of a recording, each a square around one face.

First a plan, made from what a tracker sees (`windows`, a pure function), then the files.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from tdmm.corpus.recordings.recording import Recording
from tdmm.corpus.tracking.footage import Footage
from tdmm.corpus.tracking.people import Person, overlap, people
from tdmm.corpus.tracking.sighting import FaceTracker, Sighting
from tdmm.errors import FileProblem, InvalidInput, InvalidVideo
from tdmm.files import written_aside

Flags = npt.NDArray[np.bool_]

_LEEWAY = 0.25
"""Seconds between the shortest and the longest clip: pictures do not end where one would like."""
_TICKS = 90_000
"""Units of time in a second of a written clip: the pictures keep their own times."""
_QUALITY = "18"
_THUMBNAIL = 32
_CUT = 0.10
"""Mean difference of two thumbnails, of 1, from which on a change may be a cut."""
_CUT_TIMES = 4.0
"""Times the usual difference about it that a cut stands out by: hand-held cameras shake all the time."""
_NEIGHBOURS = 6
_OTHER = 0.25
"""Share of another face in the square from which on it is in the way."""
_LEAP = 0.5
"""Overlap of a face's boxes, a picture apart, below which it has not moved but been cut."""


@dataclass(frozen=True)
class CutOptions:
    """How recordings are cut.

    Attributes:
        shortest, longest: seconds of a clip.
        margin: beside the face on either side, in units of the face's own size.
        smallest_face: pixels of a face in the written clip; smaller ones are passed over.
        largest_side: pixels of a written clip's side; larger ones are scaled down.
        largest_picture: pixels; recordings larger than this on their longer side are scaled down first.
    """

    shortest: float = 4.0
    longest: float = 6.0
    margin: float = 0.6
    smallest_face: float = 80.0
    largest_side: int = 512
    largest_picture: int = 1920

    def __post_init__(self) -> None:
        if not 0 < self.shortest <= self.longest - _LEEWAY:
            raise InvalidInput(
                f"clips of {self.shortest:g} to {self.longest:g} s make no sense; give 4 to 6, at least {_LEEWAY:g} s "
                "apart."
            )
        if self.largest_side < 16 or self.largest_picture < 16 or self.margin < 0:
            raise InvalidInput("sides of clips and pictures are at least 16 pixels, and a margin is 0 or more.")


DEFAULT = CutOptions()


@dataclass(frozen=True)
class Window:
    """One clip to be cut.

    Attributes:
        first, last: numbers of its pictures, the last one included.
        start, end: seconds from the first picture of the recording.
        left, top, side: the square, pixels of the pictures that were looked at; the side is even.
        out: side of the written clip, pixels, even.
        person: place of the person among those of the recording, 1 the most present.
        face: median size of the face in the written clip, pixels.
    """

    first: int
    last: int
    start: float
    end: float
    left: int
    top: int
    side: int
    out: int
    person: int
    face: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start


@dataclass(frozen=True)
class Looked:
    """What was seen of a recording.

    Attributes:
        seconds: of each picture.
        faces: in each picture.
        cuts: (T,) whether the picture is another shot than the one before.
        size: width and height of the pictures.
        fps: nominal.
    """

    seconds: Sequence[float]
    faces: Sequence[Sequence[Sighting]]
    cuts: Flags
    size: tuple[int, int]
    fps: float


def windows(looked: Looked, options: CutOptions = DEFAULT) -> list[Window]:
    """Plan clips: stretches in which one face is there in every picture, without a cut, large enough.

    A stretch longer than `longest` is divided evenly where the parts are long enough, else its end is left over. The
    square holds the face in all pictures, with a margin as far as the picture goes; where another face lies in it as
    well, or the face does not fit, there is no clip. Windows of one person never share a picture.

    Returns:
        By start; of those that start together, the more present person first.
    """
    found: list[Window] = []
    for place, person in enumerate(people(looked.faces, looked.seconds), start=1):
        for first, last in _stretches(person, looked):
            for part in _parts(first, last, looked, options):
                window = _window(place, person, part, looked, options)
                if window is not None:
                    found.append(window)
    return sorted(found, key=lambda each: (each.first, each.person))


def _stretches(person: Person, looked: Looked) -> list[tuple[int, int]]:
    """First and last pictures of runs with the face in each, in one shot."""
    runs: list[tuple[int, int]] = []
    for picture in sorted(person.sightings):
        if runs and runs[-1][1] == picture - 1 and not looked.cuts[picture] and not _leaps(person, picture):
            runs[-1] = runs[-1][0], picture
        else:
            runs.append((picture, picture))
    return runs


def _leaps(person: Person, picture: int) -> bool:
    return overlap(person.sightings[picture].box, person.sightings[picture - 1].box) < _LEAP


def _parts(first: int, last: int, looked: Looked, options: CutOptions) -> list[tuple[int, int]]:
    """A stretch as parts of allowed lengths, in pictures."""
    ends = [*looked.seconds[first + 1 : last + 1], looked.seconds[last] + 1 / looked.fps]
    start, total = looked.seconds[first], ends[-1] - looked.seconds[first]
    if total < options.shortest:
        return []
    count = math.ceil(total / options.longest - 1e-9)
    even = total / count
    if count > 1 and even - 1 / looked.fps < options.shortest:
        count, even = count - 1, options.longest
    parts, at = [], first
    for number in range(1, count + 1):
        # The last picture that ends no later than the part does; a part is never longer than allowed.
        until = start + number * even + 1e-6
        stop = at
        while (
            stop < last and ends[stop + 1 - first] <= until and _length(looked, at, stop + 1) <= options.longest + 1e-6
        ):
            stop += 1
        if _length(looked, at, stop) >= options.shortest - 1e-6:
            parts.append((at, stop))
        at = stop + 1
        if at > last:
            break
    return parts


def _length(looked: Looked, first: int, last: int) -> float:
    end = looked.seconds[last + 1] if last + 1 < len(looked.seconds) else looked.seconds[last] + 1 / looked.fps
    return end - looked.seconds[first]


def _window(place: int, person: Person, part: tuple[int, int], looked: Looked, options: CutOptions) -> Window | None:
    first, last = part
    boxes = np.array([person.sightings[picture].box for picture in range(first, last + 1)])
    size = float(np.median(np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))))
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    width, height = looked.size
    wanted = float((high - low).max()) + 2 * options.margin * size
    side = 2 * (min(int(wanted) + 1, width, height) // 2)
    if side < (high - low).max() or (low < 0).any() or (high > (width, height)).any():
        return None
    # Heads reach further above the points of a face than below them: the middle lies a little higher.
    middle = (low + high) / 2 - np.array([0.0, 0.1 * size])
    left, top = (
        int(np.clip(round(centre - side / 2), max(0, math.ceil(most - side)), min(limit - side, math.floor(least))))
        for centre, least, most, limit in zip(middle, low, high, (width, height), strict=True)
    )
    if _shared(person, part, looked, (left, top, side)):
        return None
    out = min(side, options.largest_side // 2 * 2)
    face = size * out / side
    if face < options.smallest_face:
        return None
    start = looked.seconds[first]
    return Window(first, last, start, start + _length(looked, first, last), left, top, side, out, place, face)


def _shared(person: Person, part: tuple[int, int], looked: Looked, square: tuple[int, int, int]) -> bool:
    """Whether much of another face lies in the square at some time."""
    left, top, side = square
    for picture in range(part[0], part[1] + 1):
        for other in looked.faces[picture]:
            if other is person.sightings[picture]:
                continue
            west, north, east, south = other.box
            across = min(east, left + side) - max(west, left)
            down = min(south, top + side) - max(north, top)
            if across > 0 and down > 0 and across * down > _OTHER * (east - west) * (south - north):
                return True
    return False


def look(video: Path, tracker: FaceTracker, options: CutOptions = DEFAULT) -> Looked:
    """See what is in a recording, picture by picture.

    Raises:
        FileProblem, InvalidVideo: it cannot be read.
    """
    footage = Footage.open(video, largest_side=options.largest_picture)
    seconds: list[float] = []
    faces: list[list[Sighting]] = []
    differences: list[float] = []
    before: npt.NDArray[np.float32] | None = None
    for picture in footage:
        now = _thumbnail(picture.rgb)
        differences.append(0.0 if before is None else float(np.abs(now - before).mean()))
        before = now
        seconds.append(picture.seconds)
        faces.append(tracker.faces(picture.rgb, picture.seconds))
    return Looked(seconds, faces, shots(differences), (footage.width, footage.height), footage.fps)


def _thumbnail(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    rows = np.linspace(0, rgb.shape[0], _THUMBNAIL, endpoint=False).astype(int)
    columns = np.linspace(0, rgb.shape[1], _THUMBNAIL, endpoint=False).astype(int)
    small: npt.NDArray[np.float32] = rgb[np.ix_(rows, columns)].mean(2, dtype=np.float32) / np.float32(255)
    return small


def shots(differences: Sequence[float]) -> Flags:
    """Which pictures begin a new shot.

    Args:
        differences: of each picture to the one before it, 0 to 1.
    """
    found = np.zeros(len(differences), bool)
    for place, difference in enumerate(differences):
        about = [*differences[max(0, place - _NEIGHBOURS) : place], *differences[place + 1 : place + 1 + _NEIGHBOURS]]
        usual = float(np.median(about)) if about else 0.0
        found[place] = difference > _CUT and difference > _CUT_TIMES * usual
    return found


def write_windows(video: Path, cut: Sequence[tuple[Window, Path]], options: CutOptions = DEFAULT) -> None:
    """Write clips of one recording: H.264 without sound, the pictures at their own times. One pass over the file.

    Args:
        video: that `look` saw with the same options.
        cut: windows, and the `.mp4` for each. Files are written aside; on failure none of those begun is left.

    Raises:
        FileProblem, InvalidVideo: the recording cannot be read, or a clip not be written.
    """
    footage = Footage.open(video, largest_side=options.largest_picture)
    waiting = sorted(cut, key=lambda each: each[0].first)
    with ExitStack() as every:
        writing: list[_Writer] = []
        until = max((window.last for window, _ in waiting), default=-1)
        for number, picture in enumerate(footage):
            while waiting and waiting[0][0].first == number:
                window, path = waiting.pop(0)
                writing.append(every.enter_context(_Writer(path, window, footage.fps)))
            for writer in [each for each in writing if each.window.last >= number]:
                writer.add(picture.rgb, picture.seconds)
            if number == until:
                break
        if waiting or any(not writer.whole for writer in writing):
            raise InvalidVideo(f"{video}: ends before the clips that were planned. Has it changed? Plan them again.")


class _Writer:
    """One clip on its way to its file."""

    def __init__(self, path: Path, window: Window, fps: float) -> None:
        self.window = window
        self._path, self._fps, self._left = path, fps, window.last - window.first + 1
        self._files = ExitStack()

    @property
    def whole(self) -> bool:
        return self._left == 0

    def __enter__(self) -> _Writer:
        temporary = self._files.enter_context(written_aside(self._path))
        self._container = self._files.enter_context(
            av.open(str(temporary), "w", format="mp4", options={"movflags": "+faststart"})
        )
        rate = Fraction(self._fps).limit_denominator(1001)
        self._stream = self._container.add_stream("libx264", rate=rate, options={"crf": _QUALITY, "preset": "veryfast"})
        self._stream.width = self._stream.height = self.window.out
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, _TICKS)
        return self

    def add(self, rgb: npt.NDArray[np.uint8], seconds: float) -> None:
        window = self.window
        square = rgb[window.top : window.top + window.side, window.left : window.left + window.side]
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(square), format="rgb24")
        frame = frame.reformat(window.out, window.out, format="yuv420p", interpolation="AREA")
        frame.pts, frame.time_base = round((seconds - window.start) * _TICKS), Fraction(1, _TICKS)
        self._mux(frame)
        self._left -= 1
        if not self._left:
            self._mux(None)

    def _mux(self, frame: Any) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except av.FFmpegError as error:
            raise FileProblem(
                f"{self._path}: the clip could not be written ({error.strerror or error}); nothing was left behind."
            ) from error

    def __exit__(self, *failure: Any) -> bool | None:
        return self._files.__exit__(*failure)


def cut(
    recording: Recording,
    folder: Path,
    open_tracker: Callable[[], FaceTracker],
    options: CutOptions = DEFAULT,
) -> list[Recording]:
    """Cut a recording to clips, `CLIP_ID-0001.mp4` and so on, in two passes: one to see, one to write.

    Clips of several people of one recording are told apart by the person (`NAME-2`), where it has more than one.

    Args:
        recording: to cut.
        folder: that exists.
        open_tracker: opens one for each recording; it has to look for several faces, so that two of them are seen.
        options: how.

    Returns:
        The clips; what is known of the recording is known of each. Labels gain `start` and `end` seconds.

    Raises:
        FileProblem, InvalidVideo: the recording cannot be read, or a clip not be written.
    """
    tracker = open_tracker()
    try:
        planned = windows(look(recording.path, tracker, options), options)
    finally:
        tracker.close()
    paths = [folder / f"{recording.clip_id}-{number:04d}.mp4" for number in range(1, len(planned) + 1)]
    write_windows(recording.path, list(zip(planned, paths, strict=True)), options)
    several = len({window.person for window in planned}) > 1
    name = recording.person or recording.clip_id
    return [
        replace(
            recording,
            clip_id=path.stem,
            path=path,
            person=f"{name}-{window.person}" if several else name,
            labels={**recording.labels, "start": f"{window.start:.3f}", "end": f"{window.end:.3f}"},
            group=recording.group or recording.clip_id,
        )
        for window, path in zip(planned, paths, strict=True)
    ]
