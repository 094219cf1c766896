"""What is left of a script for who cannot see a part of the face."""

from __future__ import annotations

from tdmm.acting.lexicon import Descriptor, load
from tdmm.acting.script import Script
from tdmm.face.channels import INDEX
from tdmm.face.facs import ACTIONS
from tdmm.motion.degradation import Part, hidden_channels


def in_sight(script: Script, part: Part) -> Script | None:
    """The script without what only the hidden part shows; None where that would not be honest.

    An event stays while at least half of its core actions are in sight, and goes when none of its actions is.
    In between the face still moves, but too little of it is seen to give it its name: such a clip should not
    be asked about with that part hidden, and there is no answer to learn from it. Eyes are part of the upper
    face, so looks and blinks go with it.
    """
    entries = [load().get(event.descriptor) for event in script.events]
    shares = [_seen(entry, part) for entry in entries]
    if any(0 < share < 0.5 for share in shares):
        return None
    if part == "head":
        # A descriptor that means a nod has lost a part of its meaning.
        return None if any(entry.head for entry in entries) else script.model_copy(update={"head": ()})
    update: dict[str, object] = {
        "events": tuple(event for event, share in zip(script.events, shares, strict=True) if share > 0)
    }
    if part == "upper":
        update |= {"gaze": (), "blinks": ()}
    return script.model_copy(update=update)


def _seen(entry: Descriptor, part: Part) -> float:
    """Share of the core actions in sight; 0 only where no optional one is to be seen either."""
    hidden = hidden_channels(part)
    shown = {name: not all(hidden[INDEX[each]] for each in ACTIONS[name].channels()) for name in _actions(entry)}
    core = sum(shown[name] for name in entry.core) / len(entry.core)
    return core or (0.25 if any(shown.values()) else 0.0)


def _actions(entry: Descriptor) -> set[str]:
    return {recipe.action for recipe in entry.actions}
