"""What is in a corpus, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from statistics import median
from typing import Any

from tdmm.acting.lexicon import load
from tdmm.acting.script import Script

_BINS = ((0.35, "about 0.3"), (0.5, "about 0.4"), (0.7, "about 0.6"), (0.9, "about 0.8"), (2.0, "about 1.0"))


def balance(scripts: Iterable[Script], splits: Iterable[str]) -> dict[str, Any]:
    """Counts over scripts and their splits: JSON-serialisable, keys sorted by name.

    Returns:
        `descriptors`, `head`, `gaze`, `blinks`, `sides`, `intensities`, `energies`, `subjects`,
        `events_a_clip`, `splits`: name to count. `seconds`: min, median, max and total.
    """
    counts: dict[str, Counter[str]] = {
        name: Counter()
        for name in (
            "descriptors", "head", "gaze", "blinks", "sides", "intensities", "energies", "subjects",
            "events_a_clip", "splits",
        )
    }  # fmt: skip
    counts["descriptors"].update(dict.fromkeys(load().descriptors, 0))
    seconds: list[float] = []
    for script in scripts:
        counts["events_a_clip"][str(len(script.events))] += 1
        counts["energies"][script.energy] += 1
        counts["subjects"][script.subject] += 1
        counts["head"].update(motion.kind for motion in script.head)
        counts["gaze"].update(gaze.direction for gaze in script.gaze)
        counts["blinks"].update(f"{blink.count}{' slow' if blink.slow else ''}" for blink in script.blinks)
        for event in script.events:
            counts["descriptors"][event.descriptor] += 1
            counts["sides"][event.side] += 1
            counts["intensities"][_bin(event.intensity)] += 1
        seconds.append(script.seconds)
    counts["splits"].update(splits)
    summary: dict[str, Any] = {name: dict(sorted(count.items())) for name, count in counts.items()}
    summary["seconds"] = {
        "min": round(min(seconds, default=0.0), 2),
        "median": round(median(seconds or [0.0]), 2),
        "max": round(max(seconds, default=0.0), 2),
        "total": round(sum(seconds), 2),
    }
    return summary


def _bin(intensity: float) -> str:
    return next(name for limit, name in _BINS if intensity < limit)
