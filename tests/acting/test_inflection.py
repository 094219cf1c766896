"""Inflection of the verbs and nouns that the lexicon uses."""

from __future__ import annotations

import pytest

from tdmm.acting import inflection
from tdmm.acting.lexicon import load


@pytest.mark.parametrize(
    ("verb", "third", "gerund", "past", "participle"),
    [
        ("smirk", "smirks", "smirking", "smirked", "smirked"),
        ("grin", "grins", "grinning", "grinned", "grinned"),
        ("purse", "purses", "pursing", "pursed", "pursed"),
        ("press", "presses", "pressing", "pressed", "pressed"),
        ("cry", "cries", "crying", "cried", "cried"),
        ("bite", "bites", "biting", "bit", "bitten"),
        ("stick", "sticks", "sticking", "stuck", "stuck"),
        ("squint", "squints", "squinting", "squinted", "squinted"),
        ("jut", "juts", "jutting", "jutted", "jutted"),
        ("lower", "lowers", "lowering", "lowered", "lowered"),
        ("widen", "widens", "widening", "widened", "widened"),
        ("raise", "raises", "raising", "raised", "raised"),
        ("chew", "chews", "chewing", "chewed", "chewed"),
        ("fix", "fixes", "fixing", "fixed", "fixed"),
        ("quirk", "quirks", "quirking", "quirked", "quirked"),
        ("be", "is", "being", "was", "been"),
        ("have", "has", "having", "had", "had"),
        ("shake", "shakes", "shaking", "shook", "shaken"),
        ("squeeze", "squeezes", "squeezing", "squeezed", "squeezed"),
        ("show", "shows", "showing", "showed", "shown"),
    ],
)
def test_verbs(verb: str, third: str, gerund: str, past: str, participle: str) -> None:
    assert inflection.third_person(verb) == third
    assert inflection.gerund(verb) == gerund
    assert inflection.past(verb) == past
    assert inflection.past_participle(verb) == participle


def test_a_phrase_inflects_its_first_verb_and_the_starred_ones() -> None:
    assert inflection.inflected("wink and *grin", "third") == "winks and grins"
    assert inflection.inflected("stick out {poss} tongue", "gerund") == "sticking out {poss} tongue"


@pytest.mark.parametrize(
    ("noun", "expected"),
    [
        ("angry look", "an angry look"),
        ("smirk", "a smirk"),
        ("eyebrow flash", "an eyebrow flash"),
        ("honest smile", "an honest smile"),
        ("unblinking look", "an unblinking look"),
        ("one-sided grin", "a one-sided grin"),
        ("euphoric grin", "a euphoric grin"),
        ("o-shaped mouth", "an o-shaped mouth"),
    ],
)
def test_articles(noun: str, expected: str) -> None:
    assert inflection.with_article(noun) == expected


@pytest.mark.parametrize(
    ("noun", "expected"),
    [
        ("nod", "nods"),
        ("shake of the head", "shakes of the head"),
        ("slow blink", "slow blinks"),
        ("head turn {to_side}", "head turns {to_side}"),
        ("press of the lips", "presses of the lips"),
    ],
)
def test_plurals(noun: str, expected: str) -> None:
    assert inflection.plural(noun) == expected


@pytest.mark.parametrize(
    ("adjective", "expected"), [("sad", "sadly"), ("happy", "happily"), ("ecstatic", "ecstatically"), ("shy", "shyly")]
)
def test_adverbs(adjective: str, expected: str) -> None:
    assert inflection.adverb(adjective) == expected


def test_counts() -> None:
    assert [inflection.count_adverb(count) for count in (1, 2, 3, 25)] == ["once", "twice", "three times", "25 times"]


def test_every_verb_of_the_lexicon_has_plausible_forms() -> None:
    for entry in load().entries:
        for phrasing in entry.phrasings_of("verb"):
            verb = phrasing.text.split(" ")[0]
            assert verb.isalpha(), phrasing
            assert inflection.gerund(verb).endswith("ing")
            assert inflection.third_person(verb) != verb
