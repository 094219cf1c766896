"""Two ways to Google's video models: Veo's operations, and interactions with Gemini.

What goes over the wire is the `google-genai` client's affair; here its answers and errors become ours.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Literal, Protocol

from pydantic import Field, ValidationError, model_validator

from tdmm.corpus.video.backend import GeneratorProblem
from tdmm.corpus.video.settings import NegativeSettings
from tdmm.errors import MissingDependency

_MILLISECONDS = 1000
_REQUEST_SECONDS = 120
_LONGEST_WAIT = 60.0
_LONGEST_WORDS = 300
_POLICY = re.compile(r"responsible ai|safety|sensitive|usage guidelines|polic(y|ies)|prohibited|blocked", re.IGNORECASE)
"""What a refusal of a prompt speaks of, and a refusal of a setting does not."""

_SERVERS_FAULT = frozenset({1, 2, 4, 8, 10, 13, 14})
"""gRPC codes of operations that failed for want of luck: cancelled, unknown, deadline, exhausted, aborted, internal,
unavailable."""

_STYLES = {"veo": "veo", "gemini": "omni"}
"""Dialects of the routes' words."""


class GoogleSettings(NegativeSettings):
    """Settings of Google's models. Keys are never among them: they name the environment variable that holds one."""

    indifferent: ClassVar[frozenset[str]] = frozenset(
        {"api_key_env", "project", "location", "base_url", "poll_seconds", "patience", "attempts", "first_wait"}
    )

    route: Literal["veo", "gemini"] = Field(description="operations of Veo, or interactions with Gemini")
    model: str = Field(min_length=1, description="its id, as of today; Google retires ids within a year or two")
    durations: tuple[int, ...] = Field((4, 6, 8), min_length=1, description="seconds that it makes")
    aspect_ratio: str = "16:9"
    resolution: str = "720p"
    person_generation: str = Field("allow_adult", description="Veo's own setting")
    api_key_env: str = "GOOGLE_API_KEY"
    project: str | None = Field(None, description="of Google Cloud, in place of a key (Veo)")
    location: str | None = Field(None, description="of Google Cloud, with `project`")
    base_url: str | None = None
    poll_seconds: float = Field(10.0, ge=0)
    patience: float = Field(1800.0, gt=0, description="seconds to wait for a batch of clips")
    attempts: int = Field(6, ge=1, le=20, description="of one request, while the server is busy or broken")
    first_wait: float = Field(1.0, ge=0, description="seconds before the second attempt; they double")

    @model_validator(mode="before")
    @classmethod
    def _style_of_route(cls, given: Any) -> Any:
        return {"style": _STYLES.get(str(given.get("route")), "veo"), **given} if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _makes_sense(self) -> GoogleSettings:
        if self.route == "gemini" and self.negative is not None:
            raise ValueError("negative: Gemini takes no negative prompt; leave it out")
        if self.route == "gemini" and self.project is not None:
            raise ValueError("project: Gemini's interactions need a key, not a project")
        if (self.project is None) != (self.location is None):
            raise ValueError("project and location are given together")
        return self

    def deciding(self) -> dict[str, Any]:
        """All that decides the clips; a negative prompt only where one is sent."""
        decided = super().deciding()
        return decided if self.route == "veo" else {**decided, "negative": None, "person_generation": None}

    def seconds(self, wanted: float) -> int:
        """The shortest clip on offer that holds so many seconds, or else the longest."""
        return min((offered for offered in self.durations if offered >= wanted), default=max(self.durations))


class Refused(Exception):
    """The model will not make this clip; the text says why."""


class Lost(Exception):
    """A job came to nothing through no fault of its prompt; the text says how."""


class Route(Protocol):
    """One way to ask for a video and to fetch it. Raises `Refused`, `GeneratorProblem`."""

    def submit(self, words: str, seed: int, seconds: int) -> str:
        """Ask for a clip; the answer is the job's id."""

    def fetch(self, job: str) -> bytes | None:
        """The video of a job; None while it is being made. Raises `Lost`."""


