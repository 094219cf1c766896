"""The actor: what is asked is what is seen, at the asked strength, side and time, and nothing pops."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdmm.acting.actor import BLINK_SECONDS, Performance, perform
from tdmm.acting.casting import cast
from tdmm.acting.idle import IDLE_GAZE
from tdmm.acting.lexicon import load
from tdmm.acting.script import Blink, Event, Gaze, HeadMotion, Script
from tdmm.errors import InvalidScript, UnknownName
from tdmm.face.facs import ACTIONS
from tdmm.motion.events import GAZE_DIRECTIONS, HEAD_MOTIONS, HeadMotionKind

BLINK_CHANNELS = ("eyeBlinkLeft", "eyeBlinkRight")
CLIPS = 200


@cache
def performances() -> tuple[tuple[Script, Performance], ...]:
    scripts = [cast(11, index) for index in range(CLIPS)]
    return tuple((script, perform(script, index)) for index, script in enumerate(scripts))


def event(descriptor: str, **changes: object) -> Event:
    given = {"onset": 0.5, "apex": 1.0, "offset": 2.0, "end": 2.6, "intensity": 0.8, **changes}
    return Event.model_validate({"descriptor": descriptor, **given})


def head(kind: HeadMotionKind, **changes: object) -> Performance:
    motion = HeadMotion.model_validate({"kind": kind, "onset": 0.5, "end": 2.5, "cycles": 2, **changes})
    return perform(Script(seconds=3.5, energy="low", head=(motion,)), 3)


def test_same_seed_same_take_and_another_seed_another() -> None:
    script = cast(11, 3)
    one, again, other = perform(script, 5), perform(script, 5), perform(script, 6)
    np.testing.assert_array_equal(one.motion.expression, again.motion.expression)
    np.testing.assert_array_equal(one.motion.head, again.motion.head)
    assert one.events == again.events
    assert not np.array_equal(one.motion.expression, other.motion.expression)


def test_coefficients_stay_within_bounds_and_rest_is_exact_zero() -> None:
    for script, performance in performances():
        expression = performance.motion.expression
        assert expression.min() >= 0.0
        assert expression.max() <= 1.0
        asked = {recipe.action for each in script.events for recipe in load().get(each.descriptor).actions}
        asked |= {"eye_closure", "jaw_drop"}
        for name, action in ACTIONS.items():
            if name not in asked:
                for channel in action.channels():
                    assert not performance.motion.channel(channel).any(), (name, script)


def test_nothing_pops() -> None:
    for script, performance in performances():
        motion = performance.motion
        quiet = [name for name in motion.channels if name not in BLINK_CHANNELS]
        assert np.abs(np.diff(motion.in_order(tuple(quiet)), axis=0)).max() < 0.5, script
        assert np.degrees(np.abs(np.diff(motion.head, axis=0))).max() < 11.0, script
        assert np.abs(np.diff(motion.translation_or_zeros(), axis=0)).max() < 0.018, script


@pytest.mark.parametrize("intensity", [0.3, 0.6, 1.0])
def test_every_descriptor_reaches_its_intensity(intensity: float) -> None:
    for index, (name, descriptor) in enumerate(load().descriptors.items()):
        script = Script(seconds=3.2, events=(event(name, intensity=intensity),))
        events = perform(script, index).events
        reached = {each.action: each.strength for each in events.actions}
        for recipe in descriptor.actions:
            low, high = recipe.peak
            if recipe.probability == 1.0:
                assert 0.9 * low * intensity <= reached[recipe.action], (name, recipe)
                if recipe.action != "jaw_drop" or not {"tongue_show", "lips_together"} & set(reached):
                    assert reached[recipe.action] <= 1.1 * high * intensity, (name, recipe)


def test_stated_strength_is_what_the_channel_shows() -> None:
    for script, performance in performances():
        motion = performance.motion
        for each in performance.events.actions:
            if each.action == "eye_closure":
                continue  # a blink may lie on top
            first, last = round(each.onset * 25), round(each.end * 25) + 1
            channels = ACTIONS[each.action].channels(each.side)
            peak = max(motion.channel(name)[first:last].max() for name in channels)
            assert peak == pytest.approx(each.strength, abs=0.01), (each, script)


@pytest.mark.parametrize("side", ["left", "right"])
def test_one_sided_events_are_on_that_side(side: str) -> None:
    other = "right" if side == "left" else "left"
    for descriptor in load().descriptors.values():
        if descriptor.side == "both":
            continue
        performance = perform(Script(seconds=3.2, events=(event(descriptor.name, side=side),)), 1)
        for recipe in descriptor.actions:
            action = ACTIONS[recipe.action]
            if action.sided and recipe.side == "same" and action.region != "lids":
                assert not performance.motion.channel(getattr(action, other)).any(), (descriptor.name, recipe)
                if recipe.probability == 1.0:
                    assert performance.motion.channel(getattr(action, side)).max() > 0.3


def test_one_sided_descriptors_choose_a_side_when_none_is_asked() -> None:
    script = Script(seconds=3.2, events=(event("smirk"),))
    sides = {
        each.side
        for seed in range(12)
        for each in perform(script, seed).events.actions
        if each.action in ("lip_corner_puller", "dimpler")
    }
    assert sides == {"left", "right"}


def test_events_come_in_the_asked_order() -> None:
    names = ("smile", "frown", "raise_brows")
    script = Script(
        seconds=6.0,
        events=tuple(
            event(name, onset=2.0 * k, apex=2.0 * k + 0.4, offset=2.0 * k + 1.0, end=2.0 * k + 1.6)
            for k, name in enumerate(names)
        ),
    )
    found = perform(script, 2).events.actions
    cores = [load().get(name).core[0] for name in names]
    apexes = [next(each.apex for each in found if each.action == core) for core in cores]
    assert apexes == sorted(apexes)


def test_overlapping_events_of_one_action_are_one_event_without_a_pop() -> None:
    script = Script(
        seconds=4.0,
        events=(
            event("smile", intensity=0.5),
            event("smile", intensity=0.9, onset=1.5, apex=2.0, offset=2.6, end=3.2),
        ),
    )
    performance = perform(script, 4)
    smiles = [each for each in performance.events.actions if each.action == "lip_corner_puller"]
    assert len(smiles) == 1
    assert smiles[0].onset < 0.8
    assert smiles[0].end > 2.9
    assert np.abs(np.diff(performance.motion.channel("mouthSmileLeft"))).max() < 0.2


def test_a_release_is_slower_than_a_rise_of_the_same_length() -> None:
    motion = perform(Script(seconds=4.0, events=(event("smile", onset=0.5, apex=1.2, offset=2.0, end=2.7),)), 0).motion
    smile = motion.channel("mouthSmileLeft") / motion.channel("mouthSmileLeft").max()
    steps = np.diff(smile)
    rise, fall = np.argmax(steps), np.argmin(steps)
    assert rise / 25 - 0.5 > 0.2  # the rise gathers speed
    assert fall / 25 - 2.0 < 0.35  # the release starts briskly and ends slowly


def test_tongue_opens_the_jaw() -> None:
    performance = perform(Script(seconds=3.2, events=(event("stick_out_tongue"),)), 0)
    shown = performance.motion.channel("tongueOut") > 0.3
    assert (performance.motion.channel("jawOpen")[shown] >= 0.1).all()
    assert {"tongue_show", "jaw_drop"} <= {each.action for each in performance.events.actions}


def test_shut_eyes_neither_blink_nor_widen() -> None:
    script = Script(
        seconds=6.0,
        events=(
            event("close_eyes", intensity=1.0, onset=0.5, apex=1.0, offset=5.0, end=5.5),
            event("widen_eyes", onset=2.0, apex=2.3, offset=3.0, end=3.4),
        ),
        blinks=(Blink(time=2.5, count=3),),
    )
    performance = perform(script, 1)
    assert performance.motion.channel("eyeWideLeft").max() < 0.1
    assert not [blink for blink in performance.events.blinks if 0.7 < blink.time < 5.3]
    assert all(each.action != "upper_lid_raiser" for each in performance.events.actions)


def test_winks_are_blinks_of_one_side() -> None:
    script = Script(
        seconds=3.0,
        events=(event("wink", side="left", intensity=1.0, onset=1.0, apex=1.1, offset=1.15, end=1.3),),
    )
    performance = perform(script, 8)
    winks = [blink for blink in performance.events.blinks if blink.side == "left"]
    assert len(winks) == 1
    assert winks[0].duration < BLINK_SECONDS
    assert all(each.action != "eye_closure" for each in performance.events.actions)


def test_scripted_blinks_are_counted_and_whole() -> None:
    for slow in (False, True):
        script = Script(seconds=5.0, energy="low", blinks=(Blink(time=1.5, count=3, slow=slow),))
        asked = [blink for blink in perform(script, 3).events.blinks if 1.4 < blink.time < 3.5]
        assert len(asked) == 3
        assert all(blink.strength > 0.9 and blink.duration < BLINK_SECONDS for blink in asked)
        assert (asked[0].duration > 0.35) is slow


def test_blink_rate_lies_in_the_published_interval() -> None:
    seconds = blinks = partial = 0.0
    for index in range(CLIPS):
        found = perform(Script(seconds=6.0, energy=("low", "normal", "high")[index % 3]), index).events.blinks
        seconds += 6.0
        blinks += len(found)
        partial += sum(blink.strength < 0.85 for blink in found)
    assert 8.0 <= 60.0 * blinks / seconds <= 21.0
    assert 0.42 <= partial / blinks <= 0.64


def test_lids_close_faster_than_they_open() -> None:
    closing, opening = [], []
    for index in range(60):
        performance = perform(Script(seconds=6.0), index)
        lid = performance.motion.channel("eyeBlinkLeft")
        for blink in performance.events.blinks:
            frames = np.flatnonzero(lid[: round((blink.time + blink.duration) * 25) + 1] > 0.05)
            frames = frames[frames >= int(blink.time * 25)]
            peak = frames[0] + int(np.argmax(lid[frames[0] : frames[-1] + 1]))
            closing.append(peak - frames[0] + 1)
            opening.append(frames[-1] - peak + 1)
    assert 25.0 < 40.0 * (np.mean(opening) - np.mean(closing)) < 130.0


@pytest.mark.parametrize("kind", HEAD_MOTIONS)
def test_head_goes_where_it_is_asked(kind: HeadMotionKind) -> None:
    performance = head(kind)
    pitch, yaw, roll = np.degrees(performance.motion.head).T
    z = performance.motion.translation_or_zeros()[:, 2] * 1000.0
    size = performance.events.head[0].amplitude
    axis, sign = {
        "nod": (pitch, 1), "shake": (yaw, 0), "wobble": (roll, 0),
        "turn_left": (yaw, 1), "turn_right": (yaw, -1),
        "tilt_left": (roll, -1), "tilt_right": (roll, 1), "bow": (pitch, 1), "raise": (pitch, -1),
        "lean_forward": (z, 1), "lean_back": (z, -1), "recoil": (z, -1),
    }[kind]  # fmt: skip
    extreme = axis[np.argmax(np.abs(axis))]
    assert abs(extreme) == pytest.approx(size, abs=2.1)
    assert sign * extreme >= 0.0
    limits = {
        "turn": (15, 35),
        "tilt": (8, 20),
        "bow": (10, 25),
        "rais": (10, 25),
        "lean": (20, 50),
        "reco": (15, 35),
    }
    low, high = limits.get(kind[:4], limits.get(kind[:3], (5, 22)))
    assert 0.93 * low <= size <= 1.07 * high
    assert np.abs(axis[:10]).max() < 2.1
    assert np.abs(axis[-15:]).max() < 2.1


def test_first_nod_is_the_largest_and_the_last_smaller() -> None:
    performance = head("nod", cycles=4, intensity=0.9)
    assert performance.events.head[0].cycles == 4
    pitch = np.degrees(performance.motion.head[:, 0])
    peaks = [pitch[round((0.5 + k * 0.5) * 25) : round((1.0 + k * 0.5) * 25)].max() for k in range(4)]
    assert peaks[0] == max(peaks)
    assert peaks[3] < 0.85 * peaks[0]


@pytest.mark.parametrize("direction", GAZE_DIRECTIONS)
def test_gaze_goes_where_it_is_asked(direction: str) -> None:
    gaze = Gaze.model_validate({"direction": direction, "intensity": 0.3, "onset": 1.0, "end": 2.0})
    performance = perform(Script(seconds=3.0, gaze=(gaze,)), 2)
    motion = performance.motion
    found = performance.events.gaze[0]
    assert found.direction == direction
    assert found.strength >= 0.3
    middle = 37
    left = motion.channel("eyeLookOutLeft") - motion.channel("eyeLookInLeft")
    up = motion.channel("eyeLookUpRight") - motion.channel("eyeLookDownRight")
    assert np.sign(np.round(left[middle], 1)) == ("left" in direction) - ("right" in direction)
    assert np.sign(np.round(up[middle], 1)) == ("up" in direction) - ("down" in direction)
    away = np.r_[0:24, 55:75]
    assert max(np.abs(left[away]).max(), np.abs(up[away]).max()) <= IDLE_GAZE + 1e-6


def test_idle_head_sways_a_little() -> None:
    for energy in ("low", "normal", "high"):
        motion = perform(Script.model_validate({"seconds": 30.0, "energy": energy}), 1).motion
        assert 0.02 < np.degrees(np.abs(motion.head)).max() <= 1.2
        assert 1e-5 < np.abs(motion.translation_or_zeros()).max() <= 0.002
        spectrum = np.abs(np.fft.rfft(motion.head[:, 1])) ** 2
        assert spectrum[np.fft.rfftfreq(motion.frames, 1 / 25) > 0.7].sum() < 0.05 * spectrum.sum()


def test_adding_a_nod_leaves_the_smile_as_it_was() -> None:
    smile = Script(seconds=4.0, events=(event("smile"),))
    both = smile.model_copy(update={"head": (HeadMotion(kind="nod", onset=1.0, end=2.0),)})
    np.testing.assert_array_equal(
        perform(smile, 9).motion.channel("mouthSmileLeft"), perform(both, 9).motion.channel("mouthSmileLeft")
    )


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (Script(seconds=3.0, events=(event("smile", apex=0.2),)), "out of order"),
        (Script(seconds=1.0, events=(event("smile", onset=2.0, apex=2.1, offset=2.2, end=2.3),)), "longer"),
        (Script(seconds=3.0, head=(HeadMotion(kind="nod", onset=2.0, end=1.0),)), "before it starts"),
        (Script(seconds=3.0, gaze=(Gaze(direction="up", onset=2.0, end=1.0),)), "before it starts"),
        (Script(seconds=3.0, blinks=(Blink(time=4.0),)), "longer"),
    ],
)
def test_impossible_timing_is_refused(script: Script, message: str) -> None:
    with pytest.raises(InvalidScript, match=message):
        perform(script, 0)


def test_unknown_descriptor_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UnknownName, match="smile"):
        perform(Script(seconds=3.0, events=(event("smlie"),)), 0)


times = st.floats(0.0, 4.0)


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(st.sampled_from(sorted(load().descriptors)), max_size=4),
    moments=st.lists(st.tuples(times, times, times, times), min_size=4, max_size=4),
    motions=st.lists(st.tuples(st.sampled_from(HEAD_MOTIONS), times, times, st.integers(1, 10)), max_size=3),
    blinks=st.lists(st.tuples(times, st.integers(1, 10), st.booleans()), max_size=3),
    seed=st.integers(-(2**40), 2**62),
)
def test_any_script_in_order_can_be_acted(
    names: list[str],
    moments: list[tuple[float, float, float, float]],
    motions: list[tuple[HeadMotionKind, float, float, int]],
    blinks: list[tuple[float, int, bool]],
    seed: int,
) -> None:
    events = []
    for name, four in zip(names, moments, strict=False):
        onset, apex, offset, end = sorted(four)
        events.append(event(name, intensity=1.0, onset=onset, apex=apex, offset=offset, end=end))
    script = Script(
        seconds=4.1,
        events=tuple(events),
        head=tuple(HeadMotion(kind=kind, onset=min(a, b), end=max(a, b), cycles=n) for kind, a, b, n in motions),
        blinks=tuple(Blink(time=at, count=count, slow=slow) for at, count, slow in blinks),
    )
    performance = perform(script, seed)
    assert performance.motion.frames == round(4.1 * 25)
    assert performance.motion.expression.min() >= 0.0
    assert performance.motion.expression.max() <= 1.0
    for each in performance.events.actions:
        assert 0.0 <= each.onset <= each.apex <= each.offset <= each.end <= 4.1
        assert 0.0 < each.strength <= 1.0


def test_blinks_that_nobody_asked_for_are_told_apart() -> None:
    script = Script(seconds=6.0, energy="high", blinks=(Blink(time=1.5, count=2),))
    own = 0
    for seed in range(5):
        performance = perform(script, seed)
        assert len(performance.asked.blinks) == 2
        assert {*performance.asked.blinks} <= {*performance.events.blinks}
        assert performance.asked == replace(performance.events, blinks=performance.asked.blinks)
        own += len(performance.events.blinks) - 2
    assert own >= 5
