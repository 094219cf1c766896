"""What the reader calls an event: every threshold in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ReaderSettings:
    """Thresholds. Coefficients are 0 to 1, times seconds, angles degrees, distances millimetres.

    Attributes:
        rest: where a motion's rest is. `zero`: coefficients 0, head straight (acted and generated motion).
            `measured`: each coefficient's 10th percentile and the head's median pose (a real capture, whose
            neutral face is never at zero).
        action_high, action_low: an action counts once it reaches the first, for as long as it is above the
            second.
        action_gap: performances of one action closer than this are one.
        valley: two peaks are two performances when the signal between them falls below this share of the
            lower one.
        both_sides: both sides act when the weaker reaches at least this share of the stronger.
        plateau: share of the peak from which on an action is at its apex.
        shortest_action: anything shorter is not an action; three frames are a micro-expression.
        blink: closures of both lids that last less are blinks, longer ones are the action eye_closure.
        blink_high, blink_low: as for actions, of the lids' closure.
        swing_deg: a change of direction counts when the head has turned back by this much.
        longest_stay, largest_stay: where the head stays at a turning point for longer than this many seconds,
            or for more than this share of the time it is anywhere near, it holds: no nod, shake or wobble.
        largest_stay_once: the same share where the head turns round only once, as in a single nod.
        longest_transit: a swing that takes longer than this many times the stay at its ends has a rest in it.
        resting_deg_per_second: slower than this the head is at rest.
        weakest_swing: at either end of a to and fro, swings below this share of its largest are no cycles.
        cyclic_high_deg: a cyclic motion reaches at least this far.
        turn_high_deg, turn_low_deg, shortest_turn: as for actions, of turns, tilts, bows and raises.
        lean_high_mm, lean_low_mm: as for actions, of leans and recoils.
        recoil_rise: a backward motion that is at its peak sooner than this is a recoil.
        recoil_pitch_deg: a raise or nod within a recoil counts from here on; less is part of the recoil.
        gaze_high, gaze_low, shortest_gaze: as for actions, of the eyes' direction.
        gaze_diagonal: in a diagonal gaze the weaker direction reaches this share of the stronger.
    """

    rest: Literal["zero", "measured"] = "zero"
    action_high: float = 0.2
    action_low: float = 0.1
    action_gap: float = 0.12
    valley: float = 0.5
    both_sides: float = 0.6
    plateau: float = 0.85
    shortest_action: float = 0.1
    blink: float = 0.5
    blink_high: float = 0.25
    blink_low: float = 0.1
    swing_deg: float = 1.8
    longest_stay: float = 0.7
    largest_stay: float = 0.7
    largest_stay_once: float = 0.56
    longest_transit: float = 1.5
    resting_deg_per_second: float = 4.0
    weakest_swing: float = 0.2
    cyclic_high_deg: float = 2.5
    turn_high_deg: float = 3.5
    turn_low_deg: float = 1.5
    shortest_turn: float = 0.2
    lean_high_mm: float = 6.0
    lean_low_mm: float = 2.5
    recoil_rise: float = 0.18
    recoil_pitch_deg: float = 10.0
    gaze_high: float = 0.25
    gaze_low: float = 0.12
    shortest_gaze: float = 0.12
    gaze_diagonal: float = 0.45
