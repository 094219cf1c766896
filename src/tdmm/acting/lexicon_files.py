"""Reading the lexicon's YAML into descriptors, with errors that name file, entry and field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from tdmm.acting.descriptors import (
    ActionRecipe,
    Descriptor,
    DescriptorSide,
    Form,
    Kind,
    Phrasing,
    RecipeSide,
)
from tdmm.acting.strict_yaml import first_fault, parse_yaml
from tdmm.errors import InvalidConfig, did_you_mean
from tdmm.face.facs import ACTIONS
from tdmm.files import require_readable
from tdmm.motion.events import GazeDirection, HeadMotionKind

SLOTS = frozenset({"poss", "obj", "subj", "refl", "eyebrow", "eye", "eyelid", "cheek", "corner", "sideways"})
"""What may stand in braces in a phrasing (see `Phrasing`)."""

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_TEXT = re.compile(r"[a-z{][a-z{}*', -]*[a-z}]!?")
_ARTICLES = ("a ", "an ", "the ")
_PLURALS = ("brows", "eyes", "lids", "lips", "cheeks", "teeth", "corners")


def _ordered(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError(f"the range {list(value)} runs backwards; write the smaller number first")
    return value


Level = Annotated[float, Field(gt=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=10)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False, frozen=True)


def checked_texts(value: list[str]) -> list[str]:
    """Phrasings in their form.

    Raises:
        ValueError: other characters than allowed, or an unknown slot.
    """
    for text in value:
        if not _TEXT.fullmatch(text):
            raise ValueError(f"'{text}': small letters, spaces, commas, hyphens, {{slots}}, * and a final ! only")
        unknown = set(re.findall(r"{([^}]*)}", text)) - SLOTS
        if unknown:
            raise ValueError(f"'{text}': unknown slot {sorted(unknown)}; known are {sorted(SLOTS)}")
    return value


def checked_nouns(value: list[str]) -> list[str]:
    """Nouns with their article, or plurals.

    Raises:
        ValueError: one is neither.
    """
    for text in value:
        if not text.startswith(_ARTICLES) and not re.search(rf"(?:{'|'.join(_PLURALS)}|s)\b", text):
            raise ValueError(f"'{text}': a noun carries its article ('a {text}') or is a plural")
    return value


class _Timing(_Strict):
    onset: tuple[Seconds, Seconds]
    hold: tuple[Seconds, Seconds]
    offset: tuple[Seconds, Seconds]

    _ranges = field_validator("onset", "hold", "offset")(_ordered)


class _Action(_Strict):
    """`[lo, hi]`, `[lo, hi, probability]`, or a mapping that adds `side` and `delay`."""

    peak: tuple[Level, Level]
    probability: Level = 1.0
    side: RecipeSide = "same"
    delay: float = Field(0.0, ge=0, le=2)

    _ranges = field_validator("peak")(_ordered)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, list):
            if len(value) not in (2, 3):
                raise ValueError("write [low, high] or [low, high, probability]")
            return {"peak": value[:2], "probability": value[2] if len(value) == 3 else 1.0}
        return value


class _Entry(_Strict):
    family: str = Field(pattern=_NAME.pattern)
    actions: dict[str, _Action] = Field(min_length=1)
    timing: _Timing
    side: DescriptorSide = "both"
    verb: list[str] = []
    noun: list[str] = []
    adjective: list[str] = []
    gaze: GazeDirection | None = None
    head: HeadMotionKind | None = None
    blinks: int = Field(0, ge=0, le=5)
    source: str

    @field_validator("actions")
    @classmethod
    def _known(cls, value: dict[str, _Action]) -> dict[str, _Action]:
        for name in value:
            if name not in ACTIONS:
                raise ValueError(f"unknown action '{name}'.{did_you_mean(name, ACTIONS)}")
        return value

    _wording = field_validator("verb", "noun", "adjective")(checked_texts)
    _article = field_validator("noun")(checked_nouns)

    @model_validator(mode="after")
    def _whole(self) -> _Entry:
        if len(self.verb) + len(self.noun) + len(self.adjective) < 3:
            raise ValueError("at least three phrasings are needed over verb, noun and adjective")
        core = {name: action for name, action in self.actions.items() if action.probability == 1.0}
        if not core:
            raise ValueError("no core action; give at least one the probability 1")
        weak = [name for name, action in core.items() if action.peak[1] < 0.6]
        if weak:
            raise ValueError(f"core action '{weak[0]}' peaks below 0.6 and would hardly be seen")
        for name, action in self.actions.items():
            if ACTIONS[name].exclusive and (self.side != "one" or action.side == "both"):
                raise ValueError(f"'{name}' goes to one side, so the descriptor needs 'side: one'")
        return self


class _File(_Strict):
    kind: Kind
    entries: dict[str, _Entry] = Field(min_length=1)

    @field_validator("entries")
    @classmethod
    def _names(cls, value: dict[str, _Entry]) -> dict[str, _Entry]:
        for name in value:
            if not _NAME.fullmatch(name):
                raise ValueError(f"'{name}': an entry's name is snake_case")
        return value


def read_descriptors(path: Path) -> tuple[Descriptor, ...]:
    """Read one file of the lexicon.

    Raises:
        InvalidConfig: not YAML, an unknown field or action, a range that runs backwards, too few
            phrasings; the message names file, line, entry and field.
        FileProblem: it cannot be read.
    """
    text = require_readable(path).read_text(encoding="utf-8")
    document = parse_yaml(text, lambda message: InvalidConfig(f"{path.name}: {message}"))
    try:
        file = _File.model_validate(document.data)
    except ValidationError as error:
        fault = first_fault(error, document)
        where = fault.where
        entry = f"entry '{where[1]}'" if len(where) > 1 and where[0] == "entries" else "top level"
        field = ".".join(str(part) for part in where[2:]) or "(whole)"
        raise InvalidConfig(f"{path.name}, line {fault.line}, {entry}, field {field}: {fault.message}") from error
    return tuple(_descriptor(name, file.kind, entry) for name, entry in file.entries.items())


def _descriptor(name: str, kind: Kind, entry: _Entry) -> Descriptor:
    recipes = sorted(
        (
            ActionRecipe(action, spec.peak, spec.probability, spec.side, spec.delay)
            for action, spec in entry.actions.items()
        ),
        key=lambda recipe: recipe.probability < 1.0,
    )
    forms: tuple[tuple[Form, list[str]], ...] = (
        ("verb", entry.verb), ("noun", entry.noun), ("adjective", entry.adjective),
    )  # fmt: skip
    timing = entry.timing
    return Descriptor(
        name=name,
        family=entry.family,
        kind=kind,
        actions=tuple(recipes),
        side=entry.side,
        onset=timing.onset,
        hold=timing.hold,
        offset=timing.offset,
        phrasings=tuple(
            Phrasing(form, text.removesuffix("!"), text.endswith("!")) for form, texts in forms for text in texts
        ),
        gaze=entry.gaze,
        head=entry.head,
        blinks=entry.blinks,
        source=entry.source,
    )
