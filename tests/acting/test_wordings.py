"""The phrase bank, and what narrations of it, of seconds, of denials and of slips are like."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from tdmm.acting.casting import cast
from tdmm.acting.denials import DENIABLE, denied, undone
from tdmm.acting.lexicon import load
from tdmm.acting.narrator import AS_WRITTEN, Narration, narrate
from tdmm.acting.pronouns import SHE
from tdmm.acting.script import Event, HeadMotion, Script
from tdmm.acting.slips import slipped
from tdmm.acting.wordings import BANK_STYLES, bank, held_out, phrasings, read, require_known
from tdmm.errors import InvalidConfig

GRIN = Script(seconds=4, events=(Event(descriptor="grin", onset=1.2, apex=1.6, offset=2.4, end=3.0),))


def test_every_descriptor_is_worded_in_every_style() -> None:
    require_known(bank(), load().descriptors)
    for entry in load().entries:
        said = bank()[entry.name]
        assert len(said) >= 12, entry.name
        assert {each.style for each in said} == set(BANK_STYLES), entry.name


def test_no_phrasing_says_two_descriptors() -> None:
    owners: dict[tuple[str, str], str] = {}
    for entry in load().entries:
        for each in phrasings(entry, "trained") + phrasings(entry, "held_out"):
            assert owners.setdefault((each.form, each.text), entry.name) == entry.name, each.text


def test_a_fifth_of_the_phrasings_is_held_out() -> None:
    for entry in load().entries:
        hidden, trained = set(phrasings(entry, "held_out")), set(phrasings(entry, "trained"))
        assert not hidden & trained
        assert hidden == held_out(entry)
        assert 0.15 <= len(hidden) / len(hidden | trained) <= 0.25, entry.name
        assert len({each.style for each in hidden}) >= 3


def test_training_texts_never_use_held_out_phrasings() -> None:
    for index in range(150):
        script = cast(77, index)
        texts = [narrate(script, index, detail, AS_WRITTEN).lower() for detail in ("short", "medium", "long")]
        for event in script.events:
            for each in held_out(load().get(event.descriptor)):
                if "{" not in each.text and each.form != "verb" and each.text.count(" ") > 2:
                    assert not any(each.text in text for text in texts)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("grin:\n  direct: {verb: [Smile]}\n", "small letters"),
        ("grin:\n  direct: {verb: [smile]}\n", "Field required"),
        ("grin:\n  direct: {noun: [broad grin of joy]}\n", "article"),
        ("grin:\n  direct: {verb: ['lift {nose}']}\n", "unknown slot"),
        ("grin: [1\n", "line"),
    ],
)
def test_a_broken_bank_names_file_and_field(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "wordings_x.yaml"
    path.write_text(text)
    with pytest.raises(InvalidConfig, match=said) as caught:
        read(path)
    assert "wordings_x.yaml" in str(caught.value)


def test_a_word_for_nothing_is_refused() -> None:
    with pytest.raises(InvalidConfig, match="grin"):
        require_known(["grim"], load().descriptors)


def test_seconds_are_those_of_the_script() -> None:
    for seed in range(80):
        text = narrate(GRIN, seed, "medium", Narration(times=1.0))
        figures = [float(each) for each in re.findall(r"\d+(?:\.\d+)?", text)]
        assert figures
        assert set(figures) <= {1.2, 3.0, 1.8}, text
        assert 1.2 in figures


def test_denied_is_only_what_nobody_asked_for() -> None:
    names = {each.name for each in undone(GRIN)}
    assert "smile" not in names
    assert {"frown", "head", "tongue"} <= names
    nodding = GRIN.model_copy(update={"head": (HeadMotion(kind="nod", onset=0, end=1),)})
    assert "head" not in {each.name for each in undone(nodding)}


def test_denials_are_grammatical() -> None:
    for what in DENIABLE:
        for seed in range(20):
            words = denied(what, SHE, Random(seed))
            assert words.startswith(", ")
            assert "{" not in words
    said = {denied(DENIABLE[0], SHE, Random(seed)) for seed in range(60)}
    assert ", without smiling" in said
    assert ", with no smile" in said


def test_slips_spare_first_letters_and_short_words() -> None:
    text = "She grins, then nods twice and looks away."
    changed = {slipped(text, Random(seed)) for seed in range(50)}
    assert len(changed) > 30
    for each in changed:
        words, before = each.lower().split(), text.lower().split()
        assert len(words) == len(before)
        assert [word[0] for word in words] == [word[0] for word in before]
        assert 1 <= sum(one != other for one, other in zip(words, before, strict=True)) <= 2


def test_all_persons_and_tenses_occur() -> None:
    texts = [narrate(GRIN, seed, "short", AS_WRITTEN) for seed in range(300)]
    joined = " ".join(texts).lower()
    for word in (" will ", "i ", "grinned", "grins", "grinning"):
        assert word in joined
