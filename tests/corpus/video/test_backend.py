"""Backends are opened by name, from settings that are taken seriously."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from video_clips import prompt

from tdmm.corpus.video.backend import BACKENDS, open_backend
from tdmm.errors import InvalidConfig, UnknownName

PAGE = (Path(__file__).parents[3] / "docs" / "corpus-video.md").read_text(encoding="utf-8")
EXAMPLES = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


def test_every_backend_is_shown_on_its_page() -> None:
    assert {example["name"] for example in EXAMPLES} == set(BACKENDS.names())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
def test_examples_of_the_page_open(example: dict[str, Any]) -> None:
    backend = open_backend(example)
    settings = json.loads(json.dumps(backend.settings))
    assert settings["name"] == example["name"]
    assert settings == json.loads(json.dumps(open_backend(example).settings))
    words = backend.words(prompt())
    assert "a woman smiles" in words.lower()
    assert "plain grey wall" in words


def test_names_that_nobody_has() -> None:
    with pytest.raises(UnknownName, match=r"Unknown video backend 'render'\. Did you mean 'rendered'"):
        open_backend({"name": "render"})
    with pytest.raises(InvalidConfig, match="need `name`, one of: command, diffusion, google, rendered"):
        open_backend({"width": 640})


def test_settings_that_nobody_has() -> None:
    with pytest.raises(InvalidConfig, match=r"'rendered': 'heigth' is unknown\. Did you mean 'height'"):
        open_backend({"name": "rendered", "heigth": 480})
    with pytest.raises(InvalidConfig, match="width: Input should be a multiple of 2"):
        open_backend({"name": "rendered", "width": 641})