def open_route(settings: GoogleSettings) -> Route:
    """Make a client; nobody is asked yet.

    Raises:
        MissingDependency: `google-genai` is not installed.
        GeneratorProblem: there is no key.
    """
    try:
        from google.auth.exceptions import GoogleAuthError
        from google.genai import Client, types
    except ImportError as error:
        raise MissingDependency(f"Google's models need google-genai ({error}): pip install 'tdmm[api]'") from error
    key = os.environ.get(settings.api_key_env, "").strip()
    if not key and settings.project is None:
        cloud = ", or give `project` and `location` of a Google Cloud project" if settings.route == "veo" else ""
        raise GeneratorProblem(
            f"There is no API key in the environment variable {settings.api_key_env}. Put one there, name another "
            f"variable in `api_key_env`{cloud}."
        )
    options = types.HttpOptions(
        base_url=settings.base_url,
        timeout=_REQUEST_SECONDS * _MILLISECONDS,
        retry_options=types.HttpRetryOptions(
            attempts=settings.attempts,
            initial_delay=settings.first_wait,
            max_delay=_LONGEST_WAIT,
            jitter=min(settings.first_wait, 1.0),
        ),
    )
    try:
        # The client is kept: one that nobody holds closes its connections in the middle of a request.
        if settings.route == "gemini":
            return _Interactions(Client(enterprise=False, api_key=key, http_options=options), settings)
        if settings.project is None:
            return _Operations(Client(enterprise=True, api_key=key, http_options=options), settings)
        client = Client(enterprise=True, project=settings.project, location=settings.location, http_options=options)
        return _Operations(client, settings)
    except (ValueError, GoogleAuthError) as error:
        raise GeneratorProblem(f"Google's client cannot be made: {_cut(str(error))}") from error


class _Operations:
    """Veo: a long-running operation for each video."""

    def __init__(self, client: Any, settings: GoogleSettings) -> None:
        self._client, self._settings = client, settings

    def submit(self, words: str, seed: int, seconds: int) -> str:
        from google.genai import types

        settings = self._settings
        config = types.GenerateVideosConfig(
            number_of_videos=1,
            duration_seconds=seconds,
            aspect_ratio=settings.aspect_ratio,
            resolution=settings.resolution,
            negative_prompt=settings.to_avoid(),
            person_generation=settings.person_generation,
            seed=seed,
            generate_audio=False,
        )
        with _in_our_words(settings):
            operation = self._client.models.generate_videos(
                model=settings.model, source=types.GenerateVideosSource(prompt=words), config=config
            )
        return _require_id(operation.name, settings)

    def fetch(self, job: str) -> bytes | None:
        from google.genai import types

        with _in_our_words(self._settings):
            operation = self._client.operations.get(types.GenerateVideosOperation(name=job))
        if not operation.done:
            return None
        if operation.error:
            code, said = operation.error.get("code"), _cut(str(operation.error.get("message", operation.error)))
            reason = f"operation failed with code {code}: {said}"
            raise Lost(reason) if code in _SERVERS_FAULT else Refused(reason)
        response = operation.response
        videos = (response.generated_videos if response else None) or []
        if not videos and response and response.rai_media_filtered_count:
            reasons = "; ".join(response.rai_media_filtered_reasons or []) or "no reason given"
            raise Refused(f"filtered by Google's rules ({_cut(reasons)})")
        content: bytes | None = videos[0].video.video_bytes if videos and videos[0].video else None
        if not content:
            raise Lost("the operation is done and holds no video")
        return content


class _Interactions:
    """Gemini: an interaction in the background for each video."""

    def __init__(self, client: Any, settings: GoogleSettings) -> None:
        self._client, self._settings = client, settings

    def submit(self, words: str, seed: int, seconds: int) -> str:
        settings = self._settings
        shape = {"aspect_ratio": settings.aspect_ratio, "resolution": settings.resolution, "duration": f"{seconds}s"}
        with _in_our_words(settings):
            interaction = self._client.interactions.create(
                model=settings.model,
                input=words,
                background=True,
                response_format={"type": "video", "delivery": "inline", **shape},
                generation_config={"seed": seed, "video_config": {"task": "text_to_video"}},
            )
        return _require_id(interaction.id, settings)

    def fetch(self, job: str) -> bytes | None:
        with _in_our_words(self._settings):
            interaction = self._client.interactions.get(id=job)
            status, video = interaction.status, interaction.output_video
            if status in ("queued", "in_progress"):
                return None
            if status == "completed" and video is not None and video.data:
                return base64.b64decode(video.data)
            if status == "completed" and video is not None and video.uri:
                content: bytes = self._client.files.download(file=video.uri)
                return content
        # A model that declines in words has completed, without a video.
        said = "; ".join(error.message or error.code or "" for error in interaction.errors or [])
        said = _cut(said or interaction.output_text or "no reason given")
        refused = status == "completed" or _POLICY.search(said)
        raise (Refused if refused else Lost)(f"interaction {status}: {said}")


