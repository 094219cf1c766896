"""Corpora joined: each motion once, each id once, no clip on another side."""

from __future__ import annotations

from pathlib import Path

import pytest
from wild_clips import wild_row

from tdmm.corpus.manifest import load
from tdmm.corpus.merging import merge
from tdmm.corpus.sharding import write_shards
from tdmm.corpus.shards import read, verify
from tdmm.corpus.splits import SPLITS
from tdmm.errors import FileProblem, InvalidInput


def splits(folder: Path) -> dict[str, str]:
    return {clip.clip_id: split for split in SPLITS for clip in read(folder, split, ["clip_id"])}


def test_old_and_wild_corpora_become_one(first_schema: Path, wild: Path, tmp_path: Path) -> None:
    merged = merge([first_schema, wild], tmp_path / "both", shard_clips=30)
    assert (merged.duplicates, merged.renamed) == (0, 0)
    assert merged.manifest.clips() == 120
    assert verify(tmp_path / "both").schema_version == 2
    assert splits(tmp_path / "both") == splits(first_schema) | splits(wild)
    assert [each["clips"] for each in load(tmp_path / "both").origin["corpora"]] == [60, 60]
    told = {clip.clip_id: clip.row() for clip in read(tmp_path / "both", "train")}
    for folder in (first_schema, wild):
        for clip in read(folder, "train"):
            assert told[clip.clip_id].columns == clip.row().columns
            assert told[clip.clip_id].content == clip.row().content


def test_the_same_motion_is_kept_once_and_the_same_id_is_changed(wild: Path, tmp_path: Path) -> None:
    others = [wild_row(number, clip_id=f"again-{number}") for number in range(4)]
    others += [wild_row(100 + number, clip_id=f"wild-{number}", person=None) for number in range(40)]
    write_shards(tmp_path / "other", others, origin={"kind": "recorded"})
    merged = merge([wild, tmp_path / "other"], tmp_path / "both")
    assert (merged.duplicates, merged.renamed, merged.manifest.clips()) == (4, 40, 100)
    found = splits(tmp_path / "both")
    for clip_id, split in splits(tmp_path / "other").items():
        if clip_id.startswith("wild-"):
            number = int(clip_id.removeprefix("wild-"))
            renamed = f"{clip_id}-{wild_row(100 + number).content[:12]}"
            assert found[renamed] == split


def test_merging_again_gives_the_same(wild: Path, tmp_path: Path) -> None:
    first = merge([wild], tmp_path / "out").manifest
    assert merge([wild], tmp_path / "out").manifest == first


def test_what_cannot_be_merged_is_refused(wild: Path, copied: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="into itself"):
        merge([copied, wild], copied)
    with pytest.raises(FileProblem, match="not written by a merge"):
        merge([wild], copied)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("")
    with pytest.raises(FileProblem, match="not written by a merge"):
        merge([wild], tmp_path / "mine")
    with pytest.raises(FileProblem, match="no corpus here"):
        merge([wild, tmp_path / "nowhere"], tmp_path / "out")
    with pytest.raises(InvalidInput, match="nothing to merge"):
        merge([], tmp_path / "out")
    assert not (tmp_path / "out").exists()
