"""Polishing: natural words from a model or from rules, never at the cost of control."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fake_endpoint import FakeEndpoint, Reply, refuses, says, serving
from tdmm.acting.endpoint import TRIES, EndpointProblem
from tdmm.acting.script import Event, HeadMotion, Script
from tdmm.corpus.prompts.control import lost
from tdmm.corpus.prompts.polish import Polished, Polisher, polishing
from tdmm.corpus.prompts.prompt import ClipPrompt, Scene
from tdmm.errors import FileProblem, InvalidInput

SCRIPT = Script(
    seconds=5,
    subject="a bald young man",
    events=(
        Event(descriptor="smirk", intensity=0.4, side="left", onset=0.4, apex=0.8, offset=1.3, end=1.6),
        Event(descriptor="surprise", intensity=0.8, onset=2.5, apex=2.9, offset=3.4, end=3.7),
    ),
    head=(HeadMotion(kind="nod", intensity=0.6, onset=4.0, end=4.6),),
)
PROMPT = ClipPrompt(
    clip_id="prompt-1-0000001",
    script=SCRIPT,
    face="A bald young man smirks slightly on the left, then looks very surprised, and finally nods.",
    scene=Scene(framing="a steady frame, centred", lighting="daylight", background="a grey wall"),
    family="smirk:left+surprise+head:nod",
    person="m01",
    seed=17,
)
GOOD = (
    "At first, a slight smirk crosses the left side of a bald young man's mouth. He looks very surprised, then nods.",
    "A bald young man smirks a little on the left before he clearly reacts with surprise, and then nods his head.",
    "We see a bald young man with a slight smirk on the left, followed by a strong look of surprise and then a nod.",
)
BAD = "A bald young man smiles to himself, and then his eyes pop."


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEndpoint]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as served:
        yield served


def rewords(*texts: str) -> Reply:
    return says({"text": texts[0], "paraphrases": list(texts[1:])})


def polish(fake: FakeEndpoint, cache: Path, **options: Any) -> Polished:
    with polishing(cache, endpoint=fake.url, model="qwen3", **{"timeout": 5.0, **options}) as polisher:
        return polisher.polish(PROMPT)


def wordings(polished: Polished) -> list[tuple[str, str]]:
    prompt = polished.prompt
    return [(prompt.face, prompt.face_by), *((each.text, each.by) for each in prompt.paraphrases)]


def by_whom(polished: Polished) -> list[str]:
    return [by for _, by in wordings(polished)]


def test_rules_alone_keep_control_and_say_it_anew() -> None:
    polished = Polisher(paraphrases=4).polish(PROMPT)
    texts = [text for text, _ in wordings(polished)]
    assert len(set(texts)) == 5
    assert by_whom(polished) == ["rules"] * 5
    assert not any(lost(SCRIPT, text) for text in texts)
    assert polished == Polisher(paraphrases=4).polish(PROMPT)
    assert polished.prompt.script == SCRIPT


def test_what_a_model_says_is_taken_where_control_is_kept(fake: FakeEndpoint, tmp_path: Path) -> None:
    fake.replies = [rewords(*GOOD)]
    polished = polish(fake, tmp_path, seed=3)
    assert wordings(polished) == [(text, "qwen3") for text in GOOD]
    assert polished.refused == ()
    (question,) = fake.asked
    assert (question["temperature"], question["seed"], question["model"]) == (0, 3, "qwen3")
    schema = question["response_format"]["json_schema"]
    assert schema["strict"]
    assert set(schema["schema"]["required"]) == {"text", "paraphrases"}
    listed = question["messages"][1]["content"]
    for asked in ("a bald young man", "'smirk'", "side: left", "slight", "strong", "'nod'", "Paraphrases: 2"):
        assert asked in listed


def test_a_reply_that_loses_control_is_sent_back_once_with_the_complaint(fake: FakeEndpoint, tmp_path: Path) -> None:
    fake.replies = [rewords(GOOD[0], BAD, GOOD[1].replace("left", "right")), rewords(*GOOD)]
    polished = polish(fake, tmp_path)
    assert wordings(polished) == [(text, "qwen3") for text in GOOD]
    assert len(polished.refused) == 2
    assert BAD in polished.refused[0]
    assert "left side" in polished.refused[1]
    *_, answer, complaint = fake.asked[1]["messages"]
    assert answer["role"] == "assistant"
    assert "is on the left side" in complaint["content"]


def test_after_two_bad_replies_the_rules_speak_and_it_is_recorded(fake: FakeEndpoint, tmp_path: Path) -> None:
    fake.replies = [rewords(BAD, BAD, BAD)]
    polished = polish(fake, tmp_path)
    assert len(fake.asked) == 2
    assert by_whom(polished) == ["rules"] * 3
    assert polished.refused
    assert not any(lost(SCRIPT, text) for text, _ in wordings(polished))


def test_what_is_good_in_a_reply_is_kept_beside_the_rules(fake: FakeEndpoint, tmp_path: Path) -> None:
    fake.replies = [rewords(BAD, GOOD[0], BAD)]
    assert by_whom(polish(fake, tmp_path)) == ["qwen3", "rules", "rules"]


@pytest.mark.parametrize(
    "reply", [says("I cannot see any JSON here"), says('{"text": 3}'), says(""), says('{"text": "x", "paraphrases": ')]
)
def test_an_answer_of_another_shape_is_mended_or_replaced(reply: Reply, fake: FakeEndpoint, tmp_path: Path) -> None:
    fake.replies = [reply, rewords(*GOOD)]
    polished = polish(fake, tmp_path)
    assert by_whom(polished) == ["qwen3"] * 3
    assert "not the JSON" in polished.refused[0]


def test_a_fenced_answer_is_read(fake: FakeEndpoint, tmp_path: Path) -> None:
    fake.replies = [says("```json\n" + json.dumps({"text": GOOD[0], "paraphrases": list(GOOD[1:])}) + "\n```")]
    assert by_whom(polish(fake, tmp_path)) == ["qwen3"] * 3


def test_one_clip_that_is_declined_does_not_stop_the_others(fake: FakeEndpoint, tmp_path: Path) -> None:
    fake.replies = [says(None, refusal="I do not describe faces")]
    polished = polish(fake, tmp_path)
    assert by_whom(polished) == ["rules"] * 3
    assert "I do not describe faces" in polished.refused[0]


def test_an_answer_is_paid_for_once(fake: FakeEndpoint, tmp_path: Path) -> None:
    fake.replies = [rewords(*GOOD)]
    first = polish(fake, tmp_path / "answers")
    fake.replies = [refuses(500)]
    assert polish(fake, tmp_path / "answers") == first
    assert len(fake.asked) == 1
    (kept,) = (tmp_path / "answers").rglob("*.json")
    assert len(kept.stem) == 64
    assert json.loads(kept.read_text())["params"] == {"temperature": 0.0, "seed": 0}
    fake.replies = [rewords(*GOOD)]
    polish(fake, tmp_path / "answers", seed=1)
    with polishing(tmp_path / "answers", endpoint=fake.url, model="other") as polisher:
        polisher.polish(PROMPT)
    assert len(fake.asked) == 3


def test_a_torn_answer_is_asked_for_again(fake: FakeEndpoint, tmp_path: Path) -> None:
    fake.replies = [rewords(*GOOD)]
    polish(fake, tmp_path)
    (kept,) = tmp_path.rglob("*.json")
    whole = kept.read_text()
    kept.write_text(whole[:-30])
    polish(fake, tmp_path)
    assert len(fake.asked) == 2
    assert kept.read_text() == whole


@pytest.mark.parametrize(
    ("reply", "message", "tries"),
    [
        (refuses(401, "bad key"), "key", 1),
        (refuses(429, "quota exceeded"), "quota", TRIES),
        (refuses(503), "broken or overloaded", TRIES),
        (Reply(200, "<html>Sign in</html>", "text/html"), "not as a chat endpoint", 1),
    ],
)
def test_an_endpoint_that_fails_says_why_and_nothing_is_kept(
    reply: Reply, message: str, tries: int, fake: FakeEndpoint, tmp_path: Path
) -> None:
    fake.replies = [reply]
    with pytest.raises(EndpointProblem, match=message):
        polish(fake, tmp_path / "answers")
    assert len(fake.asked) == tries
    assert not list(tmp_path.rglob("*"))


def test_a_busy_server_is_asked_again(fake: FakeEndpoint, tmp_path: Path) -> None:
    fake.replies = [refuses(429), refuses(500), rewords(*GOOD)]
    assert by_whom(polish(fake, tmp_path)) == ["qwen3"] * 3


def test_a_cache_that_cannot_be_is_said(fake: FakeEndpoint, tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("a file")
    fake.replies = [rewords(*GOOD)]
    with pytest.raises(FileProblem, match="answers"):
        polish(fake, tmp_path / "answers")


def test_paraphrases_have_bounds() -> None:
    assert Polisher(paraphrases=0).polish(PROMPT).prompt.paraphrases == ()
    with pytest.raises(InvalidInput, match="paraphrases"):
        Polisher(paraphrases=-1)
