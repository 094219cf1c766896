"""Answers of a language model, kept on disk: the same question is paid for once and answered the same for ever."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tdmm.acting.direction import Ask, Message
from tdmm.errors import FileProblem
from tdmm.files import written_aside


class KeptAnswers:
    """Puts a question to a model unless its answer is there. One JSON file an answer, named by its key.

    Args:
        folder: made when the first answer comes.
        model, params: of the model that `ask` asks; with the messages they decide the key.
        ask: puts the question.
    """

    def __init__(self, folder: Path, model: str, params: Mapping[str, Any], ask: Ask) -> None:
        self._folder = folder
        self._asked = {"model": model, "params": dict(params)}
        self._ask = ask

    def __call__(self, messages: Sequence[Message], schema: Mapping[str, Any]) -> str:
        """The answer, as the model gave it.

        Raises:
            FileProblem: the folder cannot be read or written.
            whatever `ask` raises; nothing is kept then.
        """
        question = {**self._asked, "schema": dict(schema), "messages": [dict(message) for message in messages]}
        path = self._path(question)
        kept = _read(path)
        if kept is not None:
            return kept
        answer = self._ask(messages, schema)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileProblem(f"{path.parent}: cannot be made ({error.strerror or error}).") from error
        with written_aside(path) as aside:
            aside.write_text(json.dumps({**question, "answer": answer}, ensure_ascii=False, indent=1), encoding="utf-8")
        return answer

    def _path(self, question: Mapping[str, Any]) -> Path:
        content = json.dumps(question, sort_keys=True, separators=(",", ":"))
        key = hashlib.sha256(content.encode()).hexdigest()
        return self._folder / key[:2] / f"{key}.json"


def _read(path: Path) -> str | None:
    """A kept answer; None where there is none, or the file is not as it was written."""
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))["answer"]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileProblem(f"{path}: cannot be read ({error.strerror or error}).") from error
    except (ValueError, KeyError, TypeError):
        return None
    return answer if isinstance(answer, str) else None
