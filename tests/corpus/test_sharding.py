"""Rows of any source become a corpus that is whole or not there, and the same bytes every time."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wild_clips import wild_row

from tdmm.corpus import sharding
from tdmm.corpus.manifest import load
from tdmm.corpus.rows import COLUMNS, Row
from tdmm.corpus.sharding import write_shards
from tdmm.corpus.shards import pack, read, verify
from tdmm.corpus.splits import SPLITS
from tdmm.errors import FileProblem, InvalidInput
from tdmm.motion.features import FEATURES

ORIGIN = {"kind": "built", "command": "tdmm corpus build corpus.yaml"}


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def test_a_wild_clip_comes_back_as_it_went(wild: Path) -> None:
    clips = {clip.clip_id: clip for split in SPLITS for clip in read(wild, split)}
    assert len(clips) == 60
    for number in range(60):
        row, clip = wild_row(number), clips[f"wild-{number}"]
        np.testing.assert_array_equal(clip.features, row.features)
        np.testing.assert_array_equal(clip.motion.confidence, row.motion.confidence)
        assert (clip.source, clip.person, clip.family) == ("recorded", f"person-{number // 3}", None)
        assert clip.texts == row.texts
        assert clip.script is None
        assert clip.events is None
        assert clip.seed is None
        assert clip.energy is None
        assert clip.subject is None
        assert clip.descriptors == ("happy",)
        assert clip.native_fps == pytest.approx(29.97)
        assert clip.video_sha256 == row.video_sha256
        assert clip.quality == {"jitter_mm": 0.5}
        assert clip.provenance == {"file": f"{number}.mp4"}
        assert clip.seconds == pytest.approx(len(row.features) / 25)


def test_shards_hold_one_split_and_small_groups(wild: Path) -> None:
    for shard in load(wild).shards:
        with pq.ParquetFile(wild / shard.name) as file:
            splits = file.read(columns=["split"])["split"].to_pylist()
            assert set(splits) == {shard.name.split("-")[0]} == set(shard.clips)
            assert len(splits) == sum(shard.clips.values()) <= 16
            assert file.schema_arrow.metadata[b"tdmm.schema_version"] == b"2"


def test_row_groups_stay_small(tmp_path: Path) -> None:
    rows = (wild_row(number, person=None, family="one") for number in range(70))
    manifest = write_shards(tmp_path, rows, origin=ORIGIN)
    with pq.ParquetFile(tmp_path / manifest.shards[0].name) as file:
        assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [32, 32, 6]


def test_features_are_described_beside_the_shards(wild: Path) -> None:
    described = json.loads((wild / "features.json").read_text())
    assert [each["name"] for each in described["features"]] == list(FEATURES)
    assert {each["unit"] for each in described["features"]} == {"1", "rad", "m"}
    assert [each["name"] for each in described["columns"]] == [each.name for each in COLUMNS]
    assert (described["fps"], described["schema_version"]) == (25.0, 2)


def test_the_same_rows_give_the_same_bytes_and_replace_nothing(wild: Path, tmp_path: Path) -> None:
    for _ in range(2):
        write_shards(tmp_path, map(wild_row, range(60)), origin={"kind": "recorded"}, shard_clips=16)
        assert bytes_of(tmp_path) == bytes_of(wild)


def test_an_older_corpus_stays_whole_until_the_newer_one_is(tmp_path: Path) -> None:
    write_shards(tmp_path, map(wild_row, range(30)), origin=ORIGIN, shard_clips=4)
    before = bytes_of(tmp_path)

    def breaking() -> Iterator[Row]:
        yield from (wild_row(number) for number in range(100, 130))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shards(tmp_path, breaking(), origin=ORIGIN, shard_clips=4)
    assert before.items() <= bytes_of(tmp_path).items()
    assert verify(tmp_path).clips() == 30

    write_shards(tmp_path, map(wild_row, range(100, 110)), origin=ORIGIN, shard_clips=4)
    kept = {shard.name for shard in load(tmp_path).shards}
    assert {path.name for path in tmp_path.glob("*.parquet")} == kept
    assert kept.isdisjoint(before)


def test_a_full_disk_in_the_middle_leaves_nothing_torn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".train-00000-torn.parquet").write_bytes(b"PAR1 what a kill leaves")
    real, written = sharding._write_groups, []

    def filling(*arguments: object) -> None:
        if len(written) == 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(real(*arguments))  # type: ignore[arg-type, func-returns-value]

    monkeypatch.setattr(sharding, "_write_groups", filling)
    with pytest.raises(FileProblem, match="No space left"):
        write_shards(tmp_path, map(wild_row, range(60)), origin=ORIGIN, shard_clips=4)
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    with pytest.raises(FileProblem, match="unfinished"):
        load(tmp_path)
    monkeypatch.undo()
    assert write_shards(tmp_path, map(wild_row, range(60)), origin=ORIGIN, shard_clips=4).clips() == 60
    verify(tmp_path)


def test_no_more_rows_wait_than_shards_need(tmp_path: Path) -> None:
    alive = 0
    most = 0

    class Counted(Row):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def rows() -> Iterator[Row]:
        nonlocal alive, most
        for number in range(300):
            alive, most = alive + 1, max(most, alive + 1)
            yield Counted(**vars(wild_row(number, person=None, family="one")))

    write_shards(tmp_path, rows(), origin=ORIGIN, shard_clips=20)
    assert most <= 25


def test_what_cannot_be_a_corpus_is_refused(corpus: Path, copied: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="'wild-3' comes twice"):
        write_shards(tmp_path / "twice", map(wild_row, [3, 4, 3]), origin=ORIGIN)
    with pytest.raises(InvalidInput, match="no clips"):
        write_shards(tmp_path / "none", [], origin=ORIGIN)
    with pytest.raises(InvalidInput, match="shard_clips"):
        write_shards(tmp_path / "zero", [wild_row(1)], origin=ORIGIN, shard_clips=0)
    with pytest.raises(FileProblem, match="acted corpus"):
        write_shards(copied, [wild_row(1)], origin=ORIGIN)
    assert bytes_of(copied) == bytes_of(corpus)


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"mine")
    (tmp_path / "shard-of-mine.parquet").write_bytes(b"mine too")
    write_shards(tmp_path, [wild_row(1)], origin=ORIGIN)
    assert (tmp_path / "ledger.sqlite").read_bytes() == b"mine"
    assert (tmp_path / "shard-of-mine.parquet").read_bytes() == b"mine too"


def test_a_damaged_shard_says_how_to_make_it_again(tmp_path: Path) -> None:
    write_shards(tmp_path, [wild_row(1)], origin=ORIGIN)
    (shard,) = tmp_path.glob("*.parquet")
    split = shard.name.split("-")[0]
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-100])
    with pytest.raises(FileProblem, match=r"cut short.*tdmm corpus build corpus\.yaml --out"):
        list(read(tmp_path, split))
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "origin": {"kind": "given"}}))
    with pytest.raises(FileProblem, match="Fetch it again"):
        verify(tmp_path)


@pytest.fixture(scope="module")
def one_shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flipped")
    write_shards(folder, (wild_row(number, person=None, family="one") for number in range(6)), origin=ORIGIN)
    return folder


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_a_flipped_byte_is_never_read_as_data(one_shard: Path, place: float, mask: int) -> None:
    (shard,) = one_shard.glob("*.parquet")
    split = shard.name.split("-")[0]
    expected = [clip.features.tobytes() for clip in read(one_shard, split)]
    whole = bytearray(shard.read_bytes())
    flipped = bytearray(whole)
    flipped[int(place * len(whole))] ^= mask
    try:
        shard.write_bytes(flipped)
        with pytest.raises(FileProblem, match=shard.name):
            verify(one_shard)
        with suppress(FileProblem):
            assert [clip.features.tobytes() for clip in read(one_shard, split)] == expected
    finally:
        shard.write_bytes(whole)


def test_the_first_schema_is_read_as_the_second(corpus: Path, first_schema: Path) -> None:
    assert verify(first_schema).schema_version == 1
    for split in ("train", "test"):
        for old, new in zip(read(first_schema, split), read(corpus, split), strict=True):
            assert old.row().columns == new.row().columns
            np.testing.assert_array_equal(old.features, new.features)
        assert [clip.family for clip in read(first_schema, split, ["family"])] == [
            clip.family for clip in read(corpus, split, ["family"])
        ]
    assert list(read(first_schema, "unused")) == []


def test_the_first_schema_is_packed_like_the_second(first_schema: Path, copied: Path, tmp_path: Path) -> None:
    old = Path(shutil.copytree(first_schema, tmp_path / "old"))
    np.testing.assert_array_equal(pack(old, "train").features, pack(copied, "train").features)
    np.testing.assert_array_equal(pack(old, "train").offsets, pack(copied, "train").offsets)


def test_a_newer_schema_is_refused(wild: Path, tmp_path: Path) -> None:
    manifest = json.loads((wild / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "schema_version": 3}))
    with pytest.raises(FileProblem, match=r"schema 3; this tdmm reads up to 2.*pip install --upgrade"):
        read(tmp_path, "train")


def test_wild_and_scripted_rows_lie_together(corpus: Path, tmp_path: Path) -> None:
    acted = [clip.row() for clip in read(corpus, "train")][:5]
    manifest = write_shards(tmp_path, [*acted, *map(wild_row, range(5))], origin=ORIGIN)
    assert manifest.balance["sources"] == {"acted": 5, "recorded": 5}
    assert [clip.script is None for clip in read(tmp_path, "train")] != []
    back = {clip.clip_id: clip.row() for split in SPLITS for clip in read(tmp_path, split)}
    assert all(back[row.clip_id].columns == replace(row).columns for row in acted)
