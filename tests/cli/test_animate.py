"""The command line of the main job: files, messages, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from one_process import Tdmm

from tdmm import api
from tdmm.acting.script import Script


def test_a_sentence_becomes_files_and_the_files_a_sentence(tdmm: Tdmm, tmp_path: Path) -> None:
    files = ["a.glb", "a.csv", "a.npz", "a.json"]
    done = tdmm("animate", "she smiles and nods", "-o", *files, "--seconds", "2", "--seed", "1")
    assert done.code == 0, done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)
    assert "2.0 s at 25 fps" in done.out
    for name in ("a.npz", "a.csv"):
        said = tdmm("describe", name, "--json")
        assert said.code == 0, said.err
        tasks = set(api.motion2language().tasks) - {"question"}
        assert tasks >= {"describe", "emotion", "head", "intensity", "timeline"}
        assert set(json.loads(said.out)) == {"file", "seconds", *tasks}
    written = tdmm("describe", "a.npz", "--script", "seen.yaml")
    assert written.code == 0, written.err
    again = tdmm("act", "seen.yaml", "-o", "again.npz")
    assert again.code == 0, again.err
    assert api.load(tmp_path / "again.npz").seconds == pytest.approx(2.0, abs=0.05)


def test_takes_are_numbered(tdmm: Tdmm, tmp_path: Path) -> None:
    done = tdmm("animate", "a wink", "-o", "w.npz", "--takes", "2", "--seconds", "1")
    assert done.code == 0, done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w-1.npz", "w-2.npz"]


def test_a_motion_is_edited_gone_on_from_and_explained(tdmm: Tdmm, tmp_path: Path) -> None:
    made = tdmm("animate", "she grins and nods", "-o", "a.npz", "--seconds", "2", "--explain", "why.png")
    assert made.code == 0, made.err
    changed = tdmm("edit", "a.npz", "she frowns and nods", "-o", "b.npz")
    assert changed.code == 0, changed.err
    longer = tdmm("continue", "a.npz", "she laughs", "--seconds", "1.5", "--to", "b.npz", "-o", "c.npz")
    assert longer.code == 0, longer.err
    frames = {name: api.load(tmp_path / f"{name}.npz").frames for name in "abc"}
    assert frames["b"] >= frames["a"] == 50
    assert frames["c"] == frames["a"] + 38 + frames["b"]
    assert (tmp_path / "why.png").stat().st_size > 5000


def test_a_timeline_file_is_played(tdmm: Tdmm, tmp_path: Path) -> None:
    (tmp_path / "rows.yaml").write_text("- {at: [0, 1.5], do: she frowns}\n- {at: [1.5, 3], do: she grins}\n")
    done = tdmm("animate", "--timeline", "rows.yaml", "-o", "a.npz", "a.csv")
    assert done.code == 0, done.err
    assert "3.0 s" in done.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.npz", "rows.yaml"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["animate", "[0-2s] a smile | [1-3s] a frown", "-o", "a.npz"], "overlap"),
        (["animate", "a (furious:loud) glare", "-o", "a.npz"], "no weight"),
        (["animate", "-o", "a.npz"], "Say what the face does"),
        (["animate", "a smile", "--strength", "9", "-o", "a.npz"], "strength is 9"),
        (["animate", "a smile", "--seconds", "31", "-o", "a.npz"], "seconds is 31"),
        (["animate", "--timeline", "bad.csv", "-o", "a.npz"], "list of rows"),
        (["animate", "a smile", "--like", "missing.npz", "-o", "a.npz"], "no such file"),
        (["edit", "missing.npz", "a smile", "-o", "a.npz"], "no such file"),
        (["continue", "bad.csv", "a smile", "-o", "a.npz"], "bad.csv"),
        (["animate", "   ", "-o", "a.npz"], "prompt is empty"),
        (["animate", "smile " * 10_000, "-o", "a.npz"], "10000 words"),
        (["animate", "a smile", "-o", "a.fbx"], ".fbx"),
        (["animate", "a smile", "-o", "a.npz", "b.xyz"], ".xyz"),
        (["animate", "a smile", "-o", "nowhere/a.npz"], "does not exist"),
        (["animate", "a smile", "-o", "a.npz", "--seconds", "0"], "seconds"),
        (["animate", "xqzt blorfen wug", "-o", "a.npz"], "no word in"),
        (["describe", "missing.npz"], "no such file"),
        (["describe", "bad.csv"], "bad.csv"),
        (["describe", "good.npz", "--ask", " ? "], "question is empty"),
        (["describe", "good.npz", "--ask", "what is it?"], "yes or no"),
        (["describe", "good.npz", "--ask", "does she nod?", "--task", "head"], "leave out one"),
        (["describe", "good.npz", "--task", "sing"], "Unknown task"),
        (["describe", "good.npz", "--task", "sing", "--script", "seen.yaml"], "Unknown task"),
        (["describe", "good.npz", "--script", "nowhere/seen.yaml"], "does not exist"),
    ],
)
def test_bad_input_is_one_message_exit_2_and_no_file(
    tdmm: Tdmm, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "bad.csv").write_text("not,a,capture\n1,2,3\n")
    files = ["bad.csv"]
    if "good.npz" in arguments:
        api.save(api.act(Script(seconds=1)), tmp_path / "good.npz")
        files.append("good.npz")
    done = tdmm(*arguments)
    assert done.code == 2
    assert message in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == files


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(tdmm: Tdmm, tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    done = tdmm("animate", "a smile", "-o", "locked/a.npz")
    assert done.code == 2
    assert "read-only" in done.err


def test_the_program_in_a_process_of_its_own(tmp_path: Path) -> None:
    def program(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tdmm.cli.main", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    in_order = program("doctor")
    assert in_order.returncode == 0, in_order.stdout
    assert "first face" in in_order.stdout
    refused = program("animate", "-o", "a.npz")
    assert refused.returncode == 2
    assert refused.stderr.startswith("tdmm: ")
    assert "Say what the face does" in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.stderr
    assert not list(tmp_path.iterdir())
