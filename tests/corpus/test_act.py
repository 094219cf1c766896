"""A corpus is the same whoever makes it, and survives being killed."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tdmm.corpus import sharding
from tdmm.corpus.act import act
from tdmm.corpus.manifest import MANIFEST, PLAN, load
from tdmm.corpus.shards import read, verify
from tdmm.errors import FileProblem, InvalidInput

CLIPS, SHARD = 60, 20


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def test_two_workers_write_the_bytes_that_one_writes(corpus: Path, tmp_path: Path) -> None:
    act(tmp_path / "two", clips=CLIPS, seed=7, workers=2, shard_clips=SHARD)
    assert bytes_of(tmp_path / "two") == {name: content for name, content in bytes_of(corpus).items()}


def test_another_seed_is_another_corpus(corpus: Path, tmp_path: Path) -> None:
    act(tmp_path / "other", clips=SHARD, seed=8, workers=1, shard_clips=SHARD)
    assert {clip.seed for clip in read(tmp_path / "other", "train")}.isdisjoint(
        {clip.seed for clip in read(corpus, "train")}
    )


def test_clips_of_one_thing_are_another_corpus(corpus: Path, tmp_path: Path) -> None:
    act(tmp_path / "single", clips=SHARD, seed=7, workers=1, shard_clips=SHARD, single_share=1.0)
    assert all(len(clip.script.events) <= 1 for clip in read(tmp_path / "single", "train"))
    assert any(len(clip.script.events) > 1 for clip in read(corpus, "train"))
    with pytest.raises(InvalidInput, match=r"single_share 1\.0 there, 0\.0 asked"):
        act(tmp_path / "single", clips=SHARD, seed=7, workers=1, shard_clips=SHARD)


def test_killed_and_started_again(corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    code = (
        "import sys; from pathlib import Path; from tdmm.corpus.act import act\n"
        f"act(Path(sys.argv[1]), clips={CLIPS}, seed=7, workers=1, shard_clips={SHARD})"
    )
    running = subprocess.Popen([sys.executable, "-c", code, str(folder)])
    try:
        deadline = time.monotonic() + 60.0
        while not (folder / "shard-00000.parquet").exists() and running.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.002)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    (folder / ".shard-00001-torn.parquet").write_bytes(b"PAR1 torn")  # what a kill within a write leaves
    kept = (folder / "shard-00000.parquet").stat().st_mtime_ns

    told: list[int] = []
    act(folder, clips=CLIPS, seed=7, workers=1, shard_clips=SHARD, progress=told.append)

    assert sum(told) == CLIPS
    assert bytes_of(folder) == bytes_of(corpus)
    assert (folder / "shard-00000.parquet").stat().st_mtime_ns == kept
    ids = [clip.clip_id for split in ("train", "validation", "test") for clip in read(folder, split, ["clip_id"])]
    assert len(ids) == len(set(ids)) == CLIPS


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign"])
def test_a_damaged_shard_is_made_again(corpus: Path, copied: Path, damage: str) -> None:
    path = copied / "shard-00001.parquet"
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flipped":
        content[len(content) // 3] ^= 0xFF
    else:
        content = bytearray((copied / "shard-00000.parquet").read_bytes())
    path.write_bytes(content)
    with pytest.raises(FileProblem, match="shard-00001"):
        verify(copied)
    act(copied, clips=CLIPS, seed=7, workers=1, shard_clips=SHARD)
    assert bytes_of(copied) == bytes_of(corpus)


def test_a_folder_of_another_corpus_is_refused(corpus: Path, copied: Path) -> None:
    for changes, message in (
        ({"seed": 8}, "seed 7 there, 8 asked"),
        ({"clips": 80}, "clips 60 there, 80 asked"),
    ):
        with pytest.raises(InvalidInput, match=message):
            act(copied, **{"clips": CLIPS, "seed": 7, "workers": 1, "shard_clips": SHARD, **changes})
    plan = json.loads((copied / PLAN).read_text())
    (copied / PLAN).write_text(json.dumps({**plan, "fingerprint": "0" * 64}))
    with pytest.raises(InvalidInput, match="another version"):
        act(copied, clips=CLIPS, seed=7, workers=1, shard_clips=SHARD)


def test_a_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(FileProblem, match="not empty"):
        act(tmp_path, clips=4, workers=1)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    "wrong", [{"clips": 0}, {"clips": 4, "workers": 0}, {"clips": 4, "seed": -1}, {"clips": 4, "single_share": 1.5}]
)
def test_senseless_numbers_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        act(tmp_path / "never", **wrong)
    assert not (tmp_path / "never").exists()


def test_a_full_disk_is_told_and_leaves_no_torn_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sharding, "_write_groups", full)
    with pytest.raises(FileProblem, match="No space left"):
        act(tmp_path / "full", clips=4, workers=1)
    assert {path.name for path in (tmp_path / "full").iterdir()} == {PLAN}


def test_shards_state_their_schema(corpus: Path) -> None:
    file = pq.ParquetFile(corpus / "shard-00000.parquet")
    assert file.schema_arrow.metadata[b"tdmm.schema_version"] == b"2"
    for group in range(file.num_row_groups):
        assert file.metadata.row_group(group).num_rows <= 64
        assert len(set(file.read_row_group(group, columns=["split"])["split"].to_pylist())) == 1


def test_manifest_counts_what_is_there(corpus: Path) -> None:
    manifest = load(corpus)
    assert sum(manifest.clips(split) for split in ("train", "validation", "test")) == CLIPS
    assert sum(manifest.balance["splits"].values()) == CLIPS
    clips = [clip for split in ("train", "validation", "test") for clip in read(corpus, split)]
    assert sum(manifest.balance["head"].values()) == sum(len(clip.head) for clip in clips)
    assert sum(manifest.balance["descriptors"].values()) == sum(len(clip.descriptors) for clip in clips)
    assert sum(clip.frames for clip in clips) == sum(
        manifest.frames(split) for split in ("train", "validation", "test")
    )
    assert (corpus / MANIFEST).stat().st_size < 100_000
