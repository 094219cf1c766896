"""Other people's programs: what they are told, what is taken from them, and what is said when they fail."""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from video_clips import prompt, small_video

from tdmm.corpus.video.backend import GeneratorProblem, VideoFile, open_backend
from tdmm.corpus.video.command import write_cases, write_table
from tdmm.errors import InvalidConfig, InvalidVideo

# A program as such tools are: it reads its prompts, writes a video for each, and prints much.
TOOL = """
import csv, json, os, pathlib, shutil, sys, time
prompts, output, sample, seed = (pathlib.Path(a) if i < 3 else a for i, a in enumerate(sys.argv[1:5]))
print("loading", *range(2000), file=sys.stderr)
if prompts.suffix == ".json":
    names = [f"{key}_seed{seed}" for key in json.loads(prompts.read_text())]
else:
    names = [f"{prompts.stem}_{index:04d}" for index, _ in enumerate(csv.DictReader(prompts.open()))]
(output / "told.txt").write_text(prompts.read_text())
mode = os.environ.get("MODE", "")
if mode == "fail":
    print("CUDA out of memory", file=sys.stderr)
    sys.exit(3)
if mode == "hang":
    import subprocess
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    pathlib.Path(os.environ["PID"]).write_text(str(child.pid))
    time.sleep(60)
(output / "video").mkdir()
for name in names[1:] if mode == "forget" else names:
    if mode == "empty":
        (output / "video" / f"{name}.mp4").write_bytes(b"")
    else:
        shutil.copy(sample, output / "video" / f"{name}.mp4")
with open(os.environ["RUNS"], "a") as runs:
    runs.write(f"{len(names)} {seed} {os.environ.get('VIRTUAL_ENV')} {os.environ.get('PYTHONPATH')}\\n")
"""


@pytest.fixture
def tool(tmp_path: Path) -> dict[str, Any]:
    """Settings that run the program above."""
    (tmp_path / "tool.py").write_text(TOOL)
    small_video(tmp_path / "sample.mp4")
    (tmp_path / "out").mkdir()
    script, sample = str(tmp_path / "tool.py"), str(tmp_path / "sample.mp4")
    return {
        "name": "command",
        "model": "tool 1.0",
        "command": [sys.executable, script, "{prompts}", "{output}", sample, "{seed}"],
        "prompts": "cases.json",
        "outputs": "video/{clip_id}_seed*.mp4",
        "variables": {"RUNS": str(tmp_path / "runs.txt")},
        "timeout": 30,
    }


def in_one_run(tool: dict[str, Any]) -> dict[str, Any]:
    command = [*tool["command"][:-1], "0"]
    return {**tool, "command": command, "prompts": "csv", "outputs": "video/*_{index:04d}.mp4"}


def test_each_clip_has_a_run_with_its_own_seed(tool: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = open_backend(tool).make([prompt("clip-1", seed=5), prompt("clip-10", seed=6)], out)
    assert [(clip.clip_id, clip.path, clip.frames) for clip in made] == [
        ("clip-1", out / "clip-1.mp4", 12),
        ("clip-10", out / "clip-10.mp4", 12),
    ]
    assert [clip.provenance["seed"] for clip in made] == [5, 6]
    assert made[0].provenance["model"] == "tool 1.0"
    assert [line.split()[:2] for line in (tmp_path / "runs.txt").read_text().splitlines()] == [["1", "5"], ["1", "6"]]
    assert sorted(path.name for path in out.iterdir()) == ["clip-1.mp4", "clip-10.mp4"]


def test_a_command_without_a_seed_makes_all_clips_in_one_run(tool: dict[str, Any], tmp_path: Path) -> None:
    made = open_backend(in_one_run(tool)).make([prompt("a"), prompt("b"), prompt("c")], tmp_path / "out")
    assert [clip.clip_id for clip in made] == ["a", "b", "c"]
    assert {(clip.provenance["seed"], clip.provenance["clips_in_run"]) for clip in made} == {(None, 3)}
    assert len((tmp_path / "runs.txt").read_text().splitlines()) == 1


def test_the_tool_lives_in_its_own_environment(
    tool: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", "") + os.pathsep + "/ours")
    theirs = tmp_path / "theirs"
    (theirs / "bin").mkdir(parents=True)
    (theirs / "bin" / "their-python").symlink_to(sys.executable)
    command = ["their-python", *tool["command"][1:]]
    with pytest.raises(GeneratorProblem, match="'their-python' cannot be started"):
        open_backend({**tool, "command": command}).make([prompt()], tmp_path / "out")
    (clip,) = open_backend({**tool, "command": command, "environment": str(theirs)}).make([prompt()], tmp_path / "out")
    assert isinstance(clip, VideoFile)
    assert (tmp_path / "runs.txt").read_text().split()[2:] == [str(theirs), "None"]
    assert "environment" not in clip.provenance


@pytest.mark.parametrize(
    ("mode", "kind", "words"),
    [
        ("fail", GeneratorProblem, r"exit code 3(?s:.*)CUDA out of memory$"),
        ("forget", InvalidVideo, r"no 'video/clip-1_seed\*\.mp4' for clip clip-1; it made told.txt"),
        ("empty", InvalidVideo, "clip clip-1.*it is empty"),
    ],
)
def test_failures_say_what_the_tool_said(
    tool: dict[str, Any], tmp_path: Path, mode: str, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        open_backend({**tool, "variables": {**tool["variables"], "MODE": mode}}).make([prompt()], tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_run_that_hangs_is_ended_with_its_children(tool: dict[str, Any], tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    variables = {**tool["variables"], "MODE": "hang", "PID": str(pid)}
    with pytest.raises(GeneratorProblem, match="not done after 3 s"):
        open_backend({**tool, "variables": variables, "timeout": 3}).make([prompt()], tmp_path / "out")
    child = Path("/proc") / pid.read_text()
    until = time.monotonic() + 5
    while child.exists() and "Z" not in (child / "stat").read_text() and time.monotonic() < until:
        time.sleep(0.02)
    assert not child.exists() or " Z " in (child / "stat").read_text()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"command": ["x", "{prompts}"]}, r"says nowhere \{output\}"),
        ({"command": ["x", "{prompts}", "{output}", "{sed}"]}, r"\{sed\}.*did you mean 'seed'"),
        ({"outputs": "*.mp4", "command": ["x", "{prompts}", "{output}"]}, r"needs \{clip_id\} or \{index\}"),
        ({"outputs": "{name}.mp4"}, r"\{name\}.*Known: \{clip_id\}"),
        ({"prompts": "json"}, r"'cases\.json' or 'csv'"),
        ({"negative": "blurry"}, r"says nowhere \{negative\}"),
        ({"time_out": 3}, "'time_out' is unknown. Did you mean 'timeout'"),
    ],
)
def test_settings_that_make_no_sense(tool: dict[str, Any], change: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidConfig, match=f"(?i){words}"):
        open_backend({**tool, **change})


WORDS = st.dictionaries(
    st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True),
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=60),
    min_size=1,
    max_size=5,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS)
def test_prompt_files_say_what_was_asked(tmp_path: Path, words: dict[str, str]) -> None:
    folder = tmp_path
    write_cases(folder / "cases.json", words)
    cases = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
    assert {name: case["prompt"] for name, case in cases.items()} == words
    assert all(case["audio_path"] is None and case["img_paths"] == [] for case in cases.values())
    write_table(folder / "prompts.csv", words)
    with (folder / "prompts.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["text"] for row in rows] == [" ".join(text.split()) for text in words.values()]
