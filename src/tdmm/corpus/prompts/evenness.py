"""How evenly a suite asks for things, counted from its prompts and not taken from its design."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

from tdmm.acting.intensity_words import MIDDLES, level_of
from tdmm.acting.lexicon import load
from tdmm.corpus.prompts.prompt import ClipPrompt
from tdmm.motion.events import GAZE_DIRECTIONS, HEAD_MOTIONS

TOLERANCE = 0.05
"""Share of the mean count by which a count may differ from it; one whole clip is always allowed."""


@dataclass(frozen=True)
class Evenness:
    """Counts of the levels of one factor, or of the cells of a pair of factors.

    Attributes:
        levels: how many levels or cells, those that never occur among them.
        mean, lowest, highest: count.
    """

    levels: int
    mean: float
    lowest: int
    highest: int

    @property
    def deviation(self) -> float:
        """Largest distance of a count from the mean, in clips."""
        return max(self.highest - self.mean, self.mean - self.lowest)

    @property
    def share(self) -> float:
        """The same as a share of the mean."""
        return self.deviation / self.mean if self.mean else 0.0

    @property
    def even(self) -> bool:
        """Whether no count differs by more than `TOLERANCE` of the mean, or by more than one."""
        return self.deviation <= max(TOLERANCE * self.mean, 1.0) + 1e-9


def imbalance(prompts: Iterable[ClipPrompt]) -> dict[str, Evenness]:
    """Largest deviations from even counts, by factor ("descriptor") and by pair ("descriptor x person").

    Every expression of a clip counts, transitions included. Only what is meant to be even is compared: kinds of head
    motion among clips that have one, left with right among expressions that have a side. Persons, framings, lights and
    backgrounds are those that occur.
    """
    counts = _Counts()
    for prompt in prompts:
        counts.add(prompt)
    return counts.report()


class _Counts:
    def __init__(self) -> None:
        levels: dict[str, Iterable[Hashable]] = {
            "descriptor": load().descriptors, "person": (), "intensity": MIDDLES, "side": ("left", "right"),
            "head motion": HEAD_MOTIONS, "look": GAZE_DIRECTIONS, "framing": (), "lighting": (), "background": (),
        }  # fmt: skip
        self._single: dict[str, Counter[Hashable]] = {
            name: Counter(dict.fromkeys(known, 0)) for name, known in levels.items()
        }
        self._pairs: dict[tuple[str, str], Counter[tuple[Hashable, Hashable]]] = {
            pair: Counter()
            for pair in (
                ("descriptor", "person"), ("descriptor", "intensity"), ("descriptor", "lighting"),
                ("descriptor", "background"), ("person", "intensity"), ("person", "head motion"),
                ("person", "lighting"), ("person", "background"), ("head motion", "intensity"),
            )
        }  # fmt: skip

    def add(self, prompt: ClipPrompt) -> None:
        clip: dict[str, Hashable] = {"person": prompt.person, **prompt.scene.model_dump()}
        self._count(clip, clip)
        for event in prompt.script.events:
            asked = {"descriptor": event.descriptor, "intensity": level_of(event.intensity)}
            self._count(asked if event.side == "both" else {**asked, "side": event.side}, {**clip, **asked})
        for motion in prompt.script.head:
            # The degree of a head motion is not that of an expression, so it is counted in its own pair alone.
            asked = {"head motion": motion.kind}
            self._count(asked, {**asked, "person": prompt.person})
            self._pairs["head motion", "intensity"][motion.kind, level_of(motion.intensity)] += 1
        for gaze in prompt.script.gaze:
            self._count({"look": gaze.direction}, {})

    def _count(self, asked: Mapping[str, Hashable], together: Mapping[str, Hashable]) -> None:
        for name, level in asked.items():
            self._single[name][level] += 1
        for (one, other), cells in self._pairs.items():
            if one in together and other in together and (one in asked or other in asked):
                cells[together[one], together[other]] += 1

    def report(self) -> dict[str, Evenness]:
        found = {name: _evenness(counts, len(counts)) for name, counts in self._single.items()}
        for (one, other), cells in self._pairs.items():
            found[f"{one} x {other}"] = _evenness(cells, len(self._single[one]) * len(self._single[other]))
        return found


def _evenness(counts: Counter[Hashable] | Counter[tuple[Hashable, Hashable]], levels: int) -> Evenness:
    present = [count for count in counts.values() if count]
    lowest = min(present, default=0) if len(present) == levels else 0
    return Evenness(levels, sum(present) / levels if levels else 0.0, lowest, max(present, default=0))
