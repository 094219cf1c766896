"""Making, editing, going on, filling and streaming with untrained models: what holds whatever they learned."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tdmm.acting.actor import perform
from tdmm.acting.script import Event, Script
from tdmm.errors import InvalidInput, InvalidMotion, InvalidPrompt
from tdmm.language.animator import Animator
from tdmm.language.data import codebooks
from tdmm.language.influence import influence, reweighed
from tdmm.language.language2motion import Language2Motion, Language2MotionConfig
from tdmm.language.performer import Performer, plan_of
from tdmm.language.planner import Planner, PlannerConfig
from tdmm.language.prompt import Row
from tdmm.language.text_encoder import HashedWords
from tdmm.motion.clip import FaceMotion
from tdmm.motion.features import to_features
from tdmm.tokens.tokenizer import Tokenizer

ENCODER = HashedWords(16)


@pytest.fixture(scope="module")
def performer() -> Performer:
    torch.manual_seed(0)
    tokenizer = Tokenizer.load()
    planner = Planner(PlannerConfig(text_width=16, width=32, depth=1, heads=2), ENCODER.name)
    config = Language2MotionConfig(
        levels=tokenizer.levels, codebook_size=tokenizer.codebook_size, latent_width=64, text_width=16, width=32,
        depth=1, heads=2,
    )  # fmt: skip
    model = Language2Motion(config, codebooks(tokenizer), tokenizer.fingerprint, ENCODER.name)
    for network in (planner, model):
        network.eval().requires_grad_(False)
    return Performer(Animator(planner, model, tokenizer, ENCODER, ENCODER), tokenizer)


@pytest.fixture(scope="module")
def captured() -> FaceMotion:
    event = Event(descriptor="grin", onset=0.3, apex=0.7, offset=3.0, end=3.5)
    return perform(Script(seconds=3.2, events=(event,)), 3).motion


def same(first: FaceMotion, second: FaceMotion) -> bool:
    return np.allclose(to_features(first), to_features(second), atol=1e-6)


def test_a_motion_keeps_its_plan(performer: Performer) -> None:
    scene = performer.stage("she smiles", 3, seconds=1.5)
    motion = performer.perform([scene], [3])[0]
    assert motion.frames == 38
    kept = plan_of(motion)
    assert kept is not None
    assert kept.frames == scene.plan.frames
    assert [each.action for each in kept.events.actions] == [each.action for each in scene.plan.events.actions]


def test_a_broken_plan_is_refused(captured: FaceMotion) -> None:
    assert plan_of(captured) is None
    with pytest.raises(InvalidMotion, match="cannot be read"):
        plan_of(captured.with_(provenance={"plan": {"frames": 3}}))


def test_the_same_words_edit_nothing(performer: Performer) -> None:
    scene = performer.stage("she smiles", 3)
    again = performer.stage("she smiles", 3, like=scene.plan)
    assert set(again.plan.events.actions) == set(scene.plan.events.actions)
    assert again.plan.events.head == scene.plan.events.head
    assert same(performer.perform([scene], [3])[0], performer.perform([again], [3])[0])


def test_stream_gives_the_frames_of_perform(performer: Performer) -> None:
    scene = performer.stage("he frowns", 5, seconds=1.2)
    whole = performer.perform([scene], [5])[0]
    frames = list(performer.stream(scene, 5))
    assert [frame.seconds for frame in frames] == pytest.approx(np.arange(30) / 25)
    assert np.allclose([frame.expression for frame in frames], whole.expression, atol=1e-5)
    assert np.allclose([frame.head for frame in frames], whole.head, atol=1e-5)


def test_going_on_keeps_what_was_and_has_no_seam(performer: Performer, captured: FaceMotion) -> None:
    longer = performer.extend(captured, "she laughs", 4, seconds=2.0)
    assert longer.frames == captured.frames + 50
    assert np.array_equal(longer.expression[: captured.frames], captured.expression)
    seam = np.abs(longer.expression[captured.frames] - longer.expression[captured.frames - 1]).max()
    assert seam < 1e-5


def test_a_gap_is_filled_between_two_motions(performer: Performer, captured: FaceMotion) -> None:
    filled = performer.extend(captured, "she laughs", 4, seconds=2.0, until=captured)
    assert filled.frames == 2 * captured.frames + 50
    assert np.array_equal(filled.expression[-captured.frames :], captured.expression)
    end = captured.frames + 50
    assert np.abs(filled.expression[end] - filled.expression[end - 1]).max() < 1e-5


def test_sixty_frames_a_second_can_be_gone_on_from(performer: Performer, captured: FaceMotion) -> None:
    from tdmm.motion.timeline import resample

    longer = performer.extend(resample(captured, 60), "she laughs", 4, seconds=1.0)
    assert longer.fps == 25
    assert longer.frames == captured.frames + 25


def test_timelines_place_their_rows(performer: Performer) -> None:
    scene = performer.stage("[0-2s] curious look | [2-4s] breaks into a laugh", 1)
    assert scene.plan.frames == 100
    again = performer.stage("", 1, rows=[Row(0, 2, "curious look"), Row(2, 4, "breaks into a laugh")])
    assert again == scene
    assert performer.perform([scene], [1])[0].frames == 100


def test_a_timeline_longer_than_asked_is_refused(performer: Performer) -> None:
    with pytest.raises(InvalidInput, match="lasts until 4 s"):
        performer.stage("[0-2s] curious look | [2-4s] breaks into a laugh", 1, seconds=3)
    with pytest.raises(InvalidInput, match="between"):
        performer.stage("she smiles, then she waits", 1, seconds=31)


def test_long_clips_are_as_long_as_asked(performer: Performer) -> None:
    scene = performer.stage("she smiles", 1, seconds=14.0)
    motion = performer.perform([scene], [1])[0]
    assert motion.seconds == 14.0
    assert len(list(performer.stream(scene, 1))) == 350


def test_strength_scales_what_happens(performer: Performer) -> None:
    plain, strong = performer.stage("she smiles", 3), performer.stage("she smiles", 3, strength=0.5)
    for one, half in zip(plain.plan.events.actions, strong.plan.events.actions, strict=True):
        assert half.strength == pytest.approx(0.5 * one.strength)


def test_influence_is_shared_out_among_words(performer: Performer) -> None:
    prompt = "a furious glare, then a nod"
    found = performer.animator.explain(prompt, 2, performer.planning)
    assert found.plan.frames == performer.stage(prompt, 2).plan.frames
    assert found.words == ("a", "furious", "glare", "then", "a", "nod")
    events = found.plan.events
    count = len(events.actions) + len(events.head) + len(events.gaze) + len(events.blinks)
    assert found.shares.shape == (6, count)
    sums = found.shares.sum(0)
    assert np.all(np.isclose(sums, 1) | (sums == 0))


def test_words_move_their_own_step_alone(performer: Performer) -> None:
    found = performer.animator.explain("a furious glare, then a nod", 2, performer.planning)
    first, second = (
        performer.animator.explain(part, 2 + place) for place, part in enumerate(("a furious glare", "a nod"))
    )
    moved = found.shares[:3].sum(0) > 0
    assert not (moved & (found.shares[3:].sum(0) > 0)).any()
    assert len(found.plan.events.actions) == len(first.plan.events.actions) + len(second.plan.events.actions)


def test_a_moment_in_the_words_is_met(performer: Performer) -> None:
    plan = performer.stage("she smiles at 2.5 s, all in a lively way", 3).plan
    starts = [each.onset for each in (*plan.events.actions, *plan.events.head)]
    assert min(starts, default=2.5) == pytest.approx(2.5)
    assert plan.frames > 2.5 * 25


def test_weights_reach_the_step_that_they_stand_in(performer: Performer) -> None:
    plain = performer.stage("a furious glare, then a nod", 2).plan
    heavy = performer.stage("a (furious:0) glare, then a nod", 2).plan
    assert heavy.frames == plain.frames
    assert len(heavy.events.actions) <= len(plain.events.actions)


def test_weights_move_what_their_words_brought_about(performer: Performer) -> None:
    prompt = "a furious glare"
    found = influence(performer.animator.planner, ENCODER, prompt, performer.stage(prompt, 2).plan)
    actions = found.plan.events.actions
    for weight in (0.5, 1.0, 1.5):
        changed = reweighed(found, ((2, 9, weight),)).events.actions
        for place, (before, after) in enumerate(zip(actions, changed, strict=True)):
            factor = 1 + (weight - 1) * found.shares[1, place]
            assert after.strength == pytest.approx(min(1.0, before.strength * factor))


def test_wrong_weights_are_refused(performer: Performer) -> None:
    with pytest.raises(InvalidPrompt, match="weight"):
        performer.stage("a (furious:loud) glare", 1)
