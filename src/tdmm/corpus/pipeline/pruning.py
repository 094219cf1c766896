"""`prune`: outputs that no clip of a build leads to any more, after its recipe was changed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tdmm.corpus.pipeline.ledger import Ledger
from tdmm.corpus.pipeline.lock import build_lock
from tdmm.corpus.pipeline.status import summarise
from tdmm.corpus.pipeline.store import Store
from tdmm.errors import InvalidInput


@dataclass(frozen=True)
class Pruned:
    """What was removed, or would be: outputs of a clip at a stage, and how many bytes they take."""

    outputs: int
    bytes: int


def prune(folder: Path, *, only_look: bool = False) -> Pruned:
    """Remove outputs that the ledger does not name: of other settings, other prompts, clips no longer asked for.

    Going back to such a recipe makes them anew. Copies in object storage go as well.

    Args:
        folder: of the corpus.
        only_look: count, and remove nothing.

    Raises:
        FileProblem: no corpus is being built there, a build is at work, or the object storage cannot be reached.
        InvalidInput: the build is not through; what it has not come to yet would be lost.
    """
    with closing(Ledger(folder, writable=False)) as ledger, build_lock(folder):
        if not summarise(ledger).complete:
            raise InvalidInput(
                f"{folder}: the build is not through, so nobody knows what it still leads to. Finish it, then prune: "
                "tdmm corpus build"
            )
        store, outputs, taken = Store(folder, ledger.url), 0, 0
        named = set(ledger.content_keys())
        for stage, key, size in store.outputs():
            if (stage, key) not in named:
                outputs, taken = outputs + 1, taken + size
                if not only_look:
                    store.remove(stage, key)
        if not only_look:
            store.sweep()
        return Pruned(outputs, taken)
