"""What a corpus holds, measured and shown."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from wild_clips import wild_row

from tdmm.acting.lexicon import load as load_lexicon
from tdmm.acting.script import Event, Script
from tdmm.corpus.card import evenness_lines, front_matter, write_card
from tdmm.corpus.manifest import load
from tdmm.corpus.sharding import write_shards
from tdmm.corpus.shards import read
from tdmm.corpus.splits import SPLITS
from tdmm.corpus.stats import Evenness, measure
from tdmm.errors import MissingDependency
from tdmm.motion.features import from_features


def test_evenness_is_told_against_the_mean() -> None:
    even = Evenness({"grin": 19, "pout": 21, "squint": 20, "smirk": 0})
    assert even.mean == 15
    assert even.deviation("pout") == pytest.approx(0.4)
    assert even.ordered() == ["smirk", "grin", "squint", "pout"]
    assert even.within() == 0
    assert Evenness({"grin": 19, "pout": 21, "squint": 20}).within() == 3
    assert Evenness({"grin": 1, "pout": 2}).within_one() == 2


def test_measured_is_what_was_written(tmp_path: Path) -> None:
    def row(number: int) -> object:
        features = np.zeros((25, 58), np.float32)
        features[10, 53] = np.deg2rad(20)  # turns to its left and back
        features[20, 53] = -np.deg2rad(10)
        event = Event(descriptor=("grin", "pout")[number % 2], intensity=0.4, onset=0.1, apex=0.2, offset=0.3, end=0.4)
        script = Script(seconds=1, events=(event,), subject=("a man", "a woman")[number // 6])
        return replace(wild_row(number), motion=from_features(features), script=script, descriptors=None)

    write_shards(tmp_path, [*map(row, range(12)), wild_row(50)], origin={"kind": "built"})  # type: ignore[list-item]
    found = measure(tmp_path)
    counts = found.descriptors.counts
    assert {name: count for name, count in counts.items() if count} == {"grin": 6, "pout": 6, "happy": 1}
    assert set(counts) == {*load_lexicon().descriptors, "happy"}  # what nobody shows is missing
    assert found.subjects.counts == {"a man": 6, "a woman": 6}
    assert found.crossed.counts["a man x grin"] == 3
    assert found.crossed.counts["a man x happy"] == 0
    assert len(found.crossed.counts) == 2 * len(counts)
    np.testing.assert_allclose(np.sort(found.head_deg[:, 1])[-12:], 30, atol=1e-3)
    assert found.intensities.tolist() == [0.4] * 12
    assert (found.undirected, found.texts, sum(found.splits.values())) == (1, 13, 13)
    assert found.families == 2


def test_an_acted_corpus_is_even_and_says_so(corpus: Path) -> None:
    found = measure(corpus)
    clips = [clip for split in SPLITS for clip in read(corpus, split)]
    assert len(found.seconds) == len(clips) == 60
    assert sum(found.descriptors.counts.values()) == sum(len(clip.descriptors) for clip in clips)
    assert found.descriptors.within_one() == len(found.descriptors.counts)
    descriptors, crossed = evenness_lines(found)
    assert descriptors.startswith(f"descriptors: {len(found.descriptors.counts)}, ")
    assert crossed.startswith("subject x descriptor: ")


def test_a_card_shows_the_corpus(wild: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(wild, tmp_path / "wild"))
    path = write_card(folder, title="Sixty faces", licence="cc-by-4.0")
    text = path.read_text()
    told = yaml.safe_load(text.split("---")[1])
    assert (told["pretty_name"], told["license"], told["size_categories"]) == ("Sixty faces", "cc-by-4.0", ["n<1K"])
    files = {each["split"]: each["path"] for each in told["configs"][0]["data_files"]}
    assert files["train"] == [shard.name for shard in load(folder).shards if shard.clips.get("train")]
    assert all((folder / name).is_file() for names in files.values() for name in names)
    pictures = {Path(word.split("(")[-1].rstrip(")")) for word in text.split() if "](figures/" in word}
    drawn = set((folder / "figures").iterdir())
    assert {folder / each for each in pictures} == drawn
    # Nobody was directed and nobody named: there are no intensities and no subjects to draw.
    assert {each.stem for each in drawn} == {"durations", "descriptors", "head", "motions"}
    assert all(each.read_bytes().startswith(b"\x89PNG") and each.stat().st_size > 2000 for each in drawn)
    assert "| recorded | 60 |" in text
    before = {each: each.read_bytes() for each in [path, *drawn]}
    write_card(folder, title="Sixty faces", licence="cc-by-4.0")
    assert {each: each.read_bytes() for each in before} == before


def test_files_of_several_splits_are_one_for_the_hub(corpus: Path) -> None:
    (files,) = front_matter(load(corpus), "acted", "unknown")["configs"][0]["data_files"]
    assert files == {"split": "train", "path": [shard.name for shard in load(corpus).shards]}


def test_unused_clips_are_told(tmp_path: Path) -> None:
    rows = (wild_row(number, family=f"family-{number % 7}") for number in range(120))
    manifest = write_shards(tmp_path, rows, origin={"kind": "built"})
    assert manifest.balance["splits"]["unused"] == manifest.clips("unused") > 0
    assert f"{manifest.clips('unused')} clips are in none of the three" in write_card(tmp_path).read_text()
    assert json.loads((tmp_path / "manifest.json").read_text())["clips"] == 120


def test_without_matplotlib_the_extra_is_named(wild: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependency, match=r"tdmm\[eval\]"):
        write_card(wild)
    assert not (wild / "figures").exists()
