"""Small corpora, made once."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from wild_clips import wild_row

from tdmm.corpus.act import act
from tdmm.corpus.manifest import sha256
from tdmm.corpus.sharding import write_shards

CLIPS, SHARD = 60, 20


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished corpus of 60 clips in three shards. Do not write in it."""
    folder = tmp_path_factory.mktemp("corpus") / "acted"
    act(folder, clips=CLIPS, seed=7, workers=1, shard_clips=SHARD)
    return folder


@pytest.fixture
def copied(corpus: Path, tmp_path: Path) -> Path:
    """A copy of it to break."""
    import shutil

    return Path(shutil.copytree(corpus, tmp_path / "copy"))


@pytest.fixture(scope="session")
def wild(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of 60 such clips of 20 persons. Do not write in it."""
    folder = tmp_path_factory.mktemp("corpus") / "wild"
    write_shards(folder, map(wild_row, range(60)), origin={"kind": "recorded"}, shard_clips=16)
    return folder


@pytest.fixture(scope="session")
def first_schema(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The acted corpus as schema 1 had it. Do not write in it."""
    folder = tmp_path_factory.mktemp("corpus") / "first"
    folder.mkdir()
    names = [
        "clip_id", "split", "seed", "seconds", "fps", "frames", "motion", "script", "events", "texts", "subject",
        "energy", "descriptors", "head",
    ]  # fmt: skip
    manifest = json.loads((corpus / "manifest.json").read_text())
    plan = {**json.loads((corpus / "plan.json").read_text()), "schema_version": 1}
    for shard in manifest["shards"]:
        with pq.ParquetFile(corpus / shard["name"]) as file:
            groups = [file.read_row_group(group, columns=names).select(names) for group in range(file.num_row_groups)]
        schema = groups[0].schema.with_metadata({"tdmm.schema_version": "1"})
        with pq.ParquetWriter(folder / shard["name"], schema, write_page_checksum=True) as writer:
            for group in groups:
                writer.write_table(group.cast(schema))
        shard["sha256"], shard["bytes"] = sha256(folder / shard["name"]), (folder / shard["name"]).stat().st_size
        for counts in (shard["clips"], shard["frames"]):
            del counts["unused"]
    (folder / "plan.json").write_text(json.dumps(plan))
    old = {"plan": plan, "shards": manifest["shards"], "balance": manifest["balance"]}
    (folder / "manifest.json").write_text(json.dumps(old))
    return folder
