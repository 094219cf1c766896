"""The video part: words for each generator, and negative prompts that leave still faces alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tdmm.acting.lexicon import load
from tdmm.acting.pronouns import pronouns_for
from tdmm.corpus.prompts import scenes
from tdmm.corpus.prompts.control import asks_of_face, lost
from tdmm.corpus.prompts.scenes import negative_for, persons, scenery, styles, words_for
from tdmm.corpus.prompts.suite import suite
from tdmm.errors import InvalidConfig, UnknownName

STYLES = ("wan", "hunyuan", "ltx", "veo", "omni", "humo", "open-sora", "plain")
STILLNESS = re.compile(
    r"\b(static|still|stills|motionless|frozen|freeze|immobile|stationary|unmoving|slow|calm|neutral|photo|steady"
    r"|no motion|little motion)\b"
)


def test_there_is_a_style_for_every_generator() -> None:
    assert set(styles()) == set(STYLES)


@pytest.mark.parametrize("style", STYLES)
def test_the_face_part_is_the_same_for_all_and_the_scene_is_said(style: str) -> None:
    for prompt in suite(20, 3):
        words = words_for(style, prompt)
        assert words.count(prompt.face) == 1
        for phrase in (prompt.scene.framing, prompt.scene.lighting, prompt.scene.background):
            assert phrase.lower() in words.lower()
        assert not re.search(r"[{}]|\.\.|  | [,.;]", words)
        # The video part asks the face for nothing.
        assert lost(prompt.script, words) == ()


def test_styles_differ_in_the_video_part() -> None:
    (prompt,) = suite(1, 3)
    assert len({words_for(style, prompt) for style in STYLES}) == len(STYLES)


@pytest.mark.parametrize("style", STYLES)
def test_negative_prompts_do_not_fight_still_faces(style: str) -> None:
    negative = negative_for(style)
    assert not STILLNESS.search(negative.lower())
    assert load().find(negative) == []


def test_the_test_of_stillness_can_fail() -> None:
    stock = "Bright tones, overexposed, static, blurred details, subtitles, style, works, paintings, still picture"
    assert STILLNESS.search(stock.lower())


def test_every_frame_is_steady_and_centred() -> None:
    for framing in scenery().framing:
        assert re.search("steady|locked-off|tripod", framing)
        assert re.search("centre", framing)


def test_persons_and_scenes_carry_no_control() -> None:
    phrases = [*persons().values(), *scenery().framing, *scenery().lighting, *scenery().background]
    for phrase in phrases:
        assert not asks_of_face(phrase), phrase


def test_persons_are_many_and_even() -> None:
    said = [pronouns_for(words).subj for words in persons().values()]
    assert len(said) == len(set(persons().values())) == 40
    assert said.count("she") == said.count("he") >= 19
    assert "they" in said
    assert not any(re.search(r"\b(child|boy|girl|teen\w*|glasses|mask|veil)\b", words) for words in persons().values())


def test_an_unknown_style_is_named_with_those_that_are() -> None:
    (prompt,) = suite(1, 3)
    with pytest.raises(UnknownName, match=r"Did you mean 'hunyuan'.*open-sora"):
        words_for("hunyan", prompt)
    with pytest.raises(UnknownName, match="There are"):
        negative_for("sora")


@pytest.mark.parametrize("prompt", ["no face", "{face} {face}", "{face} {colour}", "{face} {", "{face} {0}"])
def test_a_style_has_known_slots_and_one_face(prompt: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "styles.yaml").write_text(f"odd:\n  prompt: '{prompt}'\n  negative: ''\n")
    monkeypatch.setattr(scenes, "DATA", tmp_path)
    styles.cache_clear()
    try:
        with pytest.raises(InvalidConfig, match=r"styles\.yaml"):
            styles()
    finally:
        styles.cache_clear()
