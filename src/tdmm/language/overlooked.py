"""What a face plainly does and an account of it does not mention.

A model that learnt from acted clips meets faces that nobody acted, and may name a pursed mouth and leave out the grin
after it. What is strong, lasts, and belongs to nothing that is told can be seen without a model: it is added by the
name of the lexicon whose actions are most like those that are seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from tdmm.acting.descriptors import Descriptor
from tdmm.acting.intensity_words import MIDDLES
from tdmm.acting.lexicon import load
from tdmm.acting.script import Event, Script
from tdmm.face.channels import ARKIT, INDEX
from tdmm.face.facs import ACTIONS
from tdmm.motion.clip import FaceMotion

Floats = npt.NDArray[np.float64]


def with_overlooked(script: Script, motion: FaceMotion) -> Script:
    """A script with what it lacks: actions of `_PLAIN` and more that are held for `_HELD` seconds.

    Only what changes counts: whatever a face shows from first to last may be how it is made. Lids are left out, for
    blinks close them, and lowered brows, which are how many faces rest.

    Args:
        script: what is told of the motion.
        motion: on the `arkit` rig.
    """
    seen = _seen(motion)
    held = _held(seen, max(1, round(_HELD * motion.fps)))
    untold = np.tile(_recipes().core.any(0), (len(seen), 1))
    for event in script.events:
        _tell(untold, load().get(event.descriptor), event.onset, event.end, motion.fps)
    events = list(script.events)
    while (left := np.where(untold, held, 0.0)).max(initial=0.0) >= _PLAIN:
        peak, action = np.unravel_index(left.argmax(), left.shape)
        course = seen[:, action]
        first, last = _about(course >= _END * course[peak], int(peak))
        if untold[first:last, action].all():
            entry = _like(np.where(untold[peak], seen[peak], 0.0), int(action))
            apex, offset = _about(course >= _PLATEAU * course[peak], int(peak))
            onset, top, falling, end = (
                min(frame / motion.fps, script.seconds) for frame in (first, apex, offset, last)
            )
            events.append(
                Event(descriptor=entry.name, intensity=MIDDLES["plain"], onset=onset, apex=top, offset=falling, end=end)
            )
            _tell(untold, entry, onset, end, motion.fps)
        # Otherwise it is what is told already, and lasts longer.
        untold[first:last, action] = False
    return script.model_copy(update={"events": tuple(sorted(events, key=lambda event: event.onset))})


_PLAIN = 0.6
"""Coefficient above rest from which nobody overlooks an action."""
_HELD = 0.3
"""Seconds for which it is at least that strong."""
_NEAR = 0.4
"""Seconds about what is told within which its actions are part of it: its times are read, not measured."""
_END, _PLATEAU = 0.5, 0.85
"""Shares of an action's peak from which it goes on, and from which it is at its apex."""
_REST = 10
"""Percentile of an action over the motion that is taken for its rest."""
_LEAST = 0.1
"""Less than this is no part of what is seen."""
_ACTIONS = [name for name in ACTIONS if name not in ("eye_closure", "brow_lowerer")]


def _seen(motion: FaceMotion) -> Floats:
    """(T, A) how far each action is above its rest while the face is in sight."""
    values = motion.in_order(ARKIT)
    left, right = (values[:, [INDEX[getattr(ACTIONS[name], side)] for name in _ACTIONS]] for side in ("left", "right"))
    seen = np.maximum(left, right).astype(np.float64)
    above = seen - np.percentile(seen[motion.seen], _REST, axis=0)
    return np.where(motion.seen[:, None], above, 0.0)


def _held(seen: Floats, frames: int) -> Floats:
    """(T, A) what each action keeps up for that many frames about each."""
    padded = np.pad(seen, ((frames // 2, frames - 1 - frames // 2), (0, 0)))
    kept: Floats = np.lib.stride_tricks.sliding_window_view(padded, frames, axis=0).min(-1)
    return kept


def _tell(untold: npt.NDArray[np.bool_], entry: Descriptor, onset: float, end: float, fps: float) -> None:
    """Marks the actions of what is told as told while it lasts."""
    during = slice(max(0, round((onset - _NEAR) * fps)), round((end + _NEAR) * fps) + 1)
    for recipe in entry.actions:
        if recipe.action in _ACTIONS:
            untold[during, _ACTIONS.index(recipe.action)] = False


def _about(there: npt.NDArray[np.bool_], frame: int) -> tuple[int, int]:
    """The first frame, and the one after the last, of the run of frames that `frame` is in."""
    gone = np.flatnonzero(~there)
    before, after = gone[gone < frame], gone[gone > frame]
    return (int(before[-1]) + 1 if len(before) else 0), (int(after[0]) if len(after) else len(there))


def _like(seen: Floats, action: int) -> Descriptor:
    """The descriptor with that action at its core whose recipe is most like the actions that are seen (cosine)."""
    recipes = _recipes()
    likeness = np.where(recipes.core[:, action], recipes.weights @ np.where(seen < _LEAST, 0.0, seen), -1.0)
    return recipes.entries[int(likeness.argmax())]


@dataclass(frozen=True)
class _Recipes:
    """Descriptors that last.

    Attributes:
        entries: D of them.
        weights: (D, A) peak by probability of each action, a row of length 1.
        core: (D, A) whether it is always part of it.
    """

    entries: tuple[Descriptor, ...]
    weights: Floats
    core: npt.NDArray[np.bool_]


@cache
def _recipes() -> _Recipes:
    entries = tuple(
        entry for entry in load().descriptors.values() if entry.kind != "micro" and set(entry.core) & set(_ACTIONS)
    )
    weights = np.zeros((len(entries), len(_ACTIONS)))
    for row, entry in enumerate(entries):
        for recipe in entry.actions:
            if recipe.action in _ACTIONS:
                weights[row, _ACTIONS.index(recipe.action)] += recipe.probability * sum(recipe.peak) / 2
    core = np.array([[action in entry.core for action in _ACTIONS] for entry in entries])
    return _Recipes(entries, weights / np.linalg.norm(weights, axis=1, keepdims=True), core)
