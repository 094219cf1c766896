"""What is in a corpus, counted while it is written."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from statistics import median
from typing import Any

from tdmm.acting.lexicon import load
from tdmm.acting.script import Script
from tdmm.corpus.rows import ACTED

_BINS = ((0.35, "about 0.3"), (0.5, "about 0.4"), (0.7, "about 0.6"), (0.9, "about 0.8"), (2.0, "about 1.0"))
_COUNTED = (
    "descriptors", "head", "gaze", "blinks", "sides", "intensities", "energies", "subjects", "events_a_clip",
    "sources", "splits",
)  # fmt: skip

COLUMNS = ("descriptors", "head", "energy", "script", "seconds", "source", "split", "subject")
"""What of a clip is counted."""


class Balance:
    """Counts of clips, added one by one. What only a script tells is counted where there is one."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in _COUNTED}
        self._seconds = array("f")

    def add(self, columns: Mapping[str, Any], script: Script | None) -> None:
        """Count a clip.

        Args:
            columns: values of `COLUMNS`; its `script` is not looked at.
            script: of the clip, if it has one.
        """
        counts = self._counts
        counts["sources"][columns["source"]] += 1
        counts["splits"][columns["split"]] += 1
        counts["descriptors"].update(columns["descriptors"])
        counts["head"].update(columns["head"])
        if columns["subject"]:
            counts["subjects"][columns["subject"]] += 1
        if columns["energy"]:
            counts["energies"][columns["energy"]] += 1
        if script is not None:
            counts["events_a_clip"][str(len(script.events))] += 1
            counts["gaze"].update(gaze.direction for gaze in script.gaze)
            counts["blinks"].update(f"{blink.count}{' slow' if blink.slow else ''}" for blink in script.blinks)
            counts["sides"].update(event.side for event in script.events)
            counts["intensities"].update(_bin(event.intensity) for event in script.events)
        self._seconds.append(columns["seconds"])

    def summary(self) -> dict[str, Any]:
        """JSON-serialisable: of each kind name to count, sorted by name; of `seconds` min, median, max and total."""
        if self._counts["sources"][ACTED]:  # what the actor could have been asked for and was not shows as a zero
            self._counts["descriptors"].update(dict.fromkeys(load().descriptors, 0))
        summary: dict[str, Any] = {name: dict(sorted(count.items())) for name, count in self._counts.items() if count}
        summary["seconds"] = {
            "min": round(min(self._seconds, default=0.0), 2),
            "median": round(median(self._seconds or [0.0]), 2),
            "max": round(max(self._seconds, default=0.0), 2),
            "total": round(sum(self._seconds), 2),
        }
        return summary


def _bin(intensity: float) -> str:
    return next(name for limit, name in _BINS if intensity < limit)
