"""Facial actions and blinks, read from the 52 ARKit channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tdmm.face.facs import ACTIONS, Action, Side
from tdmm.motion.clip import FPS
from tdmm.motion.events import ActionEvent, BlinkEvent
from tdmm.reading.settings import ReaderSettings
from tdmm.reading.signals import Signal, Span, despiked, smoothed, spans_above, split_at_valleys

EYE_CLOSURE = "eye_closure"


@dataclass(frozen=True)
class Performance:
    """One side, or both, doing one thing once; frames into the signal it was found in."""

    side: Side
    span: Span
    strength: float
    apex: int
    offset: int

    def event(self, action: str) -> ActionEvent:
        """The same with times in seconds."""
        return ActionEvent(
            action=action,
            side=self.side,
            strength=min(1.0, self.strength),
            onset=self.span.start / FPS,
            apex=self.apex / FPS,
            offset=self.offset / FPS,
            end=self.span.stop / FPS,
        )


def read_actions(channels: Mapping[str, Signal], settings: ReaderSettings) -> list[ActionEvent]:
    """All facial actions but the closing of the eyes.

    Args:
        channels: every ARKit channel over time at 25 fps, 0 at rest.
    """
    found: list[ActionEvent] = []
    for action in ACTIONS.values():
        if action.name == EYE_CLOSURE:
            continue
        found += [performance.event(action.name) for performance in _perform(action, channels, settings)]
    return found


def read_lids(channels: Mapping[str, Signal], settings: ReaderSettings) -> tuple[list[ActionEvent], list[BlinkEvent]]:
    """Closed eyes and blinks.

    Lids down for less than `settings.blink` have blinked, otherwise the eyes were closed, even if half way;
    a sharp peak on top of half-closed eyes is a blink too. A closure of one eye alone is always the action
    eye_closure (a wink) and, if it is short, a blink with a side as well.
    """
    left = smoothed(despiked(channels["eyeBlinkLeft"], settings.blink_low))
    right = smoothed(despiked(channels["eyeBlinkRight"], settings.blink_low))
    level = np.maximum(left, right)
    closures: list[ActionEvent] = []
    blinks: list[BlinkEvent] = []
    high = min(settings.blink_high, settings.action_high)
    for span in _spans(level, settings, high, settings.blink_low):
        side = _side(left, right, span, settings)
        closed, brief = _without_blinks(level, span, settings)
        for part in brief:
            blink = _blink(level, part, side)
            if blink.strength >= settings.blink_high:
                blinks.append(blink)
                if side != "both":
                    closures.append(_measured(part, side, level, settings).event(EYE_CLOSURE))
        if closed.max() >= settings.action_high:
            whole = np.zeros_like(level)
            whole[span.start : span.stop] = closed
            closures.append(_measured(span, side, whole, settings).event(EYE_CLOSURE))
    return closures, blinks


def _without_blinks(level: Signal, span: Span, settings: ReaderSettings) -> tuple[Signal, list[Span]]:
    """What stays closed in a span of closure, and its blinks."""
    frames = round(settings.blink * FPS)
    inside = level[span.start : span.stop].copy()
    if span.frames < frames:
        return np.zeros_like(inside), [span]
    held = _opened(inside, frames)
    on_top = inside - held
    brief: list[Span] = []
    # The top of one slow closure is as wide as the opening's window; a blink's is narrower.
    for part in spans_above(on_top, settings.blink_high, 0.03):
        if part.frames < 0.8 * frames:
            brief.append(Span(span.start + part.start, span.start + part.stop))
            inside[part.start : part.stop] = held[part.start : part.stop]
    return inside, brief


def _blink(level: Signal, span: Span, side: Side) -> BlinkEvent:
    strength = float(min(1.0, level[span.start : span.stop].max()))
    return BlinkEvent(time=span.start / FPS, duration=span.frames / FPS, strength=strength, side=side)


def _perform(action: Action, channels: Mapping[str, Signal], settings: ReaderSettings) -> list[Performance]:
    high, low = settings.action_high, settings.action_low
    left = smoothed(despiked(channels[action.left], low))
    if not action.sided:
        return [_measured(span, "both", left, settings) for span in _spans(left, settings, high, low)]
    right = smoothed(despiked(channels[action.right], low))
    if action.exclusive:
        # The mouth cannot be on both sides: what counts is where it ends up.
        toward_left = left - right
        leftward, rightward = np.maximum(toward_left, 0), np.maximum(-toward_left, 0)
        return [
            *(_measured(span, "left", leftward, settings) for span in _spans(leftward, settings, high, low)),
            *(_measured(span, "right", rightward, settings) for span in _spans(rightward, settings, high, low)),
        ]
    return _two_sides(left, right, settings, high, low)


def _two_sides(left: Signal, right: Signal, settings: ReaderSettings, high: float, low: float) -> list[Performance]:
    """Pair what the two sides of the face do: alike is `both`, otherwise the stronger side did it alone."""
    stronger = np.maximum(left, right)
    return [
        _measured(span, _side(left, right, span, settings), stronger, settings)
        for span in _spans(stronger, settings, high, low)
    ]


def _side(left: Signal, right: Signal, span: Span, settings: ReaderSettings) -> Side:
    peak_left = float(left[span.start : span.stop].max())
    peak_right = float(right[span.start : span.stop].max())
    if min(peak_left, peak_right) >= settings.both_sides * max(peak_left, peak_right):
        return "both"
    return "left" if peak_left > peak_right else "right"


def _spans(signal: Signal, settings: ReaderSettings, high: float, low: float) -> list[Span]:
    parts: list[Span] = []
    for span in spans_above(signal, high, low, gap=round(settings.action_gap * FPS)):
        parts += split_at_valleys(signal, span, settings.valley, high)
    return [part for part in parts if part.frames >= settings.shortest_action * FPS]


def _measured(span: Span, side: Side, signal: Signal, settings: ReaderSettings) -> Performance:
    inside = signal[span.start : span.stop]
    strength = float(inside.max())
    at_apex = np.flatnonzero(inside >= settings.plateau * strength)
    return Performance(side, span, strength, span.start + int(at_apex[0]), span.start + int(at_apex[-1]))


def _opened(signal: Signal, frames: int) -> Signal:
    """Grey-scale opening: the part of the signal that stays up for at least `frames` frames."""
    width = max(1, min(frames, signal.size))
    before, after = width // 2, width - 1 - width // 2
    windows = np.lib.stride_tricks.sliding_window_view
    eroded = windows(np.pad(signal, (before, after), mode="edge"), width).min(axis=1)
    opened: Signal = windows(np.pad(eroded, (after, before), mode="edge"), width).max(axis=1)
    return opened
