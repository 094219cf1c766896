"""Words for energies, intensities and transitions beyond the plain ones, read from `data/manner.yaml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tdmm.acting.strict_yaml import parse_yaml
from tdmm.errors import InvalidConfig


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Degree(_Strict):
    """Words for one level of intensity, by where they stand."""

    before_verb: tuple[str, ...] = ()
    after_verb: tuple[str, ...] = ()
    of_noun: tuple[str, ...] = ()
    of_adjective: tuple[str, ...] = ()
    of_participle: tuple[str, ...] = ()
    trailing: tuple[str, ...] = ()


class Transitions(_Strict):
    """What joins clauses, with its spaces and commas."""

    then: tuple[str, ...]
    finally_: tuple[str, ...]
    while_: tuple[str, ...]
    first: tuple[str, ...]


class MannerWords(_Strict):
    """All of the file."""

    energy: dict[str, tuple[str, ...]]
    energy_sentences: dict[str, tuple[str, ...]]
    intensity: dict[str, Degree]
    transitions: Transitions


@cache
def manner_words() -> MannerWords:
    """The built-in words. Read once.

    Raises:
        InvalidConfig: the file breaks the format.
    """
    path = Path(__file__).parent / "data" / "manner.yaml"
    document = parse_yaml(path.read_text(encoding="utf-8"), lambda message: InvalidConfig(f"{path.name}: {message}"))
    joined = document.data["transitions"]
    transitions = {
        "then": joined["then"],
        "finally_": joined["finally"],
        "while_": joined["while"],
        "first": joined["first"],
    }
    try:
        return MannerWords.model_validate({**document.data, "transitions": transitions})
    except ValidationError as error:
        raise InvalidConfig(f"{path.name}: {error}") from error
