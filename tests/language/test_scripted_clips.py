from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tdmm.acting.script import Blink, Event, Script
from tdmm.corpus.act import act
from tdmm.corpus.mixing import Share
from tdmm.language.scripted_clips import ScriptedTokens, Tracker, scripted_tokens
from tdmm.motion.clip import FPS
from tdmm.motion.degradation import Faults

from .scripted import LEVELS, FakeTokenizer, script

_NONE = Faults(tilt=0, gain=0, jitter=0, smoothing=0, rate=0, dropped=0, partial=0, measured=0, brows=0)


class Counting(FakeTokenizer):
    """Its first code is the mean of a frame in tenths."""

    def encode_features(self, features: Tensor) -> Tensor:
        codes = torch.zeros(*features.shape[:2], LEVELS, dtype=torch.long)
        codes[..., 0] = (10 * features.mean(-1)).round().long()
        return codes


def clips() -> ScriptedTokens:
    features = np.repeat(np.array([[0.1], [0.5]], np.float32), (10, 25), axis=0) * np.ones((1, 58), np.float32)
    codes = np.zeros((35, LEVELS), np.int64)
    scripts = (script("pucker_lips", True), script("lower_brows", False))
    return ScriptedTokens(codes, np.array([0, 10, 35]), scripts, features, (1, None))


def test_clips_of_different_lengths_are_encoded_together() -> None:
    tracker = Tracker(clips(), Counting(), _NONE)
    seen = [tracker.seen(clip, np.random.default_rng(0)) for clip in (0, 1)]
    codes = tracker.encoded([features for features, _ in seen], "cpu")
    assert [len(each) for each in codes] == [10, 25]
    assert [each[0, 0] for each in codes] == [1, 5]
    assert [known.blinks for _, known in seen] == [1, None]
    assert tracker.encoded([], "cpu") == []


def test_what_is_hidden_is_not_asked_about() -> None:
    tracker = Tracker(clips(), FakeTokenizer(), Faults(**{**vars(_NONE), "partial": 1.0}))
    for seed in range(30):
        features, known = tracker.seen(0, np.random.default_rng(seed))
        head = features[:, 52:].any()
        names = [event.descriptor for event in known.script.events]
        assert bool(known.script.head) == bool(head)
        assert names in (["pucker_lips"], [])
        if not names:  # the mouth is hidden
            assert (known.blinks, bool(head)) == (1, True)
        if known.blinks is None:  # the eyes are
            assert names == ["pucker_lips"]


def test_a_corpus_gives_features_and_blinks(tmp_path: Path) -> None:
    act(tmp_path / "corpus", clips=40, seed=5, workers=1)
    told = scripted_tokens([Share(tmp_path / "corpus")], "train", FakeTokenizer(), tmp_path / "cache")
    assert told.features is not None
    assert isinstance(told.features, np.memmap)
    assert told.features.shape == (told.offsets[-1], 58)
    assert len(told.blinks) == len(told)
    assert None in told.blinks
    asked = [known for known in map(told.known, range(len(told))) if known.script.blinks and known.blinks is not None]
    assert all(known.blinks >= 1 for known in asked if known.blinks is not None)


def test_lengths_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="2 scripts"):
        ScriptedTokens(np.zeros((3, LEVELS), np.int64), np.array([0, 3]), clips().scripts)


def test_parts_of_clips_are_seen_with_what_they_show() -> None:
    held = Event(descriptor="smile", onset=0.2, apex=0.4, offset=2.6, end=3.0)
    whole = Script(seconds=4, events=(held,), blinks=(Blink(time=3.2),))
    features = np.repeat(np.arange(100, dtype=np.float32)[:, None] / 100, 58, axis=1)
    told = ScriptedTokens(np.zeros((100, LEVELS), np.int64), np.array([0, 100]), (whole,), features, (1,))
    tracker = Tracker(told, FakeTokenizer(), _NONE, excerpts=1.0)
    kept = 0
    for seed in range(20):
        seen, known = tracker.seen(0, np.random.default_rng(seed))
        assert 30 <= len(seen) <= 150
        assert known.blinks is None
        kept += (known.script.events[0].apex, known.script.events[0].offset) == (0, known.script.seconds)
        assert known.script.seconds == pytest.approx(len(seen) / FPS, abs=1 / FPS)
        begun = known.script.events[0].onset == 0
        assert begun == (seen[0, 0] > 0.09)  # where it is cut the script is
    assert 5 <= kept <= 18  # half of them hold it from first to last
    assert len(Tracker(told, FakeTokenizer(), _NONE).seen(0, np.random.default_rng(0))[0]) == 100
