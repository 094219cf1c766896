"""Reading the fields of one entry of a script, with errors that say where."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tdmm.acting.intensity_words import MIDDLES
from tdmm.acting.script import LONGEST
from tdmm.errors import InvalidScript, did_you_mean

Choice = TypeVar("Choice", bound=str)

_WORDS = {**{str(level): value for level, value in MIDDLES.items()}, "moderate": MIDDLES["plain"]}
"""Words a script may use in place of an intensity."""


def spelled(name: str) -> str:
    """A name as the vocabulary writes it: `Turn left` and `turn-left` are `turn_left`."""
    return "_".join(name.strip().lower().replace("-", " ").replace("_", " ").split())


@dataclass
class Fields:
    """The fields of one mapping; each is read once, and what is left over is an error.

    Args:
        data: the mapping.
        where: names it in messages ("line 3, timeline entry 2").
    """

    data: Mapping[Any, Any]
    where: Callable[[str | None], str]
    _read: set[str] = field(default_factory=set)

    def fail(self, message: str, key: str | None = None) -> InvalidScript:
        """The exception for this entry, to be raised by the caller."""
        return InvalidScript(f"{self.where(key)}: {message}")

    def raw(self, key: str) -> Any:
        """The value of a field as it is, or None."""
        self._read.add(key)
        return self.data.get(key)

    def number(self, key: str, low: float = 0.0, high: float = LONGEST) -> float | None:
        """A finite number between `low` and `high`, or None where the field is missing.

        Raises:
            InvalidScript: it is no number or out of range.
        """
        value = self.raw(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fail(f"'{key}' must be a number, not {_shown(value)}.", key)
        if not math.isfinite(value) or not low <= value <= high:
            raise self.fail(f"'{key}' is {value}; it must lie between {low:g} and {high:g}.", key)
        return float(value)

    def count(self, key: str, high: int = 10) -> int | None:
        """A whole number from 1 to `high`, or None where the field is missing.

        Raises:
            InvalidScript: it is not one.
        """
        value = self.number(key, 1, high)
        if value is not None and value != int(value):
            raise self.fail(f"'{key}' is {value}; a whole number is needed.", key)
        return None if value is None else int(value)

    def truth(self, key: str) -> bool:
        """`true` or `yes`, `false` or `no`; False where the field is missing.

        Raises:
            InvalidScript: it is something else.
        """
        value = self.raw(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        if value in ("true", "yes", "false", "no"):
            return value in ("true", "yes")
        raise self.fail(f"'{key}' must be true or false, not {_shown(value)}.", key)

    def text(self, key: str, longest: int = 200) -> str | None:
        """Words, or None where the field is missing.

        Raises:
            InvalidScript: it is not text, is empty or too long.
        """
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            raise self.fail(f"'{key}' must be words, not {_shown(value)}.", key)
        if len(value) > longest:
            raise self.fail(f"'{key}' has {len(value)} characters; {longest} is the limit.", key)
        return value.strip()

    def choice(self, key: str, known: Iterable[Choice], what: str) -> Choice | None:
        """One of the known names, spelled with spaces, hyphens or underscores; None where it is missing.

        Raises:
            InvalidScript: it is unknown; the message suggests the closest.
        """
        text = self.text(key)
        if text is None:
            return None
        names = {str(name): name for name in known}
        if spelled(text) not in names:
            raise self.fail(f"unknown {what} '{text}'.{suggestion(text, names)}", key)
        return names[spelled(text)]

    def intensity(self, default: float) -> float:
        """The field `intensity`: above 0 and up to 1, or a word (faint, slight, plain, strong, extreme).

        Raises:
            InvalidScript: it is neither.
        """
        value = self.raw("intensity")
        if isinstance(value, str):
            if value.strip().lower() not in _WORDS:
                raise self.fail(
                    f"unknown intensity '{value}'.{did_you_mean(value, _WORDS)} Use a number up to 1, or "
                    f"{', '.join(_WORDS)}.",
                    "intensity",
                )
            return _WORDS[value.strip().lower()]
        number = self.number("intensity", 0.0, 1.0)
        if number == 0.0:
            raise self.fail("'intensity' is 0; leave the entry out instead.", "intensity")
        return default if number is None else number

    def finish(self, allowed: Iterable[str]) -> None:
        """Refuse fields that were not read.

        Raises:
            InvalidScript: there is one; the message lists what is allowed.
        """
        allowed = tuple(allowed)
        for key in self.data:
            if str(key) not in self._read:
                raise self.fail(
                    f"unknown field '{key}'.{did_you_mean(str(key), allowed)} Allowed: {', '.join(allowed)}.", str(key)
                )


def suggestion(name: str, known: Iterable[str]) -> str:
    """Close names, or all of them where they are few."""
    known = tuple(known)
    close = did_you_mean(spelled(name), known)
    return close if close or len(known) > 20 else f" Known: {', '.join(known)}."


def _shown(value: Any) -> str:
    kinds = {dict: "a mapping", list: "a list", bool: "true or false"}
    return kinds.get(type(value)) or f"'{str(value)[:40]}'"
