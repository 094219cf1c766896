"""`tdmm lexicon`."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from tdmm.cli import lexicon
from tdmm.errors import UnknownName

app = typer.Typer()
lexicon.register(app)


@app.callback()
def _main() -> None: ...


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["lexicon", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_list_has_every_family() -> None:
    said = run()
    assert said.startswith("200 descriptors in ")
    assert "smirk" in said
    assert "flash_of_fear" in said


def test_one_word_is_explained() -> None:
    said = run("smirk")
    for part in ("AU12", "always", "family smirk", "rises in", "a lopsided smile", "Ekman"):
        assert part in said


def test_a_family_and_a_phrase_are_understood() -> None:
    assert run("eyes closed").count("family eyes_closed") == 4
    assert run("furrows her brow").startswith("frown ")


def test_json() -> None:
    assert len(json.loads(run("--json"))) == 200
    (smirk,) = json.loads(run("smirk", "--json"))
    assert smirk["core"] == ["lip_corner_puller", "dimpler"]
    assert smirk["actions"][0]["units"] == ["AU12"]


def test_an_unknown_word_is_helped() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'smirk'"):
        run("smrik")


def test_help_teaches() -> None:
    result = CliRunner().invoke(app, ["lexicon", "--help"])
    assert result.exit_code == 0
    assert "tdmm lexicon smirk" in " ".join(result.output.split())
