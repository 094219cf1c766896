from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fake_endpoint import FakeEndpoint, Reply, refuses, says, serving
from tdmm.acting.endpoint import EndpointProblem
from tdmm.corpus.captions import gemini as gemini_module
from tdmm.corpus.captions.annotator import Annotator, AnnotatorOptions, Filtered, Malformed
from tdmm.corpus.captions.caption import Answer, Caption, checked
from tdmm.corpus.captions.pictures import sampled, sheets
from tdmm.errors import InvalidInput

SAID: dict[str, Any] = {
    "caption": "A young woman  raises her left eyebrow, then nods.",
    "subject": "a young woman",
    "expressions": [
        {"name": "raise_one_brow", "intensity": "slight", "side": "left"},
        {"name": "furrows her brow", "intensity": "strong", "side": "both"},
        {"name": "quantum entanglement", "intensity": "plain", "side": "both"},
    ],
    "head_motions": ["nod", "tilts her head to the left", "levitate"],
}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second and a half at 30 fps, brighter with every frame."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "20", "preset": "ultrafast"})
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for place in range(45):
            picture = np.full((64, 64, 3), 5 * place, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def endpoint() -> Iterator[FakeEndpoint]:
    with serving() as fake:
        yield fake


def options(endpoint: FakeEndpoint, **changes: Any) -> AnnotatorOptions:
    return AnnotatorOptions(kind="openai", model="looker", url=endpoint.url, **changes)


def test_a_model_is_shown_ten_frames_a_second_and_understood(
    endpoint: FakeEndpoint, video: Path, tmp_path: Path
) -> None:
    endpoint.replies = [says(f"Here you are:\n```json\n{json.dumps(SAID)}\n```")]
    with Annotator(options(endpoint), tmp_path) as annotator:
        caption = annotator.annotate(video)
    assert isinstance(caption, Caption)
    assert caption.text == "A young woman raises her left eyebrow, then nods."
    first = caption.descriptors[0]
    assert (first.name, first.intensity, first.side) == (
        "raise_one_brow", "slight", "left",
    )  # fmt: skip
    assert len(caption.descriptors) == 2
    assert caption.head == ("nod", "tilt_left")
    assert caption.refused == ("quantum entanglement", "levitate")
    (question,) = endpoint.asked
    parts = question["messages"][0]["content"]
    pictures = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    assert len(pictures) == 2
    image = Image.open(io.BytesIO(base64.b64decode(pictures[0].partition(",")[2])))
    assert image.size == (320, 128)
    assert "0.0 s to 0.9 s" in parts[1]["text"]
    assert question["response_format"]["type"] == "json_schema"


def test_a_clip_is_asked_about_once(endpoint: FakeEndpoint, video: Path, tmp_path: Path) -> None:
    endpoint.replies = [says(SAID)]
    for _ in range(2):
        with Annotator(options(endpoint), tmp_path / "cache") as annotator:
            annotator.annotate(video)
    assert len(endpoint.asked) == 1
    copy = tmp_path / "renamed.mp4"
    copy.write_bytes(video.read_bytes())
    with Annotator(options(endpoint), tmp_path / "cache") as annotator:
        annotator.annotate(copy)
    assert len(endpoint.asked) == 1
    with Annotator(options(endpoint, seed=1), tmp_path / "cache") as annotator:
        annotator.annotate(video)
    assert len(endpoint.asked) == 2
    (kept, _) = sorted((tmp_path / "cache").rglob("*.json"))
    kept.write_text(kept.read_text()[:40])
    with (
        Annotator(options(endpoint), tmp_path / "cache") as one,
        Annotator(options(endpoint, seed=1), tmp_path / "cache") as other,
    ):
        one.annotate(video)
        other.annotate(video)
    assert len(endpoint.asked) == 3


def test_a_busy_server_is_asked_again(endpoint: FakeEndpoint, video: Path, tmp_path: Path) -> None:
    endpoint.replies = [refuses(429, "busy"), refuses(503, "broken"), says(SAID)]
    with Annotator(options(endpoint), tmp_path) as annotator:
        assert isinstance(annotator.annotate(video), Caption)


def test_a_model_that_declines_is_recorded_and_not_asked_again(
    endpoint: FakeEndpoint, video: Path, tmp_path: Path
) -> None:
    endpoint.replies = [says(None, refusal="I do not describe people")]
    for _ in range(2):
        with Annotator(options(endpoint), tmp_path) as annotator:
            found = annotator.annotate(video)
        assert isinstance(found, Filtered)
        assert "I do not describe people" in found.reason
    assert len(endpoint.asked) == 1


def test_an_answer_of_another_form_is_asked_for_again_and_then_said(
    endpoint: FakeEndpoint, video: Path, tmp_path: Path
) -> None:
    endpoint.replies = [says("She smiles."), says({**SAID, "expressions": [{"name": "smile"}]}), says(SAID)]
    with Annotator(options(endpoint), tmp_path / "a") as annotator:
        assert isinstance(annotator.annotate(video), Caption)
    endpoint.replies = [says({**SAID, "caption": ""})]
    with Annotator(options(endpoint), tmp_path / "b") as annotator, pytest.raises(Malformed, match=r"clip\.mp4"):
        annotator.annotate(video)
    assert not list((tmp_path / "b").rglob("*.json"))


def test_a_page_in_place_of_an_endpoint_says_so(endpoint: FakeEndpoint, video: Path, tmp_path: Path) -> None:
    endpoint.replies = [Reply(body="<html>hello</html>", kind="text/html")]
    with (
        Annotator(options(endpoint), tmp_path) as annotator,
        pytest.raises(EndpointProblem, match="usually ends in /v1"),
    ):
        annotator.annotate(video)


def test_a_missing_key_says_which(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    with pytest.raises(InvalidInput, match="environment variable GEMINI_API_KEY"):
        Annotator(AnnotatorOptions(kind="gemini", model="gemini-any"), tmp_path)
    with pytest.raises(ValueError, match="needs its url"):
        AnnotatorOptions(kind="openai", model="any")
    with pytest.raises(ValueError, match="greater than or equal to 10"):
        AnnotatorOptions(kind="gemini", model="any", fps=1)


class FakeGemini:
    """Google's API on this machine: says what it is told, in order, the last for ever."""

    def __init__(self) -> None:
        self.replies: list[tuple[int, dict[str, Any]]] = []
        self.asked: list[dict[str, Any]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                fake.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                status, body = fake.replies.pop(0) if len(fake.replies) > 1 else fake.replies[0]
                coded = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(coded)))
                self.end_headers()
                self.wfile.write(coded)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def gemini_says(content: dict[str, Any], finish: str = "STOP") -> tuple[int, dict[str, Any]]:
    part = {"content": {"role": "model", "parts": [{"text": json.dumps(content)}]}, "finishReason": finish}
    return 200, {"candidates": [part]}


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGemini]:
    pytest.importorskip("google.genai")
    monkeypatch.setenv("GEMINI_API_KEY", "a-key")
    monkeypatch.setattr(gemini_module, "_FIRST_WAIT", 0.001)
    fake = FakeGemini()
    yield fake
    fake.close()


