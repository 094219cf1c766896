"""The main job on the bundled models: words to a face, and a face to words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tdmm
from tdmm import api
from tdmm.acting.answers import answer
from tdmm.errors import InvalidInput, InvalidMotion, InvalidPrompt
from tdmm.face.channels import ARKIT
from tdmm.motion.joining import concatenated
from tdmm.reading.reader import read

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
    with pytest.raises(InvalidInput, match="leave out one"):
        tdmm.describe(take, task="head", ask="does she nod?")
    with pytest.raises(InvalidInput, match="question is empty"):
        tdmm.describe(take, ask="")


def test_what_is_told_and_answered_is_what_was_in_sight(take: tdmm.FaceMotion) -> None:
    twice = concatenated([take, take, take])
    confidence = np.ones(twice.frames, np.float32)
    confidence[take.frames : 2 * take.frames] = 0.0
    away = twice.with_(confidence=confidence)
    gap = (take.seconds, 2 * take.seconds)
    told = api.transcribe(away)
    assert told.events
    for thing in (*told.events, *told.head, *told.gaze):
        assert thing.end <= gap[0] + 0.05 or thing.onset >= gap[1] - 0.05
    said = api.describe(away, ask="does she smile?")
    assert said.startswith(f"[0.0-{gap[0]:.1f} s] yes")
    assert f"[{gap[1]:.1f}-{twice.seconds:.1f} s] yes" in said
    with pytest.raises(InvalidMotion, match="in sight in none"):
        api.describe(take.with_(confidence=np.zeros(take.frames, np.float32)))


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
    assert api.understand("she nods twice").named
    assert not api.understand("a letter from the tax office").named
    with pytest.raises(InvalidPrompt, match="no word"):
        api.understand("xqzt blorfen wug")


def test_a_timeline_is_placed_to_a_fifth_of_a_second() -> None:
    motion = api.animate("[0.5-2.5s] she grins | [3-5s] she raises her eyebrows", seed=2)
    onsets = {event.action: event.onset for event in read(motion).actions}
    assert onsets["lip_corner_puller"] == pytest.approx(0.5, abs=0.2)
    assert onsets["outer_brow_raiser"] == pytest.approx(3.0, abs=0.2)


def test_one_word_changes_what_it_says_and_keeps_the_rest() -> None:
    before = api.animate("she grins, then turns her head to the left", seed=4)
    after = api.edit(before, "she scowls, then turns her head to the left")
    found = [read(before), read(after)]
    actions = [{event.action for event in events.actions} for events in found]
    assert "lip_corner_puller" in actions[0] - actions[1]
    assert "brow_lowerer" in actions[1] - actions[0]
    turns = [next(event for event in events.head if event.kind == "turn_left") for events in found]
    assert turns[0].onset == pytest.approx(turns[1].onset, abs=0.25)
    assert turns[0].amplitude == pytest.approx(turns[1].amplitude, rel=0.3)


def test_streamed_frames_are_those_of_animate() -> None:
    whole = api.animate("he winks", seed=1)
    frames = list(tdmm.stream("he winks", seed=1))
    assert len(frames) == whole.frames
    assert np.allclose([frame.expression for frame in frames], whole.expression, atol=1e-4)


def test_a_weight_makes_its_word_stronger() -> None:
    def peak(prompt: str) -> float:
        return float(api.animate(prompt, seed=3, seconds=3.0).channel("browDownLeft").max())

    assert peak("she (scowls:0.4) at the camera") < 0.8 * peak("she scowls at the camera")


def test_every_word_is_explained() -> None:
    found = api.explain("she scowls, then nods twice", seed=1)
    assert found.words == ("she", "scowls", "then", "nods", "twice")
    nod = len(found.plan.events.actions)
    assert found.plan.events.head[0].kind == "nod"
    assert found.words[int(found.shares[:, nod].argmax())] in ("nods", "twice")


def test_a_motion_is_written_down_as_a_script() -> None:
    motion = api.animate("she frowns, then nods twice", seed=1)
    script = api.transcribe(motion)
    assert script.seconds == pytest.approx(motion.seconds)
    assert script.events
    assert api.describe(motion) == answer(script, "describe", 0)
    assert api.describe(motion, task="timeline") == answer(script, "timeline", 0)
