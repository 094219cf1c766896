"""Degrees in words."""

from __future__ import annotations

from random import Random

import pytest

from tdmm.acting import intensity_words
from tdmm.acting.degrees import face_and_head, heard, level_of
from tdmm.acting.intensity_words import MIDDLES, Level


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("she smiles", "plain"),
        ("she slightly smiles", "slight"),
        ("She smiles ever so slightly.", "faint"),
        ("a very strong smile", "extreme"),
        ("a strong smile", "strong"),
        ("a touch of sadness", "slight"),
        ("he frowns as hard as he can", "extreme"),
        ("clench your teeth with all your might", "extreme"),
        ("looking utterly lost", "extreme"),
        ("she curls her lip to the extreme on the left side of her mouth", "extreme"),
        ("a hard look", "plain"),
        ("he looks like a little boy", "plain"),
        ("he works hard at a smile", "plain"),
        ("she smiles a little, then a lot", None),
    ],
)
def test_words_of_degree_are_heard_where_they_are_meant(text: str, level: Level | None) -> None:
    assert level_of(text) == level


@pytest.mark.parametrize("level", [level for level in MIDDLES if level != "plain"])
def test_every_word_of_a_level_is_heard_as_that_level(level: Level) -> None:
    rng = Random(0)
    for _ in range(60):
        adverb = intensity_words.before_verb(level, rng, rich=True)
        behind = intensity_words.trailing(level, rng, rich=True).replace("{poss}", "her").replace("{subj}", "she")
        noun = intensity_words.of_noun(level, rng, rich=True)
        phrase = f"{noun[1:]} a smile" if noun.startswith("~") else f"a {noun} smile"
        for text in (f"she {adverb} smiles", f"she smiles{behind}", f"she gives {phrase}"):
            assert level_of(text) == level, text


def test_face_and_head_are_told_apart() -> None:
    assert face_and_head("a faint smile while strongly nodding") == ("faint", "strong")
    assert face_and_head("she nods slightly with an extreme grin") == ("extreme", "slight")
    assert face_and_head("she grins while she nods") == ("plain", "plain")
    assert face_and_head("she tilts her head to the left faintly with markedly stretched lips") == ("strong", "faint")
    assert face_and_head("she smiles faintly and nods with great force") == (None, None)
    assert face_and_head("strongly do two things at once that nobody knows") == (None, None)


def test_spans_lie_on_the_words() -> None:
    text = "He frowns, but only a little."
    (found,) = heard(text)
    assert text[found.start : found.end] == "but only a little"