def to_google(fake: FakeGemini) -> AnnotatorOptions:
    return AnnotatorOptions(kind="gemini", model="gemini-any", url=f"http://127.0.0.1:{fake.server.server_port}")


def test_gemini_is_shown_the_clip_at_ten_frames_a_second(google: FakeGemini, video: Path, tmp_path: Path) -> None:
    google.replies = [(429, {"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}}),
                      (503, {"error": {"code": 503, "message": "later", "status": "UNAVAILABLE"}}),
                      gemini_says(SAID)]  # fmt: skip
    with Annotator(to_google(google), tmp_path) as annotator:
        caption = annotator.annotate(video)
        annotator.annotate(video)
    assert isinstance(caption, Caption)
    assert caption.head == ("nod", "tilt_left")
    assert len(google.asked) == 3
    shown = google.asked[-1]["contents"][0]["parts"][0]
    assert base64.urlsafe_b64decode(shown["inlineData"]["data"]) == video.read_bytes()
    assert shown["videoMetadata"]["fps"] == 10
    assert google.asked[-1]["generationConfig"]["responseMimeType"] == "application/json"
    assert "expressions" in json.dumps(google.asked[-1]["generationConfig"]["responseJsonSchema"])


@pytest.mark.parametrize(
    "reply", [gemini_says({}, "SAFETY"), (200, {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})]
)
def test_gemini_that_declines_is_recorded(
    google: FakeGemini, video: Path, tmp_path: Path, reply: tuple[int, dict[str, Any]]
) -> None:
    google.replies = [reply]
    with Annotator(to_google(google), tmp_path) as annotator:
        found = annotator.annotate(video)
    assert isinstance(found, Filtered)
    assert "declines the clip" in found.reason


@pytest.mark.parametrize(
    ("status", "message"), [(403, "valid key"), (404, "no such model"), (429, "quota"), (500, "Try later")]
)
def test_gemini_that_refuses_says_what_to_do(
    google: FakeGemini, video: Path, tmp_path: Path, status: int, message: str
) -> None:
    google.replies = [(status, {"error": {"code": status, "message": "no", "status": "X"}})]
    with Annotator(to_google(google), tmp_path) as annotator, pytest.raises(EndpointProblem, match=message):
        annotator.annotate(video)


@settings(max_examples=50)
@given(st.lists(st.floats(0.001, 0.5), max_size=60), st.floats(10, 30))
def test_frames_are_chosen_in_order_each_once(steps: list[float], fps: float) -> None:
    seconds = np.cumsum(steps).tolist()
    chosen = sampled(seconds, fps)
    assert chosen == sorted(set(chosen))
    assert not seconds or (chosen[0] == 0 and chosen[-1] <= len(seconds) - 1)


def test_ten_of_thirty_frames_a_second_are_every_third(video: Path) -> None:
    assert sampled([place / 30 for place in range(45)], 10) == list(range(0, 45, 3))
    assert [len(sheet.seconds) for sheet in sheets(video)] == [10, 5]


@settings(max_examples=50)
@given(st.text(max_size=30), st.lists(st.text(max_size=20), max_size=3))
def test_whatever_a_model_names_is_of_our_vocabulary_or_refused(name: str, head: list[str]) -> None:
    shown = {"name": name, "intensity": "plain", "side": "both"}
    answer = {"caption": "x", "subject": "", "expressions": [shown], "head_motions": head}
    found = checked(Answer.model_validate(answer))
    assert len(found.descriptors) + len(found.head) + len(found.refused) == 1 + len(head)
