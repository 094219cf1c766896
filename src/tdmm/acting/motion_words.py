"""Words for head motions, gaze and blinks, read from `data/motions.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tdmm.acting.descriptors import Phrasing
from tdmm.acting.holding_out import Wordings, hidden_of
from tdmm.acting.strict_yaml import parse_yaml
from tdmm.errors import InvalidConfig
from tdmm.motion.events import HeadMotionKind


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    verb: list[str] = Field(min_length=1)
    noun: list[str] = Field(min_length=1)
    also: list[str] = []

    def said(self) -> tuple[Phrasing, ...]:
        return tuple([Phrasing("verb", text) for text in self.verb] + [Phrasing("noun", text) for text in self.noun])

    def understood(self) -> tuple[Phrasing, ...]:
        return (*self.said(), *(Phrasing("verb", text) for text in self.also))


class _Bank(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    head: dict[str, _Words]
    gaze: dict[str, _Words]
    blink: dict[str, _Words]

    def all(self) -> dict[str, _Words]:
        return {**self.head, **self.gaze, **self.blink}


@dataclass(frozen=True)
class MotionWords:
    """What is said and what is understood, by kind: head motions without their side ("turn"), looks
    and glances, quick and slow blinks."""

    said: dict[str, tuple[Phrasing, ...]]
    understood: dict[str, tuple[Phrasing, ...]]


def stem_and_hand(kind: HeadMotionKind) -> tuple[str, str]:
    """`turn_left` to `turn` and `left`; `nod` to `nod` and nothing."""
    for hand in ("left", "right"):
        if kind.endswith(f"_{hand}"):
            return kind.removesuffix(f"_{hand}"), hand
    return kind, ""


@cache
def motion_words(wordings: Wordings = "plain") -> MotionWords:
    """The built-in words. Keys are head stems, `look`, `glance`, `quick` and `slow`.

    Args:
        wordings: `plain`; `trained` adds four fifths of the phrase bank; `held_out` is the rest of it alone.

    Raises:
        InvalidConfig: a file breaks the format.
    """
    plain, more = _read("motions.yaml"), _read("motions_more.yaml")
    said = {kind: words.said() for kind, words in plain.items()}
    if wordings != "plain":
        hidden = {kind: hidden_of(kind, words.said()) for kind, words in more.items()}
        trained = {kind: tuple(each for each in more[kind].said() if each not in hidden[kind]) for kind in more}
        said = hidden if wordings == "held_out" else {kind: (*said[kind], *trained[kind]) for kind in said}
    return MotionWords(said, {kind: words.understood() for kind, words in plain.items()})


def _read(name: str) -> dict[str, _Words]:
    path = Path(__file__).parent / "data" / name
    document = parse_yaml(path.read_text(encoding="utf-8"), lambda message: InvalidConfig(f"{path.name}: {message}"))
    try:
        return _Bank.model_validate(document.data).all()
    except ValidationError as error:
        raise InvalidConfig(f"{path.name}: {error}") from error
