"""What is read is what was acted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tdmm.acting.actor import perform
from tdmm.corpus.act import TEXTS_A_DETAIL
from tdmm.corpus.rows import DETAILS, events_from_json, events_to_json
from tdmm.corpus.shards import pack, read, verify
from tdmm.corpus.splits import SPLITS, family_of, split_of
from tdmm.errors import FileProblem, UnknownName
from tdmm.motion.features import to_features


def test_a_clip_holds_its_script_its_motion_and_its_words(corpus: Path) -> None:
    for clip in list(read(corpus, "train"))[:5]:
        performance = perform(clip.script, clip.seed)
        np.testing.assert_array_equal(clip.features, to_features(performance.motion))
        assert clip.motion.frames == clip.frames == round(clip.seconds * 25)
        assert [each.action for each in clip.events.actions] == [each.action for each in performance.events.actions]
        assert clip.descriptors == tuple(event.descriptor for event in clip.script.events)
        assert clip.head == tuple(motion.kind for motion in clip.script.head)
        assert clip.energy == clip.script.energy
        assert clip.subject == clip.script.subject
        assert [each.detail for each in clip.texts] == [d for d in DETAILS for _ in range(TEXTS_A_DETAIL)]
        assert all(each.text for each in clip.texts)
        assert clip.text("long", 1) == clip.texts[5].text


def test_splits_partition_the_corpus(corpus: Path) -> None:
    for split in SPLITS:
        for clip in read(corpus, split):
            assert clip.script is not None
            family = family_of(clip.script) or str(int(clip.clip_id.rsplit("-", 1)[1]))
            assert clip.family == family
            assert clip.split == split == split_of(family, None, clip.clip_id)


def test_only_named_columns_are_read(corpus: Path) -> None:
    clip = next(read(corpus, "train", ["clip_id", "texts"]))
    assert clip.text("short")
    with pytest.raises(ValueError, match="columns"):
        _ = clip.features
    with pytest.raises(ValueError, match="script"):
        _ = clip.script
    motion = next(read(corpus, "train", ["motion"]))
    assert motion.features.shape[1] == 58


def test_pack_holds_the_clips_in_order_and_is_made_once(copied: Path) -> None:
    packed = pack(copied, "train")
    clips = list(read(copied, "train", ["motion"]))
    assert len(packed) == len(clips)
    for number, clip in enumerate(clips):
        np.testing.assert_array_equal(packed.clip(number), clip.features)
    assert packed.features.dtype == np.float32
    assert not packed.features.flags.writeable
    (copied / "shard-00000.parquet").unlink()
    np.testing.assert_array_equal(pack(copied, "train").offsets, packed.offsets)


def test_events_survive_json(corpus: Path) -> None:
    events = perform(next(read(corpus, "train")).script, 3).events
    once = events_from_json(events_to_json(events))
    assert events_from_json(events_to_json(once)) == once
    assert [each.action for each in once.actions] == [each.action for each in events.actions]


def test_missing_torn_and_unfinished_are_told(copied: Path, tmp_path: Path) -> None:
    shard = copied / "shard-00002.parquet"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-100])
    with pytest.raises(FileProblem, match="cut short"):
        list(read(copied, "train"))
    shard.write_bytes(whole[:-8] + b"12345678")
    with pytest.raises(FileProblem, match="corpus act --clips 60 --seed 7"):
        list(read(copied, "train"))
    shard.unlink()
    with pytest.raises(FileProblem, match="missing"):
        pack(copied, "train")
    with pytest.raises(FileProblem, match="missing"):
        verify(copied)
    (copied / "manifest.json").unlink()
    with pytest.raises(FileProblem, match="unfinished"):
        read(copied, "train")
    with pytest.raises(FileProblem, match="no corpus"):
        read(tmp_path, "train")
    (copied / "manifest.json").write_text("{")
    with pytest.raises(FileProblem, match=r"manifest\.json"):
        read(copied, "train")


def test_unknown_names_are_told(corpus: Path) -> None:
    with pytest.raises(UnknownName, match="train"):
        read(corpus, "trian")
    with pytest.raises(UnknownName, match="Did you mean 'motion'"):
        read(corpus, "train", ["motoin"])
