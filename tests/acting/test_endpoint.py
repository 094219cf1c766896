"""The client against an endpoint on this machine that refuses, stalls, babbles and never ends."""

from __future__ import annotations

import builtins
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

import tdmm
from fake_endpoint import SMIRK, FakeEndpoint, Reply, refuses, says, serving
from tdmm.acting.endpoint import TRIES, Endpoint, EndpointProblem
from tdmm.errors import InvalidInput, MissingDependency

SCHEMA = {"type": "object"}
QUESTION = ({"role": "user", "content": "who are you?"},)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEndpoint]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as served:
        yield served


def ask(fake: FakeEndpoint, **options: Any) -> str:
    with Endpoint(options.pop("url", fake.url), "qwen3", **{"timeout": 5.0, **options}) as endpoint:
        return endpoint.ask(QUESTION, SCHEMA)


def formats(fake: FakeEndpoint) -> list[str | None]:
    return [question.get("response_format", {}).get("type") for question in fake.asked]


def test_a_question_carries_model_schema_key_and_seed(fake: FakeEndpoint) -> None:
    fake.replies = [says("a mask")]
    assert ask(fake, api_key=" secret\n", seed=7) == "a mask"
    (question,) = fake.asked
    assert question["model"] == "qwen3"
    assert question["seed"] == 7
    assert question["messages"] == [dict(QUESTION[0])]
    assert question["response_format"]["json_schema"]["schema"] == SCHEMA
    assert fake.headers[0]["authorization"] == "Bearer secret"


def test_nothing_is_sent_that_was_not_asked_for(fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    fake.replies = [says("a mask")]
    ask(fake)
    assert set(fake.asked[0]) == {"model", "messages", "response_format"}
    assert "secret" not in fake.headers[0]["authorization"]


def test_the_address_of_the_chat_route_is_understood(fake: FakeEndpoint) -> None:
    fake.replies = [says("yes")]
    assert ask(fake, url=f"{fake.url}/chat/completions/") == "yes"


@pytest.mark.parametrize("status", [400, 422])
def test_a_server_without_schemas_is_asked_for_json_and_then_for_words(fake: FakeEndpoint, status: int) -> None:
    def plain_only(question: dict[str, Any]) -> Reply:
        return refuses(status, "response_format") if "response_format" in question else says("words")

    fake.replies = [plain_only]
    with Endpoint(fake.url, "qwen3") as endpoint:
        assert endpoint.ask(QUESTION, SCHEMA) == "words"
        assert endpoint.ask(QUESTION, SCHEMA) == "words"
    assert formats(fake) == ["json_schema", "json_object", None, None]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_or_broken_server_is_asked_again(fake: FakeEndpoint, status: int) -> None:
    fake.replies = [refuses(status), refuses(status), says("at last")]
    assert ask(fake) == "at last"
    assert len(fake.asked) == TRIES


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (refuses(400, "too many tokens"), "status 400: too many tokens. Check --model"),
        (refuses(401, "bad key"), "status 401: bad key. Put a valid key into the environment variable"),
        (refuses(403), "--api-key-env"),
        (refuses(429, "quota"), "status 429: quota. It is busy or the quota is used up"),
        (refuses(500, "out of memory"), "status 500: out of memory. The server is broken"),
        (Reply(418, json.dumps({"detail": "a teapot\x1b[2J"})), "status 418: a teapot"),
        (Reply(body="<html>welcome</html>", kind="text/html"), "not as a chat endpoint does .<html>welcome"),
        (Reply(body="{}"), "not as a chat endpoint does"),
        (Reply(body="[]"), "not as a chat endpoint does"),
        (Reply(body='{"choices": []}'), "not as a chat endpoint does"),
        (Reply(body='{"choices": [7]}'), "not as a chat endpoint does"),
        (Reply(body='{"choices":'), "not as a chat endpoint does"),
        (Reply(body='{"a":' * 100_000), "not as a chat endpoint does"),
        (Reply(body="", kind="text/plain"), "not as a chat endpoint does"),
        (says(None, refusal="too sad"), "declines the scene: too sad. Put it in other words"),
    ],
)
def test_what_went_wrong_is_said_with_the_way_out(fake: FakeEndpoint, reply: Reply, message: str) -> None:
    fake.replies = [reply]
    with pytest.raises(EndpointProblem, match=message) as problem:
        ask(fake, api_key="secret")
    assert str(problem.value).isprintable()
    assert "secret" not in str(problem.value)


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(("body", "drip"), [("x" * 50_000, 0.0), (" ", 0.02)])
def test_an_answer_without_end_is_cut_off(fake: FakeEndpoint, status: int, body: str, drip: float) -> None:
    fake.replies = [Reply(status, body, drip=drip)]
    started = time.monotonic()
    with pytest.raises(EndpointProblem, match=r"more than 2,000,000 bytes|still sending after 0.4 s"):
        ask(fake, timeout=0.4)
    assert time.monotonic() - started < 5


