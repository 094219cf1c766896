from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tdmm.errors import InvalidConfig
from tdmm.face.channels import INDEX
from tdmm.tokens.data import Mixture, MixtureConfig


def clips(lengths: list[int]) -> Any:
    """Clip n holds n in every column but the first, which counts its frames."""
    parts = []
    for number, length in enumerate(lengths):
        part = np.full((length, 58), number, np.float32)
        part[:, 0] = np.arange(length)
        parts.append(part)
    return SimpleNamespace(features=np.concatenate(parts), offsets=np.cumsum([0, *lengths]))


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    one, other = (Mixture([], MixtureConfig(random_share=1), seed=5) for _ in range(2))
    other.batch(3, 4)
    assert np.array_equal(one.batch(8, 4), other.batch(8, 4))
    assert not np.array_equal(one.batch(8, 4), one.batch(9, 4))


def test_windows_stay_within_one_clip_and_short_clips_hold_their_last_frame() -> None:
    mixture = Mixture([(clips([40, 9, 100]), 1.0)], MixtureConfig(frames=16, random_share=0), seed=1)
    batch = np.concatenate([mixture.batch(step, 32) for step in range(8)])
    assert (batch[:, :, 1] == batch[:, :1, 1]).all()
    assert set(np.unique(batch[:, :, 1])) == {0, 1, 2}
    steps = np.diff(batch[:, :, 0], axis=1)
    assert set(np.unique(steps[batch[:, 0, 1] != 1])) == {1}
    assert batch[batch[:, 0, 1] == 1][:, -1, 0].max() == 8
    starts = batch[batch[:, 0, 1] == 2][:, 0, 0]
    assert starts.min() == 0
    assert starts.max() == 84


def test_several_corpora_are_drawn_from_by_weight() -> None:
    config = MixtureConfig(frames=16, random_share=0)
    first, other = clips([40, 60]), clips([50])
    other.features[:, 1] = 9
    alone = Mixture([(first, 0.2)], config, seed=1)
    assert np.array_equal(alone.batch(4, 8), Mixture([(first, 7.0)], config, seed=1).batch(4, 8))
    mixture = Mixture([(first, 1.0), (other, 3.0)], config, seed=1)
    batch = np.concatenate([mixture.batch(step, 50) for step in range(40)])
    assert 0.72 < (batch[:, 0, 1] == 9).mean() < 0.78
    assert (batch[:, :, 1] == batch[:, :1, 1]).all()
    assert np.array_equal(mixture.batch(3, 50), batch[150:200])


def test_random_combinations_are_faces_on_a_head() -> None:
    config = MixtureConfig(frames=50, random_share=1)
    batch = Mixture([], config, seed=0).batch(0, 256)
    face, head, place = batch[..., :52], np.rad2deg(batch[..., 52:55]), batch[..., 55:]
    assert face.min() == 0
    assert face.max() <= 1
    assert (face.reshape(-1, 52).max(0) > 0.6).all(), "every channel is shown far"
    assert np.abs(head).max() <= 40.01
    assert np.abs(head).max() > 25
    assert np.abs(place).max() <= 0.0501
    assert np.abs(np.diff(face, axis=1)).mean() < 0.05, "smooth"
    up, down = batch[..., INDEX["eyeLookUpLeft"]], batch[..., INDEX["eyeLookDownLeft"]]
    assert (np.minimum(up, down) == 0).all()


def test_a_mixture_without_a_corpus_is_random_throughout() -> None:
    with pytest.raises(InvalidConfig, match="corpus"):
        Mixture([], MixtureConfig(random_share=0.5), seed=0)


def test_tracked_windows_are_acted_ones_with_a_tracker_s_faults() -> None:
    still = SimpleNamespace(features=np.full((200, 58), 0.5, np.float32), offsets=np.array([0, 200]))
    config = MixtureConfig(frames=16, random_share=0.25, tracked_share=0.5, random_weight=0.2, random_loss=0.6)
    mixture: Mixture = Mixture([(still, 1.0)], config, seed=3)  # type: ignore[list-item]
    batch = mixture.batch(0, 16)
    changed = np.abs(batch - 0.5).max((1, 2)) > 1e-6
    assert changed[:12].sum() > 9, "random ones first, tracked ones next"
    assert not changed[12:].any()
    teaching, counting = mixture.weights(16)
    assert teaching.tolist() == pytest.approx([0.2] * 12 + [1.0] * 4)
    assert counting.tolist() == pytest.approx([0.6] * 12 + [1.0] * 4)
