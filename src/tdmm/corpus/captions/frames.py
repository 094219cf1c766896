"""A model that takes images, behind an OpenAI-compatible endpoint: clips go there as sheets of frames."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from tdmm.acting.endpoint import AnswerDeclined, Endpoint
from tdmm.corpus.captions.annotator import AnnotatorOptions, Filtered
from tdmm.corpus.captions.caption import schema
from tdmm.corpus.captions.pictures import sheets
from tdmm.corpus.captions.question import question


class Frames:
    """A `Looker`.

    Args:
        options: whose `url` is that of the endpoint.
        key: for it, if it wants one.
    """

    def __init__(self, options: AnnotatorOptions, key: str | None) -> None:
        self._fps = options.fps
        self._endpoint = Endpoint(
            options.url or "", options.model, api_key=key, timeout=options.timeout, seed=options.seed
        )

    def ask(self, video: Path) -> str | Filtered:
        """What it says of a clip."""
        parts: list[dict[str, Any]] = [{"type": "text", "text": question()}]
        for sheet in sheets(video, self._fps):
            first, last = sheet.seconds[0], sheet.seconds[-1]
            about = f"Frames from {first:.1f} s to {last:.1f} s, in rows from the top left:"
            coded = base64.b64encode(sheet.jpeg).decode()
            parts.append({"type": "text", "text": about})
            parts.append({"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{coded}"}})
        try:
            return self._endpoint.ask([{"role": "user", "content": parts}], schema())
        except AnswerDeclined as refusal:
            return Filtered(reason=str(refusal))

    def close(self) -> None:
        """Give back connections."""
        self._endpoint.__exit__(None, None, None)
