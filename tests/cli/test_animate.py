"""The command line of the main job: files, messages, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tdmm import api
from tdmm.acting.script import Script


def tdmm(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tdmm.cli.main", *arguments], capture_output=True, text=True, cwd=cwd, check=False
    )


def test_a_sentence_becomes_files_and_the_files_a_sentence(tmp_path: Path) -> None:
    files = ["a.glb", "a.csv", "a.npz", "a.json"]
    done = tdmm("animate", "she smiles and nods", "-o", *files, "--seconds", "2", "--seed", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)
    assert "2.0 s at 25 fps" in done.stdout
    for name in ("a.npz", "a.csv"):
        said = tdmm("describe", name, "--json", cwd=tmp_path)
        assert said.returncode == 0, said.stderr
        tasks = set(api.motion2language().tasks) - {"question"}
        assert tasks >= {"describe", "emotion", "head", "intensity", "timeline"}
        assert set(json.loads(said.stdout)) == {"file", "seconds", *tasks}
    written = tdmm("describe", "a.npz", "--script", "seen.yaml", cwd=tmp_path)
    assert written.returncode == 0, written.stderr
    again = tdmm("act", "seen.yaml", "-o", "again.npz", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert api.load(tmp_path / "again.npz").seconds == pytest.approx(2.0, abs=0.05)


def test_takes_are_numbered(tmp_path: Path) -> None:
    done = tdmm("animate", "a wink", "-o", "w.npz", "--takes", "2", "--seconds", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w-1.npz", "w-2.npz"]


def test_a_motion_is_edited_gone_on_from_and_explained(tmp_path: Path) -> None:
    made = tdmm("animate", "she grins and nods", "-o", "a.npz", "--seconds", "2", "--explain", "why.png", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    changed = tdmm("edit", "a.npz", "she frowns and nods", "-o", "b.npz", cwd=tmp_path)
    assert changed.returncode == 0, changed.stderr
    longer = tdmm("continue", "a.npz", "she laughs", "--seconds", "1.5", "--to", "b.npz", "-o", "c.npz", cwd=tmp_path)
    assert longer.returncode == 0, longer.stderr
    frames = {name: api.load(tmp_path / f"{name}.npz").frames for name in "abc"}
    assert frames["b"] >= frames["a"] == 50
    assert frames["c"] == frames["a"] + 38 + frames["b"]
    assert (tmp_path / "why.png").stat().st_size > 5000


def test_a_timeline_file_is_played(tmp_path: Path) -> None:
    (tmp_path / "rows.yaml").write_text("- {at: [0, 1.5], do: she frowns}\n- {at: [1.5, 3], do: she grins}\n")
    done = tdmm("animate", "--timeline", "rows.yaml", "-o", "a.npz", "a.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "3.0 s" in done.stdout
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
def test_bad_input_is_one_message_exit_2_and_no_file(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "bad.csv").write_text("not,a,capture\n1,2,3\n")
    files = ["bad.csv"]
    if "good.npz" in arguments:
        api.save(api.act(Script(seconds=1)), tmp_path / "good.npz")
        files.append("good.npz")
    done = tdmm(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == files


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    done = tdmm("animate", "a smile", "-o", "locked/a.npz", cwd=tmp_path)
    assert done.returncode == 2
    assert "read-only" in done.stderr


def test_doctor_finds_everything_in_order(tmp_path: Path) -> None:
    done = tdmm("doctor", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "first face" in done.stdout
