"""How fast each part is, as a multiple of real time (seconds of motion a second of work).

python benchmarks/bench_speed.py --out speed.json

Batch 1 throughout, after one run to warm up; the median of the repeats. Parts whose weights are missing are
listed with the reason. A batch of 1 cannot be faster than the weights come from memory, so `animate` also says
how near its frames come to that: see `bandwidth_share`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tdmm import api
from tdmm.acting.actor import perform
from tdmm.acting.script import Blink, Event, HeadMotion, Script
from tdmm.errors import TdmmError
from tdmm.motion.clip import FaceMotion
from tdmm.reading.reader import read

if TYPE_CHECKING:
    from torch.nn import Module

    from tdmm.language.language2motion import Language2Motion
    from tdmm.tokens.tokenizer import Tokenizer

DEEDS = (
    "smirks, turns to the left and blinks",
    "frowns and shakes the head",
    "grins broadly, then looks down",
    "raises the eyebrows and nods twice",
    "closes the eyes",
    "looks a little sad",
    "laughs",
    "winks with the left eye",
    "smiles shyly at 1 s",
    "looks furious, then calms down",
    "tilts the head to the right with a faint smile",
    "pouts",
    "looks surprised for two seconds",
    "sneers",
    "bites the lower lip and looks up",
    "yawns",
)
"""What is asked for; the last one warms up, so that no words are timed that were read before."""
SCRIPT = Script(
    seconds=5.0,
    events=(Event(descriptor="frown", intensity=0.8, onset=0.5, apex=0.9, offset=2.6, end=3.2),),
    head=(HeadMotion(kind="shake", cycles=3, onset=2.0, end=4.0),),
    blinks=(Blink(time=4.2),),
)


@dataclass(frozen=True)
class Speed:
    """One part's speed.

    Attributes:
        seconds: of work, median; None if it could not be run, `note` says why.
        motion_seconds: of motion made or read in that time.
        times_real_time: motion_seconds / seconds.
    """

    part: str
    seconds: float | None
    motion_seconds: float | None
    times_real_time: float | None
    note: str = ""


def measure(part: str, work: Callable[[int], float], repeats: int) -> Speed:
    """Time `work`, which takes the number of the repeat and returns the seconds of motion that it covered."""
    try:
        work(-1)
        ratios = []
        for repeat in range(repeats):
            start = time.perf_counter()
            covered = work(repeat)
            ratios.append((time.perf_counter() - start, covered))
    except TdmmError as error:
        return Speed(part, None, None, None, note=str(error))
    ratio = statistics.median(covered / spent for spent, covered in ratios)
    return Speed(
        part,
        statistics.median(spent for spent, _ in ratios),
        statistics.median(covered for _, covered in ratios),
        ratio,
    )


@dataclass(frozen=True)
class Bandwidth:
    """How near the frames of `animate` come to the speed of memory.

    Attributes:
        frame_bytes: of weights that a frame reads.
        frames_per_second: of work.
        memory_bytes_per_second: that this machine reads.
        share: of the limit: frame_bytes * frames_per_second / memory_bytes_per_second.
    """

    frame_bytes: int
    frames_per_second: float
    memory_bytes_per_second: float
    share: float


def bandwidth_share(repeats: int) -> Bandwidth:
    """The share of the memory-bandwidth limit that the frames of `animate` reach.

    A frame reads the weights of the trunk and of every level's codes once, and those of the head once a level
    (five times, though between levels they may still lie in a cache: a share can exceed 1). That many bytes,
    times the frames a second of writing codes from a plan that is ready (without planning and decoding, but with
    the words and the sketch being read), over the bytes a second at which a tensor of 256 MB, larger than any
    cache, is summed; the same two threads for both, and the best of the repeats for memory.

    Raises:
        TdmmError: weights are missing.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        artist = api.performer()
        scenes = [artist.stage(f"A child {deed}.", seed) for seed, deed in enumerate(DEEDS)]

        def written(repeat: int) -> float:
            place = repeat % len(scenes)
            return float(len(artist.animator.write([scenes[place]], [place], artist.sampling)[0]))

        frames = measure("frames", written, max(repeats, len(scenes))).times_real_time
        assert frames is not None
        large, seconds = torch.ones(64 * 2**20), []
        for _ in range(repeats + 1):
            start = time.perf_counter()
            large.sum()
            seconds.append(time.perf_counter() - start)
    finally:
        torch.set_num_threads(threads)
    speed, read_bytes = large.nbytes / min(seconds), frame_bytes(artist.animator.model)
    return Bandwidth(read_bytes, frames, speed, read_bytes * frames / speed)


