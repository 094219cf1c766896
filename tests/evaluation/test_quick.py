from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tdmm.errors import UnknownName
from tdmm.evaluation import definitions
from tdmm.evaluation.quick import Models, evaluate
from tdmm.motion.clip import FaceMotion


def _no_face(texts: Sequence[str], seeds: Sequence[int]) -> list[FaceMotion]:
    raise RuntimeError("not asked for")


MODELS = Models(animate=_no_face, describe=lambda motions: ["" for _ in motions])
DOCS = Path(__file__).resolve().parents[2] / "docs" / "evaluation.md"


def test_only_the_groups_asked_for_are_measured() -> None:
    report = evaluate(MODELS, only=["reader"], clips=2)
    assert {each.definition.name.split(".")[0] for each in report.measurements} == {"reader"}
    assert report.settings["clips"] == 2


def test_an_unknown_group_is_named() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'tokens'"):
        evaluate(MODELS, only=["token"], clips=1)


def test_a_model_that_always_fails_is_reported() -> None:
    report = evaluate(MODELS, only=["animate"], clips=5)
    assert report.get("animate.action").failures == 2
    assert report.get("animate.action").value is None


def test_every_figure_is_explained_in_the_documentation() -> None:
    text = DOCS.read_text(encoding="utf-8")
    every = [*definitions.READER, *definitions.ANIMATE, *definitions.DESCRIBE, *definitions.ANSWERS]
    every += definitions.tokens("rvq", "acted").values()
    for definition in every:
        short = definition.name.replace("tokens.rvq.acted.", "tokens.")
        short = "tokens.vertex_" if short.startswith("tokens.vertex_") else short
        assert f"`{short}" in text, f"docs/evaluation.md does not explain {definition.name}"
