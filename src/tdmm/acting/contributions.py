"""From the events of a script to single actions on channels, and back to the truth of what was acted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from tdmm.acting.envelope import Array, Liveliness, Timing, rise_and_release
from tdmm.acting.idle import Temper
from tdmm.acting.lexicon import ActionRecipe, Descriptor
from tdmm.acting.script import Event
from tdmm.face.channels import INDEX
from tdmm.face.facs import ACTIONS, Side
from tdmm.motion.clip import FPS
from tdmm.motion.events import ActionEvent

SEEN = 0.05
"""Actions whose peak stays below this are not events."""

_FRAME = 1.0 / FPS


@dataclass(frozen=True)
class Contribution:
    """One action of one event, as drawn for this take.

    Attributes:
        action: a name of `ACTIONS`.
        side: where; never `both` for an exclusive action.
        peak: coefficient of the stronger side.
        weaker: the side that is `1 - asymmetry` times as strong, when both sides act.
        asymmetry: 0 to 0.08.
        timing: seconds; the apex lies on a frame.
        alive: movement within the hold.
    """

    action: str
    side: Side
    peak: float
    weaker: Side
    asymmetry: float
    timing: Timing
    alive: Liveliness

    def curves(self, times: Array) -> Iterable[tuple[int, Array]]:
        """Index into `ARKIT` and coefficient (T,) of every channel it drives."""
        shape = self.peak * rise_and_release(times, self.timing, self.alive)
        action = ACTIONS[self.action]
        for channel in action.channels(self.side):
            weak = self.side == "both" and action.sided and channel == getattr(action, self.weaker)
            yield INDEX[channel], shape * (1.0 - self.asymmetry) if weak else shape


def contributions(event: Event, descriptor: Descriptor, temper: Temper, rng: np.random.Generator) -> list[Contribution]:
    """Draw one take of an event: which optional actions, how strong, exactly when.

    Every action peaks at `intensity * u` with u from its range. Actions of one event start up to 120 ms
    apart. Scripts with an instant rise or release get the shortest one a face can do.
    """
    side: Side = event.side
    if side == "both" and descriptor.side == "one":
        side = "left" if rng.random() < 0.5 else "right"
    weaker: Side = "left" if rng.random() < 0.5 else "right"
    drawn = []
    for recipe in descriptor.actions:
        chance, level = rng.random(), rng.uniform(*recipe.peak)
        timing, alive = _timing(event, recipe, level * event.intensity, rng), _liveliness(temper, rng)
        if chance >= recipe.probability:
            continue
        drawn.append(
            Contribution(
                action=recipe.action,
                side=_side(recipe, side, rng),
                peak=float(level * event.intensity),
                weaker=weaker,
                asymmetry=float(rng.uniform(0.0, 0.08)),
                timing=timing,
                alive=alive,
            )
        )
    return _with_open_jaw(drawn)


def _side(recipe: ActionRecipe, side: Side, rng: np.random.Generator) -> Side:
    action = ACTIONS[recipe.action]
    chosen = recipe.side_for(side)
    if action.exclusive and chosen == "both":
        return "left" if rng.random() < 0.5 else "right"
    return chosen


def _timing(event: Event, recipe: ActionRecipe, peak: float, rng: np.random.Generator) -> Timing:
    # A stagger of a fast expression must not eat its peak.
    late = min(recipe.delay + rng.uniform(0.0, 0.12), 0.3 * (event.offset - event.onset))
    onset = event.onset + late
    # Two to four frames, so that no channel moves by more than some 0.45 a frame.
    shortest = _FRAME * (2.0 if peak <= 0.6 else 3.0 if peak <= 0.8 else 4.0)
    # On a frame, or the peak would fall between two.
    apex = math.ceil(max(event.apex + late, onset + shortest) * FPS - 1e-6) / FPS
    offset = max(event.offset + rng.uniform(-0.06, 0.06), apex)
    end = max(event.end - rng.uniform(0.0, 0.06), offset + 1.25 * shortest)
    return Timing(onset, apex, offset, end)


def _liveliness(temper: Temper, rng: np.random.Generator) -> Liveliness:
    return Liveliness(
        breath=float(rng.uniform(0.02, 0.08)),
        breath_hz=float(rng.uniform(0.35, 0.9)),
        tremble=float(rng.uniform(0.0, 0.012) * temper.tremble),
        tremble_hz=float(rng.uniform(5.0, 8.0)),
        haste=float(temper.haste * rng.uniform(0.92, 1.08)),
    )


def _with_open_jaw(drawn: list[Contribution]) -> list[Contribution]:
    """Open the jaw for what needs it: enough, no later, and as long.

    A tongue needs room to come out; lips held together over a closed jaw would pass through each other.
    """
    for guest in drawn:
        if guest.action not in ("tongue_show", "lips_together"):
            continue
        needed = 0.15 + 0.2 * guest.peak if guest.action == "tongue_show" else guest.peak
        jaw = next((part for part in drawn if part.action == "jaw_drop"), None)
        others = [part for part in drawn if part is not jaw]
        if jaw is None:
            return [*others, replace(guest, action="jaw_drop", peak=needed)]
        one, other = jaw.timing, guest.timing
        timing = Timing(
            min(one.onset, other.onset), min(one.apex, other.apex),
            max(one.offset, other.offset), max(one.end, other.end),
        )  # fmt: skip
        return [*others, replace(jaw, peak=max(jaw.peak, needed), timing=timing)]
    return drawn


def acted_events(parts: list[Contribution], coefficients: Array, times: Array) -> tuple[ActionEvent, ...]:
    """The truth: what the channels really show, overlapping contributions of one action merged.

    Args:
        parts: all contributions of the clip.
        coefficients: (T, 52) as acted.
        times: (T,) seconds.
    """
    groups: list[list[Contribution]] = []
    for part in sorted(parts, key=lambda part: (part.action, part.timing.onset)):
        group = next((group for group in groups if any(_meet(part, other) for other in group)), None)
        if group is None:
            groups.append([part])
        else:
            group.append(part)
    events = [_event(group, coefficients, times) for group in groups]
    return tuple(sorted((event for event in events if event), key=lambda event: (event.onset, event.action)))


def _meet(one: Contribution, other: Contribution) -> bool:
    if one.action != other.action:
        return False
    if ACTIONS[one.action].exclusive and one.side != other.side:
        return False
    return one.timing.onset < other.timing.end and other.timing.onset < one.timing.end


def _event(group: list[Contribution], coefficients: Array, times: Array) -> ActionEvent | None:
    sides = {part.side for part in group}
    side: Side = sides.pop() if len(sides) == 1 else "both"
    onset = min(part.timing.onset for part in group)
    end = min(max(part.timing.end for part in group), float(times[-1]))
    first, last = np.searchsorted(times, (onset, end + 1e-9))
    action = ACTIONS[group[0].action]
    columns = [INDEX[channel] for channel in action.channels(side)]
    shown = coefficients[first:last, columns].max(axis=1, initial=0.0)
    if not shown.size or shown.max() < SEEN:
        return None
    strength = float(shown.max())
    if len(group) == 1:
        apex, offset = group[0].timing.apex, group[0].timing.offset
    else:
        high = times[first:last][shown >= 0.95 * strength]
        apex, offset = float(high[0]), float(high[-1])
    return ActionEvent(action.name, side, strength, onset, min(apex, end), min(offset, end), end)
