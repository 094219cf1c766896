from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import typer
from typer.testing import CliRunner

from tdmm.cli import evaluate
from tdmm.face.channels import ARKIT
from tdmm.motion.clip import FaceMotion
from tdmm.motion.files import write_npz

app = typer.Typer()
evaluate.register(app)
run = CliRunner()


def jaw_drop(path: Path) -> Path:
    expression = np.zeros((50, 52))
    expression[10:30, ARKIT.index("jawOpen")] = 0.6
    write_npz(FaceMotion(ARKIT, expression, np.zeros((50, 3))), path)
    return path


def test_read_lists_what_happens(tmp_path: Path) -> None:
    result = run.invoke(app, ["evaluate", "read", str(jaw_drop(tmp_path / "jaw.npz"))])
    assert result.exit_code == 0, result.output
    assert "jaw_drop" in result.output
    result = run.invoke(app, ["evaluate", "read", str(tmp_path / "jaw.npz"), "--json"])
    (action,) = json.loads(result.output)["actions"]
    assert (action["action"], action["side"]) == ("jaw_drop", "both")


def test_quick_prints_a_table_and_writes_json(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    result = run.invoke(app, ["evaluate", "quick", "--only", "reader", "--clips", "3", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "reader.recall" in result.output
    assert json.loads(out.read_text())["settings"]["clips"] == 3


def test_a_bad_output_folder_is_refused_before_the_work(tmp_path: Path) -> None:
    result = run.invoke(app, ["evaluate", "quick", "--out", str(tmp_path / "nowhere" / "report.json")])
    assert "does not exist" in str(result.exception)
