"""What the README and the generated documents say is true."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest
import typer.main

from tdmm.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def _commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("tdmm ")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


@pytest.mark.parametrize("arguments", _commands(), ids=lambda words: " ".join(words)[:40])
def test_every_command_in_the_readme_parses(arguments: list[str]) -> None:
    command = typer.main.get_command(app)
    while arguments and arguments[0] in getattr(command, "commands", {}):
        command, arguments = command.commands[arguments[0]], arguments[1:]  # type: ignore[attr-defined]
    context = command.make_context("tdmm", arguments, resilient_parsing=False)
    assert context.params is not None


def test_make_targets_in_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_links_in_the_readme_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        if not link.startswith("http"):
            assert (ROOT / link).exists(), link


def test_figures_in_the_readme_are_the_measured_ones() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "write_figures.py"))
    assert tool["filled"](README) == README


def test_cli_reference_is_current() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "write_cli_reference.py"))
    assert (ROOT / "docs" / "cli.md").read_text() == tool["reference"]()
