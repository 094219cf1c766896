from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdmm.acting import questions
from tdmm.acting.answers import NO_MICRO, TASKS, answer
from tdmm.acting.casting import cast
from tdmm.acting.lexicon import load
from tdmm.acting.question_facts import Known, certain_blinks
from tdmm.acting.questions_of_face import expression_question
from tdmm.acting.script import Event, Gaze, HeadMotion, Script
from tdmm.errors import InvalidInput
from tdmm.motion.events import BlinkEvent, MotionEvents

NOTHING = Script(seconds=3)


def event(name: str, at: float = 0.5, **more: object) -> Event:
    return Event.model_validate(
        {"descriptor": name, "onset": at, "apex": at + 0.3, "offset": at + 0.8, "end": at + 1, **more}
    )


def asked(script: Script, truth: bool, contains: str, blinks: int | None = None) -> list[questions.Asked]:
    """Many questions about a script that hold a word."""
    every = (questions.about(script, seed, blinks, truth) for seed in range(400))
    return [each for each in every if contains in each.question]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 400), st.integers(0, 2**31), st.one_of(st.none(), st.integers(0, 4)))
def test_any_script_has_questions_that_models_know(index: int, seed: int, blinks: int | None) -> None:
    about = questions.about(cast(3, index), seed, blinks)
    assert questions.tidied(about.question) == about.question
    assert questions.verdict(about.answer) == about.truth
    assert "{" not in about.question + about.answer
    if about.truth is not None:
        assert questions.is_known(about.question)


def test_half_of_the_answers_are_yes_whatever_the_script() -> None:
    for script in (NOTHING, Script(seconds=3, events=(event("smile"),)), cast(3, 1)):
        told = Counter(questions.about(script, seed, 1).truth for seed in range(2000))
        assert told[True] / (told[True] + told[False]) == pytest.approx(0.5, abs=0.05)
        assert 0.04 < told[None] / 2000 < 0.12


@pytest.mark.parametrize("truth", [True, False])
def test_the_wanted_answer_is_given(truth: bool) -> None:
    assert {questions.about(cast(3, index), index, None, truth).truth for index in range(200)} == {truth}


def test_what_is_denied_has_a_core_action_that_the_script_lacks() -> None:
    """A "no" is never a matter of taste: a sibling of what is shown is not asked for."""
    script = Script(seconds=3, events=(event("happiness"),))
    own = {recipe.action for recipe in load().get("happiness").actions}
    for seed in range(200):
        denied = expression_question(Known(script), False, Random(seed))
        for mention in load().mentions(denied.question if denied else ""):
            entry = load().get(mention.descriptor)
            assert entry.family != "joy"
            assert not {*entry.core} <= own


def test_blinks_are_asked_about_where_they_are_known() -> None:
    assert {each.answer for each in asked(NOTHING, True, "blink twice", 2)} == {"yes, twice"}
    assert {each.answer for each in asked(NOTHING, False, "blink twice", 0)} == {"no, no blink"}
    assert not asked(NOTHING, True, "blink twice") + asked(NOTHING, False, "blink twice")
    slight = MotionEvents(blinks=(BlinkEvent(1, 0.2, 1.0), BlinkEvent(2, 0.2, 0.4)))
    assert certain_blinks(slight) is None
    assert certain_blinks(MotionEvents(blinks=(slight.blinks[0], BlinkEvent(2, 0.2, 0.9, "left")))) == 1


def test_sides_counts_order_and_looks_are_those_of_the_script() -> None:
    script = Script(
        seconds=6,
        events=(event("smirk", 0.2, side="left", intensity=1.0), event("frown", 3.0)),
        head=(HeadMotion(kind="nod", cycles=2, onset=1.8, end=2.8),),
        gaze=(Gaze(direction="up", onset=4.5, end=5.2),),
    )
    assert {each.answer for each in asked(script, True, "left") if "smirk" in each.question} == {"yes, on the left"}
    assert {each.answer for each in asked(script, False, "right") if "smirk" in each.question} <= {"no, on the left"}
    assert {each.answer for each in asked(script, False, "nod three times")} == {"no, twice"}
    before = [each for each in asked(script, True, "before") if "frown" in each.question and "smirk" in each.question]
    assert before
    assert {each.answer for each in before} == {"yes, first smirk, then frown"}
    assert {each.answer for each in asked(script, False, "look down?")} == {"no, looks up"}
    assert {each.answer for each in asked(script, False, "faint") if "smirk" in each.question} == {"no, extreme"}


def test_a_neutral_script_says_so_in_every_task() -> None:
    for task in TASKS:
        if task != "question":
            assert "neutral" in answer(NOTHING, task, 0)
    assert any("neutral" in each.answer for each in asked(NOTHING, False, "show"))


def test_micro_expressions_are_told_alone() -> None:
    script = Script(seconds=4, events=(event("smile"), event("flash_of_fear", 2.0)))
    assert answer(script, "micro", 0) == "2.0-3.0 s: flash of fear"
    assert answer(Script(seconds=4, events=(event("smile"),)), "micro", 0) == NO_MICRO


def test_a_question_is_tidied() -> None:
    assert questions.tidied("  Does SHE\nblink <eos> twice??! ") == "does she blink eos twice?"


@pytest.mark.parametrize(
    ("question", "message"),
    [("", "empty"), (" ?! 12 ", "empty"), ("smile " * 41, "41 words"), ("What does she do?", "yes or no")],
)
def test_what_is_no_question_is_refused(question: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        questions.tidied(question)


def test_words_that_no_face_knows_are_told_from_others() -> None:
    assert not questions.is_known("is the xqzt blorfen?")
    for known in ("does she blink twice?", "is he dozing?", "is the face neutral?", "did they turn their head?"):
        assert questions.is_known(known)


@pytest.mark.parametrize(
    ("text", "verdict"), [("Yes, twice", True), ("no", False), (questions.CANNOT_TELL, None), ("", None)]
)
def test_the_verdict_of_an_answer(text: str, verdict: bool | None) -> None:
    assert questions.verdict(text) is verdict
