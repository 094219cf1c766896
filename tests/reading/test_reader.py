"""The reader on hand-built motions: slow, obvious, and not made by the actor."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdmm.errors import InvalidMotion
from tdmm.face.channels import ARKIT
from tdmm.face.facs import ACTIONS, Side
from tdmm.motion.clip import FaceMotion
from tdmm.motion.events import MotionEvents
from tdmm.motion.timeline import resample
from tdmm.reading.reader import read
from tdmm.reading.settings import ReaderSettings

FPS = 25
Track = npt.NDArray[np.float64]


def bump(seconds: float, onset: float, rise: float, hold: float, fall: float, peak: float = 1.0) -> Track:
    """Straight up, flat, straight down."""
    times = np.arange(round(seconds * FPS)) / FPS
    apex, offset = onset + rise, onset + rise + hold
    track: Track = peak * np.interp(times, [onset, apex, offset, offset + fall], [0, 1, 1, 0])
    return track


def wave(seconds: float, onset: float, cycles: float, hz: float, peak: float, to_and_fro: bool) -> Track:
    """A sine about rest (to and fro), or a raised cosine that leaves rest and returns every cycle."""
    times = np.arange(round(seconds * FPS)) / FPS - onset
    phase = np.clip(times * hz, 0, cycles)
    shape = np.sin(2 * np.pi * phase) if to_and_fro else 0.5 * (1 - np.cos(2 * np.pi * phase))
    track: Track = peak * shape
    return track


def motion(
    channels: dict[str, Track] | None = None,
    head_deg: dict[str, Track] | None = None,
    depth_mm: Track | None = None,
    seconds: float = 4.0,
) -> FaceMotion:
    """A motion at rest but for the tracks given; head axes are pitch, yaw and roll."""
    frames = round(seconds * FPS)
    expression = np.zeros((frames, len(ARKIT)))
    for name, track in (channels or {}).items():
        expression[:, ARKIT.index(name)] = track
    head = np.zeros((frames, 3))
    for name, track in (head_deg or {}).items():
        head[:, ("pitch", "yaw", "roll").index(name)] = np.deg2rad(track)
    translation = np.zeros((frames, 3))
    if depth_mm is not None:
        translation[:, 2] = depth_mm / 1000
    return FaceMotion(channels=ARKIT, expression=expression, head=head, translation=translation)


def facts(events: MotionEvents) -> list[tuple[str, str]]:
    return [(event.action, event.side) for event in events.actions]


def heads(events: MotionEvents) -> list[tuple[str, int]]:
    return [(event.kind, event.cycles) for event in events.head]


def test_a_face_at_rest_does_nothing() -> None:
    assert read(motion()) == MotionEvents()


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_each_action_is_found_on_the_side_that_does_it(name: str) -> None:
    action = ACTIONS[name]
    sides: tuple[Side, ...] = ("both", "left", "right") if action.sided else ("both",)
    for side in [one for one in sides if not (action.exclusive and one == "both")]:
        track = bump(4, onset=1, rise=0.4, hold=0.8, fall=0.6, peak=0.7)
        events = read(motion({channel: track for channel in action.channels(side)}))
        assert facts(events) == [(name, side)]
        assert events.head == events.gaze == events.blinks == ()
        (event,) = events.actions
        assert event.strength == pytest.approx(0.7, abs=0.02)
        assert event.onset == pytest.approx(1.05, abs=0.1)
        assert event.apex == pytest.approx(1.35, abs=0.1)
        assert event.offset == pytest.approx(2.25, abs=0.12)
        assert event.end == pytest.approx(2.75, abs=0.12)


def test_sides_that_differ_a_little_are_both() -> None:
    track = bump(4, 1, 0.3, 1, 0.3, peak=0.8)
    events = read(motion({"mouthSmileLeft": track, "mouthSmileRight": 0.75 * track}))
    assert facts(events) == [("lip_corner_puller", "both")]
    events = read(motion({"mouthSmileLeft": track, "mouthSmileRight": 0.3 * track}))
    assert facts(events) == [("lip_corner_puller", "left")]


def test_a_micro_expression_of_three_frames_is_found() -> None:
    track = np.zeros(100)
    track[50:53] = (0.4, 0.7, 0.4)
    assert facts(read(motion({"noseSneerLeft": track, "noseSneerRight": track}))) == [("nose_wrinkler", "both")]


def test_a_single_frame_is_a_tracking_error() -> None:
    track = np.zeros(100)
    track[50] = 1.0
    assert read(motion({"jawOpen": track})) == MotionEvents()


def test_a_breathing_hold_is_one_performance_and_two_bumps_are_two() -> None:
    times = np.arange(100) / FPS
    hold = bump(4, 0.5, 0.3, 2.2, 0.4, peak=0.8)
    breathing = hold * (1 - 0.15 * np.sin(2 * np.pi * 0.8 * times) ** 2)
    assert len(read(motion({"mouthPucker": breathing})).actions) == 1
    twice = np.maximum(bump(4, 0.5, 0.3, 0.3, 0.5), bump(4, 1.35, 0.5, 0.3, 0.4))
    assert len(read(motion({"mouthPucker": twice})).actions) == 2


def test_short_closures_blink_long_ones_are_actions() -> None:
    blink = bump(4, 1, 0.08, 0.04, 0.16)
    both = read(motion({"eyeBlinkLeft": blink, "eyeBlinkRight": blink}))
    assert len(both.blinks) == 1
    assert both.actions == ()
    assert both.blinks[0].duration < 0.5
    shut = bump(4, 1, 0.2, 1.0, 0.3)
    closed = read(motion({"eyeBlinkLeft": shut, "eyeBlinkRight": shut}))
    assert facts(closed) == [("eye_closure", "both")]
    assert closed.blinks == ()


def test_a_slow_closing_without_a_hold_is_not_a_blink() -> None:
    shut = bump(4, 1, 0.5, 0.0, 0.5)
    closed = read(motion({"eyeBlinkLeft": shut, "eyeBlinkRight": shut}))
    assert facts(closed) == [("eye_closure", "both")]
    assert closed.blinks == ()


def test_a_wink_is_a_blink_with_a_side_and_an_action() -> None:
    events = read(motion({"eyeBlinkRight": bump(4, 1, 0.12, 0.1, 0.16)}))
    assert facts(events) == [("eye_closure", "right")]
    assert [blink.side for blink in events.blinks] == ["right"]


def test_half_closed_eyes_can_blink() -> None:
    droop = bump(4, 0.4, 0.3, 2.6, 0.3, peak=0.4)
    lids = np.maximum(droop, bump(4, 1.8, 0.08, 0.04, 0.16))
    events = read(motion({"eyeBlinkLeft": lids, "eyeBlinkRight": lids}))
    assert facts(events) == [("eye_closure", "both")]
    assert events.actions[0].strength == pytest.approx(0.4, abs=0.05)
    assert len(events.blinks) == 1


@pytest.mark.parametrize("cycles", [1, 2, 3, 5])
@pytest.mark.parametrize("hz", [0.9, 1.6, 2.6])
def test_nods_shakes_and_wobbles_are_counted(cycles: int, hz: float) -> None:
    seconds = 2 + cycles / hz
    nod = wave(seconds, 1, cycles, hz, peak=9, to_and_fro=False)
    assert heads(read(motion(head_deg={"pitch": nod}, seconds=seconds))) == [("nod", cycles)]
    sway = wave(seconds, 1, cycles, hz, peak=11, to_and_fro=True)
    assert heads(read(motion(head_deg={"yaw": sway}, seconds=seconds))) == [("shake", cycles)]
    assert heads(read(motion(head_deg={"roll": sway}, seconds=seconds))) == [("wobble", cycles)]


@pytest.mark.parametrize(
    ("axis", "sign", "kind"),
    [
        ("yaw", 1, "turn_left"), ("yaw", -1, "turn_right"), ("roll", 1, "tilt_right"),
        ("roll", -1, "tilt_left"), ("pitch", 1, "bow"), ("pitch", -1, "raise"),
    ],
)  # fmt: skip
def test_a_head_that_goes_somewhere_and_stays(axis: str, sign: int, kind: str) -> None:
    track = bump(4, 0.8, 0.5, 0.8, 0.6, peak=sign * 14)
    (event,) = read(motion(head_deg={axis: track})).head
    assert (event.kind, event.cycles) == (kind, 1)
    assert event.amplitude == pytest.approx(14, abs=0.5)
    assert event.onset == pytest.approx(0.85, abs=0.12)
    assert event.end == pytest.approx(2.65, abs=0.12)
    # It may also stay there until the clip is over.
    assert [one.kind for one in read(motion(head_deg={axis: bump(4, 0.8, 0.5, 9, 1, sign * 14)})).head] == [kind]


def test_leans_and_recoils_differ_in_speed() -> None:
    assert heads(read(motion(depth_mm=bump(4, 1, 0.5, 0.6, 0.6, 30)))) == [("lean_forward", 1)]
    assert heads(read(motion(depth_mm=bump(4, 1, 0.5, 0.6, 0.6, -30)))) == [("lean_back", 1)]
    recoil = bump(4, 1, 0.14, 0.2, 0.5, -25)
    chin = bump(4, 1, 0.14, 0.2, 0.5, -6)
    assert heads(read(motion(depth_mm=recoil, head_deg={"pitch": chin}))) == [("recoil", 1)]


def test_two_motions_on_one_axis_stay_apart() -> None:
    nod = wave(6, 0.5, 2, 2.0, peak=10, to_and_fro=False)
    chin_up = bump(6, 2.5, 0.5, 0.8, 0.6, peak=-14)
    assert heads(read(motion(head_deg={"pitch": nod + chin_up}, seconds=6))) == [("nod", 2), ("raise", 1)]


def test_idle_sway_is_nothing() -> None:
    times = np.arange(250) / FPS
    sway = 1.2 * np.sin(2 * np.pi * 0.3 * times)
    drift = 2.0 * np.sin(2 * np.pi * 0.2 * times)
    idle = motion(head_deg={"pitch": sway, "yaw": sway, "roll": -sway}, depth_mm=drift, seconds=10)
    assert read(idle) == MotionEvents()


@pytest.mark.parametrize(
    ("direction", "horizontal", "vertical"),
    [
        ("left", 1, 0), ("right", -1, 0), ("up", 0, 1), ("down", 0, -1),
        ("up_left", 1, 1), ("up_right", -1, 1), ("down_left", 1, -1), ("down_right", -1, -1),
    ],
)  # fmt: skip
def test_eyes_look_in_eight_directions(direction: str, horizontal: int, vertical: int) -> None:
    track = bump(4, 1, 0.08, 1.0, 0.12, peak=0.5)
    tracks = {}
    if horizontal:
        tracks.update(
            {"eyeLookOutLeft": track, "eyeLookInRight": track}
            if horizontal > 0
            else {"eyeLookInLeft": track, "eyeLookOutRight": track}
        )
    if vertical:
        way = "Up" if vertical > 0 else "Down"
        tracks.update({f"eyeLook{way}Left": track, f"eyeLook{way}Right": track})
    (event,) = read(motion(tracks)).gaze
    assert event.direction == direction
    assert event.strength == pytest.approx(0.5, abs=0.02)


def test_crossed_eyes_look_nowhere() -> None:
    track = bump(4, 1, 0.1, 1, 0.1, peak=0.8)
    assert read(motion({"eyeLookInLeft": track, "eyeLookInRight": track})).gaze == ()


def test_a_capture_is_read_from_its_own_rest() -> None:
    resting = 0.35 * np.ones(100)
    smile = np.maximum(resting, bump(4, 1, 0.4, 1, 0.4, 0.9))
    tracks = {
        "browDownLeft": resting,
        "browDownRight": resting,
        "mouthSmileLeft": smile,
        "mouthSmileRight": smile,
    }
    turned = {"yaw": np.full(100, 12.0)}
    events = read(motion(tracks, head_deg=turned), ReaderSettings(rest="measured"))
    assert facts(events) == [("lip_corner_puller", "both")]
    assert events.head == ()


def test_any_frame_rate_gives_the_same_events() -> None:
    track = bump(4, 1, 0.4, 0.8, 0.6, peak=0.7)
    nod = wave(4, 0.5, 2, 1.5, peak=9, to_and_fro=False)
    at_25 = motion({"cheekPuff": track}, head_deg={"pitch": nod})
    for fps in (24.0, 30.0, 60.0):
        events = read(resample(at_25, fps))
        assert facts(events) == [("cheek_puff", "both")]
        assert heads(events) == [("nod", 2)]


def test_another_rig_is_refused() -> None:
    with pytest.raises(InvalidMotion, match="arkit"):
        read(FaceMotion(channels=("jaw",), expression=np.zeros((3, 1)), head=np.zeros((3, 3)), rig="flame"))


def test_noise_is_not_performance() -> None:
    rng = np.random.default_rng(0)
    track = bump(4, 1, 0.4, 0.8, 0.6, peak=0.6)
    nod = wave(4, 0.5, 2, 1.5, peak=9, to_and_fro=False)
    clean = motion({"mouthFrownLeft": track, "mouthFrownRight": track}, head_deg={"pitch": nod})
    for _ in range(20):
        noisy = clean.with_(
            expression=np.clip(clean.expression + rng.normal(0, 0.04, clean.expression.shape), 0, 1),
            head=clean.head + np.deg2rad(rng.normal(0, 0.3, clean.head.shape)),
        )
        events = read(noisy)
        assert facts(events) == [("lip_corner_depressor", "both")]
        assert heads(events) == [("nod", 2)]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_reading_never_fails_and_stays_within_the_motion(data: st.DataObject) -> None:
    frames = data.draw(st.integers(1, 60))
    seed = data.draw(st.integers(0, 2**32 - 1))
    scale = data.draw(st.sampled_from([0.0, 0.1, 1.0, 50.0]))
    step = data.draw(st.integers(1, 8))
    fps = data.draw(st.sampled_from([12.5, 25.0, 29.97, 60.0]))
    rest = data.draw(st.sampled_from(["zero", "measured"]))
    rng = np.random.default_rng(seed)
    held = np.repeat(rng.normal(0, scale, (frames, len(ARKIT) + 6)), step, axis=0)[:frames]
    any_motion = FaceMotion(
        channels=ARKIT, expression=held[:, :52], head=held[:, 52:55], translation=held[:, 55:], fps=fps
    )
    events = read(any_motion, ReaderSettings(rest=rest))
    length = max(resample(any_motion).seconds, any_motion.seconds) + 1e-6
    for action in events.actions:
        assert 0 <= action.onset <= action.apex <= action.offset <= action.end <= length
        assert 0 < action.strength <= 1
    for head in events.head:
        assert 0 <= head.onset < head.end <= length
        assert head.cycles >= 1
    for gaze in events.gaze:
        assert 0 <= gaze.onset < gaze.end <= length
    for blink in events.blinks:
        assert 0 <= blink.time < blink.time + blink.duration <= length
