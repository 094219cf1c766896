"""`tdmm direct` as a user meets it: the script shown, edited, acted, or one message and no file."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from one_process import Done, Tdmm

from fake_endpoint import SMIRK, FakeEndpoint, Reply, refuses, says, serving
from tdmm.acting.grammar import read_script
from tdmm.motion.files import load

SCENE = "he learns that his brother lied"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEndpoint]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as served:
        served.replies = [says(SMIRK)]
        yield served


@pytest.fixture
def tdmm(tdmm: Tdmm, fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> Tdmm:
    """`tdmm direct` with the fake endpoint, its standard input no terminal."""
    for variable in ("OPENAI_API_KEY", "VISUAL", "EDITOR"):
        monkeypatch.delenv(variable, raising=False)

    def call(*arguments: str) -> Done:
        options = [] if "--endpoint" in arguments else ["--endpoint", fake.url]
        return tdmm("direct", *arguments, *options, "--model", "qwen3")

    return call


def editor(folder: Path, code: str) -> str:
    """An editor that changes the file it is given (`path`) without a person."""
    program = folder / "editor.py"
    program.write_text(f"import sys, pathlib\npath = pathlib.Path(sys.argv[1])\ntext = path.read_text()\n{code}\n")
    return f"{sys.executable} {program}"


def test_a_scene_becomes_a_script_and_a_moving_face(tdmm: Tdmm, tmp_path: Path) -> None:
    done = tdmm(SCENE, "-o", "lied.yaml", "lied.npz", "lied.csv", "--timeout", "5")
    assert done.code == 0, done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lied.csv", "lied.npz", "lied.yaml"]
    saved = (tmp_path / "lied.yaml").read_text()
    assert done.out.startswith(saved)
    assert "2.0 s at 25 fps: lied.yaml lied.npz lied.csv" in done.out
    script = read_script(tmp_path / "lied.yaml")
    assert [event.descriptor for event in script.events] == ["smirk"]
    motion = load(tmp_path / "lied.npz")
    assert motion.text == SCENE
    assert motion.provenance["model"] == "qwen3"
    assert motion.channel("mouthSmileLeft").max() > 0.2


def test_without_an_output_the_script_is_printed_and_nothing_else(tdmm: Tdmm, tmp_path: Path) -> None:
    done = tdmm("he says:\n'never' \x1b[2J")
    assert done.code == 0, done.err
    assert yaml.safe_load(done.out)["timeline"][0]["do"] == "smirk"
    assert "\x1b" not in done.out
    assert list(tmp_path.iterdir()) == []


def test_another_seed_is_another_take_and_reaches_the_model(tdmm: Tdmm, fake: FakeEndpoint, tmp_path: Path) -> None:
    for name, seed in (("a", ()), ("b", ("--seed", "0")), ("c", ("--seed", "5"))):
        assert tdmm(SCENE, "-o", f"{name}.npz", *seed).code == 0
    first, same, other = (load(tmp_path / f"{name}.npz").expression for name in "abc")
    assert (first == same).all()
    assert (first != other).any()
    assert [question.get("seed") for question in fake.asked] == [None, 0, 5]


def test_the_key_comes_from_the_variable_that_is_named(
    tdmm: Tdmm, fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "usual")
    monkeypatch.setenv("OTHER_KEY", "other")
    assert tdmm(SCENE).code == 0
    assert tdmm(SCENE, "--api-key-env", "OTHER_KEY").code == 0
    assert [headers["authorization"] for headers in fake.headers] == ["Bearer usual", "Bearer other"]
    refused = tdmm(SCENE, "--api-key-env", "NO_SUCH_KEY")
    assert refused.code == 2
    assert "NO_SUCH_KEY holds no API key" in refused.err


def test_the_script_is_edited_before_it_is_acted(tdmm: Tdmm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change = 'path.write_text(text.replace("smirk", "grin").replace("side: left", "") + "# mine\\n")'
    monkeypatch.setenv("EDITOR", editor(tmp_path, change))
    done = tdmm(SCENE, "-o", "face.yml", "face.npz", "--edit")
    assert done.code == 0, done.err
    assert "do: grin" in done.out
    assert (tmp_path / "face.yml").read_text().endswith("# mine\n")
    assert load(tmp_path / "face.npz").provenance["script"]["events"][0]["descriptor"] == "grin"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ('path.write_text(text.replace("smirk", "smrik"))', "script.yaml, line"),
        ('path.write_text("")', "the file is empty"),
        ('path.write_bytes(b"\\xff\\xfe")', "not a text file"),
        ("path.unlink()", "no such file"),
        ("sys.exit(3)", "ended with exit code 3"),
    ],
)
def test_an_edit_that_is_no_script_is_not_acted(
    tdmm: Tdmm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, message: str
) -> None:
    monkeypatch.setenv("VISUAL", editor(tmp_path, code))
    done = tdmm(SCENE, "-o", "a.yaml", "a.npz", "--edit")
    assert done.code == 2
    assert message in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["editor.py"]


@pytest.mark.parametrize("command", ["no-such-editor-at-all", "'unclosed", " "])
def test_an_editor_that_cannot_be_started(tdmm: Tdmm, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("VISUAL", command)
    done = tdmm(SCENE, "-o", "a.npz", "--edit")
    assert done.code == 2
    assert "Set EDITOR" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["  ", "-o", "a.npz"], "scene is empty"),
        (["he lies " * 10_000, "-o", "a.npz"], "10,000 is the limit"),
        ([SCENE, "-o", "a.npz", "--endpoint", "localhost"], "no URL of an endpoint"),
        ([SCENE, "-o", "a.npz", "--timeout", "-1"], "timeout is -1"),
        ([SCENE, "-o", "a.fbx", "a.yaml"], ".fbx"),
        ([SCENE, "-o", "a.yaml", "./a.yaml"], "named twice"),
        ([SCENE, "-o", "nowhere/a.yaml"], "does not exist"),
        ([SCENE, "-o", "a.mp4", "--size", "1"], "size is 1"),
        (["he", "learns", "it"], "Put the scene in quotes"),
    ],
)
def test_bad_input_is_refused_before_a_model_is_asked(
    tdmm: Tdmm, fake: FakeEndpoint, tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = tdmm(*arguments)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err
    assert fake.asked == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (refuses(401), "--api-key-env"),
        (refuses(404), "--model"),
        (refuses(429), "busy"),
        (Reply(body="<html>", kind="text/html"), "not as a chat endpoint"),
        (Reply(body="junk ", drip=0.0), "still sending after 0.2 s"),
        (Reply(wait=30), "did not answer within 0.2 s"),
        (says("blah " * 1000), "none of them can be acted"),
        (says({**SMIRK, "timeline": [{"do": "smrik", "at": 0}]}), "Did you mean 'smirk'"),
    ],
)
def test_an_endpoint_that_fails_is_one_message_exit_2_and_no_file(
    tdmm: Tdmm, fake: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reply: Reply, message: str
) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    fake.replies = [reply]
    done = tdmm(SCENE, "-o", "a.yaml", "a.npz", "--timeout", "0.2")
    assert done.code == 2
    assert message in done.err
    assert done.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("answers", "arguments", "code", "files"),
    [
        ("n\n", [], 1, []),
        ("what?\ny\n", [], 0, ["a.npz"]),
        ("e\ny\n", [], 0, ["a.npz"]),
        ("", ["--yes"], 0, ["a.npz"]),
    ],
)
def test_at_a_terminal_the_script_is_acted_only_when_agreed(
    fake: FakeEndpoint, tmp_path: Path, answers: str, arguments: list[str], code: int, files: list[str]
) -> None:
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answers.encode())
        folder = tmp_path / "out"
        folder.mkdir()
        change = 'path.write_text(text.replace("smirk", "grin").replace("side: left", ""))'
        command = ["direct", SCENE, "-o", "a.npz", "--endpoint", fake.url, "--model", "qwen3", *arguments]
        done = subprocess.run(
            [sys.executable, "-m", "tdmm.cli.main", *command],
            cwd=folder, env={**os.environ, "VISUAL": editor(tmp_path, change)}, stdin=theirs,
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == code, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == files
    assert ("Act it?" in done.stderr) == (not arguments)
    assert ("do: grin" in done.stdout) == answers.startswith("e")


def test_the_help_needs_neither_the_extra_nor_torch() -> None:
    code = (
        "import sys\nsys.argv = ['tdmm', 'direct', '--help']\nfrom tdmm.cli.main import run\n"
        "try:\n    run()\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('openai', 'httpx2', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == json.dumps([])
