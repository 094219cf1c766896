"""Settings of a video backend: strict, and split into what decides its clips and what does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tdmm.corpus.prompts.prompt import ClipPrompt
from tdmm.corpus.prompts.scenes import negative_for, words_for
from tdmm.errors import InvalidConfig, did_you_mean


class Settings(BaseModel):
    """What all backends can be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    indifferent: ClassVar[frozenset[str]] = frozenset()
    """Settings that change how clips are made, not which: devices, time limits, addresses."""

    style: str = Field(description="dialect of the words that the generator is told")

    def deciding(self) -> dict[str, Any]:
        """All that decides the clips, JSON-serialisable."""
        return self.model_dump(mode="json", exclude=set(self.indifferent))

    def words(self, prompt: ClipPrompt) -> str:
        """The prompt as the generator is told it."""
        return words_for(self.style, prompt)


class NegativeSettings(Settings):
    """Settings of a generator that can be told what to avoid."""

    negative: str | None = Field(None, description="what it is told to avoid; by default the style's own words")

    def deciding(self) -> dict[str, Any]:
        """All that decides the clips, with the negative prompt in full."""
        return {**super().deciding(), "negative": self.to_avoid()}

    def to_avoid(self) -> str:
        """The negative prompt."""
        return negative_for(self.style) if self.negative is None else self.negative


Kind = TypeVar("Kind", bound=Settings)


def strictly(kind: type[Kind], name: str, settings: Mapping[str, Any]) -> Kind:
    """Settings of a backend from a mapping.

    Raises:
        InvalidConfig: a setting is unknown ("did you mean ..."), missing, or makes no sense; all of them are named.
    """
    try:
        return kind.model_validate(dict(settings))
    except ValidationError as error:
        said = "; ".join(_said(problem, kind) for problem in error.errors())
        raise InvalidConfig(f"Settings of the video backend '{name}': {said}.") from error


def _said(problem: Any, kind: type[Settings]) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        known = list(kind.model_fields)
        hint = did_you_mean(where, known) or f" Known: {', '.join(known)}."
        return f"'{where}' is unknown.{hint}".rstrip(".")
    message = str(problem["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{where}: {message}" if where else message
