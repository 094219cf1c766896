"""A language model behind any OpenAI-compatible endpoint: one question, one answer, or an error that says what to do.

Needs the extra `[api]`, imported when an endpoint is opened. Redirects, proxies from the environment and waiting
between tries are the `openai` client's.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tdmm.errors import InvalidInput, MissingDependency, TdmmError, did_you_mean

TRIES = 3
"""How often one question is put while the server is busy, broken or silent; the waits between double."""

_CONNECT_SECONDS = 10.0
_LIST_SECONDS = 10.0
_MOST_BYTES = 2_000_000
_LONGEST_LINE = 1000
_FORMAT_REFUSED = (400, 422, 501)
"""Statuses with which servers refuse a kind of structured output that they do not know."""

_ENDING = "/chat/completions"


class EndpointProblem(TdmmError):
    """An endpoint that cannot be reached, refuses, or does not answer as one."""


class AnswerDeclined(EndpointProblem):
    """A model that will not answer this question; it may answer others."""


class Endpoint:
    """A model at a URL. Use it in a `with` statement, which closes its connections.

    Args:
        url: the base URL (`http://localhost:11434/v1`); the address of the chat route is understood too.
        model: the model's name there.
        api_key: None where the server wants none.
        timeout: seconds to wait for an answer to begin, and again for it to arrive.
        seed: passed on to servers that know it; None leaves it out.
        temperature: of the sampling, 0 for the likeliest answer; None leaves it to the server.

    Raises:
        InvalidInput: the URL, the name, the key or the time-out makes no sense.
        MissingDependency: the extra `[api]` is not installed.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        api_key: str | None = None,
        timeout: float = 120.0,
        seed: int | None = None,
        temperature: float | None = None,
    ) -> None:
        self.url = _base_url(url)
        self.model = _plain(model, "model name")
        if not (math.isfinite(timeout) and 0 < timeout <= 3600):
            raise InvalidInput(f"timeout is {timeout} s; it must lie above 0 and within 3600.")
        self.timeout = timeout
        self._openai, httpx = _libraries()
        self._asked: dict[str, Any] = {"model": self.model}
        if seed is not None:
            self._asked["seed"] = seed
        if temperature is not None:
            self._asked["temperature"] = temperature
        # From the strictest kind of structured output to none; what is refused once is not asked for again.
        self._formats: list[Callable[[Mapping[str, Any]], dict[str, Any]]] = [_by_schema, _by_object, _by_words]
        bounded = _bounded_stream(httpx, self._openai.OpenAIError, timeout)
        self._http = self._openai.DefaultHttpxClient(event_hooks={"response": [bounded]})
        try:
            self._client = self._openai.OpenAI(
                base_url=self.url,
                # The client insists on a key; servers that want none ignore it.
                api_key=_plain(api_key.strip(), "API key") if api_key else "none",
                max_retries=TRIES - 1,
                timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS)),
                http_client=self._http,
            )
        except (httpx.InvalidURL, UnicodeError) as error:
            self._http.close()
            raise InvalidInput(f"'{url}' is no URL ({_cut(str(error))}). {_EXAMPLES}") from error

    @property
    def name(self) -> str:
        """The model and where it is, for messages."""
        return f"{self.model} at {self.url}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def ask(self, messages: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> str:
        """Put a conversation to the model and return its answer.

        Structured output by `schema` is asked for first; where the server refuses it, any JSON object, then
        plain words. Busy, broken and silent servers are asked `TRIES` times.

        Args:
            messages: turns with `role` and `content` (words, or parts of words and images).
            schema: JSON schema of the answer. The answer is not checked against it here.

        Raises:
            AnswerDeclined: the model will not answer this.
            EndpointProblem: no answer; the message says whether address, key, model name or server is at fault.
        """
        openai = self._openai
        while True:
            try:
                completion = self._client.chat.completions.create(
                    messages=[dict(message) for message in messages], **self._asked, **self._formats[0](schema)
                )
                return self._content(completion)
            except openai.APIStatusError as error:
                if error.status_code not in _FORMAT_REFUSED or len(self._formats) == 1:
                    raise self._refused(error) from error
                self._formats.pop(0)
            except openai.APITimeoutError as error:
                raise EndpointProblem(
                    f"{self.name} did not answer within {self.timeout:g} s, {TRIES} times. Give it longer with "
                    "--timeout, or take a smaller model."
                ) from error
            except openai.APIConnectionError as error:
                raise EndpointProblem(
                    f"{self.url} cannot be reached ({_cause(error)}). Is the server running, and is --endpoint right? "
                    f"{_EXAMPLES}"
                ) from error
            except (openai.OpenAIError, json.JSONDecodeError, UnicodeError, RecursionError) as error:
                raise self._no_chat(str(error)) from error

    def _content(self, completion: Any) -> str:
        try:
            choice = completion.choices[0]
            content, refusal, reason = choice.message.content, choice.message.refusal, choice.finish_reason
        except (AttributeError, IndexError, KeyError, TypeError):
            raise self._no_chat(completion if isinstance(completion, str) else "no 'choices' in it") from None
        if refusal or reason == "content_filter":
            said = f": {_cut(str(refusal))}" if refusal else ""
            raise AnswerDeclined(f"{self.name} declines the scene{said}. Put it in other words, or ask another model.")
        return content if isinstance(content, str) else ""

    def _no_chat(self, said: str) -> EndpointProblem:
        return EndpointProblem(
            f"{self.url} answers, but not as a chat endpoint does ({_cut(said) or 'nothing'}). Check --endpoint; it "
            f"usually ends in /v1. {_EXAMPLES}"
        )

    def _refused(self, error: Any) -> EndpointProblem:
        """What a status that is no success means, in words that say what to do."""
        status, said = error.status_code, _said(error.body)
        if status in (401, 403):
            advice = "Put a valid key into the environment variable that --api-key-env names (OPENAI_API_KEY)."
        elif status == 404:
            return self._missing(said)
        elif status == 429:
            advice = f"It is busy or the quota is used up, {TRIES} times in a row. Wait a little, or ask another."
        elif status >= 500:
            advice = f"The server is broken or overloaded, {TRIES} times in a row. Try later; its log says more."
        else:
            advice = "Check --model and --endpoint, and leave out --seed where the server does not know it."
        return EndpointProblem(f"{self.name} refuses with status {status}{said}. {advice}")

    def _missing(self, said: str) -> EndpointProblem:
        """A 404 is a wrong model or a wrong address; a server that can list its models tells which."""
        try:
            listed = self._client.with_options(max_retries=0, timeout=_LIST_SECONDS).models.list()
            known = sorted({str(model.id) for model in listed.data} - {self.model})
        except (self._openai.OpenAIError, json.JSONDecodeError, AttributeError, TypeError, UnicodeError):
            known = []
        if not known:
            return EndpointProblem(
                f"{self.name}: not found (status 404{said}). Either the address is wrong (it usually ends in /v1) or "
                "the server has no such model: check --endpoint and --model."
            )
        shown = ", ".join(known[:8]) + (f" and {len(known) - 8} more" if len(known) > 8 else "")
        suggestion = did_you_mean(self.model, known)
        return EndpointProblem(_cut(f"{self.url} has no model '{self.model}'.{suggestion} It has: {shown}.", 800))


