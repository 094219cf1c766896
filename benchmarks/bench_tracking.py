"""The closed loop: acted motion, rendered as a video, tracked, compared with the truth.

python benchmarks/bench_tracking.py --landmarker face_landmarker.task --clips 100 --out docs/tracking.json

Five identities, each clip with a camera, light and background of its own; 640 x 480 at 25 fps, H.264. Scripts are
held out (`tdmm.evaluation.held_out`). Faces here are our own head: real people are harder, and the tracker's
calibration was measured on renders of the same head (other identities, other expressions).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from rich.progress import track as shown

from tdmm.acting.actor import perform
from tdmm.acting.script import Script
from tdmm.corpus.tracking.mediapipe_faces import open_tracker
from tdmm.corpus.tracking.track import TrackOptions, track
from tdmm.corpus.video.rendered import Scenery, film
from tdmm.evaluation.held_out import clips
from tdmm.face.arkit import load_head
from tdmm.face.channels import ARKIT
from tdmm.face.geometry import vertex_error_curves_mm
from tdmm.motion.clip import FaceMotion
from tdmm.motion.events import MotionEvents
from tdmm.motion.rotation import to_quaternions
from tdmm.reading.matching import SAME_BLINK, Matching, match
from tdmm.reading.reader import read
from tdmm.reading.statistics import wilson

IDENTITIES = 5
SEED = 4101


def filmed(count: int, seed: int) -> list[tuple[np.ndarray, Scenery]]:
    """Identities of `IDENTITIES` people in turn, each time before another scenery."""
    draw = np.random.default_rng(seed)
    people = 0.9 * draw.normal(size=(IDENTITIES, load_head().identity_size)).astype(np.float32)
    return [(people[place % IDENTITIES], Scenery.drawn(draw)) for place in range(count)]


@dataclass
class Sums:
    """What is measured, over all clips."""

    face_mm: list[float] = field(default_factory=list)
    head_deg: list[float] = field(default_factory=list)
    matched: Matching = field(default_factory=Matching)
    blinks: int = 0
    blinks_found: int = 0
    blinks_seen: int = 0
    blinks_false: int = 0
    motion_seconds: float = 0.0
    work_seconds: float = 0.0

    def add(self, truth: FaceMotion, events: MotionEvents, found: FaceMotion, work: float) -> None:
        """One clip."""
        frames = min(truth.frames, found.frames)
        errors = vertex_error_curves_mm(truth.in_order(ARKIT)[:frames], found.in_order(ARKIT)[:frames])["face"]
        self.face_mm += errors.tolist()
        self.head_deg += angles_deg(truth.head[:frames], found.head[:frames]).tolist()
        seen = read(found)
        self.matched += match(events, seen)
        asked = [blink.time for blink in events.blinks if blink.side == "both"]
        everything = [blink.time for blink in events.blinks]
        got = [blink.time for blink in seen.blinks if blink.side == "both"]
        self.blinks += len(asked)
        self.blinks_found += sum(any(abs(one - other) <= SAME_BLINK for other in got) for one in asked)
        self.blinks_seen += len(got)
        self.blinks_false += sum(all(abs(one - other) > SAME_BLINK for other in everything) for one in got)
        self.motion_seconds += truth.seconds
        self.work_seconds += work

    def figures(self) -> dict[str, object]:
        """Everything, rounded."""
        hits = sum(hit.truth.kind == "action" for hit in self.matched.hits)
        misses = sum(miss.mark.kind == "action" for miss in self.matched.misses)
        heads = sum(hit.truth.kind == "head" for hit in self.matched.hits)
        head_misses = sum(miss.mark.kind == "head" for miss in self.matched.misses)
        false = sum(fault.mark.kind == "action" for fault in self.matched.false)
        return {
            "face_mm_median": round(float(np.median(self.face_mm)), 3),
            "face_mm_90": round(float(np.quantile(self.face_mm, 0.9)), 3),
            "head_deg_median": round(float(np.median(self.head_deg)), 3),
            "head_deg_90": round(float(np.quantile(self.head_deg, 0.9)), 3),
            "actions": _share(hits, hits + misses),
            "head_motions": _share(heads, heads + head_misses),
            "false_actions": false,
            "false_head_motions": len(self.matched.false) - false,
            "blinks": _share(self.blinks_found, self.blinks),
            "false_blinks": _share(self.blinks_false, self.blinks_seen),
            "times_real_time": round(self.motion_seconds / self.work_seconds, 2),
        }


def _share(count: int, among: int) -> dict[str, object]:
    interval = wilson(count, among)
    return {
        "share": round(count / max(among, 1), 4),
        "of": among,
        "interval": [round(interval.low, 4), round(interval.high, 4)],
    }


def angles_deg(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(T,) degrees between two tracks of pitch, yaw and roll."""
    cosine = np.abs((to_quaternions(one) * to_quaternions(other)).sum(1))
    return np.degrees(2 * np.arccos(np.minimum(cosine, 1.0)))


def jitter_mm(task: Path | None, folder: Path) -> float:
    """Mean distance that vertices of a face that keeps still move by from frame to frame, pose included."""
    still = perform(Script(seconds=3.0), 0).motion
    still = still.with_(expression=np.zeros_like(still.expression), head=np.zeros_like(still.head), translation=None)
    distances = []
    for place, (identity, scenery) in enumerate(filmed(IDENTITIES, SEED + 1)):
        path = folder / f"still-{place}.mp4"
        film(still.with_(identity=identity), scenery, path)
        found = tracked(path, task)
        with torch.inference_mode():
            vertices = load_head().animate(found).numpy()
        distances.append(np.linalg.norm(np.diff(vertices, axis=0), axis=2).mean())
    return 1e3 * float(np.mean(distances))


def tracked(path: Path, task: Path | None) -> FaceMotion:
    """The motion of a video's face."""
    tracker = open_tracker(task)
    try:
        return track(path, tracker, TrackOptions())[0].motion
    finally:
        tracker.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--landmarker", type=Path, help="MediaPipe's face_landmarker.task")
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, help="write JSON here")
    options = parser.parse_args()
    sums = Sums()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scenes = filmed(options.clips, options.seed)
        for place, clip in enumerate(shown(clips(options.clips, options.seed), total=options.clips)):
            path = folder / f"{place}.mp4"
            identity, scenery = scenes[place]
            film(clip.performance.motion.with_(identity=identity), scenery, path)
            start = time.perf_counter()
            found = tracked(path, options.landmarker)
            sums.add(clip.performance.motion, clip.performance.events, found, time.perf_counter() - start)
            path.unlink()
        figures = {"clips": options.clips, "seed": options.seed, **sums.figures()}
        figures["jitter_mm"] = round(jitter_mm(options.landmarker, folder), 4)
    print(json.dumps(figures, indent=1))
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
