"""Time and memory of writing shards as a corpus grows, and of reading them back.

python benchmarks/bench_shards.py --clips 60000 --out docs/shards.json

Clips are made up, as cheap as can be: a random walk of 58 numbers for `--seconds` (1 s unless said otherwise; real
clips last 4 to 6 s), a script of one event, three texts. What is measured is the writer, so they are made beforehand,
a few hundred that come again and again under other ids. Every size runs in a process of its own; memory is that
process's largest resident set, and how much of it came after the first clip was asked for.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from tdmm.acting.lexicon import load
from tdmm.acting.script import Event, Script
from tdmm.corpus.rows import Row, Text
from tdmm.corpus.sharding import write_shards
from tdmm.corpus.shards import pack, verify
from tdmm.motion.clip import FPS
from tdmm.motion.events import MotionEvents
from tdmm.motion.features import FEATURES, from_features

DIFFERENT = 400


def templates(seconds: float) -> list[Row]:
    draw, names = np.random.default_rng(0), sorted(load().descriptors)
    rows = []
    for number in range(DIFFERENT):
        walk = np.cumsum(draw.normal(0, 0.01, (round(seconds * FPS), len(FEATURES))), axis=0)
        name = names[number % len(names)]
        event = Event(descriptor=name, onset=0.1, apex=0.3, offset=0.6, end=0.9)
        script = Script(seconds=seconds, events=(event,), subject=("a woman", "a man")[number % 2])
        texts = tuple(Text(detail, f"{script.subject} shows {name}") for detail in ("short", "medium", "long"))
        motion = from_features(np.clip(walk, 0, 1))
        rows.append(Row(f"clip-{number}", motion, "simulated", texts, script, MotionEvents()))
    return rows


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def one(clips: int, seconds: float) -> dict[str, float]:
    made = templates(seconds)

    def rows() -> Iterator[Row]:
        for number in range(clips):
            like = made[number % DIFFERENT]
            yield replace(like, clip_id=f"clip-{number:07d}", family=f"family-{number // 20}")

    folder = Path(tempfile.mkdtemp(prefix="bench-shards-"))
    try:
        before, start, computing = peak_mib(), time.perf_counter(), time.process_time()
        manifest = write_shards(folder, rows(), origin={"kind": "simulated"})
        written, computed = time.perf_counter() - start, time.process_time() - computing
        grown = peak_mib() - before
        size = sum(shard.bytes for shard in manifest.shards)
        start = time.perf_counter()
        verify(folder)
        checked, start = time.perf_counter() - start, time.perf_counter()
        pack(folder, "train")
        return {
            "clips": clips, "shards": len(manifest.shards), "megabytes": round(size / 1e6, 1),
            "write_seconds": round(written, 1), "cpu_seconds": round(computed, 1),
            "peak_mib": round(before + grown, 1), "memory_mib": round(grown, 1),
            "verify_seconds": round(checked, 2), "pack_seconds": round(time.perf_counter() - start, 1),
        }  # fmt: skip
    finally:
        shutil.rmtree(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=60_000, help="the largest size; a half, a quarter, an eighth too")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a clip")
    parser.add_argument("--out", type=Path, help="JSON file of the figures")
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.only:
        print(json.dumps(one(asked.only, asked.seconds)))
        return
    figures = []
    heads = ("clips", "write s", "CPU s", "clips/CPU s", "peak MiB", "MiB more", "MB on disk")
    print(f"{asked.seconds:g} s a clip\n" + " ".join(f"{head:>11}" for head in heads))
    for part in (8, 4, 2, 1):
        command = [sys.executable, __file__, "--only", str(asked.clips // part), "--seconds", str(asked.seconds)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        figures.append(found)
        shown = (
            found["clips"], found["write_seconds"], found["cpu_seconds"], round(found["clips"] / found["cpu_seconds"]),
            found["peak_mib"], found["memory_mib"], found["megabytes"],
        )  # fmt: skip
        print(" ".join(f"{value:>11}" for value in shown), flush=True)
    if asked.out:
        asked.out.write_text(json.dumps({"seconds_a_clip": asked.seconds, "sizes": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
