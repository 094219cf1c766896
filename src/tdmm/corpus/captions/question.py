"""What a vision-language model is asked about a clip."""

from __future__ import annotations

from functools import cache

from tdmm.acting.intensity_words import MIDDLES
from tdmm.acting.lexicon import load
from tdmm.motion.events import HEAD_MOTIONS

_EXAMPLES = (
    "A young woman raises her left eyebrow slightly, then breaks into a wide grin while tilting her head to the right.",
    "An old man frowns strongly, shakes his head twice and presses his lips together.",
    "A man blinks slowly and keeps a neutral face.",
)


@cache
def question() -> str:
    """The whole of it; what it says is part of what a cached answer depends on."""
    names = ", ".join(sorted(load().descriptors))
    return (
        "You see a clip of one face. Describe what the face and the head do, and nothing else: not the clothes, the "
        "room, the camera, or what is said.\n"
        "caption: one or two sentences in the present tense, in order of time, with who it is by looks alone, how "
        "strong each expression is, on which side, small movements (blinks, a twitch of the lip), and how the head "
        f"moves. Like these: {' '.join(_EXAMPLES)}\n"
        "Left and right are the person's own: what is at the right of the picture is on the person's left.\n"
        "Say only what can be seen. A face that does nothing is neutral, with no expressions.\n"
        f"expressions: by these names: {names}. intensity is one of {', '.join(MIDDLES)}.\n"
        f"head_motions: by these names: {', '.join(HEAD_MOTIONS)}. bow is chin down, raise is chin up.\n"
        "Answer in JSON with caption, subject, expressions (name, intensity, side: both, left or right) and "
        "head_motions."
    )