def frame_bytes(model: Language2Motion) -> int:
    """Bytes of weights that a frame reads: the trunk, every level's codes, and the head for every level."""

    def size(module: Module) -> int:
        return sum(weight.nbytes for weight in module.parameters())

    once = size(model.trunk) + size(model.norm) + size(model.pull) + size(model.end_out)
    each_level = size(model.head) + size(model.head_norm)
    return once + model.codes_out.nbytes + model.codebooks.nbytes + model.config.levels * each_level


def speeds(repeats: int, size: int) -> list[Speed]:
    """Every part on one five-second clip; `animate` on a new prompt each time."""
    clip = perform(SCRIPT, 1).motion

    def acted(repeat: int) -> float:
        return perform(SCRIPT, max(repeat, 0)).motion.seconds

    def read_events(_: int) -> float:
        read(clip)
        return clip.seconds

    def tokenized(_: int) -> float:
        tokenizer = _tokenizer()
        tokenizer.decode(tokenizer.encode(clip))
        return clip.seconds

    def animated(repeat: int) -> float:
        return api.animate(f"A woman {DEEDS[repeat % len(DEEDS)]}.", seed=repeat % len(DEEDS)).seconds

    def first_streamed(repeat: int) -> float:
        # One frame of 40 ms: its time to be there, on a warm program.
        next(api.stream(f"A man {DEEDS[repeat % len(DEEDS)]}.", seed=repeat % len(DEEDS)))
        return 0.04

    def described(_: int) -> float:
        api.describe(clip)
        return clip.seconds

    def rendered(_: int) -> float:
        return _render(clip, size)

    return [
        measure("animate", animated, repeats),
        measure("stream, first frame", first_streamed, repeats),
        measure("describe", described, repeats),
        measure("tokens encode + decode", tokenized, repeats),
        measure("read", read_events, repeats),
        measure("act", acted, repeats),
        measure(f"render {size} px", rendered, 1),
    ]


@cache
def _tokenizer() -> Tokenizer:
    from tdmm.tokens.tokenizer import Tokenizer

    return Tokenizer.load()


def _render(clip: FaceMotion, size: int) -> float:
    from tdmm.export.formats import ExportOptions
    from tdmm.export.pictures import pictures

    return sum(1 for _ in pictures(clip, ExportOptions(size=size))) / clip.fps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="write JSON here")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--size", type=int, default=384, help="pixels of a rendered frame")
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    found = speeds(options.repeats, options.size)
    print(f"{'part':<24}{'seconds':>9}{'motion s':>10}{'x real time':>13}")
    for speed in found:
        if speed.seconds is None:
            print(f"{speed.part:<24}  {speed.note}")
        else:
            print(f"{speed.part:<24}{speed.seconds:>9.3f}{speed.motion_seconds:>10.2f}{speed.times_real_time:>13.1f}")
    bandwidth = None
    try:
        bandwidth = bandwidth_share(options.repeats)
        print(
            f"frames of animate: {bandwidth.frames_per_second:.0f} a second of {bandwidth.frame_bytes / 1e6:.1f} MB, "
            f"{bandwidth.share:.0%} of the {bandwidth.memory_bytes_per_second / 1e9:.1f} GB/s of memory"
        )
    except TdmmError as error:
        print(f"frames of animate: {error}")
    if options.out:
        machine = {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "machine": platform.machine(),
        }
        report = {
            "machine": machine,
            "batch": 1,
            "speeds": [asdict(speed) for speed in found],
            "animate_bandwidth": None if bandwidth is None else asdict(bandwidth),
        }
        options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