@contextmanager
def _in_our_words(settings: GoogleSettings) -> Iterator[None]:
    """Turn the client's errors into ours."""
    from google.auth.exceptions import GoogleAuthError
    from google.genai import _interactions, errors

    try:
        yield
    except errors.APIError as error:
        raise _problem(error.code, str(error.message or error.details), settings) from error
    except _interactions.APIConnectionError as error:
        raise _unreachable(error, settings) from error
    except _interactions.APIResponseValidationError as error:
        raise _no_such_api(str(error.body), settings) from error
    except _interactions.APIError as error:
        raise _problem(error.status_code, _said(error), settings) from error
    except json.JSONDecodeError as error:
        raise _no_such_api(error.doc, settings) from error
    except (errors.UnknownApiResponseError, ValidationError, UnicodeDecodeError) as error:
        raise _no_such_api(str(error), settings) from error
    except GoogleAuthError as error:
        raise GeneratorProblem(
            f"Google Cloud does not know you: {_cut(str(error))} Run: gcloud auth application-default login"
        ) from error
    except _connection_errors() as error:
        raise _unreachable(error, settings) from error


def _said(error: Any) -> str:
    """What a refusal of an interaction says, without what it is wrapped in."""
    try:
        return str(error.body["error"]["message"])
    except (KeyError, TypeError):
        return str(error)


def _connection_errors() -> tuple[type[Exception], ...]:
    import httpx2

    return (httpx2.HTTPError, OSError)


def _problem(status: int | None, said: str, settings: GoogleSettings) -> Exception:
    """What an HTTP status means, in words that say what to do."""
    if said.lstrip().startswith("<"):
        return _no_such_api(said, settings, status)
    said = _cut(said)
    if status == 400 and "api key" not in said.lower() and _POLICY.search(said):
        return Refused(f"the prompt was turned down: {said}")
    times = f"{settings.attempts} times in a row"
    key = f"the key in {settings.api_key_env}" if settings.project is None else f"project {settings.project}"
    advice = f"Check the video settings (durations {settings.durations}, resolution, person_generation)."
    if status in (401, 403) or (status == 400 and "api key" in said.lower()):
        advice = f"Check {key}, and that it may use this model."
    elif status == 404:
        advice = "Check `model` (Google retires them), `location` and `base_url`."
    elif status == 429:
        advice = (
            f"The quota is used up or requests come too fast, {times}. Wait, raise the quota, or make fewer at once."
        )
    elif status is not None and status >= 500:
        advice = f"The server is broken or overloaded, {times}. Try later; jobs that were begun are resumed."
    return GeneratorProblem(f"Google refuses '{settings.model}' with status {status}: {said.rstrip('.')}. {advice}")


def _unreachable(error: BaseException, settings: GoogleSettings) -> GeneratorProblem:
    where = settings.base_url or "Google"
    reason = error.__cause__ or error
    return GeneratorProblem(
        f"{where} cannot be reached ({_cut(str(reason)) or type(reason).__name__}). Check the network and `base_url`; "
        "jobs that were begun are resumed."
    )


def _no_such_api(said: str, settings: GoogleSettings, status: int | None = None) -> GeneratorProblem:
    where = settings.base_url or "The server"
    what = "with a web page" if "<" in said[:200] else "in another way"
    code = f" (status {status})" if status else ""
    return GeneratorProblem(
        f"{where} answers, but {what} and not as Google's API does{code}: {_cut(said)} Check `base_url` and any proxy."
    )


def _require_id(job: str | None, settings: GoogleSettings) -> str:
    if not job:
        raise _no_such_api("an answer without a job", settings)
    return job


def _cut(text: str) -> str:
    """Words of a stranger, fit for one line of a terminal."""
    words = " ".join("".join(each if each.isprintable() else " " for each in text[: 4 * _LONGEST_WORDS]).split())
    return words if len(words) <= _LONGEST_WORDS else f"{words[: _LONGEST_WORDS - 3]}..."
