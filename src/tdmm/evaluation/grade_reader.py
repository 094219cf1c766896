"""Is the reader itself right? Checked on acted clips, whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence

from tdmm.evaluation import definitions
from tdmm.evaluation.held_out import SEED, clips
from tdmm.evaluation.metric import Measurement, Progress, ratio, silent
from tdmm.reading.matching import EventKind, Matching, Recall, match, recalls
from tdmm.reading.reader import read


def grade_reader(count: int = 500, seed: int = SEED, progress: Progress = silent) -> tuple[Measurement, ...]:
    """Recall and false rate of the reader on `count` held-out acted clips."""
    matchings: list[Matching] = []
    kinds: list[dict[EventKind, Recall]] = []
    for index, clip in enumerate(clips(count, seed)):
        truth, found = clip.performance.events, read(clip.performance.motion)
        matchings.append(match(truth, found))
        kinds.append(recalls(truth, found))
        progress(index + 1, count, "clips read")
    return (
        ratio(definitions.READER_RECALL, [len(one.hits) for one in matchings], [one.asked for one in matchings]),
        ratio(definitions.READER_FALSE, [len(one.false) for one in matchings], [one.found for one in matchings]),
        ratio(definitions.READER_RECALL_ACTIONS, *_of_kind(kinds, "action")),
        ratio(definitions.READER_RECALL_HEAD, *_of_kind(kinds, "head")),
        ratio(definitions.READER_BLINKS, *_of_kind(kinds, "blink")),
        ratio(definitions.READER_GAZE, *_of_kind(kinds, "gaze")),
    )


def _of_kind(kinds: Sequence[dict[EventKind, Recall]], kind: EventKind) -> tuple[list[int], list[int]]:
    return [each[kind].found for each in kinds], [each[kind].asked for each in kinds]
