"""Scripts of one thing at a time, for whoever hears a prompt step by step."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from tdmm.acting.casting import SHORTEST
from tdmm.acting.lexicon import load
from tdmm.acting.script import Blink, Event, Gaze, HeadMotion, Script
from tdmm.motion.clip import FPS

_HEAD, _LOOK = 0.5, 0.3  # how often a head motion or a look that the script has goes with its expression
_LIDS = ("eye_closure", "upper_lid_raiser")
_SECONDS_OF_BLINK = 0.7

Moved = TypeVar("Moved", Event, HeadMotion, Gaze)


def single(script: Script, rng: np.random.Generator) -> Script:
    """One of the things that happen in a script, by itself, soon after the start.

    An expression may have a head motion or a look at the same time. A script of nothing stays as it is.
    """
    onset = round(float(rng.uniform(0.2, 1.0)), 2)
    expressions = list(script.events)
    others: list[HeadMotion | Gaze | Blink] = [*script.head, *script.gaze, *script.blinks]
    head, gaze, blinks = list[HeadMotion](), list[Gaze](), list[Blink]()
    events = list[Event]()
    if expressions and (not others or rng.random() < 0.8):
        chosen = expressions[int(rng.integers(len(expressions)))]
        events = [_begun(chosen, onset)]
        meant = load().get(chosen.descriptor)
        if script.head and not meant.head and rng.random() < _HEAD:
            head = [_begun(script.head[0], _near(onset, rng))]
        elif script.gaze and not meant.gaze and not _busy(chosen) and rng.random() < _LOOK:
            gaze = [_begun(script.gaze[0], _near(onset, rng))]
    elif others:
        other: HeadMotion | Gaze | Blink = others[int(rng.integers(len(others)))]
        if isinstance(other, HeadMotion):
            head = [_begun(other, onset)]
        elif isinstance(other, Gaze):
            gaze = [_begun(other, onset)]
        else:
            blinks = [other.model_copy(update={"time": onset})]
    ends = [each.time + each.count * _SECONDS_OF_BLINK for each in blinks]
    ends += [*(each.end for each in events), *(each.end for each in head), *(each.end for each in gaze)]
    seconds = max(SHORTEST, max(ends, default=script.seconds) + float(rng.uniform(0.2, 0.8)))
    update = {"events": tuple(events), "head": tuple(head), "gaze": tuple(gaze), "blinks": tuple(blinks)}
    return script.model_copy(update={**update, "seconds": round(seconds * FPS) / FPS})


def _near(onset: float, rng: np.random.Generator) -> float:
    return round(max(0.1, onset + float(rng.uniform(-0.1, 0.15))), 2)


def _begun(item: Moved, onset: float) -> Moved:
    """The same, from another second on."""
    moments = [name for name in ("onset", "apex", "offset", "end") if hasattr(item, name)]
    shift = onset - item.onset
    return item.model_copy(update={name: round(getattr(item, name) + shift, 2) for name in moments})


def _busy(event: Event) -> bool:
    """Whether the lids would hide where the eyes look."""
    meant = load().get(event.descriptor)
    return bool(meant.blinks) or any(each.action in _LIDS for each in meant.actions)
