"""Lengths and sizes follow each model's rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdmm.corpus.video.backend import open_backend
from tdmm.corpus.video.presets import PRESETS
from tdmm.errors import InvalidConfig


@pytest.mark.parametrize(
    ("preset", "seconds", "frames"),
    [
        ("wan2.1-14b", 5.0, 81),
        ("wan2.1-1.3b", 4.0, 65),
        ("wan2.1-1.3b", 5.0625, 81),
        ("wan2.1-1.3b", 6.0, 81),  # no longer than it was trained for
        ("wan2.2-5b", 4.0, 97),
        ("wan2.2-5b", 5.0, 121),
        ("hunyuan-1.5", 2.0, 49),
        ("ltx", 4.0, 105),
        ("ltx", 0.1, 9),
    ],
)
def test_frames_for_seconds(preset: str, seconds: float, frames: int) -> None:
    assert PRESETS[preset].frames(seconds) == frames


@given(st.sampled_from(sorted(PRESETS)), st.floats(0.05, 20))
def test_lengths_fit_the_model_and_hold_the_script_where_it_can(name: str, seconds: float) -> None:
    preset = PRESETS[name]
    frames = preset.frames(seconds)
    assert frames % preset.frame_step == 1
    assert preset.frame_step < frames <= preset.most_frames
    assert frames >= min(seconds * preset.fps, preset.most_frames) - 1e-4
    assert frames - preset.frame_step < max(seconds * preset.fps, preset.frame_step + 1)


def test_every_preset_is_settings_that_open() -> None:
    for name, preset in PRESETS.items():
        settings = open_backend({"name": "diffusion", "preset": name}).settings
        assert settings["model"] == preset.model
        assert settings["style"] == preset.style
        assert "static" not in settings["negative"]


def test_settings_replace_what_a_preset_says() -> None:
    asked = {"preset": "wan2.2-a14b", "steps": 4, "guidance": 1.0, "model": "/models/mine", "fps": 12.0}
    settings = open_backend({"name": "diffusion", **asked, "negative": "blurry"}).settings
    assert {key: settings[key] for key in asked} == asked
    assert settings["guidance_2"] == 3.0
    assert settings["negative"] == "blurry"
    # Where it is computed does not decide what it looks like.
    assert settings == open_backend({"name": "diffusion", **asked, "negative": "blurry", "device": "cpu"}).settings


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"preset": "wan2.1-13b"}, r"did you mean 'wan2\.1-1\.3b'"),
        ({"preset": "wan2.2-5b", "width": 1270}, "multiple of 32, such as 1280"),
        ({"preset": "ltx", "step": 4}, "'step' is unknown. Did you mean 'steps'"),
        ({"preset": "ltx", "steps": 0}, "steps: .*greater than or equal to 1"),
        ({}, "preset: Field required"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidConfig, match=f"(?i){words}"):
        open_backend({"name": "diffusion", **settings})
