"""Seconds in words and figures: "at 1.5 s", "from 1 to 2.5 seconds", "after two seconds"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

from tdmm.acting.inflection import number

_COUNTS = {number(count): float(count) for count in range(1, 13)} | {"one and a half": 1.5}
_WORDS = _COUNTS | {"half a": 0.5, "a": 1.0}
_FIGURE = r"\d+(?:\.\d+)?|\.\d+"
_SPELT = "|".join(sorted(_WORDS, key=len, reverse=True))
_UNIT = r"(?:s|secs?|seconds?)\b"

NUMBER = rf"(?:{_FIGURE}|{'|'.join(sorted(_COUNTS, key=len, reverse=True))})"
"""Pattern of a number in figures or words. "A second" and "half a second" are none: few mean them to the letter."""
UNIT = _UNIT
"""Pattern of the unit after it."""
_FOUND = re.compile(
    # "from 1 to 2.5 seconds", "1-2.5 s": the unit may stand after the second number only.
    rf"(?<![\w.])(?P<first>{_FIGURE})\s*(?:s\b)?\s*(?:-|–|to|until|till|and)\s*(?P<last>{_FIGURE})[\s-]*{_UNIT}"
    rf"|\bsecond\s+(?P<at>{_FIGURE})"
    rf"|(?<![\w.])(?P<one>{_FIGURE}|{_SPELT})[\s-]*{_UNIT}",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Mentioned:
    """A number of seconds in a text, from character `start` to `end`."""

    start: int
    end: int
    seconds: float


def mentioned(text: str) -> tuple[Mentioned, ...]:
    """The numbers of seconds that a text names, in order: "at 1.5 s", "for two seconds", "from 1 to 2 seconds"."""
    found = []
    for match in _FOUND.finditer(text):
        for group in ("first", "last", "at", "one"):
            if match[group]:
                found.append(Mentioned(*match.span(group), seconds_of(match[group])))
    return tuple(found)


def seconds_of(number: str) -> float:
    """The value of what `NUMBER` matches."""
    return _WORDS.get(number.lower()) or float(number)


def said(start: float, end: float, rng: Random) -> str:
    """When something happens: from when, and often how long or until when."""
    lasts = end - start
    options = [moment(start, rng), moment(start, rng)]
    if lasts >= 0.25:
        options += [f"{moment(start, rng)} for {length(lasts, rng)}", _span(start, end, rng)]
    return rng.choice(options)


def moment(seconds: float, rng: Random) -> str:
    """A moment: "at 1.5 s"."""
    figure = _figure(seconds)
    options = [
        f"at {figure} s", f"at {figure}s", f"at {figure} seconds", f"starting at {figure} s",
        f"{figure} seconds in", f"at second {figure}", f"after {figure} seconds", f"at the {figure} second mark",
    ]  # fmt: skip
    if figure.isdigit() and 0 < int(figure) <= 12:
        options += [f"after {number(int(figure))} second{'s' * (figure != '1')}", f"at {number(int(figure))} seconds"]
    return rng.choice(options)


def length(seconds: float, rng: Random) -> str:
    """A duration: "1.5 seconds", "two seconds"."""
    figure = _figure(seconds)
    options = [f"{figure} s", f"{figure}s", f"{figure} seconds"]
    if figure.isdigit() and 0 < int(figure) <= 12:
        options.append(f"{number(int(figure))} second{'s' * (figure != '1')}")
    return rng.choice(options)


def _span(start: float, end: float, rng: Random) -> str:
    first, last = _figure(start), _figure(end)
    return rng.choice(
        (
            f"from {first} to {last} seconds", f"from {first} s to {last} s", f"between {first} and {last} seconds",
            f"({first}-{last} s)", f"from {first}s until {last}s",
        )
    )  # fmt: skip


def _figure(seconds: float) -> str:
    return f"{seconds:.1f}".removesuffix(".0")
