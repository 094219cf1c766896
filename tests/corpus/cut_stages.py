"""A stage that cuts by what it is told, importable where workers run."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent / "tracking"))

from faces import Told, seen

from tdmm.corpus.pipeline.stage import Worker
from tdmm.corpus.recordings.cutting import CutOptions
from tdmm.corpus.stages.cutting import CutStage, CutWorker

OPTIONS = CutOptions(shortest=0.6, longest=1.0, smallest_face=30)


def always(seconds: float) -> list[Any]:
    """One face."""
    return [seen()]


@dataclass(frozen=True)
class ToldCutStage(CutStage):
    """Sees one face in every picture, and keeps a list of how often it looked."""

    log: Path | None = None

    def open(self) -> Worker:
        """Without MediaPipe."""

        def looks() -> Told:
            assert self.log is not None
            with self.log.open("a") as lines:
                lines.write("look\n")
            return Told(always)

        return CutWorker(looks, OPTIONS)
