"""`tdmm corpus`."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tdmm.cli import corpus
from tdmm.errors import FileProblem, InvalidInput

app = typer.Typer()
corpus.register(app)


@app.callback()
def _main() -> None: ...


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["corpus", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_act_then_inspect(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    said = run("act", "--clips", "40", "--seed", "7", "--out", str(folder), "--workers", "1")
    assert "40 clips" in said
    assert "descriptors" in said
    again = run("act", "--clips", "40", "--seed", "7", "--out", str(folder), "--workers", "1")
    assert again.splitlines()[:2] == said.splitlines()[:2]
    shown = run("inspect", str(folder), "--verify", "--examples", "2", "--split", "train")
    assert "as they were written" in shown
    assert [line.split()[:1] for line in shown.splitlines()].count(["short"]) == 4
    assert "acted-7-" in shown
    with pytest.raises(InvalidInput, match="seed 7 there, 9 asked"):
        run("act", "--clips", "40", "--seed", "9", "--out", str(folder), "--workers", "1")


def test_inspect_needs_a_corpus(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="no corpus here"):
        run("inspect", str(tmp_path))


@pytest.mark.parametrize("command", [[], ["act"], ["inspect"]])
def test_help_teaches(command: list[str]) -> None:
    result = CliRunner().invoke(app, ["corpus", *command, "--help"])
    assert result.exit_code == 0
    assert not command or "Example" in result.output
