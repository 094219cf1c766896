"""The narrator says what the script says, in order, in many ways, and grammatically."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from tdmm.acting import narrator
from tdmm.acting.casting import cast
from tdmm.acting.intensity_words import level_of
from tdmm.acting.lexicon import load
from tdmm.acting.narrator import TASKS, Detail, answer, mentioned_head_motions, narrate
from tdmm.acting.pronouns import HE, SHE, THEY, pronouns_for, subjects
from tdmm.acting.script import Blink, Event, Gaze, HeadMotion, Script

DETAILS: tuple[Detail, ...] = get_args(Detail)
SEED = 4_242


def event(name: str, onset: float = 0.5, intensity: float = 0.6, side: str = "both", seconds: float = 1.5) -> Event:
    return Event.model_validate(
        {
            "descriptor": name,
            "intensity": intensity,
            "side": side,
            "onset": onset,
            "apex": onset + 0.3 * seconds,
            "offset": onset + 0.6 * seconds,
            "end": onset + seconds,
        }
    )


def every_way(script: Script, detail: Detail, count: int = 60) -> list[str]:
    return [narrate(script, seed, detail) for seed in range(count)]


@pytest.mark.parametrize("way", [*DETAILS, "describe"])
def test_what_is_narrated_is_found_again(way: str) -> None:
    asked = found = invented = heads = heads_found = heads_invented = 0
    for index in range(500):
        script = cast(SEED, index)
        text = answer(script, "describe", index) if way == "describe" else narrate(script, index, way)  # type: ignore[arg-type]
        families = {load().get(each.descriptor).family for each in script.events}
        named = {load().get(mention.descriptor).family for mention in load().mentions(text)}
        asked, found, invented = asked + len(families), found + len(families & named), invented + len(named - families)
        kinds, said = {motion.kind for motion in script.head}, set(mentioned_head_motions(text))
        heads, heads_found = heads + len(kinds), heads_found + len(kinds & said)
        heads_invented += len(said - kinds)
    assert found >= 0.98 * asked
    assert heads_found >= 0.98 * heads
    assert invented <= 0.02 * asked
    assert heads_invented <= 0.02 * heads


def test_every_phrasing_of_every_descriptor_is_found_again() -> None:
    missed = []
    for entry in load().entries:
        sides = {"both": ("both",), "one": ("left", "both"), "either": ("both", "right")}[entry.side]
        for side in sides:
            script = Script(seconds=4, subject="a woman", events=(event(entry.name, side=side, intensity=0.8),))
            for seed in range(12):
                text = narrate(script, seed, "medium")
                names = {mention.descriptor for mention in load().mentions(text)}
                if {load().get(name).family for name in names} != {entry.family}:
                    missed.append((entry.name, text, names))
    assert not missed


def test_order_of_mention_is_order_of_onset() -> None:
    script = Script(
        seconds=8,
        events=(event("frown", 3.0, seconds=0.8), event("smirk", 0.5), event("yawn", 5.0)),
        head=(HeadMotion(kind="nod", onset=4.0, end=4.6),),
    )
    for detail in DETAILS:
        for text in every_way(script, detail):
            names = [found.name for found in load().find(text) if found.sort in ("descriptor", "head")]
            assert names == ["smirk", "frown", "nod", "yawn"], text


def test_simultaneous_things_are_joined() -> None:
    script = Script(seconds=4, events=(event("smirk"),), head=(HeadMotion(kind="turn_left", onset=0.6, end=2.0),))
    for text in every_way(script, "short"):
        assert re.search(r"\b(while|with|as|together)\b", text), text
        assert not re.search(r"\bthen\b", text), text


def test_intensity_words_tell_the_intensity() -> None:
    words = {
        0.3: "faint|barely|hint|ever so",
        0.4: "slight|a little|a bit|mild",
        0.8: "clear|strong|marked|very",
        1.0: "intense|extreme|utterly|very strong|as much as",
    }
    for intensity, pattern in words.items():
        script = Script(seconds=4, subject="a man", events=(event("disgust", intensity=intensity),))
        for detail in ("medium", "long"):
            for text in every_way(script, detail):  # type: ignore[arg-type]
                assert re.search(pattern, text.lower()), (intensity, text)
    plain = Script(seconds=4, subject="a man", events=(event("disgust", intensity=0.6),))
    for text in every_way(plain, "medium"):
        assert not re.search("|".join(words.values()), text), text


def test_levels_cover_the_scale() -> None:
    assert [level_of(value) for value in (0.05, 0.3, 0.4, 0.6, 0.7, 0.8, 1.0)] == [
        "faint", "faint", "slight", "plain", "plain", "strong", "extreme"
    ]  # fmt: skip


def test_sides_are_said_from_medium_on() -> None:
    for name in (entry.name for entry in load().entries if entry.side != "both"):
        script = Script(seconds=4, subject="a girl", events=(event(name, side="left"),))
        for text in every_way(script, "medium", 8):
            assert "left" in text or ("right eyebrow down" in text), (name, text)
        for text in every_way(script, "short", 8):
            assert "right" not in text


def test_counts_and_slowness_of_head_and_blinks_are_said() -> None:
    script = Script(
        seconds=6,
        head=(HeadMotion(kind="nod", cycles=3, onset=0.3, end=1.8),),
        blinks=(Blink(time=3.0, count=2, slow=True),),
    )
    for text in every_way(script, "medium"):
        assert "three" in text.lower()
        assert re.search(r"\b(twice|two)\b", text)
        assert re.search("slow|long", text.lower())


def test_looking_is_gaze_and_not_the_head() -> None:
    script = Script(seconds=4, gaze=(Gaze(direction="down_left", onset=1, end=2.5),))
    for detail in DETAILS:
        for text in every_way(script, detail):
            assert mentioned_head_motions(text) == []
            assert "left" in text
            assert "down" in text


def test_energy_is_always_said_at_length() -> None:
    for energy, pattern in (("low", "calm|little energy|subdued"), ("high", "lively|energy|animated")):
        script = Script(seconds=4, energy=energy, events=(event("smile"),))
        assert all(re.search(pattern, text) for text in every_way(script, "long"))
        assert any(re.search(pattern, text) for text in every_way(script, "medium"))


def test_a_neutral_face_is_said_in_several_ways() -> None:
    texts = set(every_way(Script(seconds=3, subject="an old man"), "short"))
    assert len(texts) >= 8
    assert all(load().mentions(text) == [] for text in texts)


def test_there_is_real_variety() -> None:
    script = Script(seconds=5, subject="a young woman", events=(event("smirk"), event("frown", 2.5)))
    for detail in DETAILS:
        assert len(set(every_way(script, detail, 100))) >= 70


def test_narration_is_deterministic() -> None:
    script = cast(1, 5)
    assert every_way(script, "long", 5) == every_way(script, "long", 5)


@pytest.mark.parametrize("detail", DETAILS)
def test_the_grammar_holds(detail: Detail) -> None:
    for index in range(300):
        text = narrate(cast(99, index), index, detail)
        assert not re.search(r"[{}*_!]|  | ,|\.\.|,,", text), text
        assert not re.search(r"\ba [aeio]", re.sub(r"\ba one", "", text)), text
        assert not re.search(r"\ban [bcdfgjklmnpqrstvwxyz]", text), text
        assert not re.search(r"\b(they|you) (smiles|looks|gives|shows|nods|is|has)\b", text), text
        assert not re.search(r"\b(she|he) (smile|look|give|show|nod|are|have)\b", text), text
        if detail != "short":
            assert text[0].isupper()
            assert text.endswith(".")


def test_pronouns_agree_with_the_subject() -> None:
    assert pronouns_for("a woman") == SHE
    assert pronouns_for("an old man") == HE
    assert pronouns_for("someone") == THEY
    assert pronouns_for("my grumpy uncle") == HE
    assert pronouns_for("a retired astronaut") == THEY
    assert len(subjects()) >= 24
    for subject, wrong in (("a woman", "his|he|him"), ("a man", "her|she|hers")):
        script = Script(seconds=4, subject=subject, events=(event("bite_lip"), event("raise_brows", 2.5)))
        for detail in DETAILS:
            assert not any(re.search(rf"\b({wrong})\b", text, re.IGNORECASE) for text in every_way(script, detail))


def test_answers() -> None:
    script = Script(
        seconds=5,
        subject="an old woman",
        events=(event("smirk", 0.4, 0.4, "left"), event("surprise", 2.5, 0.8)),
        head=(HeadMotion(kind="nod", cycles=2, onset=2.6, end=3.4),),
    )
    assert answer(script, "emotion", 0) == "smirk, then surprise"
    assert answer(script, "intensity", 0) == "a slight smirk, then a strong look of surprise"
    assert answer(script, "head", 0).startswith("nods twice")
    assert answer(script, "timeline", 0).startswith(
        "0.4-1.9 s: smirk (left), slight; 2.5-4.0 s: surprise, strong; 2.6-"
    )
    for seed in range(30):
        assert not re.search(r"\b(old|woman|she|her)\b", answer(script, "describe", seed))
    nothing = Script(seconds=2)
    assert answer(nothing, "emotion", 0) == answer(nothing, "intensity", 0) == "neutral"
    assert answer(nothing, "head", 0) == "neutral, the head stays still"
    assert "neutral" in answer(nothing, "describe", 0)
    assert {narrator.answer(script, task, 1) for task in TASKS}.isdisjoint({""})
    with pytest.raises(ValueError, match="task must be one of"):
        answer(script, "weather", 0)  # type: ignore[arg-type]
