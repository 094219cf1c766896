"""Scripts that people write: read, filled in, refused with their line, and written back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdmm.acting.casting import cast
from tdmm.acting.grammar import parse_script, read_script, write_script
from tdmm.acting.lexicon import load
from tdmm.acting.script import Blink, Event, Script
from tdmm.errors import FileProblem, InvalidScript

ROOT = Path(__file__).resolve().parents[2]


def read_text(folder: Path, text: str) -> Script:
    path = folder / "face.yaml"
    path.write_text(text, encoding="utf-8")
    return read_script(path)


def test_the_example_reads_and_stands_in_the_documentation() -> None:
    path = ROOT / "examples" / "smirk.yaml"
    script = read_script(path)
    assert script.subject == "a young woman"
    assert [event.descriptor for event in script.events] == ["smirk", "raise_one_brow"]
    assert script.events[0].intensity == 0.4
    assert [motion.kind for motion in script.head] == ["turn_left", "nod"]
    assert script.gaze[0].onset == script.head[0].onset
    assert script.events[1].onset == pytest.approx(2.9 + 2 * 0.4)
    assert path.read_text(encoding="utf-8") in (ROOT / "docs" / "script.md").read_text(encoding="utf-8")


def test_ten_minutes_are_written_and_read(tmp_path: Path) -> None:
    smiles = [
        Event(descriptor="smile", intensity=0.5, onset=t, apex=t + 0.3, offset=t + 1.0, end=t + 1.5)
        for t in range(0, 598, 2)
    ]
    long = Script(seconds=600.0, events=tuple(smiles))
    write_script(long, tmp_path / "long.yaml")
    assert read_script(tmp_path / "long.yaml") == long
    with pytest.raises(InvalidScript, match=r"between 0\.2 and 600"):
        parse_script({"seconds": 601, "timeline": ["smile"]})
    with pytest.raises(InvalidScript, match="1000 is the limit"):
        parse_script({"timeline": ["blink"] * 1001})


def test_missing_times_come_from_the_lexicon() -> None:
    script = parse_script({"timeline": ["smirk", "nod", "blink"]})
    smirk = load().get("smirk")
    (event,) = script.events
    assert event.onset == 0.3
    assert smirk.onset[0] <= event.apex - event.onset <= smirk.onset[1]
    assert script.head[0].onset == event.end
    assert script.blinks == (Blink(time=script.head[0].end),)
    assert script.seconds > script.blinks[0].time


def test_a_length_is_kept_and_holding_takes_the_rest() -> None:
    long = parse_script({"timeline": [{"do": "smirk", "at": 0, "for": 4}]}).events[0]
    usual = parse_script({"timeline": [{"do": "smirk", "at": 0}]}).events[0]
    short = parse_script({"timeline": [{"do": "smirk", "at": 0, "for": 0.2}]}).events[0]
    assert long.end == 4
    assert long.apex == usual.apex
    assert short.end == pytest.approx(0.2)
    assert 0 < short.apex <= short.offset < 0.2


def test_a_neutral_face_needs_only_its_length() -> None:
    assert parse_script({"seconds": 3}) == Script(seconds=3)


def test_the_fields_of_a_script_are_read_too(tmp_path: Path) -> None:
    script = cast(5, 11)
    assert parse_script(script.model_dump()) == script
    assert read_text(tmp_path, script.model_dump_json()) == script


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("timeline: [", "line .*not YAML"),
        ("just words", "is a mapping"),
        ("- smirk", "is a mapping"),
        ("timeline: []", "says nothing"),
        ("timeline: smirk", "must be a list"),
        ("timeline: [smrik]", "line 1, timeline entry 1: unknown name 'smrik'. Did you mean 'smirk'"),
        ("timeline:\n  - smile\n  - do: smrik", "line 3, timeline entry 2: unknown descriptor.*'smirk'"),
        ("timeline:\n  - do: smirk\n    at: -1", "line 3, timeline entry 1: 'at' is -1"),
        ("seconds: -2", "'seconds' is -2"),
        ("seconds: 601", "'seconds' is 601"),
        ("seconds: .nan", "'seconds' is nan"),
        (
            "seconds: 2\ntimeline:\n  - {do: smirk, at: 1.5}",
            "line 3, timeline entry 1: it ends at .* after the script's 2",
        ),
        ("timeline: [{do: smirk, at: soon}]", "'at' must be a number, not 'soon'"),
        ("timeline: [{do: smirk, at: true}]", "'at' must be a number"),
        ("timeline: [{do: [smirk]}]", "'do' must be words, not a list"),
        ("timeline: [{do: smirk, side: middle}]", "unknown side 'middle'"),
        ("timeline: [{do: sadness, side: left}]", "both sides"),
        ("timeline: [{do: smirk, intensity: slite}]", "Did you mean 'slight'"),
        ("timeline: [{do: smirk, intensity: 0}]", "leave the entry out"),
        ("timeline: [{do: smirk, intensity: 1.5}]", "between 0 and 1"),
        ("timeline: [{do: smirk, tims: 2}]", "unknown field 'tims'"),
        ("timeline: [{do: smirk, for: 1, rise: 0.2}]", "not both"),
        ("timeline: [{do: smirk, head: nod}]", "exactly one of"),
        ("timeline: [{at: 1}]", "exactly one of"),
        ("timeline: [3]", "a name or a mapping"),
        ("timeline: [{head: nodd}]", "unknown head motion 'nodd'. Did you mean 'nod'"),
        ("timeline: [{head: turn left, times: 2}]", "does not repeat"),
        ("timeline: [{head: nod, times: 1.5}]", "whole number"),
        ("timeline: [{look: sideways}]", "unknown direction"),
        ("timeline: [{blink: 0}]", "between 1 and 10"),
        ("timeline: [{blink: 1, slow: maybe}]", "true or false"),
        ("timeline: [{do: smirk, at: together}]", "cannot be 'together'"),
        ("timeline: [smirk, {do: smirk, at: together}]", "'smirk' is asked for twice at once"),
        ("timeline: [{do: widen eyes}, {do: widen eyes, side: left, at: together}]", "twice at once"),
        ("timeline: [{head: turn left}, {head: turn right, at: 1}]", "cannot do 'turn_left'.*'turn_right'"),
        ("timeline: [{head: nod}, {head: nod, at: together}]", "at once"),
        ("timeline: [{look: left}, {look: right, at: 0.5}]", "eyes cannot look left"),
        ("energy: lazy\nseconds: 2", "unknown energy"),
        ("subject: ''\nseconds: 2", "'subject' must be words"),
        ("mood: good\nseconds: 2", "line 1: unknown field 'mood'"),
        ("seconds: 2\nseconds: 3", "line 2: the key 'seconds' stands here twice"),
        ("a: &a [1]\nb: *a", "anchors"),
        ("timeline: !!python/object/apply:os.system [ls]", "tags"),
        ("[" * 3000, "not YAML|too deep"),
        ("{events: [{descriptor: smirk}], seconds: 2}", "field events.0.onset"),
        ("{events: [{descriptor: smirk, onset: 1, apex: 0.5, offset: 1, end: 2}], seconds: 2}", "run backwards"),
        ("{events: [{descriptor: smrik, onset: 0, apex: 1, offset: 1, end: 2}], seconds: 2}", "Did you mean 'smirk'"),
        ("{events: [], head: [{kind: nod, onset: 1, end: 1}], seconds: 2}", "has no length"),
        ("{events: [], blinks: [{time: 3}], seconds: 2}", "after the script's 2 s"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidScript, match=message) as error:
        read_text(tmp_path, text)
    assert str(error.value).startswith("face.yaml")


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="no such file"):
        read_script(tmp_path / "none.yaml")
    with pytest.raises(FileProblem, match="is a folder"):
        read_script(tmp_path)
    binary = tmp_path / "face.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x01\x80")
    with pytest.raises(InvalidScript, match="UTF-8"):
        read_script(binary)
    binary.write_bytes(b"# " + b"x" * 1_000_000)
    with pytest.raises(InvalidScript, match="limit"):
        read_script(binary)
    with pytest.raises(FileProblem, match="does not exist"):
        write_script(Script(seconds=1), tmp_path / "missing" / "face.yaml")


def test_an_alias_bomb_is_refused_at_once(tmp_path: Path) -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20)
    )
    with pytest.raises(InvalidScript, match="aliases"):
        read_text(tmp_path, bomb)


@pytest.mark.parametrize("index", range(0, 60, 3))
def test_writing_and_reading_gives_the_script_back(tmp_path: Path, index: int) -> None:
    script = cast(17, index)
    path = tmp_path / "face.yaml"
    write_script(script, path)
    again = read_script(path)
    assert again.model_copy(update={"events": ()}) == script.model_copy(update={"events": ()})
    assert sorted(again.events, key=repr) == sorted(script.events, key=repr)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["smirk", "nod", "left", "turn left", "together", "slight", "low", "blink"])
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "do",
                    "head",
                    "look",
                    "blink",
                    "at",
                    "for",
                    "rise",
                    "hold",
                    "fall",
                    "side",
                    "intensity",
                    "times",
                    "slow",
                ]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
SCRIPTS = st.dictionaries(
    st.sampled_from(["subject", "seconds", "energy", "timeline", "events", "head"]) | st.text(max_size=4),
    VALUES | st.lists(VALUES, max_size=4),
    max_size=4,
)


def assert_sound(script: Script) -> None:
    for event in script.events:
        assert event.descriptor in load()
        assert 0 <= event.onset <= event.apex <= event.offset <= event.end <= script.seconds + 1e-6
    for part in (*script.head, *script.gaze):
        assert 0 <= part.onset < part.end <= script.seconds + 1e-6


@settings(max_examples=300, deadline=None)
@given(SCRIPTS)
def test_any_mapping_is_a_sound_script_or_refused(data: dict[str, Any]) -> None:
    try:
        script = parse_script(data)
    except InvalidScript:
        return
    assert_sound(script)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=120) | st.text(alphabet="timeln: -[]{}dosrkat0123456789.\n&*!'\"", max_size=120))
def test_any_text_is_a_sound_script_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        script = read_script(path)
    except InvalidScript:
        return
    assert_sound(script)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.builds(
            lambda name, at, lasts, intensity: {"do": name, "at": at, "for": lasts, "intensity": intensity},
            st.sampled_from(sorted(load().descriptors)),
            st.floats(0, 25),
            st.floats(0.1, 20),
            st.floats(0.05, 1),
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda entry: entry["do"],
    )
)
def test_sensible_entries_are_always_accepted(timeline: list[dict[str, Any]]) -> None:
    script = parse_script({"timeline": timeline})
    assert_sound(script)
    assert all(isinstance(event, Event) for event in script.events)
    assert len(script.events) == len(timeline)
