"""A prompt cut into what happens one after the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdmm.acting.lexicon import load
from tdmm.acting.wordings import bank
from tdmm.language.steps import steps


def _texts(prompt: str) -> list[str]:
    return [step.text(prompt) for step in steps(prompt)]


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        ("She smiles.", ["She smiles."]),
        ("a shy smile that fades, then she looks down", ["a shy smile that fades", "she looks down"]),
        ("He frowns and then grins.", ["He frowns", "A person grins."]),
        ("A lady with wide eyes who then slowly nods", ["A lady with wide eyes", "A person slowly nods"]),
        ("first frown, after that a grin, and finally blink", ["first frown", "a grin", "blink"]),
        ("He gapes. Then he laughs.", ["He gapes.", "he laughs."]),
        ("A yawn, followed by a broad smile", ["A yawn", "a broad smile"]),
        ("She smirks before slowly shaking her head", ["She smirks", "A person slowly shaking her head"]),
        ("She smiles after frowning", ["A person frowning", "She smiles"]),
        ("Then she smiles, then nods", ["she smiles", "A person nods"]),
    ],
)
def test_words_that_say_then_part_the_steps(prompt: str, texts: list[str]) -> None:
    assert _texts(prompt) == texts


@pytest.mark.parametrize(
    "prompt",
    [
        "now and then she blinks",
        "she looks like a child before opening a gift",
        "he greets them before anything else",
        "she nods while smiling",
        "",
        "  two  spaces ",
        "In a lively way, she nods.",
    ],
)
def test_one_thing_stays_as_it_was_written(prompt: str) -> None:
    assert _texts(prompt) == [prompt]


def test_how_everything_is_done_goes_with_every_step() -> None:
    assert _texts("In a calm way, he nods, then grins.") == ["In a calm way, he nods", "In a calm way, A person grins."]
    assert _texts("He nods, then grins, all with little energy.") == [
        "He nods, all with little energy.", "A person grins, all with little energy.",
    ]  # fmt: skip
    assert _texts("He nods. Then he grins. It all happens with little energy.") == [
        "He nods. It all happens with little energy.", "he grins. It all happens with little energy.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("She nods at 1.5 s", [("She nods", 1.5, None)]),
        ("a grin from 1 to 2.5 seconds", [("a grin", 1.0, 1.5)]),
        ("a grin (1-2.5 s).", [("a grin.", 1.0, 1.5)]),
        ("starting at 2s he frowns for two seconds", [("he frowns", 2.0, 2.0)]),
        ("He winks two seconds in", [("He winks", 2.0, None)]),
        ("He winks at second 3", [("He winks", 3.0, None)]),
        ("He winks at the 2 second mark", [("He winks", 2.0, None)]),
        ("she smiles until 3 s", [("she smiles", 0.0, 3.0)]),
        ("She nods at 1 s and smiles at 2 s", [("She nods", 1.0, None), ("A person smiles", 2.0, None)]),
        ("At 1 s she nods and at 2 s she grins", [("she nods", 1.0, None), ("she grins", 2.0, None)]),
        ("A wink at 1 s. A sad look from 3 to 5 s!", [("A wink.", 1.0, None), ("A sad look!", 3.0, 2.0)]),
        ("a grin for a second", [("a grin for a second", None, None)]),
        ("at 2 s", [("at 2 s", None, None)]),
        ("a grin at 1 s at 2 s", [("a grin at 1 s at 2 s", None, None)]),
    ],
)
def test_seconds_belong_to_what_they_stand_with(
    prompt: str, found: list[tuple[str, float | None, float | None]]
) -> None:
    assert [(step.text(prompt), step.at, step.lasts) for step in steps(prompt)] == found


def test_later_counts_from_the_step_before() -> None:
    first, second = steps("He frowns, then 2 seconds later grins")
    assert (first.at, second.at, second.later) == (None, None, 2.0)


def test_a_long_text_is_cut_where_sentences_end() -> None:
    assert len(steps(" ".join(["She looks at the door and waits for a while with a worried face."] * 5))) == 5


def test_a_word_can_be_left_out_of_its_step() -> None:
    prompt = "He frowns, then grins broadly"
    start = prompt.index("broadly")
    assert steps(prompt)[1].text(prompt, (start, len(prompt))) == "A person grins"


def test_hardly_any_phrasing_of_one_expression_is_torn() -> None:
    torn = seen = 0
    for name in sorted(load().descriptors)[::10]:
        for said in bank()[name]:
            text = f"She will {said.text}" if said.form == "verb" else said.text
            torn += len(steps(text)) > 1 or steps(text)[0].timed
            seen += 1
    assert seen > 2000
    assert torn <= 0.003 * seen


@given(st.text(alphabet="ab ,.;()0123456789sthenforaty-", max_size=60))
def test_any_text_has_steps_within_it(prompt: str) -> None:
    found = steps(prompt)
    assert found
    for step in found:
        for start, end in step.spans:
            assert 0 <= start <= end <= len(prompt)
        if step.text(prompt) != prompt:
            assert len(step.text(prompt)) <= len(prompt) + len("A person ")
