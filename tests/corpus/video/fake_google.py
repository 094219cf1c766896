"""Google's video models on this machine, over real HTTP: operations of Veo, interactions with Gemini."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, str | dict[str, Any]]
PAGE = "<!DOCTYPE html><html><body>Sign in to the hotel's network</body></html>"


def refusal(status: int, message: str) -> Answer:
    """An error as Google words one."""
    return status, {"error": {"code": status, "message": message, "status": "X"}}


@dataclass
class FakeGoogle:
    """What it does and what it was asked.

    Attributes:
        video: of every job that is done.
        polls_needed: how often a job is asked for before it is done.
        submit_answers, poll_answers: said in turn in place of the right answer, until none is left.
        endings: what a done job of a prompt holds in place of a video, by a word of the prompt.
        submitted: bodies of requests for a video. polled: jobs that were asked for. keys: of all requests.
    """

    url: str
    video: bytes = b""
    polls_needed: int = 1
    submit_answers: list[Answer] = field(default_factory=list)
    poll_answers: list[Answer] = field(default_factory=list)
    endings: dict[str, dict[str, Any]] = field(default_factory=dict)
    submitted: list[dict[str, Any]] = field(default_factory=list)
    polled: list[str] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)

    def answer(self, path: str, body: dict[str, Any] | None) -> Answer | bytes:
        if path.endswith(":predictLongRunning"):
            said = self.submit_answers.pop(0) if self.submit_answers else None
            if said is None:
                self.submitted.append({"path": path, **(body or {})})
            return said or (200, {"name": f"projects/p/locations/l/publishers/google/models/m/operations/{self.jobs}"})
        if path.endswith(":fetchPredictOperation"):
            name = (body or {})["operationName"]
            return self.polling(name) or self.operation(name)
        if path.endswith("/interactions"):
            said = self.submit_answers.pop(0) if self.submit_answers else None
            if said is None:
                self.submitted.append({"path": path, **(body or {})})
            return said or (200, {"id": f"job-{self.jobs}", "status": "in_progress", "steps": []})
        if "/interactions/" in path:
            name = path.rsplit("/", 1)[1]
            return self.polling(name) or self.interaction(name)
        if ":download" in path:
            return self.video
        return 404, PAGE

    @property
    def jobs(self) -> int:
        return len(self.submitted)

    def polling(self, name: str) -> Answer | None:
        if self.poll_answers:
            return self.poll_answers.pop(0)
        self.polled.append(name)
        if self.polled.count(name) <= self.polls_needed and "operations" in name:
            return 200, {"name": name, "done": False}
        if self.polled.count(name) <= self.polls_needed:
            return 200, {"id": name, "status": "in_progress", "steps": []}
        return None

    def ending(self, number: int) -> dict[str, Any] | None:
        asked = json.dumps(self.submitted[number - 1]).lower()
        return next((ending for word, ending in self.endings.items() if word in asked), None)

    def operation(self, name: str) -> Answer:
        ended = self.ending(int(name.rsplit("/", 1)[1]))
        video = {"bytesBase64Encoded": base64.b64encode(self.video).decode(), "mimeType": "video/mp4"}
        return 200, {"name": name, "done": True, **(ended or {"response": {"videos": [video]}})}

    def interaction(self, name: str) -> Answer:
        ended = self.ending(int(name.rsplit("-", 1)[1]))
        video = {"type": "video", "mime_type": "video/mp4", "data": base64.b64encode(self.video).decode()}
        steps = [{"type": "model_output", "content": [video]}]
        return 200, {"id": name, "status": "completed", **(ended or {"steps": steps})}


@contextmanager
def serving() -> Iterator[FakeGoogle]:
    """Serve on a free port of this machine while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.respond(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def do_GET(self) -> None:
            self.respond(None)

        def respond(self, body: dict[str, Any] | None) -> None:
            fake.keys.add(self.headers["x-goog-api-key"])
            answer = fake.answer(self.path.split("?")[0], body)
            status, said = (200, answer) if isinstance(answer, bytes) else answer
            text = said if isinstance(said, str | bytes) else json.dumps(said)
            content = text.encode() if isinstance(text, str) else text
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(said, str) else "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake = FakeGoogle(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
