"""Slips of the finger, as in prompts typed in haste."""

from __future__ import annotations

import re
from random import Random

_NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip
"""Keys beside a key of a QWERTY keyboard."""

_SHORTEST = 4  # letters of a word that is mistyped: a slip in a shorter one makes another word


def slipped(text: str, rng: Random) -> str:
    """The text with one or two mistyped words, and perhaps without apostrophes and capitals."""
    words = [match.span() for match in re.finditer(rf"[A-Za-z]{{{_SHORTEST},}}", text)]
    for start, end in sorted(rng.sample(words, min(len(words), rng.choice((1, 1, 2)))), reverse=True):
        text = text[:start] + _mistyped(text[start:end], rng) + text[end:]
    if rng.random() < 0.3:
        text = text.replace("'", "")
    return text.lower() if rng.random() < 0.3 else text


def _mistyped(word: str, rng: Random) -> str:
    # The first letter is rarely wrong, and a word without it is hard to know again.
    place = rng.randrange(1, len(word) - 1)
    before, letter, following, after = word[:place], word[place], word[place + 1], word[place + 2 :]
    slip = rng.choice(("swap", "swap", "drop", "double", "neighbour"))
    if slip == "swap":
        return before + following + letter + after
    if slip == "drop":
        return before + following + after
    if slip == "double":
        return before + letter + letter + following + after
    return before + rng.choice(_NEIGHBOURS[letter.lower()]) + following + after