def test_a_silent_server_is_asked_again_and_then_given_up(fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    fake.replies = [Reply(wait=30)]
    with pytest.raises(EndpointProblem, match=r"did not answer within 0.1 s, 3 times.*--timeout"):
        ask(fake, timeout=0.1)
    assert len(fake.asked) == TRIES


def test_nobody_there(fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    with pytest.raises(EndpointProblem, match=r"http://127.0.0.1:9/v1 cannot be reached .*refused.*running"):
        ask(fake, url="http://127.0.0.1:9/v1")


def test_a_missing_model_is_told_from_a_wrong_address(fake: FakeEndpoint) -> None:
    fake.replies = [refuses(404, "model not found")]
    fake.models = ["qwen3:8b", "llama"]
    with pytest.raises(EndpointProblem, match=r"has no model 'qwen3'. Did you mean 'qwen3:8b'\? It has: llama, qwen3"):
        ask(fake)
    with pytest.raises(EndpointProblem, match="usually ends in /v1"):
        ask(fake, url=fake.url.removesuffix("/v1"))


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8000/v1", "ftp://host/v1", "http://", "http://host:port/v1", "http://a host/v1", "http://h/v1?a=1",
     "http://me:secret@host/v1", "http://[::1/v1", "http://host:99999/v1", "http://h\u0000st", "\udce9",
     "http://" + "a" * 9999],
)  # fmt: skip
def test_a_bad_url_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises((InvalidInput, EndpointProblem)) as problem, Endpoint(url, "qwen3", timeout=0.1) as endpoint:
        endpoint.ask(QUESTION, SCHEMA)
    assert "secret" not in str(problem.value)
    assert len(str(problem.value)) < 2000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": " "}, "model name is empty"),
        ({"model": "qwen\n3"}, "model name holds characters"),
        ({"model": "q" * 5000}, "model name has 5,000 characters"),
        ({"timeout": 0}, "timeout is 0"),
        ({"timeout": float("nan")}, "timeout is nan"),
        ({"timeout": 1e9}, "timeout"),
        ({"api_key": "sécret"}, "API key holds characters"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as problem:
        Endpoint(**{"url": "http://localhost/v1", "model": "qwen3", **options})
    assert "cret" not in str(problem.value)


def test_without_the_extra_the_message_is_the_pip_command(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name.split(".")[0] == "openai":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependency, match=r"pip install 'tdmm\[api\]'"):
        Endpoint("http://localhost/v1", "qwen3")


def test_direct_from_python(fake: FakeEndpoint) -> None:
    fake.replies = [says("hm"), says(SMIRK)]
    script = tdmm.direct("he learns that his brother lied", endpoint=fake.url, model="qwen3", timeout=5)
    assert [event.descriptor for event in script.events] == ["smirk"]
    assert fake.asked[0]["messages"][1]["content"] == "he learns that his brother lied"
    assert "no JSON object" in fake.asked[1]["messages"][-1]["content"]
