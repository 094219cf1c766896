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

PROMPT = "she smiles broadly, then turns her head to the left"


@pytest.fixture(scope="module")
def takes() -> list[tdmm.FaceMotion]:
    return api.animate_many([PROMPT] * 4, [3, 4, 5, 6], seconds=4.0)


@pytest.fixture(scope="module")
def take(takes: list[tdmm.FaceMotion]) -> tdmm.FaceMotion:
    return takes[0]


def test_the_face_does_what_the_words_say(takes: list[tdmm.FaceMotion]) -> None:
    """In most takes: one of four may miss."""
    found = [read(motion) for motion in takes]
    assert sum("lip_corner_puller" in {event.action for event in events.actions} for events in found) >= 3
    assert sum("turn_left" in {event.kind for event in events.head} for events in found) >= 3


def test_a_motion_is_whole(take: tdmm.FaceMotion) -> None:
    assert take.fps == 25
    assert take.frames == 100
    assert set(take.channels) == set(ARKIT)
    assert take.expression.min() >= 0
    assert take.expression.max() <= 1
    assert take.text.startswith("she smiles")
    assert take.provenance["seed"] == 3


def test_a_take_is_its_seed_s_alone(take: tdmm.FaceMotion) -> None:
    again, other = api.animate_many([PROMPT, "a smile"], [3, 4], seconds=4.0)
    assert np.allclose(again.expression, take.expression, atol=1e-4)
    assert not np.allclose(other.expression, take.expression, atol=1e-2)


def test_describe_says_it_back(takes: list[tdmm.FaceMotion]) -> None:
    said = api.describe_many(takes, task="head")
    assert sum("left" in text for text in said) >= 2
    assert all(len(text) > 10 for text in api.describe_many(takes))


def test_describe_reads_files_and_knows_its_tasks(take: tdmm.FaceMotion, tmp_path: Path) -> None:
    path = tmp_path / "take.npz"
    tdmm.save(take, path)
    assert tdmm.describe(path) == tdmm.describe(take)
    with pytest.raises(InvalidInput, match="Did you mean 'timeline'"):
        tdmm.describe(take, task="timelin")


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
