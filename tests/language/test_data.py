from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from tdmm.corpus import shards
from tdmm.corpus.act import act
from tdmm.corpus.mixing import Share
from tdmm.corpus.rows import Clip, Row, Text
from tdmm.corpus.sharding import write_shards
from tdmm.errors import FileProblem, InvalidInput
from tdmm.language import data, plan_codes
from tdmm.language.data import Batches, Pairs, codebooks, collate, corrupt, in_order
from tdmm.language.scripted_clips import scripted_tokens
from tdmm.language.text_encoder import HashedWords
from tdmm.motion.events import HeadEvent, MotionEvents
from tdmm.motion.features import from_features


def same(first: data.Batch, second: data.Batch) -> bool:
    return np.array_equal(first.codes, second.codes) and torch.equal(first.text.states, second.text.states)


def test_batch_depends_on_seed_and_step_alone(pairs: Pairs) -> None:
    straight, late = Batches(pairs, 2, seed=3), Batches(pairs, 2, seed=3)
    steps = [straight.batch(step) for step in range(7)]
    assert same(late.batch(5), steps[5])
    assert same(late.batch(2), steps[2])
    other = Batches(pairs, 2, seed=4)
    assert not all(same(other.batch(step), steps[step]) for step in range(7))


def test_every_clip_comes_once_an_epoch(pairs: Pairs) -> None:
    batches = Batches(pairs, 2, seed=0)
    for epoch in range(3):
        seen = [frames for step in (0, 1) for frames in batches.batch(2 * epoch + step).frames]
        assert sorted(seen) == [20, 25, 30, 35]


def test_both_texts_of_a_clip_are_used(pairs: Pairs) -> None:
    batches = Batches(pairs, 4, seed=0)
    lengths = {tuple(sorted(batches.batch(step).text.mask.sum(1).tolist())) for step in range(8)}
    assert len(lengths) > 1


def test_batch_larger_than_the_corpus_is_the_corpus(pairs: Pairs) -> None:
    assert len(Batches(pairs, 64, seed=0).batch(9).frames) == 4


def test_collate_pads_with_zeros(pairs: Pairs) -> None:
    batch = collate(pairs, np.array([0, 3]), np.array([0, 3]))
    assert batch.codes.shape == (2, 35, 2)
    assert np.array_equal(batch.codes[0, :20], pairs.clips.codes[:20])
    assert not batch.codes[0, 20:].any()
    assert batch.text.mask.sum(1).tolist() == [2, 8]
    assert not batch.text.states[0, 2:].any()


def test_evaluation_goes_through_all_clips_in_a_fixed_order(pairs: Pairs) -> None:
    assert [batch.frames.tolist() for batch in in_order(pairs, 3, 10)] == [[20, 25, 30], [35]]
    assert [batch.frames.tolist() for batch in in_order(pairs, 3, 2)] == [[20, 25]]


def test_corruption_spoils_up_to_its_share_and_stays_in_range(pairs: Pairs) -> None:
    batch = collate(pairs, np.arange(4), np.arange(4))
    assert np.array_equal(corrupt(batch, 0.0, 8, np.random.default_rng(0)), batch.codes)
    spoilt = np.stack([corrupt(batch, 0.5, 8, np.random.default_rng(seed)) for seed in range(50)])
    assert spoilt.min() >= 0
    assert spoilt.max() < 8
    valid = np.arange(35) < batch.frames[:, None]
    share = (spoilt != batch.codes).any(-1)[:, valid].mean()
    assert 0.1 < share < 0.25  # a quarter is drawn on average, some of it falls on the same code


def test_codebooks_sum_to_the_latents(tokenizer: data.FrameTokenizer) -> None:
    books = codebooks(tokenizer)
    codes = torch.randint(0, 8, (1, 30, 2), generator=torch.Generator().manual_seed(0))
    sums = books[0, codes[..., 0]] + books[1, codes[..., 1]]
    assert torch.allclose(sums, tokenizer.latents(codes), atol=1e-6)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "acted"
    act(folder, clips=24, seed=5, workers=1)
    return folder


