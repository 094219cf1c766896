"""Several corpora become one."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tdmm.corpus.manifest import SHARD_CLIPS, Manifest, load
from tdmm.corpus.rows import Row
from tdmm.corpus.sharding import Progress, write_shards
from tdmm.corpus.shards import read
from tdmm.corpus.splits import SPLITS
from tdmm.errors import FileProblem, InvalidInput


@dataclass(frozen=True)
class Merged:
    """What came of it.

    Attributes:
        manifest: of the new corpus.
        duplicates: clips that were left out, for their motion was there already.
        renamed: clips whose id another clip had; a part of the digest of their motion was added to it.
    """

    manifest: Manifest
    duplicates: int
    renamed: int


def merge(
    folders: Sequence[Path], out: Path, *, shard_clips: int = SHARD_CLIPS, progress: Progress | None = None
) -> Merged:
    """Write the clips of all corpora as one, of the newest schema.

    Splits are told anew from family and person, as everywhere, so no clip changes sides.

    Args:
        folders: corpora of any source and schema, in the order in which their clips are to lie. One is enough: it is
            written anew with a split to each shard.
        out: a new or an empty folder, or one that a merge wrote before.
        shard_clips: clips in a file.
        progress: told how many clips were written since it was told last.

    Raises:
        InvalidInput: no folder is named, or `out` is one of them.
        FileProblem: a corpus cannot be read, or `out` cannot be written or holds something else.
    """
    if not folders:
        raise InvalidInput("There is nothing to merge: name one corpus or more.")
    if out.resolve() in {folder.resolve() for folder in folders}:
        raise InvalidInput(f"{out}: cannot be merged into itself. Name another folder with --out.")
    manifests = [load(folder) for folder in folders]
    _require_ours(out)
    origin = {
        "kind": "merged",
        "command": f"tdmm corpus merge {shlex.join(map(str, folders))}",
        "corpora": [
            {"digest": manifest.digest, "clips": manifest.clips(), "origin": dict(manifest.origin)}
            for manifest in manifests
        ],
    }
    clips = _Distinct(folders)
    manifest = write_shards(out, clips.rows(), origin=origin, shard_clips=shard_clips, progress=progress)
    return Merged(manifest, clips.duplicates, clips.renamed)


class _Distinct:
    """The clips of corpora, each motion once and each id once; knows afterwards how many were not."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self.duplicates, self.renamed = 0, 0

    def rows(self) -> Iterator[Row]:
        motions, ids = set[str](), set[str]()
        for folder in self._folders:
            for split in SPLITS:
                for clip in read(folder, split):
                    row = clip.row()
                    if row.content in motions:
                        self.duplicates += 1
                        continue
                    if row.clip_id in ids:
                        self.renamed += 1
                        # Its old id goes on deciding its split where nothing else does.
                        family = row.family if row.family or row.person else row.clip_id
                        row = replace(row, clip_id=f"{row.clip_id}-{row.content[:12]}", family=family)
                    motions.add(row.content)
                    ids.add(row.clip_id)
                    yield row


def _require_ours(out: Path) -> None:
    """Refuse to write among other things."""
    if not out.is_dir() or not any(out.iterdir()):
        return
    try:
        kind = load(out).origin.get("kind")
    except FileProblem:
        kind = None
    if kind != "merged":
        raise FileProblem(f"{out}: is not empty and was not written by a merge. Name a new or an empty folder.")
