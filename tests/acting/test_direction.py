"""Scenes into scripts: what the model is told, what of its answers is let through, and how it is sent back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_endpoint import SMIRK
from tdmm.acting.actor import perform
from tdmm.acting.direction import MAX_SCENE, REPAIRS, InvalidAnswer, direct, instructions, read_answer, schema
from tdmm.acting.grammar import parse_script
from tdmm.acting.lexicon import load
from tdmm.acting.script import Script
from tdmm.errors import InvalidPrompt, InvalidScript
from tdmm.motion.events import GAZE_DIRECTIONS, HEAD_MOTIONS


class Model:
    """Says its lines one after another and remembers what it was told."""

    def __init__(self, *lines: str | dict[str, Any]) -> None:
        self.lines = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        self.told: list[list[dict[str, str]]] = []

    def __call__(self, messages: Any, _schema: Any) -> str:
        self.told.append([dict(message) for message in messages])
        return self.lines.pop(0)


def with_entries(*entries: Any, **fields: Any) -> dict[str, Any]:
    return {**SMIRK, **fields, "timeline": list(entries)}


def test_the_model_is_told_every_name_that_it_may_use() -> None:
    told = instructions()
    for name in [*load().descriptors, *HEAD_MOTIONS, *GAZE_DIRECTIONS]:
        assert name in told


def test_the_example_shown_to_the_model_is_a_script_that_can_be_acted() -> None:
    example = next(line for line in instructions().splitlines() if line.startswith("{"))
    script = read_answer(example)
    assert perform(script, 0).motion.seconds == pytest.approx(script.seconds, abs=0.04)


def test_the_schema_keeps_to_what_strict_output_takes() -> None:
    """Every object names all its fields, requires them, and allows no others."""

    def objects(part: Any) -> list[dict[str, Any]]:
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else []
        found = [each for value in inner for each in objects(value)]
        return [*found, part] if isinstance(part, dict) and part.get("type") == "object" else found

    named = [set(each["properties"]["do"]["enum"]) for each in objects(schema()) if "do" in each["properties"]]
    assert set.union(*named) == set(load().descriptors)
    for each in objects(schema()):
        assert each["required"] == list(each["properties"])
        assert each["additionalProperties"] is False
    assert not {"minimum", "maximum", "default", "oneOf", "pattern"} & set(json.dumps(schema()).split('"'))


def test_an_answer_is_the_script_that_the_grammar_reads() -> None:
    without = {
        "subject": "a young man",
        "timeline": [{key: value for key, value in entry.items()} for entry in SMIRK["timeline"]],
    }
    assert read_answer(json.dumps(SMIRK)) == parse_script(without)


@pytest.mark.parametrize(
    "around",
    ["{}", "```json\n{}\n```", "Here is the script:\n{}\nI hope you like it.", "<think>{{a brother}} hm</think>\n{}"],
)
def test_talk_around_the_object_is_passed_over(around: str) -> None:
    assert read_answer(around.format(json.dumps(SMIRK))) == read_answer(json.dumps(SMIRK))


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("", "empty"),
        ("I would rather not.", "no JSON object"),
        ('{"timeline": [{"do": "smirk", "at"', "not JSON"),
        ('{"a":' * 30_000, "nests too deep"),
        ("{" + " " * 300_000 + "}", "300,002 characters"),
        (with_entries(), "no entries"),
        ({"script": SMIRK}, "no entries"),
        (with_entries(*["blink"] * 101), "100 is the limit"),
        (with_entries({"do": "smrik", "at": 0}), "Did you mean 'smirk'"),
        (with_entries({"do": "smirk", "at": 0, "mood": "sly"}), "unknown field 'mood'"),
        (with_entries({"do": "smirk", "head": "nod", "at": 0}), "exactly one of"),
        (with_entries({"do": "smirk", "at": -1}), "'at' is -1"),
        ('{"timeline": [{"do": "smirk", "at": ' + "9" * 400 + "}]}", "'at' is inf"),
        ('{"timeline": [{"do": "smirk", "at": NaN}]}', "'at' is nan"),
        (with_entries({"do": "smirk", "at": 0, "intensity": 7}), "'intensity' is 7"),
        (with_entries({"do": "smirk", "at": 0, "for": 2}, seconds=1), "after the script's 1 s"),
        (with_entries("smirk", energy="furious"), "unknown energy"),
        (with_entries("smirk", seconds=90), "90 s; 60 s is the limit"),
        (with_entries({"do": "smirk", "at": 70}), "60 s is the limit"),
        (with_entries("smirk", events=[]), "'events'"),
        (with_entries({"look": "left", "at": 0}, {"look": "up", "at": 0.5}), "the eyes cannot look"),
        (with_entries({"do": "smirk", "at": 0, "for": 2}, {"do": "smirk", "at": 1, "for": 2}), "twice at once"),
        (with_entries("x" * 100_000), "unknown name 'xxx"),
        (with_entries(7), "an entry is a name or a mapping"),
    ],
)
def test_what_is_no_script_is_refused_with_its_reason(answer: str | dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidAnswer) as refused:
        read_answer(answer if isinstance(answer, str) else json.dumps(answer))
    assert problem in str(refused.value)
    assert len(str(refused.value)) < 500


def test_all_entries_that_are_wrong_are_named_at_once_with_their_numbers() -> None:
    answer = with_entries({"do": "smrik", "at": 0}, "blink", {"head": "nodd", "at": 1}, energy="wild")
    with pytest.raises(InvalidAnswer) as refused:
        read_answer(json.dumps(answer))
    energy, smirk, nod = refused.value.problems
    assert "energy" in energy
    assert smirk.startswith("timeline entry 1: unknown descriptor 'smrik'. Did you mean 'smirk'")
    assert nod.startswith("timeline entry 3: unknown head motion 'nodd'. Did you mean 'nod'")


def test_a_bad_answer_goes_back_with_its_errors_and_the_mended_one_counts() -> None:
    model = Model(with_entries({"do": "smrik", "at": 0}), SMIRK)
    heard: list[str] = []
    script = direct("he smirks", model, author="qwen", progress=heard.append)
    assert script.events[0].descriptor == "smirk"
    first, second = model.told
    assert [message["role"] for message in first] == ["system", "user"]
    assert [message["role"] for message in second] == ["system", "user", "assistant", "user"]
    assert "smrik" in second[2]["content"]
    assert "Did you mean 'smirk'" in second[3]["content"]
    assert len(heard) == 1
    assert heard[0].startswith("mending the script, 1 of 2")


def test_endless_junk_ends_in_one_error_that_says_what_was_wrong() -> None:
    model = Model(*["\x1b[31mno\x07"] * 9)
    with pytest.raises(InvalidScript, match=r"qwen gave 3 answers .* no JSON object"):
        direct("he smirks", model, author="qwen")
    assert len(model.told) == 1 + REPAIRS
    assert all(len(told) <= 4 for told in model.told)


def test_a_model_cannot_write_to_the_terminal_through_an_error() -> None:
    model = Model(*[with_entries({"do": "\x1b[2Jsmirk\x07", "at": 0})] * 3)
    with pytest.raises(InvalidScript) as refused:
        direct("he smirks", model)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("scene", "message"),
    [
        ("", "is empty"),
        (" \n ", "is empty"),
        ("he lies " * MAX_SCENE, "80,000 characters; 10,000 is the limit"),
        ("bad \udce9", "not text in UTF-8"),
    ],
)
def test_a_scene_that_cannot_be_directed_reaches_no_model(scene: str, message: str) -> None:
    model = Model()
    with pytest.raises(InvalidPrompt, match=message):
        direct(scene, model)
    assert model.told == []


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.sampled_from(["smirk", "nod", "together"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["do", "head", "look", "blink", "at", "for", "side", "times"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([*SMIRK, "events"]), _json, max_size=5) | st.lists(_json, max_size=3))
def test_whatever_a_model_says_is_a_script_or_a_reason(answer: Any) -> None:
    data = answer if isinstance(answer, dict) else {"timeline": answer}
    said: Script | InvalidAnswer
    try:
        said = read_answer(json.dumps(data))
    except InvalidAnswer as error:
        said = error
    assert isinstance(said, Script) or (said.problems and str(said).isprintable())
