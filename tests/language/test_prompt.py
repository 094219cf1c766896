from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdmm.errors import InvalidPrompt
from tdmm.language.prompt import Row, read_timeline, timeline, weighted


@pytest.mark.parametrize(
    "text",
    [
        "[0-2s] curious look | [2-4s] breaks into a laugh",
        "[0 - 2] curious look|[2 to 4 seconds] breaks into a laugh",
        "  [0.0s-2.0s] curious look | [2s-4s] breaks into a laugh  ",
    ],
)
def test_rows_are_read(text: str) -> None:
    assert timeline(text) == (Row(0, 2, "curious look"), Row(2, 4, "breaks into a laugh"))


@pytest.mark.parametrize("text", ["she smiles", "she looks at [him]", "a smile | a frown", ""])
def test_other_prompts_are_no_timeline(text: str) -> None:
    assert timeline(text) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[0-2s] a | [1-3s] b", "overlap"),
        ("[2-1s] a", "needs 0.3 s"),
        ("[0-2s] a | b", "Row 2"),
        ("[0-2s] | [2-3s] b", "says nothing"),
        ("[0-2s] a | [2-31s] b", "30 s"),
        ("[0-2s] a |", "Row 2"),
    ],
)
def test_rows_that_cannot_be_played_are_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidPrompt, match=said):
        timeline(text)


def test_a_file_of_rows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.yaml"
    path.write_text("- {at: [0, 2], do: curious look}\n- at: [2.5, 4]\n  do: laughs\n")
    assert read_timeline(path) == (Row(0, 2, "curious look"), Row(2.5, 4, "laughs"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {at: [0, 2]}\n", "line 1"),
        ("- {at: [0, 2], do: a}\n- {at: [1, 2], do: b}\n", "overlap"),
        ("- {at: [0, 2, 3], do: a}\n", "line 1"),
        ("smile\n", "list of rows"),
        ("- {at: [0, 2], do: a, loud: yes}\n", "loud|Extra"),
        ("[]\n", "empty"),
        ("- {at: [0, .nan], do: a}\n", "needs 0.3 s|finite|number"),
    ],
)
def test_a_wrong_file_says_where(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.yaml"
    path.write_text(text)
    with pytest.raises(InvalidPrompt, match=said):
        read_timeline(path)


def test_weights_are_taken_out() -> None:
    found = weighted("a (furious:1.4) glare and a (faint smile: 0.5)")
    assert found.text == "a furious glare and a faint smile"
    assert [(found.text[start:end], weight) for start, end, weight in found.weights] == [
        ("furious", 1.4), ("faint smile", 0.5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["(furious:1.4", "furious:1.4)", "(furious:loud)", "(furious:9)", "(:1.2)", "((a:1.2)"]
)
def test_weights_that_do_not_pair_are_refused(text: str) -> None:
    with pytest.raises(InvalidPrompt, match=r"1\.4"):
        weighted(text)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_with_a_reason(text: str) -> None:
    for read in (timeline, weighted):
        with contextlib.suppress(InvalidPrompt):
            read(text)
