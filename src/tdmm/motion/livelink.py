"""Live Link Face CSV, as Epic's app writes it: in and out.

A row is a frame: `Timecode`, `BlendShapeCount`, ARKit's 52 coefficients with a capital first letter,
and nine angles in radians. The app turns ARKit's axes into Unreal's, so three signs differ from ours:

=============================  ==========================  ===========================================
column                         ours                        in the file, > 0 is
=============================  ==========================  ===========================================
`HeadPitch`                    ``head[:, 0]``, pitch       chin down
`HeadYaw`                      ``-head[:, 1]``, yaw        turned to the face's own right
`HeadRoll`                     ``-head[:, 2]``, roll       tilted toward its own left shoulder
`LeftEyePitch` (and `Right`)   channel `leftEyePitch`      looks down; about 0.61 of `eyeLookDownLeft`
`LeftEyeYaw`                   channel `leftEyeYaw`        looks to the face's own right
`LeftEyeRoll`                  channel `leftEyeRoll`       yaw times pitch
=============================  ==========================  ===========================================

Where this comes from: Unreal's own ARKit plugin (`ToBlendShapeMap`) takes head and eyes through the
same conversion, which leaves pitch and negates yaw and roll together; and in a real recording the
eye angles follow the eyeLook coefficients with these signs and slopes (R² 0.97 for yaw, 0.999 for
pitch) and roll is yaw times pitch (R² 0.999). Angles are taken one by one, as Unreal's
rotator does, whose order (yaw, then pitch, then roll) is ours. A mirrored take swaps sides and signs
together, so the table holds for it too.

The eye angles say again what the eyeLook coefficients say. They are kept as further channels so that
a file read and written again is the same file; where a motion has none they are worked out.

Read with its quirks: rows with `BlendShapeCount` 0 (tracking lost) and gaps in the timecodes hold the
value before them and have confidence 0; any frame rate and clock (`motion/timecode.py`); a
byte-order mark; any line ending; any order and case of columns; without eye angles.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tdmm.errors import InvalidMotion
from tdmm.face.channels import ARKIT
from tdmm.files import require_readable, written_aside
from tdmm.motion import timecode
from tdmm.motion.clip import FaceMotion

_APP_ORDER = tuple(
    # The app has JawRight before JawLeft and MouthRight before MouthLeft.
    {"jawLeft": "jawRight", "jawRight": "jawLeft", "mouthLeft": "mouthRight", "mouthRight": "mouthLeft"}.get(name, name)
    for name in ARKIT
)
EYES: tuple[str, ...] = tuple(f"{side}Eye{angle}" for side in ("left", "right") for angle in ("Yaw", "Pitch", "Roll"))
"""Names of the six further channels of eye angles, radians."""

_HEAD = ("headYaw", "headPitch", "headRoll")
_SIGNS = np.array([-1.0, 1.0, -1.0])


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


COLUMNS: tuple[str, ...] = ("Timecode", "BlendShapeCount", *map(_capital, (*_APP_ORDER, *_HEAD, *EYES)))
"""The file's columns: 61 values after timecode and count."""

_STANDARD_RATES = (10.0, 12.0, 15.0, 20.0, 24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 90.0, 100.0, 120.0, 240.0)
_RATE_TOLERANCE = 5e-4  # 29.97 stays apart from 30
_LONGEST_GAP_SECONDS = 60.0

# Radians at coefficient 1, fitted to a real recording.
_YAW_PER_LOOK, _DOWN_PER_LOOK, _UP_PER_LOOK = 0.6, 0.61, 0.44


