"""A chat endpoint on this machine that says what a test tells it to, over real HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SMIRK: dict[str, Any] = {
    "subject": "a young man",
    "seconds": None,
    "energy": "normal",
    "timeline": [
        {"do": "smirk", "at": 0.3, "for": 1.2, "side": "left", "intensity": 0.6},
        {"look": "down_left", "at": 0.8, "for": 0.7, "intensity": 0.5},
    ],
}


@dataclass(frozen=True)
class Reply:
    """One HTTP answer. `wait` seconds pass before it; `drip` repeats its body until the client hangs up."""

    status: int = 200
    body: str = ""
    kind: str = "application/json"
    wait: float = 0.0
    drip: float | None = None


def says(content: str | dict[str, Any] | None, **message: Any) -> Reply:
    """A chat completion with that content."""
    words = json.dumps(content) if isinstance(content, dict) else content
    choice = {
        "index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": words, **message}
    }  # fmt: skip
    return Reply(body=json.dumps({"id": "1", "object": "chat.completion", "choices": [choice]}))


def refuses(status: int, message: str = "no") -> Reply:
    return Reply(status, json.dumps({"error": {"message": message}}))


@dataclass
class FakeEndpoint:
    """What it is to say, in order (the last reply for ever), and what it was asked."""

    url: str
    replies: list[Reply | Callable[[dict[str, Any]], Reply]] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def reply(self, question: dict[str, Any]) -> Reply:
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply if isinstance(reply, Reply) else reply(question)


@contextmanager
def serving() -> Iterator[FakeEndpoint]:
    """Serve on a free port of this machine while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            fake.asked.append(question)
            fake.headers.append({name.lower(): value for name, value in self.headers.items()})
            if self.path == "/v1/chat/completions":
                self.send(fake.reply(question))
            else:
                self.send(Reply(404, "<html>Not Found</html>", "text/html"))

        def do_GET(self) -> None:
            listed = {"object": "list", "data": [{"id": name, "object": "model"} for name in fake.models]}
            found = self.path == "/v1/models" and fake.models
            self.send(Reply(body=json.dumps(listed)) if found else Reply(404, "{}"))

        def send(self, reply: Reply) -> None:
            if stop.wait(reply.wait):
                return
            try:
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.kind)
                self.send_header("retry-after-ms", "1")
                if reply.drip is None:
                    self.send_header("Content-Length", str(len(reply.body.encode())))
                self.end_headers()
                self.wfile.write(reply.body.encode())
                while reply.drip is not None and not stop.is_set():
                    time.sleep(reply.drip)
                    self.wfile.write(reply.body.encode())
            except OSError:
                pass  # the client hung up, as it should

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    stop = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake = FakeEndpoint(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
        thread.join()
