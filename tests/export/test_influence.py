from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tdmm.errors import FileProblem
from tdmm.export.influence import draw
from tdmm.language.influence import Influence
from tdmm.language.plan_codes import Plan
from tdmm.motion.events import ActionEvent, BlinkEvent, GazeEvent, HeadEvent, MotionEvents

PROMPT = "a furious glare, then she nods"
SPANS = ((0, 1), (2, 9), (10, 16), (17, 21), (22, 25), (26, 30))
FOUND = Influence(
    PROMPT,
    SPANS,
    Plan(
        MotionEvents(
            (
                ActionEvent("brow_lowerer", "both", 0.9, 0.2, 0.5, 1.4, 2.0),
                ActionEvent("lid_tightener", "left", 0.6, 0.25, 0.5, 1.4, 2.0),
            ),
            (HeadEvent("nod", 10.0, 2, 2.1, 3.0),),
            (GazeEvent("down", 0.4, 1.0, 1.5),),
            (BlinkEvent(2.5, 0.2, 1.0),),
        ),
        90,
    ),
    np.array([[0, 0, 0, 0, 0], [0.7, 0.3, 0, 0, 0], [0.3, 0.7, 0, 0, 0], [0] * 5, [0] * 5, [0, 0, 1, 0, 0]], float),
)


def colours(path: Path) -> set[tuple[int, ...]]:
    with Image.open(path) as opened:
        image = np.asarray(opened.convert("RGB"))
    values, counts = np.unique(image.reshape(-1, 3), axis=0, return_counts=True)
    return {tuple(map(int, value)) for value, count in zip(values, counts, strict=True) if count > 300}


def test_each_word_that_matters_has_a_colour(tmp_path: Path) -> None:
    draw(FOUND, tmp_path / "why.png")
    seen = colours(tmp_path / "why.png")
    # Paper, two kinds of grey, and the colours of furious, glare and nods.
    assert len([each for each in seen if max(each) - min(each) > 60]) == 3


def test_without_influence_all_is_grey(tmp_path: Path) -> None:
    draw(Influence(PROMPT, SPANS, FOUND.plan, np.zeros((6, 5))), tmp_path / "why.png")
    assert not [each for each in colours(tmp_path / "why.png") if max(each) - min(each) > 60]


def test_an_empty_plan_can_be_drawn(tmp_path: Path) -> None:
    draw(Influence("nothing", ((0, 7),), Plan(MotionEvents(), 50), np.zeros((1, 0))), tmp_path / "why.png")
    with Image.open(tmp_path / "why.png") as image:
        assert image.width > 500


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="nowhere"):
        draw(FOUND, tmp_path / "nowhere" / "why.png")
