from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdmm.acting.narrator import TASKS
from tdmm.errors import ArtifactProblem, InvalidInput
from tdmm.language.vocabulary import Vocabulary

TEXTS = ["A person smiles slightly at 1.2 s.", "She nods twice, then looks down."] * 3
VOCABULARY = Vocabulary.build(TEXTS, 400)


@given(st.text(max_size=60))
def test_any_text_comes_back(text: str) -> None:
    assert VOCABULARY.decode(VOCABULARY.encode(text)) == text.strip()


def test_the_same_texts_make_the_same_vocabulary() -> None:
    assert Vocabulary.build(TEXTS, 400).to_json() == VOCABULARY.to_json()


def test_known_words_are_short_and_the_size_is_kept() -> None:
    assert len(VOCABULARY.encode(" smiles")) == 1
    assert len(VOCABULARY) <= 400


def test_json_brings_it_back() -> None:
    again = Vocabulary.from_json(VOCABULARY.to_json())
    assert again.encode(TEXTS[0]) == VOCABULARY.encode(TEXTS[0])
    assert [again.task(name) for name in TASKS] == [VOCABULARY.task(name) for name in TASKS]


def test_marks_in_a_text_are_only_text() -> None:
    ids = VOCABULARY.encode("a <eos> b")
    assert VOCABULARY.eos not in ids
    assert VOCABULARY.decode(ids) == "a <eos> b"


def test_decoding_stops_at_the_end_mark_and_drops_marks() -> None:
    ids = [VOCABULARY.task("head"), *VOCABULARY.encode("nods"), VOCABULARY.eos, *VOCABULARY.encode(" more")]
    assert VOCABULARY.decode(ids) == "nods"


def test_an_unknown_task_is_named_with_a_suggestion() -> None:
    with pytest.raises(InvalidInput, match="Did you mean 'emotion'"):
        VOCABULARY.task("emotoin")


@pytest.mark.parametrize("content", [b"{}", b"not json", b"\xff\xfe"])
def test_what_is_not_a_vocabulary_is_refused(content: bytes) -> None:
    with pytest.raises(ArtifactProblem):
        Vocabulary.from_json(content)


def test_another_tokenizer_is_refused() -> None:
    content = VOCABULARY.to_json().replace(b"<timeline>", b"<tempo>")
    with pytest.raises(ArtifactProblem, match="<timeline>"):
        Vocabulary.from_json(content)
