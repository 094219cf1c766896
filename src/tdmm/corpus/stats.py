"""What a corpus holds, measured: how evenly, how long, how strong, how far heads move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tdmm.acting import lexicon
from tdmm.corpus.manifest import Manifest, load
from tdmm.corpus.shards import read
from tdmm.corpus.splits import SPLITS
from tdmm.motion.features import FEATURES

Doubles = npt.NDArray[np.float64]

TOLERANCE = 0.05
"""Share of the mean count by which a balanced kind may be off."""

_COLUMNS = ("seconds", "source", "person", "family", "subject", "descriptors", "script", "texts", "motion")
_HEAD = slice(FEATURES.index("head_pitch"), FEATURES.index("head_roll") + 1)
_SIGNATURES = 1000  # clips whose motion is compared with each other


@dataclass(frozen=True)
class Evenness:
    """How evenly things fall on kinds.

    Attributes:
        counts: kind to how many; a kind that never came is there with 0.
    """

    counts: Mapping[str, int]

    @property
    def mean(self) -> float:
        """Of the counts."""
        return sum(self.counts.values()) / max(1, len(self.counts))

    def deviation(self, kind: str) -> float:
        """How far a kind is from the mean, as a share of it: -0.02 is two per cent too few."""
        return self.counts[kind] / self.mean - 1.0 if self.mean else 0.0

    def ordered(self) -> list[str]:
        """Kinds, the rarest first."""
        return sorted(self.counts, key=lambda kind: (self.counts[kind], kind))

    def within(self, tolerance: float = TOLERANCE) -> int:
        """How many kinds are within that share of the mean."""
        return sum(abs(self.deviation(kind)) <= tolerance + 1e-12 for kind in self.counts)

    def within_one(self) -> int:
        """How many kinds are less than one clip off the mean: no whole numbers could be closer."""
        return sum(abs(count - self.mean) < 1.0 for count in self.counts.values())


@dataclass(frozen=True)
class Stats:
    """A corpus, measured.

    Attributes:
        manifest: of it.
        sources, splits: name to clips.
        persons, families: how many there are.
        undirected: clips without a script.
        texts: how many, all clips together.
        descriptors: how often each is shown.
        subjects: how many clips each is in; of clips that say who.
        crossed: "subject x descriptor" to how often the two meet; empty where no clip says who.
        seconds: (N,) of each clip.
        intensities: (E,) of every event of every script.
        head_deg: (N, 3) degrees between the extremes of pitch, yaw and roll of each clip.
        signatures: (n, D) what the motion of some clips is like: mean, spread and peak of every coefficient.
        labels: n, the descriptor of each of those; they have one alone.
    """

    manifest: Manifest
    sources: Mapping[str, int]
    splits: Mapping[str, int]
    persons: int
    families: int
    undirected: int
    texts: int
    descriptors: Evenness
    subjects: Evenness
    crossed: Evenness
    seconds: Doubles
    intensities: Doubles
    head_deg: Doubles
    signatures: Doubles
    labels: tuple[str, ...]


def measure(folder: Path) -> Stats:
    """Read a whole corpus and count.

    Raises:
        FileProblem: the corpus is unfinished, or a shard is missing, torn or altered.
    """
    manifest = load(folder)
    count: dict[str, Counter[str]] = {name: Counter() for name in ("source", "split", "descriptor", "subject")}
    crossed: Counter[tuple[str, str]] = Counter()
    persons, families = set[str](), set[str]()
    seconds, intensities, heads = list[float](), list[float](), list[Doubles]()
    signatures, labels = list[Doubles](), list[str]()
    undirected = texts = number = 0
    every = max(1, -(-manifest.clips() // _SIGNATURES))
    for split in SPLITS:
        for clip in read(folder, split, _COLUMNS):
            count["source"][clip.source] += 1
            count["split"][split] += 1
            count["descriptor"].update(clip.descriptors)
            if clip.subject:
                count["subject"][clip.subject] += 1
                crossed.update((clip.subject, descriptor) for descriptor in clip.descriptors)
            persons.update([clip.person] if clip.person else [])
            families.update([clip.family] if clip.family else [])
            seconds.append(clip.seconds)
            texts += len(clip.texts)
            if clip.script is None:
                undirected += 1
            else:
                intensities += [event.intensity for event in clip.script.events]
            heads.append(np.rad2deg(np.ptp(np.asarray(clip.features[:, _HEAD], np.float64), axis=0)))
            if len(clip.descriptors) == 1 and number % every == 0:
                signatures.append(_signature(np.asarray(clip.features, np.float64)))
                labels.append(clip.descriptors[0])
            number += 1
    if undirected < number:
        # Scripts are dealt from the whole lexicon: what no clip shows any more is missing, and not unknown.
        count["descriptor"].update(dict.fromkeys(lexicon.load().descriptors, 0))
    met = {
        f"{subject} x {descriptor}": crossed[subject, descriptor]
        for subject in sorted(count["subject"])
        for descriptor in sorted(count["descriptor"])
    }
    return Stats(
        manifest, count["source"], count["split"], len(persons), len(families), undirected, texts,
        Evenness(count["descriptor"]), Evenness(count["subject"]), Evenness(met),
        np.array(seconds), np.array(intensities), np.array(heads).reshape(-1, 3),
        np.array(signatures), tuple(labels),
    )  # fmt: skip


def _signature(features: Doubles) -> Doubles:
    """(3 * 55,) mean, spread and largest change of the face and of the turns of the head."""
    moved = features[:, : _HEAD.stop]
    return np.concatenate([moved.mean(0), moved.std(0), np.abs(moved - moved[0]).max(0)])
