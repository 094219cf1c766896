"""The grammar of prompts: rows of a timeline, and words that weigh more or less.

A timeline is rows between bars, each with its seconds in brackets::

    [0-2s] curious look | [2-4s] breaks into a laugh

A weight is a number after a colon, in parentheses around its words: `(furious:1.4)`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from tdmm.acting.strict_yaml import first_fault, parse_yaml
from tdmm.errors import InvalidPrompt
from tdmm.files import require_readable

LONGEST = 30.0
"""Seconds of the longest timeline."""
SHORTEST_ROW = 0.3
WEIGHTS = (0.0, 2.0)

_ROW = re.compile(
    r"\s*\[\s*(?P<start>\d+(?:\.\d+)?)\s*s?\s*(?:-|–|to)\s*(?P<end>\d+(?:\.\d+)?)\s*s?(?:ec|econds)?\s*\]\s*(?P<text>.*)",
    re.DOTALL,
)
_WEIGHT = re.compile(r"\(([^()]*?):\s*([^():]*)\)")


@dataclass(frozen=True)
class Row:
    """What happens from `start` to `end` seconds."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Weighted:
    """A prompt without its weights, and the weights of some of its words.

    Attributes:
        text: plain words.
        weights: (start, end, weight) by characters of `text`.
    """

    text: str
    weights: tuple[tuple[int, int, float], ...] = ()


def weighted(prompt: str) -> Weighted:
    """Take the weights out of a prompt.

    Raises:
        InvalidPrompt: parentheses that do not pair, or a weight that is no number from 0 to 2.
    """
    plain, weights, done = "", [], 0
    for match in _WEIGHT.finditer(prompt):
        words, number = match.group(1).strip(), match.group(2).strip()
        low, high = WEIGHTS
        try:
            weight = float(number)
        except ValueError:
            weight = -1.0
        if not low <= weight <= high or not words:
            raise InvalidPrompt(
                f"'{match.group()}' is no weight. Write words, a colon and a number from 0 to 2: (furious:1.4)"
            )
        plain += prompt[done : match.start()]
        weights.append((len(plain), len(plain) + len(words), weight))
        plain += words
        done = match.end()
    plain += prompt[done:]
    if plain.count("(") != plain.count(")"):
        raise InvalidPrompt(f"A parenthesis of {prompt!r} has no partner. A weight is written (furious:1.4).")
    return Weighted(plain, tuple(weights))


def timeline(prompt: str) -> tuple[Row, ...]:
    """The rows of a prompt; nothing when it is no timeline.

    Raises:
        InvalidPrompt: a row without seconds or words, seconds that run backwards, rows that overlap, or more
            than 30 s.
    """
    if not re.match(r"\s*\[\s*\d", prompt):
        return ()
    rows = []
    for number, part in enumerate(prompt.split("|"), start=1):
        match = _ROW.fullmatch(part)
        if match is None:
            raise InvalidPrompt(
                f"Row {number} of the timeline, {part.strip()!r}, has no seconds. Write [0-2s] curious look"
            )
        rows.append(Row(float(match["start"]), float(match["end"]), match["text"].strip()))
    return checked(rows)


def read_timeline(path: Path) -> tuple[Row, ...]:
    """The rows of a YAML file, a list of `{at: [0, 2], do: curious look}`.

    Raises:
        InvalidPrompt: it is no such list, or its rows are wrong as in `timeline`; the message names the line.
        FileProblem: it cannot be read.
    """
    text = require_readable(path).read_text(encoding="utf-8")
    document = parse_yaml(text, lambda message: InvalidPrompt(f"{path.name}: {message}"))
    try:
        file = _File.model_validate(document.data)
    except ValidationError as error:
        fault = first_fault(error, document)
        raise InvalidPrompt(
            f"{path.name}, line {fault.line}: {fault.message}. "
            "A timeline is a list of rows such as: - {at: [0, 2], do: curious look}"
        ) from error
    return checked([Row(*each.at, each.do.strip()) for each in file.root])


Moment = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _FileRow(BaseModel):
    model_config = ConfigDict(extra="forbid")

    at: tuple[Moment, Moment]
    do: str = Field(min_length=1)


class _File(RootModel[list[_FileRow]]):
    pass


def checked(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows that can be played.

    Raises:
        InvalidPrompt: see `timeline`.
    """
    if not rows:
        raise InvalidPrompt(
            "The timeline is empty. Write rows such as [0-2s] curious look | [2-4s] breaks into a laugh"
        )
    before = 0.0
    for number, row in enumerate(rows, start=1):
        what = f"Row {number} of the timeline, '{row.text[:40]}',"
        if not row.text:
            raise InvalidPrompt(
                f"Row {number} of the timeline ({row.start:g}-{row.end:g} s) says nothing. Say what happens then."
            )
        if row.end - row.start < SHORTEST_ROW:
            raise InvalidPrompt(
                f"{what} lasts from {row.start:g} to {row.end:g} s; it needs {SHORTEST_ROW:g} s at least."
            )
        if row.start < before:
            raise InvalidPrompt(
                f"{what} starts at {row.start:g} s, before the row before it ends ({before:g} s). "
                "Rows may not overlap: say what happens at once in one row, with 'while'."
            )
        before = row.end
    if before > LONGEST:
        raise InvalidPrompt(
            f"The timeline ends at {before:g} s; {LONGEST:g} s is the longest. Make several and join them."
        )
    return tuple(rows)
