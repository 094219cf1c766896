"""What of a prompt is known: which descriptors it names, or whether it is language at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tdmm.acting import lexicon
from tdmm.errors import InvalidPrompt

_SPECIAL_PIECES = 2  # a text encoder opens and closes every text with one


@dataclass(frozen=True)
class Understanding:
    """What of a prompt has a name.

    Attributes:
        descriptors: of the lexicon, in the order in which the prompt names them.
        named: whether anything has a name in it, head motions, looks and blinks among them. What has none ("as if
            smelling rotten eggs") is acted by its meaning alone.
    """

    descriptors: tuple[str, ...]
    named: bool


def understand(prompt: str) -> Understanding:
    """Find the known words of a prompt.

    One without a single word of English is refused: similarity cannot tell nonsense from a situation (measured:
    "asdf" lies nearer to a descriptor than "he won the lottery").

    Raises:
        InvalidPrompt: no word of the prompt is known to the text encoder.
    """
    names = tuple(mention.descriptor for mention in lexicon.load().mentions(prompt))
    words = re.findall(r"[a-z]+", prompt.lower())
    if names or set(words) & lexicon.words_known():
        return Understanding(names, named=True)
    if not _any_whole_word(words):
        raise InvalidPrompt(
            f"There is no word in {prompt!r} that tdmm knows. Say in English what the face does, for example "
            '"she smiles and nods"; `tdmm lexicon` lists what it has names for.'
        )
    return Understanding((), named=False)


def _any_whole_word(words: list[str]) -> bool:
    """Whether one of the words, of three letters or more, is a single piece to the text encoder."""
    from tdmm.language.text_encoder import load_text_encoder

    long = sorted({word for word in words if len(word) > 2})
    if not long:
        return False
    pieces = load_text_encoder().encode(long, truncate=True).mask.sum(1) - _SPECIAL_PIECES
    return bool((pieces == 1).any())
