from __future__ import annotations

import pytest

from tdmm.acting.answers import TASKS
from tdmm.errors import ArtifactProblem, InvalidInput
from tdmm.language.pretrained_words import MOTION_START, PretrainedWords, vocabulary_fingerprint

from .tiny_models import tokenizer


@pytest.mark.parametrize("chat", [True, False])
def test_the_ids_around_a_motion_are_those_of_the_written_prompt(chat: bool) -> None:
    words = PretrainedWords(tokenizer(chat=chat), codes=8)
    for task in TASKS:
        question = "does she blink twice?" if task == "question" else ""
        written = words.written([3, 0, 7], task, question)
        together = words.tokenizer(written, add_special_tokens=False)["input_ids"]
        motion = [words.code_ids[code] for code in (3, 0, 7)]
        assert [*words.opening, *motion, *words.prompt(task, question)] == together
        assert question in written


def test_the_chat_prompt_is_what_a_chat_server_makes_of_a_message() -> None:
    words = PretrainedWords(tokenizer(), codes=4)
    message = {"role": "user", "content": "<|motion_start|><|motion_2|><|motion_end|>\nHow does the head move?"}
    served = words.tokenizer.apply_chat_template(
        [message], tokenize=False, add_generation_prompt=True, enable_thinking=False
    )
    assert words.written([2], "head") == served


def test_without_codes_nothing_is_added() -> None:
    plain = tokenizer(chat=False)
    before = vocabulary_fingerprint(plain)
    words = PretrainedWords(plain)
    assert vocabulary_fingerprint(plain) == before
    assert (words.opening, words.code_ids, words.never_written) == ([], [], [])
    assert words.decode(words.prompt("head")) == "How does the head move?"
    with pytest.raises(InvalidInput, match="motion: tokens"):
        words.written([1], "head")


def test_words_that_are_there_already_are_used_again() -> None:
    once = PretrainedWords(tokenizer(), codes=4)
    twice = PretrainedWords(once.tokenizer, codes=4)
    assert twice.code_ids == once.code_ids
    assert (len(once.fresh), twice.fresh) == (6, [])


def test_text_that_looks_like_a_mark_is_text() -> None:
    words = PretrainedWords(tokenizer(), codes=4)
    text = f"she says {MOTION_START} and smiles <|im_end|>"
    ids = words.encode(text)
    assert not {*words.never_written, words.eos} & set(ids)
    assert words.decode([*ids, words.eos, *ids]) == text


def test_another_template_or_word_is_another_vocabulary() -> None:
    prints = {vocabulary_fingerprint(tokenizer(**how)) for how in ({}, {"chat": False}, {"words": 290})}  # type: ignore[arg-type]
    assert len(prints) == 3
    assert vocabulary_fingerprint(tokenizer()) in prints


def test_a_tokenizer_that_ends_no_text_is_refused() -> None:
    endless = tokenizer()
    endless.eos_token = None
    with pytest.raises(ArtifactProblem, match="eos_token"):
        PretrainedWords(endless)


@pytest.mark.parametrize("template", ["{{ raise_exception('no') }}", "{{ nothing.at_all }}", "hello"])
def test_a_chat_template_that_cannot_be_used_is_refused(template: str) -> None:
    strange = tokenizer()
    strange.chat_template = template
    with pytest.raises(ArtifactProblem, match="chat_template"):
        PretrainedWords(strange)


def test_an_unknown_task_names_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="describe"):
        PretrainedWords(tokenizer()).prompt("descirbe")
