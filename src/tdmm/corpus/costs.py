"""What a corpus will take: hours, gigabytes and money for N clips, from a pilot of a few."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tdmm.corpus.build import later_takes, later_windows, stages_of
from tdmm.corpus.pipeline.status import status
from tdmm.corpus.recipe import CorpusRecipe
from tdmm.errors import InvalidInput

PUBLISHED: dict[str, tuple[float, str]] = {
    "wan2.1-1.3b": (240.0, "5 s at 480p on one RTX 4090, Wan 2.1's read-me"),
    "wan2.2-5b": (540.0, "5 s at 720p on one RTX 4090, Wan 2.2's read-me"),
}
"""GPU-seconds a clip, by preset, as the makers of a generator give them; other GPUs and settings differ widely."""

_LAPTOP = {"polish": 0.05, "video": 5.0, "cut": 3.0, "track": 4.5, "caption": 0.05, "quality": 0.02}
"""Seconds of one core that a clip of 5 s takes at each stage, roughly; of `video`, the built-in renderer's.
`tdmm corpus build recipes/corpus-laptop.yaml` prints what they are on a machine of one's own."""
_VIDEO_MIB, _MOTION_MIB = 0.45, 0.06
"""What a clip takes on disk: its video at 640 x 480, and its motion, shard included."""


@dataclass(frozen=True)
class StageCost:
    """One stage of N clips.

    Attributes:
        name: of the stage.
        clips: that reach it.
        seconds: of a worker, a clip.
        gpus: that a worker holds.
        source: where `seconds` is from, in words.
    """

    name: str
    clips: float
    seconds: float | None
    gpus: float
    source: str

    @property
    def hours(self) -> float | None:
        """Worker-hours in all."""
        return None if self.seconds is None else self.clips * self.seconds / 3600.0


@dataclass(frozen=True)
class CorpusCost:
    """What N clips take.

    Attributes:
        clips: that are asked for. kept: how many of them come out, as far as that can be told.
        stages: in their order.
        gibibytes: on disk, videos included.
        gpu_hour: price of a GPU-hour, if one was given; clip: price of a clip at a remote generator.
    """

    clips: int
    kept: float
    stages: tuple[StageCost, ...]
    gibibytes: float
    gpu_hour: float | None = None
    clip: float | None = None

    @property
    def gpu_hours(self) -> float | None:
        """Of all stages on GPUs; None where one is not known."""
        hours = [(stage.hours, stage.gpus) for stage in self.stages if stage.gpus]
        return None if any(each is None for each, _ in hours) else sum((each or 0.0) * gpus for each, gpus in hours)

    @property
    def cpu_hours(self) -> float:
        """Of all stages without one."""
        return sum(stage.hours or 0.0 for stage in self.stages if not stage.gpus)

    @property
    def money(self) -> float | None:
        """In the currency of the prices given; None without one, or where hours are not known."""
        if self.gpu_hour is None and self.clip is None:
            return None
        hours = self.gpu_hours
        if self.gpu_hour is not None and hours is None:
            return None
        made = next((stage.clips for stage in self.stages if stage.name == "video"), float(self.clips))
        return (self.gpu_hour or 0.0) * (hours or 0.0) + (self.clip or 0.0) * made


def plan(
    recipe: CorpusRecipe,
    clips: int,
    *,
    pilot: Path | None = None,
    gpu_hour: float | None = None,
    clip: float | None = None,
) -> CorpusCost:
    """What `clips` clips of a recipe take.

    Args:
        recipe: what is to be made.
        clips: how many are asked for.
        pilot: folder of a small build of the same recipe, which is measured; without it, published or rough figures.
        gpu_hour, clip: prices of a GPU for an hour, and of one clip at a remote generator.

    Raises:
        InvalidInput: a number makes no sense, or the pilot has no clip through all of its stages.
        FileProblem: there is no build in that folder.
    """
    if clips < 1 or (gpu_hour or 0.0) < 0 or (clip or 0.0) < 0:
        raise InvalidInput("clips must be 1 or more, and prices 0 or more.")
    if pilot is None:
        rough = tuple(_rough(recipe, clips))
        size = _MOTION_MIB + (_VIDEO_MIB if recipe.video is not None or recipe.recordings is not None else 0.0)
        return CorpusCost(clips, float(clips), rough, clips * size / 1024, gpu_hour, clip)
    found = status(pilot)
    if not found.finished:
        raise InvalidInput(f"{pilot}: no clip of this pilot passed every stage. See why: tdmm corpus status {pilot}")
    gpus = {stage.name: stage.gpus for stage in stages_of(recipe, pilot)}
    # Later takes and windows are part of what a clip takes.
    share = clips / (found.clips - later_takes(pilot) - later_windows(pilot))
    measured = tuple(
        StageCost(
            stage.name, stage.settled * share, stage.seconds / max(1, stage.settled), gpus.get(stage.name, 0.0),
            f"measured on {stage.settled} clips",
        )
        for stage in found.stages
    )  # fmt: skip
    return CorpusCost(clips, found.finished * share, measured, _bytes(pilot) * share / 2**30, gpu_hour, clip)


def hours_of(cost: CorpusCost, workers: int) -> float:
    """Wall-clock hours with so many workers on the stages that take no GPU, the work being spread evenly."""
    return cost.cpu_hours / max(1, workers)


def _rough(recipe: CorpusRecipe, clips: int) -> Iterator[StageCost]:
    for stage in stages_of(recipe, Path()):
        seconds: float | None = _LAPTOP.get(stage.name)
        source = "rough, of one core"
        if stage.name == "video" and recipe.video is not None and recipe.video["name"] != "rendered":
            preset = str(recipe.video.get("preset", ""))
            seconds, source = PUBLISHED.get(preset, (None, "not known: run a pilot of a few clips, and give it"))
        yield StageCost(stage.name, float(clips), seconds, stage.gpus, source)


def _bytes(folder: Path) -> int:
    return sum((Path(root) / name).stat().st_size for root, _, names in os.walk(folder) for name in names)
