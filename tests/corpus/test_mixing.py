from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tdmm.corpus.mixing import Blend, Share, about, read_share
from tdmm.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "folder", "weight"),
    [
        ("acted", "acted", 1.0),
        ("acted:0.7", "acted", 0.7),
        ("a/b:2", "a/b", 2.0),
        ("C:/data", "C:/data", 1.0),
        ("C:/data:3", "C:/data", 3.0),
        (":5", ":5", 1.0),
    ],
)
def test_a_share_is_a_folder_and_a_weight(text: str, folder: str, weight: float) -> None:
    assert read_share(text) == Share(Path(folder), weight)


def test_a_folder_that_is_there_is_meant(tmp_path: Path) -> None:
    (tmp_path / "take:2").mkdir()
    assert read_share(f"{tmp_path}/take:2") == Share(tmp_path / "take:2")


@pytest.mark.parametrize("weight", ["0", "-1", "nan", "inf"])
def test_weights_are_positive(weight: str) -> None:
    with pytest.raises(InvalidInput, match="positive"):
        read_share(f"acted:{weight}")


def test_one_corpus_is_drawn_as_if_it_were_not_mixed() -> None:
    one = Blend.of([50], [0.3])
    assert np.array_equal(one.places, np.arange(50))
    assert np.array_equal(one.epoch(np.random.default_rng(5)), np.random.default_rng(5).permutation(50))


def test_an_epoch_draws_by_weight_and_every_clip_about_equally() -> None:
    blend = Blend.of([300, 100], [1.0, 3.0])
    clips = blend.epoch(np.random.default_rng(0))
    assert len(clips) == len(blend) == 400
    assert np.bincount(blend.corpora[clips]).tolist() == [100, 300]
    seen = np.bincount(clips, minlength=400)
    assert set(seen[blend.corpora == 1]) == {3}
    assert set(seen[blend.corpora == 0]) == {0, 1}
    assert not np.array_equal(clips, blend.epoch(np.random.default_rng(1)))


def test_the_first_clips_come_from_all_corpora() -> None:
    blend = Blend.of([300, 100, 0], [1, 1, 1])
    assert np.bincount(blend.corpora[:40]).tolist() == [30, 10]
    for corpus, size in ((0, 300), (1, 100)):
        assert sorted(blend.places[blend.corpora == corpus]) == list(range(size))


def test_provenance_names_every_corpus(corpus: Path, wild: Path) -> None:
    assert about([Share(corpus)]) == {"seed": 7, "clips": 60, "digest": about([Share(corpus)])["digest"]}  # type: ignore[call-overload]
    acted, other = about([Share(corpus, 0.7), Share(wild, 0.3)])
    assert (acted["weight"], other["weight"], other["kind"]) == (0.7, 0.3, "recorded")  # type: ignore[index]