def read(path: Path, *, fps: float | None = None) -> FaceMotion:
    """Read a take of the Live Link Face app, or of a program that writes the same.

    Args:
        path: the `.csv`.
        fps: frames a second; None infers it from the timecodes, and then the gaps as well.

    Returns:
        A motion on the `arkit` rig with the 52 channels and, where the file has them, `EYES`.
        `confidence` is 1, and 0 in frames without tracking.

    Raises:
        FileProblem: the file is missing or cannot be read.
        InvalidMotion: it is not such a file; the message names the row and the column.
    """
    require_readable(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidMotion(f"{path}: is not text (byte {error.start}); a Live Link Face .csv is needed.") from error
    try:
        return _parse(text, fps)
    except InvalidMotion as error:
        raise InvalidMotion(f"{path}: {error}") from error


def write(motion: FaceMotion, path: Path) -> None:
    """Write a motion so that tools that read the app's files read it.

    Frames of confidence 0 get `BlendShapeCount` 0. Translation, identity and text have no place in
    this format.

    Raises:
        InvalidMotion: the motion lacks an ARKit channel.
        FileProblem: the folder is missing or read-only, or the disk is full; nothing is left behind.
    """
    values = np.concatenate(
        [motion.in_order(_APP_ORDER), motion.head[:, [1, 0, 2]] * _SIGNS, _eyes(motion)], axis=1, dtype=np.float64
    )
    values += 0.0  # no "-0.0000000000"
    seen = motion.seen
    clock = _Clock.of(motion)
    lines = [",".join(COLUMNS)]
    for index, row in enumerate(values):
        count = len(row) if seen[index] else 0
        lines.append(f"{clock.at(index)},{count}," + ",".join(f"{value:.10f}" for value in row))
    with written_aside(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")


@dataclass(frozen=True)
class _Clock:
    """How frames are stamped: the first one's second of the day, the rate, and frames to the second."""

    start: float
    fps: float
    base: int

    @classmethod
    def of(cls, motion: FaceMotion) -> _Clock:
        """The clock of the file that `motion` was read from, if it was, and still runs at its rate."""
        own = cls(0.0, motion.fps, max(timecode.DEFAULT_BASE, math.ceil(motion.fps)))
        record = motion.provenance.get("live_link")
        if not isinstance(record, Mapping) or record.get("fps") != motion.fps:
            return own
        try:
            start, fps, base = float(record["start_seconds"]), float(record["measured_fps"]), record["timecode_base"]
        except (KeyError, TypeError, ValueError):
            return own  # provenance is free text to whoever wrote it
        return cls(start, fps, base) if start >= 0 and fps > 0 and base in timecode.BASES else own

    def at(self, index: int) -> str:
        return timecode.write(self.start + index / self.fps, self.base)


def _parse(text: str, fps: float | None) -> FaceMotion:
    if not text.strip():
        raise InvalidMotion("is empty; a Live Link Face .csv starts with a row of column names.")
    if "\0" in text:
        raise InvalidMotion("is not text; a Live Link Face .csv is needed.")
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        columns = _columns(next(rows))
        table = [(number, row) for number, row in enumerate(rows, start=2) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InvalidMotion(f"is not a comma-separated table ({error}).") from error
    if not table:
        raise InvalidMotion("has column names but no rows; record or export the take again.")
    has_eyes = all(name.lower() in columns for name in EYES)
    names = (*ARKIT, *(EYES if has_eyes else ()), *_HEAD)
    values = np.zeros((len(table), len(names)))
    tracked = np.ones(len(table), dtype=bool)
    for index, (number, row) in enumerate(table):
        tracked[index] = _is_tracked(number, row, columns)
        if tracked[index]:
            values[index] = [_number(number, row, columns, name) for name in names]
    if not tracked.any():
        raise InvalidMotion("tracking is lost in every row (BlendShapeCount is 0); there is no motion in it.")
    codes = [_timecode(number, row, columns) for number, row in table]
    return _motion(names, values, tracked, codes, fps)


def _columns(header: list[str]) -> dict[str, int]:
    names = [name.strip().lower() for name in header]
    if len(names) == 1:
        for delimiter, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if delimiter in names[0]:
                raise InvalidMotion(f"its columns are separated by {word}; commas are needed. Export it again.")
    for name in names:
        if name and names.count(name) > 1:
            raise InvalidMotion(f"column '{name}' appears twice.")
    columns = {name: index for index, name in enumerate(names)}
    eyes = {name.lower() for name in EYES}
    missing = [name for name in COLUMNS if name.lower() not in columns and name.lower() not in eyes]
    if missing:
        listed = ", ".join(missing[:6]) + (f" and {len(missing) - 6} more" if len(missing) > 6 else "")
        raise InvalidMotion(f"row 1 lacks the column(s) {listed}. A Live Link Face .csv has {len(COLUMNS)} columns.")
    return columns


def _is_tracked(number: int, row: list[str], columns: dict[str, int]) -> bool:
    count = _number(number, row, columns, "BlendShapeCount")
    if count < 0 or count != int(count):
        raise InvalidMotion(f"row {number}, column BlendShapeCount: {count:g} is not a count.")
    return count > 0


def _number(number: int, row: list[str], columns: dict[str, int], name: str) -> float:
    index = columns[name.lower()]
    if index >= len(row) or not row[index].strip():
        raise InvalidMotion(
            f"row {number}, column {_capital(name)}: is missing ({len(row)} of {len(columns)} cells are there). "
            "The file may be cut short; copy it again."
        )
    try:
        value = float(row[index])
    except ValueError as error:
        raise InvalidMotion(f"row {number}, column {_capital(name)}: '{row[index]}' is not a number.") from error
    if not math.isfinite(value) or abs(value) > 1e6:
        raise InvalidMotion(f"row {number}, column {_capital(name)}: {row[index].strip()} is not a usable number.")
    return value


def _timecode(number: int, row: list[str], columns: dict[str, int]) -> timecode.Timecode:
    index = columns["timecode"]
    try:
        return timecode.parse(row[index] if index < len(row) else "")
    except InvalidMotion as error:
        raise InvalidMotion(f"row {number}, column Timecode: {error}") from error


def _motion(
    names: tuple[str, ...],
    values: npt.NDArray[np.float64],
    tracked: npt.NDArray[np.bool_],
    codes: list[timecode.Timecode],
    fps: float | None,
) -> FaceMotion:
    seconds, base = timecode.to_seconds(codes)
    if fps is None:
        places, measured = _places(seconds, base)
        rate = _nominal(measured)
    else:
        places, measured, rate = np.arange(len(seconds)), fps, fps
    frames = int(places[-1]) + 1
    # Each frame takes the last tracked row up to it; before the first there is only that one.
    seen = np.zeros(frames, dtype=bool)
    seen[places[tracked]] = True
    source = np.maximum.accumulate(np.where(seen, np.arange(frames), -1))
    source[source < 0] = int(np.argmax(seen))
    filled = np.zeros((frames, len(names)))
    filled[places] = values
    filled = filled[source]
    channels = names[: -len(_HEAD)]
    record: dict[str, Any] = {
        "fps": float(rate),
        "measured_fps": float(measured),
        "timecode_base": base,
        "start_seconds": codes[0].seconds + (codes[0].frames or 0.0) / base,
    }
    return FaceMotion(
        channels=channels,
        expression=filled[:, : len(channels)].astype(np.float32),
        head=((filled[:, len(channels) :] * _SIGNS)[:, [1, 0, 2]] + 0.0).astype(np.float32),
        fps=rate,
        confidence=seen.astype(np.float32),
        provenance={"by": "Live Link Face CSV", "live_link": record},
    )


def _places(seconds: npt.NDArray[np.float64], base: int) -> tuple[npt.NDArray[np.int64], float]:
    """Frame number of each row, counting the rows that a gap in the timecodes left out, and the rate."""
    if len(seconds) == 1:
        return np.zeros(1, np.int64), float(base)
    steps = np.diff(seconds)
    early = np.flatnonzero(steps < 0)
    usual = float(np.median(steps))
    if early.size or usual == 0:
        row = (int(early[0]) if early.size else 0) + 3
        raise InvalidMotion(f"row {row}, column Timecode: is not later than the row before it. Sort the rows by time.")
    if steps.max() > max(_LONGEST_GAP_SECONDS, 2 * usual):
        row = int(np.argmax(steps)) + 3
        raise InvalidMotion(
            f"row {row}, column Timecode: {steps.max():.0f} s after the row before it. Cut the take in two there."
        )
    places = np.concatenate([[0], np.cumsum(np.maximum(1, np.round(steps / usual)))]).astype(np.int64)
    return places, float(places[-1] / seconds[-1])


def _nominal(measured: float) -> float:
    """The standard rate that a device meant, when the measured one is within its clock's error."""
    thousand_and_one = tuple(rate * 1000 / 1001 for rate in (24.0, 30.0, 60.0, 120.0))
    nearest = min((*_STANDARD_RATES, *thousand_and_one), key=lambda rate: abs(rate - measured))
    return nearest if abs(nearest / measured - 1) < _RATE_TOLERANCE else measured


def _eyes(motion: FaceMotion) -> npt.NDArray[np.float64]:
    if all(name in motion.channels for name in EYES):
        return motion.in_order(EYES).astype(np.float64)
    columns = []
    for side, toward_right in (("Left", "In"), ("Right", "Out")):
        toward_left = "Out" if toward_right == "In" else "In"
        look = {way: motion.channel(f"eyeLook{way}{side}").astype(np.float64) for way in ("In", "Out", "Up", "Down")}
        yaw = _YAW_PER_LOOK * (look[toward_right] - look[toward_left])
        pitch = _DOWN_PER_LOOK * look["Down"] - _UP_PER_LOOK * look["Up"]
        columns += [yaw, pitch, yaw * pitch]
    return np.stack(columns, axis=1)
