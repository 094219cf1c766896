"""Is the reader itself right? Checked on acted clips, whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence

from tdmm.evaluation import definitions
from tdmm.evaluation.held_out import SEED, clips
from tdmm.evaluation.metric import Measurement, Progress, ratio, silent
from tdmm.motion.events import BlinkEvent, GazeEvent, MotionEvents
from tdmm.reading.matching import Matching, match
from tdmm.reading.reader import read

_BLINK_SECONDS = 0.2
"""A found blink may start this long before or after the true one."""


def grade_reader(count: int = 500, seed: int = SEED, progress: Progress = silent) -> tuple[Measurement, ...]:
    """Recall and false rate of the reader on `count` held-out acted clips."""
    matchings: list[Matching] = []
    blinks: list[tuple[int, int]] = []
    gazes: list[tuple[int, int]] = []
    for index, clip in enumerate(clips(count, seed)):
        truth, found = clip.performance.events, read(clip.performance.motion)
        matchings.append(match(truth, found))
        blinks.append(_blinks_found(truth, found))
        gazes.append(_gazes_found(truth, found))
        progress(index + 1, count, "clips read")
    return (
        ratio(definitions.READER_RECALL, [len(one.hits) for one in matchings], [one.asked for one in matchings]),
        ratio(definitions.READER_FALSE, [len(one.false) for one in matchings], [one.found for one in matchings]),
        ratio(definitions.READER_RECALL_ACTIONS, *_of_kind(matchings, "action")),
        ratio(definitions.READER_RECALL_HEAD, *_of_kind(matchings, "head")),
        ratio(definitions.READER_BLINKS, [hit for hit, _ in blinks], [asked for _, asked in blinks]),
        ratio(definitions.READER_GAZE, [hit for hit, _ in gazes], [asked for _, asked in gazes]),
    )


def _of_kind(matchings: Sequence[Matching], kind: str) -> tuple[list[int], list[int]]:
    hits = [sum(hit.truth.kind == kind for hit in one.hits) for one in matchings]
    misses = [sum(miss.mark.kind == kind for miss in one.misses) for one in matchings]
    return hits, [hit + miss for hit, miss in zip(hits, misses, strict=True)]


def _blinks_found(truth: MotionEvents, found: MotionEvents) -> tuple[int, int]:
    asked = [blink for blink in truth.blinks if blink.side == "both"]
    return sum(any(_same_blink(blink, other) for other in found.blinks) for blink in asked), len(asked)


def _same_blink(one: BlinkEvent, other: BlinkEvent) -> bool:
    return other.side == one.side and abs(other.time - one.time) <= _BLINK_SECONDS


def _gazes_found(truth: MotionEvents, found: MotionEvents) -> tuple[int, int]:
    return sum(any(_same_gaze(gaze, other) for other in found.gaze) for gaze in truth.gaze), len(truth.gaze)


def _same_gaze(one: GazeEvent, other: GazeEvent) -> bool:
    return one.direction == other.direction and one.onset < other.end and other.onset < one.end
