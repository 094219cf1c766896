"""A vision-language model that looks at clips: Gemini, or any behind an OpenAI-compatible endpoint.

Every answer is kept under a digest of the model, what it was asked and the clip's bytes, so a clip is paid for once.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tdmm.acting.endpoint import EndpointProblem
from tdmm.corpus.captions.caption import Answer, Caption, checked
from tdmm.corpus.captions.pictures import LEAST_FPS
from tdmm.corpus.captions.question import question
from tdmm.errors import InvalidInput
from tdmm.files import require_readable, written_aside

TRIES = 3
"""How often a model is asked again that does not answer in the form that was asked for."""

_KEYS = {"gemini": "GEMINI_API_KEY", "openai": "OPENAI_API_KEY"}


class AnnotatorOptions(BaseModel):
    """Which model looks, and how. Everything but the key's place, the address and the time-out decides its answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["gemini", "openai"]
    model: str = Field(min_length=1, description="its id there: gemini-..., gpt-..., a model of vLLM or Ollama")
    url: str | None = Field(None, description="of the endpoint; needed for openai, Google's own by default for gemini")
    key_variable: str = Field("", description="environment variable with the key; GEMINI_API_KEY or OPENAI_API_KEY")
    fps: float = Field(LEAST_FPS, ge=LEAST_FPS, le=30, description="pictures a second that it sees; fewer miss blinks")
    seed: int | None = 0
    timeout: float = Field(120.0, gt=0, le=3600, description="seconds for an answer")

    @model_validator(mode="after")
    def _addressed(self) -> Self:
        if self.kind == "openai" and not self.url:
            raise ValueError("an OpenAI-compatible endpoint needs its url, for example http://localhost:8000/v1")
        return self

    @property
    def deciding(self) -> dict[str, Any]:
        """What decides an answer, besides the clip."""
        asked = hashlib.sha256(question().encode()).hexdigest()[:16]
        return {"kind": self.kind, "model": self.model, "fps": self.fps, "seed": self.seed, "asked": asked}

    def key(self) -> str | None:
        """The key in the environment, if there is one.

        Raises:
            InvalidInput: Gemini has none.
        """
        name = self.key_variable or _KEYS[self.kind]
        key = os.environ.get(name, "").strip()
        if not key and (self.kind == "gemini" or self.key_variable):
            raise InvalidInput(f"There is no key in the environment variable {name}. Set it: export {name}=...")
        return key or None


class Filtered(BaseModel):
    """A model that declines to say anything of a clip, for good."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str


class Malformed(EndpointProblem):
    """A model that answers, time after time, not in the form that was asked for."""


class Looker(Protocol):
    """One kind of model."""

    def ask(self, video: Path) -> str | Filtered:
        """What it says of a clip, as JSON.

        Raises:
            EndpointProblem: it cannot be reached or refuses.
        """

    def close(self) -> None:
        """Give back connections."""


class Annotator:
    """Asks a model about clips, once for each. Use it in a `with` statement.

    Args:
        options: which model.
        cache: folder of answers; made if missing.

    Raises:
        MissingDependency: the package of that kind of model is not installed.
        InvalidInput: the key is missing, or an address makes no sense.
    """

    def __init__(self, options: AnnotatorOptions, cache: Path) -> None:
        self.options = options
        self._cache = cache
        self._looker = _looker(options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        self._looker.close()

    def annotate(self, video: Path) -> Caption | Filtered:
        """What a clip shows, or why the model would not say.

        Raises:
            EndpointProblem: no answer, after several tries; `Malformed` where it is none that can be read.
            FileProblem, InvalidVideo: the clip cannot be read.
        """
        kept = self._cache / self._name(video)
        found = _read(kept)
        if found is None:
            found = self._asked(video)
            kept.parent.mkdir(parents=True, exist_ok=True)
            with written_aside(kept) as temporary:
                temporary.write_text(_as_json(found), encoding="utf-8")
        return found if isinstance(found, Filtered) else checked(found)

    def _name(self, video: Path) -> str:
        digest = hashlib.sha256(json.dumps(self.options.deciding, sort_keys=True).encode())
        with require_readable(video).open("rb") as handle:
            digest.update(hashlib.file_digest(handle, "sha256").digest())
        name = digest.hexdigest()
        return f"{name[:2]}/{name}.json"

    def _asked(self, video: Path) -> Answer | Filtered:
        problem = ""
        for _ in range(TRIES):
            said = self._looker.ask(video)
            if isinstance(said, Filtered):
                return said
            try:
                return Answer.model_validate_json(_object(said))
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"])
                problem = f"{where}: {first['msg']}" if where else first["msg"]
        raise Malformed(
            f"{self.options.model} did not answer about {video.name} in the form that was asked for, {TRIES} times "
            f"({problem}). Take a model that writes JSON by a schema."
        )


def _looker(options: AnnotatorOptions) -> Looker:
    if options.kind == "gemini":
        from tdmm.corpus.captions.gemini import Gemini

        return Gemini(options, options.key())
    from tdmm.corpus.captions.frames import Frames

    return Frames(options, options.key())


def _object(said: str) -> str:
    """The JSON in an answer; models put fences and words about it."""
    first, last = said.find("{"), said.rfind("}")
    return said[first : last + 1] if 0 <= first < last else said


def _as_json(found: Answer | Filtered) -> str:
    kind = "filtered" if isinstance(found, Filtered) else "answer"
    return json.dumps({kind: found.model_dump(mode="json")}, ensure_ascii=False)


def _read(path: Path) -> Answer | Filtered | None:
    """A kept answer; None where there is none or it cannot be read, and it is asked for again."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if "filtered" in content:
            return Filtered.model_validate(content["filtered"])
        return Answer.model_validate(content["answer"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
