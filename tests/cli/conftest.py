from __future__ import annotations

import sys
from pathlib import Path

import pytest
from one_process import Done, Tdmm

from tdmm.cli import main


@pytest.fixture
def tdmm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tdmm:
    """`tdmm ARGUMENTS` in an empty folder. An error that is no message for users is raised.

    It runs in the tests' own process: one of its own would load torch and the models anew, for seconds a call.
    """
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["tdmm", *arguments])
        with pytest.raises(SystemExit) as stop:
            main.run()
        code = stop.value.code
        said = capsys.readouterr()
        return Done(int(code or 0), said.out, " ".join(said.err.split()))

    return call