_EXAMPLES = "Examples: http://localhost:11434/v1 (Ollama), http://localhost:8000/v1 (vLLM), https://api.openai.com/v1."


def _by_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {"name": "answer", "strict": True, "schema": dict(schema)}
    return {"response_format": {"type": "json_schema", "json_schema": wanted}}


def _by_object(_schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"response_format": {"type": "json_object"}}


def _by_words(_schema: Mapping[str, Any]) -> dict[str, Any]:
    return {}


def _libraries() -> tuple[Any, Any]:
    try:
        import httpx2  # what openai talks HTTP with
        import openai
    except ImportError as error:
        raise MissingDependency(
            "Asking a language model needs the openai package. Run: pip install 'tdmm[api]'   (or pip install openai)"
        ) from error
    return openai, httpx2


def _bounded_stream(httpx: Any, problem: type[Exception], seconds: float) -> Callable[[Any], None]:
    """A hook that ends an answer which never ends: the client's own time-out starts anew with every byte."""

    class Bounded(httpx.SyncByteStream):  # type: ignore[misc]
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __iter__(self) -> Iterator[bytes]:
            size, until = 0, time.monotonic() + seconds
            for chunk in self.inner:
                size += len(chunk)
                if size > _MOST_BYTES:
                    raise problem(f"more than {_MOST_BYTES:,} bytes, and no end")
                if time.monotonic() > until:
                    raise problem(f"still sending after {seconds:g} s; give it longer with --timeout")
                yield chunk

        def close(self) -> None:
            self.inner.close()

    def bound(response: Any) -> None:
        response.stream = Bounded(response.stream)

    return bound


def _base_url(url: str) -> str:
    plain = url.strip().rstrip("/").removesuffix(_ENDING)
    if len(plain) > _LONGEST_LINE:
        raise InvalidInput(f"The URL has {len(plain):,} characters; {_LONGEST_LINE:,} is the limit. {_EXAMPLES}")
    try:
        parts = urlsplit(plain)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidInput(f"'{_cut(url)}' is no URL ({error}). {_EXAMPLES}") from error
    if parts.scheme not in ("http", "https") or not host or not plain.isprintable() or " " in plain:
        raise InvalidInput(f"'{_cut(url)}' is no URL of an endpoint; it starts with http:// or https://. {_EXAMPLES}")
    if parts.query or parts.fragment:
        raise InvalidInput(
            f"'{_cut(url)}': leave out what follows '?' or '#'; only the base URL is needed. {_EXAMPLES}"
        )
    if parts.username is not None or parts.password is not None:
        raise InvalidInput(
            "A URL with a password would be written into messages and files. Leave it out and put the key into the "
            "environment variable that --api-key-env names."
        )
    return plain


def _plain(text: str, what: str) -> str:
    """One line of text that can stand in a request; the key itself is never shown."""
    if not text.strip():
        raise InvalidInput(f"The {what} is empty.")
    if len(text) > _LONGEST_LINE:
        raise InvalidInput(f"The {what} has {len(text):,} characters; {_LONGEST_LINE:,} is the limit.")
    if not text.isprintable() or (what == "API key" and not text.isascii()):
        raise InvalidInput(f"The {what} holds characters that cannot be sent. Copy it again, as one line.")
    return text.strip()


def _said(body: object) -> str:
    """What a server says in an error, as `: words`, or nothing."""
    if isinstance(body, Mapping):
        body = body.get("message") or body.get("detail") or body.get("error") or body
    words = _cut(body if isinstance(body, str) else json.dumps(body, default=str)) if body else ""
    return f": {words.rstrip('.')}" if words else ""


def _cause(error: BaseException) -> str:
    """The innermost reason of a failed connection, which says more than "Connection error."."""
    while error.__cause__ is not None or error.__context__ is not None:
        error = error.__cause__ or error.__context__ or error
    return _cut(str(error)) or type(error).__name__


def _cut(text: str, longest: int = 240) -> str:
    """Words of a stranger, fit for one line of a terminal."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    words = " ".join(printable[: 4 * longest].split())
    return words if len(words) <= longest else f"{words[: longest - 3]}..."
