"""The best of several takes, by the reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tdmm.motion.clip import FaceMotion
from tdmm.motion.events import MotionEvents
from tdmm.reading.reader import read

SEEN = 0.3
"""Actions from this strength on are looked at."""


def best(motions: Sequence[FaceMotion], plans: Sequence[MotionEvents]) -> int:
    """Which take shows most of what the words mean, and least of anything else.

    What the words mean is what at least half of the takes planned: one take may have misheard, most have not.
    A take's score is its F1 of actions and head motions against that; of equals the first is taken.

    Args:
        motions: takes of one prompt.
        plans: what each was to show.

    Raises:
        ValueError: there are no takes, or not as many plans.
    """
    if not motions or len(motions) != len(plans):
        raise ValueError(f"{len(motions)} takes and {len(plans)} plans; there must be as many, and one at least")
    planned = Counter(name for plan in plans for name in _names(plan))
    meant = {name for name, count in planned.items() if 2 * count >= len(plans)}
    scores = [_agreement(meant, _names(read(motion))) for motion in motions]
    return scores.index(max(scores))


def _names(events: MotionEvents) -> set[str]:
    return {f"{each.action} {each.side}" for each in events.actions if each.strength >= SEEN} | {
        each.kind for each in events.head
    }


def _agreement(meant: set[str], shown: set[str]) -> float:
    return 2 * len(meant & shown) / max(len(meant) + len(shown), 1)