def test_corpus_becomes_pairs_once(
    corpus: Path, tokenizer: data.FrameTokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = HashedWords(16)
    pairs = data.pairs_of([Share(corpus)], "train", tokenizer, encoder, tmp_path, texts_per_clip=4)

    clips = list(shards.read(corpus, "train"))
    assert len(pairs) == len(clips)
    assert np.array_equal(np.diff(pairs.clips.offsets), [clip.frames for clip in clips])
    expected = tokenizer.encode_features(torch.from_numpy(np.array(clips[3].features))[None])[0]
    start, end = pairs.clips.offsets[3:5]
    assert np.array_equal(pairs.clips.codes[start:end], expected)
    first, last = pairs.plans.offsets[3:5]
    assert np.array_equal(pairs.plans.codes[first:last], _plan(clips[3]))
    # One text of each level of detail, then the second ones.
    for which, text in enumerate((clips[3].text("short"), clips[3].text("medium"), clips[3].text("long"))):
        states = encoder.encode([text], truncate=True).states[0].half()
        stored = collate(pairs, np.array([3]), pairs.texts[[3], which]).text.states[0]
        assert torch.equal(stored, states.float())

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(encoder, "encode", refuse)
    monkeypatch.setattr(tokenizer, "encode_features", refuse)
    again = data.pairs_of([Share(corpus)], "train", tokenizer, encoder, tmp_path, texts_per_clip=4)
    assert np.array_equal(again.clips.codes, pairs.clips.codes)


def _plan(clip: Clip) -> plan_codes.PlanCodes:
    return plan_codes.encode(plan_codes.Plan(clip.events, clip.frames, plan_codes.expressions_of(clip.script)))


def test_plans_need_no_tokenizer(corpus: Path, tmp_path: Path) -> None:
    pairs = data.pairs_of([Share(corpus)], "train", None, HashedWords(16), tmp_path, texts_per_clip=2)
    batch = Batches(pairs, 4, seed=1).batch(0)
    assert batch.codes.shape[2] == 0
    assert batch.plans.shape[:2] == (4, 1 + batch.events.max())
    assert np.array_equal(batch.plans[:, 0, plan_codes.ONSET], batch.frames)


def test_another_tokenizer_has_its_own_cache(
    corpus: Path, tokenizer: data.FrameTokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.tokenise(data.choose(corpus, "train", "script"), tokenizer, tmp_path)
    monkeypatch.setattr(tokenizer, "fingerprint", "other", raising=False)
    data.tokenise(data.choose(corpus, "train", "script"), tokenizer, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_missing_corpus_says_how_to_make_one(tokenizer: data.FrameTokenizer, tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="tdmm corpus act"):
        data.tokenise(data.choose(tmp_path / "none", "train", "script"), tokenizer, tmp_path)


@pytest.fixture(scope="module")
def captioned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of the wild: 30 with a caption and what was read from them, 10 with a caption alone."""
    draw = np.random.default_rng(0)
    rows = []
    for number in range(40):
        motion = from_features(draw.random((20 + number % 5, 58)).astype(np.float32))
        texts = tuple(Text("medium", f"number {number} {word}") for word in ("smiles", "grins")[: 1 + number % 2])
        events = MotionEvents(head=(HeadEvent("nod", 8.0, 2, 0.1, 0.7),)) if number % 4 else None
        rows.append(Row(f"wild-{number}", motion, "recorded", texts, events=events))
    folder = tmp_path_factory.mktemp("corpus") / "captioned"
    write_shards(folder, rows, origin={"kind": "recorded"})
    return folder


def test_corpora_are_joined_without_a_word_or_a_frame_changed(
    corpus: Path, captioned: Path, tokenizer: data.FrameTokenizer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder = HashedWords(16)
    parts = [data.pairs_of([Share(folder)], "train", tokenizer, encoder, tmp_path, 2) for folder in (corpus, captioned)]
    lacking = sum(not clip.has("events") for clip in shards.read(captioned, "train"))
    assert lacking > 0
    told = " ".join(capsys.readouterr().err.split())
    assert f"{lacking} of {lacking + len(parts[1])} train clips" in told
    assert "have no texts or no events: they are left out" in told
    both = data.pairs_of([Share(corpus, 1), Share(captioned, 3)], "train", tokenizer, encoder, tmp_path, 2)
    assert len(both) == len(parts[0]) + len(parts[1])
    assert both.blend is not None
    for number, (which, place) in enumerate(zip(both.blend.corpora, both.blend.places, strict=True)):
        one = parts[which]
        joined = collate(both, np.array([number]), both.texts[[number], 1])
        assert same(joined, collate(one, np.array([place]), one.texts[[place], 1]))
        assert np.array_equal(joined.plans, collate(one, np.array([place]), one.texts[[place], 1]).plans)
    batches = Batches(both, 4, seed=0)
    drawn = [number for step in range(len(both) // 4) for number in batches.batch(step).events]
    assert drawn.count(1) > 0.6 * len(drawn), "three of four are wild, and those nod once and do no more"


def test_a_corpus_without_what_is_needed_is_named(captioned: Path) -> None:
    with pytest.raises(InvalidInput, match=r"captioned have no script, which this model learns from"):
        data.choose(captioned, "train", "script")


def test_one_corpus_is_enough_to_validate_with(captioned: Path, tmp_path: Path) -> None:
    act(tmp_path / "larger", clips=60, seed=5, workers=1)
    both = [Share(tmp_path / "larger"), Share(captioned, 0.5)]
    with pytest.raises(InvalidInput, match="have no script"):
        data.choose_all(both, "train", "script")
    ((chosen, weight),) = data.choose_all(both, "validation", "script")
    assert (chosen.corpus, weight) == (tmp_path / "larger", 1.0)
    with pytest.raises(InvalidInput):
        data.choose_all(both[1:], "validation", "script")


def test_only_scripted_clips_are_answered_about(
    corpus: Path, captioned: Path, tokenizer: data.FrameTokenizer, tmp_path: Path
) -> None:
    mixed = tmp_path / "mixed"
    rows = [clip.row() for folder in (captioned, corpus) for clip in shards.read(folder, "train")]
    write_shards(mixed, rows[20:50], origin={"kind": "built"})
    scripted = {row.content for row in rows[20:50] if row.script is not None}
    told = scripted_tokens([Share(mixed)], "train", tokenizer, tmp_path)
    assert 0 < len(told) == len(scripted) < 30
    assert told.features is not None
    for clip in range(len(told)):
        features = told.features[told.offsets[clip] : told.offsets[clip + 1]]
        assert hashlib.sha256(np.ascontiguousarray(features).tobytes()).hexdigest() in scripted
        expected = tokenizer.encode_features(torch.from_numpy(np.array(features))[None])[0]
        assert np.array_equal(told.clip(clip), expected)
    both = scripted_tokens([Share(mixed), Share(corpus, 2)], "train", tokenizer, tmp_path)
    assert both.blend is not None
    alone = scripted_tokens([Share(corpus)], "train", tokenizer, tmp_path)
    for number in np.flatnonzero(both.blend.corpora == 1):
        place = both.blend.places[number]
        assert both.scripts[number] == alone.scripts[place]
        assert both.known(number) == alone.known(place)
        assert np.array_equal(both.clip(number), alone.clip(place))
