from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tdmm.errors import FileProblem, InvalidInput
from tdmm.language.hub import quiet
from tdmm.language.merging import merge
from tdmm.language.motion2language import Motion2Language
from tdmm.language.pretrained_words import PretrainedWords
from tdmm.tokens.tokenizer import MotionTokens

from . import scripted
from .scripted import FINGERPRINT, LEVELS, SIZE
from .tiny_models import checkpoint, model


def clip(levels: int) -> MotionTokens:
    return MotionTokens(np.random.default_rng(0).integers(0, SIZE, (30, levels)), FINGERPRINT)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(("motion", "levels"), [("frames", LEVELS), ("tokens", 1)])
def test_merged_it_says_the_same(tmp_path: Path, motion: str, levels: int, tied: bool) -> None:
    original = model(checkpoint(tmp_path / "base", tied=tied), motion=motion)
    told = original.describe([clip(levels)], max_tokens=12)
    merge(original, tmp_path / "merged")
    again = Motion2Language.load(tmp_path / "merged")
    assert again.describe([clip(levels)], max_tokens=12) == told
    assert json.loads((tmp_path / "merged" / "config.json").read_text())["tie_word_embeddings"] is tied
    with pytest.raises(InvalidInput, match="no adapter to merge"):
        merge(again, tmp_path / "twice")


@pytest.mark.parametrize("chat", [True, False])
def test_any_program_for_language_models_gets_the_same_text_from_the_written_prompt(tmp_path: Path, chat: bool) -> None:
    """What a server does: it knows the folder and the prompt, and nothing of tdmm."""
    original = model(checkpoint(tmp_path / "base", chat=chat), motion="tokens")
    prompt = original.vocabulary.written(clip(1).codes[:, 0], "head")  # type: ignore[union-attr]
    forbidden = original.vocabulary.never_written
    told = original.describe([clip(1)], "head", max_tokens=10)[0]
    merge(original, tmp_path / "merged")
    assert PretrainedWords.of(tmp_path / "merged").written(clip(1).codes[:, 0], "head") == prompt

    with quiet():
        served = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
        tokenizer = AutoTokenizer.from_pretrained(tmp_path / "merged")
    ids = torch.tensor([tokenizer(prompt, add_special_tokens=False)["input_ids"]])
    spare = range(len(tokenizer), served.config.vocab_size)
    out = served.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=10, do_sample=False,
        suppress_tokens=[*forbidden, *spare],
    )  # fmt: skip
    assert tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True).strip() == told


def test_the_folder_says_how_to_ask(tmp_path: Path) -> None:
    base = checkpoint(tmp_path / "base")
    merge(model(base, motion="tokens"), tmp_path / "merged")
    card = (tmp_path / "merged" / "README.md").read_text()
    assert "<|motion_start|><|motion_0|><|motion_1|><|motion_end|>" in card
    assert "How does the head move?" in card
    assert str(tmp_path) not in card
    merge(model(base), tmp_path / "merged")
    assert "embedding a frame" in (tmp_path / "merged" / "README.md").read_text()


def test_a_merge_that_fails_leaves_the_old_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = model(checkpoint(tmp_path / "base"))
    (tmp_path / "merged").mkdir()
    (tmp_path / "merged" / "old").touch()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(original.vocabulary.tokenizer), "save_pretrained", full)  # type: ignore[union-attr]
    with pytest.raises(FileProblem, match="No space left"):
        merge(original, tmp_path / "merged")
    assert [path.name for path in (tmp_path / "merged").iterdir()] == ["old"]
    assert {path.name for path in tmp_path.iterdir()} == {"base", "merged"}


def test_the_small_model_has_no_adapter(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no adapter to merge"):
        merge(scripted.model(), tmp_path / "merged")
