"""Who is filmed and how, and in which words each generator is told: data in YAML, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from tdmm.acting.strict_yaml import parse_yaml
from tdmm.corpus.prompts.prompt import ClipPrompt
from tdmm.errors import InvalidConfig, UnknownName, did_you_mean
from tdmm.files import require_readable

DATA = Path(__file__).parent / "data"
"""Folder of the reviewed YAML."""

_FACE = "{face}"
_SLOTS = {"face": "", "framing": "", "Framing": "", "lighting": "", "background": ""}


class Scenery(BaseModel):
    """Phrases that scenes are put together from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    framing: tuple[str, ...] = Field(min_length=1)
    lighting: tuple[str, ...] = Field(min_length=1)
    background: tuple[str, ...] = Field(min_length=1)


class Style(BaseModel):
    """How one generator is told a clip.

    Attributes:
        prompt: with the slots `{face}`, `{framing}` (`{Framing}` at the start of a sentence), `{lighting}`,
            `{background}`.
        negative: what should not be seen; empty where the generator takes no such words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: str
    negative: str

    @field_validator("prompt")
    @classmethod
    def _slots(cls, prompt: str) -> str:
        if prompt.count(_FACE) != 1:
            raise ValueError("{face} must stand in it once")
        try:
            prompt.format(**_SLOTS)
        except (KeyError, ValueError, IndexError) as error:
            raise ValueError(f"only these slots may stand in it: {', '.join(_SLOTS)}") from error
        return prompt


@cache
def persons() -> dict[str, str]:
    """Who is filmed: id to words with an article ("w01": "a freckled young woman with red hair")."""
    found: dict[str, str] = _read(DATA / "persons.yaml", TypeAdapter(dict[str, str]))
    return found


@cache
def scenery() -> Scenery:
    """The built-in phrases for scenes."""
    found: Scenery = _read(DATA / "scenes.yaml", TypeAdapter(Scenery))
    return found


@cache
def styles() -> dict[str, Style]:
    """The dialects of the generators, by name."""
    found: dict[str, Style] = _read(DATA / "styles.yaml", TypeAdapter(dict[str, Style]))
    return found


def words_for(style: str, prompt: ClipPrompt) -> str:
    """A prompt as a generator is told it: the face part as it stands, the video part in that generator's dialect.

    Raises:
        UnknownName: there is no such style; the message lists them.
    """
    scene = prompt.scene
    return _style(style).prompt.format(
        face=prompt.face,
        framing=scene.framing,
        Framing=scene.framing[:1].upper() + scene.framing[1:],
        lighting=scene.lighting,
        background=scene.background,
    )


def negative_for(style: str) -> str:
    """The negative prompt of a style, the same for all clips; empty where the generator takes none.

    It never speaks of stillness: a steady frame and a calm face are wanted.

    Raises:
        UnknownName: there is no such style; the message lists them.
    """
    return _style(style).negative


def _style(name: str) -> Style:
    found = styles().get(name)
    if found is None:
        raise UnknownName(f"Unknown style '{name}'.{did_you_mean(name, styles())} There are: {', '.join(styles())}.")
    return found


def _read(path: Path, form: TypeAdapter[Any]) -> Any:
    text = require_readable(path).read_text(encoding="utf-8")
    document = parse_yaml(text, lambda message: InvalidConfig(f"{path.name}: {message}"))
    try:
        return form.validate_python(document.data)
    except ValidationError as error:
        raise InvalidConfig(f"{path.name}: {error}") from error
