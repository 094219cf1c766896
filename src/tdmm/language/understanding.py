"""What of a prompt is known: which descriptors it names, and what is near to it when it names none."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tdmm.acting import lexicon
from tdmm.errors import InvalidPrompt

_NEAREST = 3
_SPECIAL_PIECES = 2  # a text encoder opens and closes every text with one


@dataclass(frozen=True)
class Understanding:
    """What was understood. `note` is for the user, empty when there is nothing to say."""

    descriptors: tuple[str, ...]
    note: str = ""


def understand(prompt: str) -> Understanding:
    """Find the known words of a prompt; when there is none, the descriptors nearest in meaning.

    A prompt that names something in the lexicon, or a head motion, gaze or blink, passes in silence. One
    that does not ("as if smelling rotten eggs") is acted by its meaning alone, and the note says so and
    names the nearest descriptors. One without a single word of English is refused: similarity cannot tell
    nonsense from a situation (measured: "asdf" lies nearer to a descriptor than "he won the lottery").

    Raises:
        InvalidPrompt: no word of the prompt is known to the text encoder.
    """
    names = tuple(mention.descriptor for mention in lexicon.load().mentions(prompt))
    words = re.findall(r"[a-z]+", prompt.lower())
    if names or set(words) & lexicon.words_known():
        return Understanding(names)
    if not _any_whole_word(words):
        raise InvalidPrompt(
            f"There is no word in {prompt!r} that tdmm knows. Say in English what the face does, for example "
            '"she smiles and nods"; `tdmm lexicon` lists what it has names for.'
        )
    nearest = _nearest(prompt)
    return Understanding(
        nearest,
        "tdmm: nothing in this prompt has a name in the lexicon; acting by its meaning alone, which is less "
        f"reliable (nearest: {', '.join(nearest)}).",
    )


def _any_whole_word(words: list[str]) -> bool:
    """Whether one of the words, of three letters or more, is a single piece to the text encoder."""
    from tdmm.language.text_encoder import load_text_encoder

    long = sorted({word for word in words if len(word) > 2})
    if not long:
        return False
    pieces = load_text_encoder().encode(long, truncate=True).mask.sum(1) - _SPECIAL_PIECES
    return bool((pieces == 1).any())


def _nearest(prompt: str) -> tuple[str, ...]:
    """Names of the descriptors whose mean states are nearest to the prompt's."""
    import torch

    from tdmm.language.text_encoder import load_text_encoder

    names = list(lexicon.load().descriptors)
    encoded = load_text_encoder().encode([prompt, *(name.replace("_", " ") for name in names)])
    mask = encoded.mask.unsqueeze(-1).to(encoded.states.dtype)
    means = torch.nn.functional.normalize((encoded.states * mask).sum(1) / mask.sum(1), dim=-1)
    return tuple(names[int(place)] for place in (means[1:] @ means[0]).topk(_NEAREST).indices)
