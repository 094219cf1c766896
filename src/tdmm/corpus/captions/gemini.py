"""Gemini, which takes the clip itself. Needs the package `google-genai`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tdmm.acting.endpoint import TRIES, EndpointProblem
from tdmm.corpus.captions.annotator import AnnotatorOptions, Filtered
from tdmm.corpus.captions.caption import schema
from tdmm.corpus.captions.question import question
from tdmm.errors import InvalidVideo, MissingDependency

_MOST_BYTES = 20 * 2**20
_DECLINED = (
    "SAFETY",
    "PROHIBITED_CONTENT",
    "BLOCKLIST",
    "SPII",
    "RECITATION",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
)
_FIRST_WAIT = 1.0
"""Seconds before the second try while it is busy; the waits double."""


class Gemini:
    """A `Looker`.

    Args:
        options: of it.
        key: of the Gemini API.

    Raises:
        MissingDependency: google-genai is not installed.
    """

    def __init__(self, options: AnnotatorOptions, key: str | None) -> None:
        self._genai, self._types, self._errors = _libraries()
        self._options = options
        http = self._types.HttpOptions(
            base_url=options.url,
            timeout=round(1000 * options.timeout),
            retry_options=self._types.HttpRetryOptions(
                attempts=TRIES, initial_delay=_FIRST_WAIT, http_status_codes=[408, 429, 500, 502, 503, 504]
            ),
        )
        self._client = self._genai.Client(api_key=key, http_options=http)

    def ask(self, video: Path) -> str | Filtered:
        """What it says of a clip."""
        types = self._types
        size = video.stat().st_size
        if size > _MOST_BYTES:
            raise InvalidVideo(f"{video}: has {size / 2**20:.0f} MiB; Gemini is shown clips up to 20. Cut it first.")
        shown = types.Part(
            inline_data=types.Blob(data=video.read_bytes(), mime_type="video/mp4"),
            video_metadata=types.VideoMetadata(fps=self._options.fps),
        )
        try:
            answer = self._client.models.generate_content(
                model=self._options.model,
                contents=[types.Content(role="user", parts=[shown, types.Part(text=question())])],
                config=types.GenerateContentConfig(
                    response_mime_type="application/json",
                    response_json_schema=schema(),
                    temperature=0.0,
                    seed=self._options.seed,
                ),
            )
        except self._errors.APIError as error:
            raise self._refused(error) from error
        except (OSError, self._transport_error()) as error:
            raise EndpointProblem(
                f"Gemini cannot be reached ({error}). Is there a network, and is the url right?"
            ) from error
        return self._said(answer)

    def _said(self, answer: Any) -> str | Filtered:
        blocked = getattr(answer.prompt_feedback, "block_reason", None)
        if blocked:
            return Filtered(reason=f"{self._options.model} declines the clip: {blocked.name}")
        candidates = answer.candidates or []
        finish = candidates[0].finish_reason if candidates else None
        if finish is not None and finish.name in _DECLINED:
            return Filtered(reason=f"{self._options.model} declines the clip: {finish.name}")
        return answer.text or ""

    def _refused(self, error: Any) -> EndpointProblem:
        status, said = error.code, str(error.message or "").strip()
        if status in (401, 403) or "API key" in said:
            advice = "Put a valid key into the environment variable (GEMINI_API_KEY, or as key_variable names it)."
        elif status == 404:
            advice = "There is no such model; ids change. Name one that the API lists."
        elif status == 429:
            advice = f"The quota is used up, {TRIES} times in a row. Wait, or raise it."
        elif status >= 500:
            advice = f"The service is broken or overloaded, {TRIES} times in a row. Try later; answers so far are kept."
        else:
            advice = "Check the model's id and the url."
        return EndpointProblem(f"{self._options.model} refuses with status {status}: {said[:240]} {advice}")

    def _transport_error(self) -> type[Exception]:
        import httpx2

        problem: type[Exception] = httpx2.HTTPError
        return problem

    def close(self) -> None:
        """Give back connections."""
        self._client.close()


def _libraries() -> tuple[Any, Any, Any]:
    try:
        from google import genai
        from google.genai import errors, types
    except ImportError as error:
        raise MissingDependency(
            "Asking Gemini needs google-genai. Run: pip install 'tdmm[api]'   (or pip install google-genai)"
        ) from error
    return genai, types, errors
