"""The main job on the bundled models: words to a face, and a face to words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tdmm
from tdmm import api
from tdmm.errors import InvalidInput, InvalidPrompt
from tdmm.evaluation.reader import read
from tdmm.face.channels import ARKIT


@pytest.fixture(scope="module")
def smirk() -> tdmm.FaceMotion:
    return tdmm.animate("she raises her eyebrows strongly, then shakes her head", seconds=4.0, seed=3)


def test_the_face_does_what_the_words_say(smirk: tdmm.FaceMotion) -> None:
    found = read(smirk)
    assert "outer_brow_raiser" in {event.action for event in found.actions}
    assert "shake" in {event.kind for event in found.head}


def test_a_motion_is_whole(smirk: tdmm.FaceMotion) -> None:
    assert smirk.fps == 25
    assert smirk.frames == 100
    assert set(smirk.channels) == set(ARKIT)
    assert smirk.expression.min() >= 0
    assert smirk.expression.max() <= 1
    assert smirk.text.startswith("she raises")
    assert smirk.provenance["seed"] == 3


def test_the_same_seed_is_the_same_take_and_another_is_not(smirk: tdmm.FaceMotion) -> None:
    prompt = "she raises her eyebrows strongly, then shakes her head"
    again, other = api.animate_many([prompt, prompt], [3, 4], seconds=4.0)
    assert np.allclose(again.expression, smirk.expression, atol=1e-4)
    assert not np.allclose(other.expression, smirk.expression, atol=1e-2)


def test_describe_says_it_back(smirk: tdmm.FaceMotion, tmp_path: Path) -> None:
    path = tmp_path / "smirk.npz"
    tdmm.save(smirk, path)
    said = tdmm.describe(path, task="head")
    assert "shake" in said
    assert len(tdmm.describe(smirk)) > 10
    with pytest.raises(InvalidInput, match="Did you mean 'timeline'"):
        tdmm.describe(smirk, task="timelin")


def test_identity_changes_the_head_and_not_the_motion() -> None:
    plain = tdmm.animate("a smile", seconds=1.0)
    other = tdmm.animate("a smile", seconds=1.0, identity=2)
    assert plain.identity is None
    assert other.identity is not None
    assert np.array_equal(plain.expression, other.expression)
    assert np.abs(other.identity).max() <= 1.5


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("", "empty"),
        ("  \n\t", "empty"),
        ("smile " * 10_000, "10000 words"),
        ("1234 !?", "no word"),
    ],
)
def test_prompts_that_cannot_be_acted(prompt: str, message: str) -> None:
    with pytest.raises(InvalidPrompt, match=message):
        tdmm.animate(prompt)


@pytest.mark.parametrize("option", [{"seconds": 0.0}, {"seconds": 60.0}, {"guidance": -1.0}, {"temperature": 9.0}])
def test_options_out_of_range(option: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match="must lie between"):
        tdmm.animate("a smile", **option)  # type: ignore[arg-type]


def test_understanding_of_known_near_and_foreign_words() -> None:
    assert "smirk" in api.understand("he smirks").descriptors
    assert api.understand("she nods twice").note == ""
    near = api.understand("revulsion overwhelms everything")
    assert near.descriptors
    with pytest.raises(InvalidPrompt, match="no word in"):
        api.understand("xqzt blorfen wug")
