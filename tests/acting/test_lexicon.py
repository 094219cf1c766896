"""The lexicon is complete, consistent, and finds itself in free text."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdmm.acting import lexicon
from tdmm.acting.descriptors import KINDS
from tdmm.acting.lexicon import load, mentioned_head_motions, words_known
from tdmm.acting.mentions import descriptor_patterns
from tdmm.errors import InvalidConfig, UnknownName
from tdmm.face.channels import ARKIT
from tdmm.face.facs import ACTIONS

ENTRY = """kind: action
entries:
  grin:
    family: joy
    actions: {lip_corner_puller: [0.7, 0.9]}
    timing: {onset: [0.2, 0.4], hold: [0.4, 1.0], offset: [0.3, 0.6]}
    verb: [grin, grin broadly]
    noun: [a grin]
    source: own
"""


def read_text(folder: Path, text: str) -> lexicon.Lexicon:
    path = folder / "lexicon_test.yaml"
    path.write_text(text, encoding="utf-8")
    return lexicon.read([path])


def test_two_hundred_descriptors_of_every_kind() -> None:
    assert len(load()) == 200
    assert set(Counter(entry.kind for entry in load().entries)) == set(KINDS)
    assert len(set(load().descriptors)) == 200


def test_families_are_few_and_none_is_alone() -> None:
    assert 20 <= len(load().families) <= 35
    assert min(len(names) for names in load().families.values()) >= 2


def test_phrasings_are_many_and_belong_to_one_descriptor() -> None:
    owners: dict[str, str] = {}
    for entry in load().entries:
        assert len(entry.phrasings) >= 3, entry.name
        assert any(not phrasing.strong for phrasing in entry.phrasings), entry.name
        for phrasing in entry.phrasings:
            assert owners.setdefault(phrasing.text, entry.name) == entry.name


def test_no_inflected_phrasing_is_shared_by_two_families() -> None:
    families: dict[str, str] = {}
    for pattern in descriptor_patterns(load().entries):
        family = load().get(pattern.name).family
        assert families.setdefault(pattern.expression, family) == family, (pattern.name, pattern.expression)


def test_families_differ_in_what_they_always_or_mostly_show() -> None:
    owners: dict[tuple[frozenset[str], ...], str] = {}
    for entry in load().entries:
        assert entry.core
        # What is consistent with an emotion is shown by more than 70% of people (Du, Tao & Martinez 2014).
        consistent = frozenset(recipe.action for recipe in entry.actions if recipe.probability > 0.7)
        signature = (frozenset(entry.core), consistent)
        assert owners.setdefault(signature, entry.family) == entry.family, entry.name


def test_recipes_are_sound() -> None:
    for entry in load().entries:
        for recipe in entry.actions:
            assert 0 < recipe.probability <= 1
            assert 0 < recipe.peak[0] <= recipe.peak[1] <= 1
            if recipe.probability == 1.0:
                assert recipe.peak[1] >= 0.6, entry.name
        assert entry.source in lexicon.sources()
        for span in (entry.onset, entry.hold, entry.offset):
            assert 0 <= span[0] <= span[1]


def test_every_action_and_channel_is_used() -> None:
    used = {recipe.action for entry in load().entries for recipe in entry.actions}
    assert used == set(ACTIONS)
    channels = {channel for name in used for channel in ACTIONS[name].channels()}
    assert channels == {channel for channel in ARKIT if not channel.startswith("eyeLook")}
    core = {action for entry in load().entries for action in entry.core}
    assert core == set(ACTIONS)


def test_micro_expressions_are_short_and_strong() -> None:
    for entry in (entry for entry in load().entries if entry.kind == "micro"):
        assert entry.onset[0] + entry.hold[0] + entry.offset[0] >= 0.1
        assert entry.onset[1] + entry.hold[1] + entry.offset[1] <= 0.4 + 1e-9


def test_sadness_rises_slowly_and_surprise_fast() -> None:
    assert load().get("sadness").onset[0] > load().get("disgust").onset[0] > load().get("surprise").onset[0]


def test_a_recipe_knows_its_side() -> None:
    confused = {recipe.action: recipe for recipe in load().get("confused").actions}
    assert confused["outer_brow_raiser"].side_for("left") == "left"
    assert confused["brow_lowerer"].side_for("left") == "right"
    assert confused["lid_tightener"].side_for("left") == "both"
    assert confused["jaw_drop"].side_for("left") == "both"


def test_unknown_name_is_helped() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'smirk'"):
        load().get("smrik")


def test_look_up_by_name_family_and_phrase() -> None:
    assert [entry.name for entry in load().look_up("Flash of fear")] == ["flash_of_fear"]
    assert {entry.family for entry in load().look_up("brow raise")} == {"brow_raise"}
    assert [entry.name for entry in load().look_up("furrows her brow")] == ["frown"]
    with pytest.raises(UnknownName, match="Nothing in the lexicon"):
        load().look_up("tax return")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A woman smirked, then stuck out her tongue.", ["smirk", "stick_out_tongue"]),
        ("she is grinning from ear to ear", ["grin"]),
        ("raising his left eyebrow", ["raise_one_brow"]),
        ("raises both of her eyebrows slightly", ["raise_brows"]),
        ("with slightly raised eyebrows", ["raise_brows"]),
        ("a hint of a lopsided smile", ["smirk"]),
        ("he looks angry and disgusted", ["angrily_disgusted"]),
        ("angry, then disgusted", ["anger", "disgust"]),
        ("smiles in embarrassment", ["embarrassment"]),
        ("smiling and biting her lip", ["coy"]),
        ("hangs her head in shame", ["shame"]),
        ("sadness, then flash of fear", ["sadness", "flash_of_fear"]),
        ("THE MAN WINKS HIS RIGHT EYE", ["wink"]),
        ("walks to the station", []),
        ("", []),
    ],
)
def test_mentions(text: str, names: list[str]) -> None:
    assert [mention.descriptor for mention in load().mentions(text)] == names


def test_mentions_give_their_place() -> None:
    text = "Slowly, he frowns."
    (mention,) = load().mentions(text)
    assert text[mention.start : mention.end] == "frowns"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("she nods twice, then turns her head to her left", ["nod", "turn_left"]),
        ("looks down", []),
        ("lowers her head", ["bow"]),
        ("drops his chin and shakes his head", ["bow", "shake"]),
        ("turns her eyes to the left", []),
        ("turning to the right while leaning in", ["turn_right", "lean_forward"]),
        ("tilts his head slightly toward his right shoulder", ["tilt_right"]),
        ("her head tilts to the left", ["tilt_left"]),
        ("two nods, followed by a shake of the head", ["nod", "shake"]),
        ("hangs her head in shame", []),
        ("recoils", ["recoil"]),
        ("recoils in revulsion", []),
        ("turns her head from side to side", ["shake"]),
        ("tips his head back", ["raise"]),
    ],
)
def test_head_motions(text: str, kinds: list[str]) -> None:
    assert mentioned_head_motions(text) == kinds


def test_words_known_are_about_faces() -> None:
    words = words_known()
    assert {"smirk", "smirking", "smirked", "eyebrow", "nods", "glance", "blink"} <= words
    assert not words & {"the", "and", "give", "makes", "her", "to"}


@given(st.text(max_size=200))
def test_any_text_can_be_searched(text: str) -> None:
    for mention in load().mentions(text):
        assert 0 <= mention.start < mention.end <= len(text)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lip_corner_puller:", "lip_corner_pulled:", r"entry 'grin', field actions: unknown action.*lip_corner_puller"),
        ("[0.7, 0.9]", "[0.9, 0.7]", "runs backwards"),
        ("[0.7, 0.9]", "[0.7, 1.9]", r"line 5, entry 'grin', field actions.lip_corner_puller.peak.1"),
        ("[0.7, 0.9]", "[0.7, 0.9, 0.0]", "probability"),
        ("[0.7, 0.9]", "[0.2, 0.4]", "hardly be seen"),
        ("[0.7, 0.9]", "[0.7, 0.9, 0.5]", "no core action"),
        ("    noun: [a grin]\n", "", "at least three phrasings"),
        ("a grin]", "grin]", "carries its article"),
        ("grin broadly", "Grin broadly", "small letters"),
        ("grin broadly", '"grin with {whose} teeth"', "unknown slot"),
        ("    source: own", "    source: own\n    colour: red", "field colour: Extra inputs"),
        ("  grin:", "  Grin:", "snake_case"),
        ("lip_corner_puller:", "jaw_sideways:", "side: one"),
        ("hold: [0.4, 1.0]", "hold: [-1, 1.0]", "timing.hold.0"),
        ("kind: action", "kind: gadget", "field kind|top level"),
        ("    source: own", "    source: own\n    source: own", "stands here twice"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in ENTRY
    with pytest.raises(InvalidConfig, match=message) as error:
        read_text(tmp_path, ENTRY.replace(old, new))
    assert "lexicon_test.yaml" in str(error.value)


def test_a_name_may_stand_once(tmp_path: Path) -> None:
    path = tmp_path / "lexicon_test.yaml"
    path.write_text(ENTRY, encoding="utf-8")
    with pytest.raises(InvalidConfig, match="two entries named 'grin'"):
        lexicon.read([path, path])
