from __future__ import annotations

import numpy as np
import pytest

from tdmm.corpus.act import acted_row
from tdmm.corpus.quality.duplicates import Kept, likeness, near_duplicates, signature, signature_of
from tdmm.errors import InvalidInput
from tdmm.motion.features import FEATURES, from_features
from tdmm.motion.timeline import resample

CLIPS = 40


@pytest.fixture(scope="module")
def clips() -> list[np.ndarray]:
    """Acted clips in which something happens."""
    made = [acted_row(7, index).features for index in range(CLIPS + 6)]
    return [each for each in made if np.ptp(each[:, :52], axis=0).sum() > 1.0][:CLIPS]


def test_different_clips_are_different(clips: list[np.ndarray]) -> None:
    assert near_duplicates(map(signature_of, clips)) == []


@pytest.mark.parametrize("change", ["exact", "later", "earlier", "noisy", "louder"])
def test_copies_are_found_and_name_the_one_that_is_kept(clips: list[np.ndarray], change: str) -> None:
    draw = np.random.default_rng(0)
    copies = []
    for clip in clips:
        later = np.concatenate([np.repeat(clip[:1], 2, 0), clip[:-2]])
        noise = draw.normal(0, 0.005, clip.shape) * np.where(np.arange(len(FEATURES)) < 52, 1.0, 0.1)
        copies.append(
            {"exact": clip, "later": later, "earlier": clip[2:], "noisy": clip + noise, "louder": 0.9 * clip}[change]
        )
    found = near_duplicates(map(signature_of, [*clips, *copies]))
    assert len(found) >= 0.97 * len(clips)
    assert all(each.place == each.kept + len(clips) for each in found)
    assert all(0.98 <= each.likeness <= 1.0001 for each in found)


def test_the_first_is_kept_of_many(clips: list[np.ndarray]) -> None:
    found = near_duplicates(map(signature_of, [clips[0], clips[1], clips[0], clips[0], clips[1]]))
    assert [(each.place, each.kept) for each in found] == [(2, 0), (3, 0), (4, 1)]


def test_frame_rate_does_not_matter(clips: list[np.ndarray]) -> None:
    motion = from_features(clips[0])
    assert likeness(signature(resample(motion, 60.0)), signature(motion)) > 0.99


def test_still_faces_are_nobodys_copies() -> None:
    still = np.zeros((100, len(FEATURES)), np.float32)
    assert near_duplicates(map(signature_of, [still, still, still[:3], still[:1]])) == []


def test_another_length_is_another_clip(clips: list[np.ndarray]) -> None:
    half = clips[0][: len(clips[0]) // 2]
    assert likeness(signature_of(clips[0]), signature_of(half)) == -1.0


def test_few_are_compared_with_few() -> None:
    """The search looks at near ones alone: random walks share hardly any bucket."""
    draw = np.random.default_rng(1)
    kept = Kept()
    for _ in range(200):
        walk = np.cumsum(draw.normal(0, 0.02, (100, len(FEATURES))), axis=0)
        assert kept.offer(signature_of(walk)) is None
    sizes = [len(rows) for bucket in kept._buckets for rows in bucket.values()]
    assert np.mean(sizes) < 3


def test_a_threshold_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"give 0\.9 to 1"):
        Kept(0.5)
