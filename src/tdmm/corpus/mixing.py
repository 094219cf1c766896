"""Several corpora in one training run, each with a weight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tdmm.corpus.manifest import load
from tdmm.errors import InvalidInput

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Share:
    """A corpus of a mixture.

    Attributes:
        folder: of the corpus.
        weight: how often it is drawn from, beside the weights of the others.
    """

    folder: Path
    weight: float = 1.0


def read_share(text: str) -> Share:
    """`FOLDER` or `FOLDER:WEIGHT`, as `--corpus` takes it.

    A folder whose own name ends in a colon and a number is meant where there is one.

    Raises:
        InvalidInput: the weight is not a positive number.
    """
    name, colon, told = text.rpartition(":")
    if not colon or not name or Path(text).is_dir():
        return Share(Path(text))
    try:
        weight = float(told)
    except ValueError:
        return Share(Path(text))
    if not math.isfinite(weight) or weight <= 0:
        raise InvalidInput(f"--corpus {text}: the weight must be a positive number, not {told}. For example {name}:0.5")
    return Share(Path(name), weight)


def about(shares: Sequence[Share]) -> dict[str, Any] | list[dict[str, Any]]:
    """What names the corpora of a model in its provenance; of several, with their weights."""
    if len(shares) == 1:
        return load(shares[0].folder).about
    return [{**load(share.folder).about, "weight": share.weight} for share in shares]


@dataclass(frozen=True)
class Blend:
    """Clips of several corpora as one row of clips, in which those of each lie evenly.

    Attributes:
        corpora: (N,) of which corpus each clip is.
        places: (N,) its number there.
        shares: one per corpus, they sum to 1: how much of what is drawn comes from it.
    """

    corpora: Ints
    places: Ints
    shares: tuple[float, ...]

    @classmethod
    def of(cls, sizes: Sequence[int], weights: Sequence[float]) -> Blend:
        """Of corpora of these sizes."""
        corpora = np.repeat(np.arange(len(sizes)), sizes)
        places = np.concatenate([np.arange(size) for size in sizes]).astype(np.int64)
        # So that the first clips, which figures are measured on, come from all of them.
        order = np.argsort((places + 0.5) / np.repeat(np.array(sizes), sizes), kind="stable")
        return cls(corpora[order], places[order], tuple(weight / sum(weights) for weight in weights))

    def __len__(self) -> int:
        return len(self.corpora)

    def epoch(self, draw: np.random.Generator) -> Ints:
        """(N,) clips of an epoch, shuffled.

        Of one corpus, every clip once. Of several, as many from each as its share says: all of its clips as often as
        they fit in, and a random choice for the rest.
        """
        if len(self.shares) == 1:
            return draw.permutation(len(self))
        chosen = []
        ends = np.round(np.cumsum([0.0, *self.shares]) * len(self)).astype(np.int64)
        for corpus, count in enumerate(np.diff(ends)):
            clips = np.flatnonzero(self.corpora == corpus)
            whole, rest = divmod(int(count), len(clips))
            chosen += [np.tile(clips, whole), draw.permutation(clips)[:rest]]
        return draw.permutation(np.concatenate(chosen))
