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


def test_a_corpus_is_measured_joined_checked_and_laid_out(tmp_path: Path) -> None:
    acted, both = str(tmp_path / "acted"), str(tmp_path / "both")
    run("act", "--clips", "40", "--seed", "7", "--out", acted, "--workers", "1")
    told = run("stats", acted)
    assert "40 clips, 240 texts" in told
    assert "subject x descriptor: " in told
    assert told.count("%)") > 50, "every descriptor with its deviation"
    merged = run("merge", acted, acted, "--out", both)
    assert "40 clips were there twice" in merged
    assert "merged, schema 2" in merged
    assert "(40 clips)" in run("verify", both)
    assert run("card", both, "--licence", "cc0-1.0").strip() == str(tmp_path / "both" / "README.md")
    listed = run("push", both, "me/faces", "--dry-run")
    assert "README.md" in listed
    assert "train-00000-" in listed
    assert "would go to https://huggingface.co/datasets/me/faces" in listed
    shard = next((tmp_path / "both").glob("*.parquet"))
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    with pytest.raises(FileProblem, match=r"altered.*tdmm corpus merge"):
        run("verify", both)


@pytest.mark.parametrize("command", [[], ["act"], ["inspect"], ["stats"], ["card"], ["merge"], ["verify"], ["push"]])
def test_help_teaches(command: list[str]) -> None:
    result = CliRunner().invoke(app, ["corpus", *command, "--help"])
    assert result.exit_code == 0
    assert not command or "Example" in result.output
