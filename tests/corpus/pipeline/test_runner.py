"""Every clip goes through every stage once, whoever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fake_stages import FakeStage, jobs_of, lines

from tdmm.corpus.pipeline import runner
from tdmm.corpus.pipeline.runner import BuildOptions, run
from tdmm.corpus.pipeline.status import Summary, finished, status
from tdmm.errors import FileProblem, InvalidInput, MissingDependency, TdmmError

ONE = BuildOptions(workers=1)


def two_stages(tmp_path: Path, **of_second: Any) -> list[FakeStage]:
    return [FakeStage("draw", tmp_path / "draw.log"), FakeStage("judge", tmp_path / "judge.log", **of_second)]


def texts(folder: Path) -> dict[str, str]:
    return {clip.clip_id: clip.files["text"].read_text() for clip in finished(folder)}


def nothing_is_left_over(folder: Path) -> bool:
    return {path.name.removesuffix("-wal").removesuffix("-shm") for path in folder.iterdir()} == {
        "ledger.sqlite",
        "store",
        "build.lock",
    }


def test_clips_stream_through_all_stages_and_come_back_in_order(tmp_path: Path) -> None:
    seen: list[Summary] = []
    summary = run(
        tmp_path / "corpus",
        two_stages(tmp_path, does={"clip-003": "reject"}),
        jobs_of(20),
        BuildOptions(workers=2),
        seen.append,
    )
    clips = list(finished(tmp_path / "corpus"))
    assert [clip.position for clip in clips] == [*range(3), *range(4, 20)]
    assert clips[4].clip_id == "clip-005"
    assert clips[4].files["text"].read_text() == "clip-005 draw plain\nclip-005 judge plain\n"
    assert clips[4].facts == {
        "prompts": {"face": "face 5", "mood": "calm"},
        "draw": {"word": "plain", "stages": ["prompts"]},
        "judge": {"word": "plain", "stages": ["draw", "prompts"]},
    }
    assert summary == seen[-1] == status(tmp_path / "corpus")
    assert summary.complete
    assert [(stage.name, stage.done, stage.rejected) for stage in summary.stages] == [("draw", 20, 0), ("judge", 19, 1)]
    assert summary.rejections == {("judge", "too-plain"): 1}
    assert nothing_is_left_over(tmp_path / "corpus")


def test_a_finished_build_is_not_done_again(tmp_path: Path) -> None:
    stages = two_stages(tmp_path, does={"clip-001": "reject"})
    run(tmp_path / "corpus", stages, jobs_of(4), ONE)
    run(tmp_path / "corpus", stages, jobs_of(6), ONE)
    assert Counter(lines(stages[0].log)) == Counter({f"clip-{number:03d}": 1 for number in range(6)})
    assert [clip.position for clip in finished(tmp_path / "corpus")] == [0, 2, 3, 4, 5]


@pytest.mark.parametrize("end", ["die", "raise"])
def test_a_clip_that_takes_its_worker_with_it_is_quarantined_and_its_neighbours_are_not(
    tmp_path: Path, end: str
) -> None:
    stages = two_stages(tmp_path, does={"clip-002": end}, batch=4)
    summary = run(tmp_path / "corpus", stages, jobs_of(8), ONE)
    assert set(texts(tmp_path / "corpus")) == {f"clip-{number:03d}" for number in range(8)} - {"clip-002"}
    [poisoned] = summary.quarantined
    assert (poisoned.clip_id, poisoned.stage, poisoned.attempts) == ("clip-002", "judge", 3)
    assert ("SIGKILL" if end == "die" else "RuntimeError: clip-002 is beyond me") in poisoned.error
    assert Counter(lines(stages[1].log))["clip-002"] == 3
    assert summary.complete

    mended = two_stages(tmp_path)
    assert len(run(tmp_path / "corpus", mended, jobs_of(8), ONE).quarantined) == 1
    summary = run(tmp_path / "corpus", mended, jobs_of(8), BuildOptions(workers=1, redo=True))
    assert not summary.quarantined
    assert len(texts(tmp_path / "corpus")) == 8


def test_a_worker_that_hangs_is_ended_and_the_build_goes_on(tmp_path: Path) -> None:
    stages = two_stages(tmp_path, does={"clip-001": "wait"})
    options = BuildOptions(workers=1, attempts=1, patience=6.0)
    summary = run(tmp_path / "corpus", stages, jobs_of(4), options)
    [hung] = summary.quarantined
    assert (hung.clip_id, hung.stage) == ("clip-001", "judge")
    assert "longer than 6 s" in hung.error
    assert len(texts(tmp_path / "corpus")) == 3
    with pytest.raises(InvalidInput, match="patience"):
        run(tmp_path / "corpus", stages, jobs_of(4), BuildOptions(patience=0))


def test_workers_killed_from_outside(tmp_path: Path) -> None:
    stages = [
        FakeStage("draw", tmp_path / "draw.log", seconds=0.02, batch=2),
        FakeStage("judge", tmp_path / "judge.log", seconds=0.02, does={"clip-013": "die"}),
    ]
    kills, settled = 0, 0

    def kill_one(summary: Summary) -> None:
        nonlocal kills, settled
        now = sum(stage.settled for stage in summary.stages)
        children = [child for child in _children(os.getpid()) if _is_worker(child)]
        if now >= settled + 12 and children and not summary.complete:
            kills, settled = kills + 1, now
            os.kill(children[kills % len(children)], signal.SIGKILL)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "_SHOWN_EVERY", 0.0)
        summary = run(tmp_path / "corpus", stages, jobs_of(60), BuildOptions(workers=2), kill_one)
    assert kills >= 3
    assert summary.finished == 59
    assert [clip.clip_id for clip in summary.quarantined] == ["clip-013"]
    expected = {f"clip-{number:03d}" for number in range(60)} - {"clip-013"}
    assert texts(tmp_path / "corpus") == {clip: f"{clip} draw plain\n{clip} judge plain\n" for clip in expected}
    assert nothing_is_left_over(tmp_path / "corpus")


def test_a_killed_driver_leaves_no_worker_and_the_same_command_goes_on(tmp_path: Path) -> None:
    folder, log = tmp_path / "corpus", tmp_path / "judge.log"
    command = [
        sys.executable,
        "-c",
        "import sys; from pathlib import Path; from test_runner import two_stages; from fake_stages import jobs_of\n"
        "from tdmm.corpus.pipeline.runner import BuildOptions, run\n"
        "if __name__ == '__main__':\n"
        "    folder = Path(sys.argv[1])\n"
        "    stages = two_stages(folder, does={'clip-004': 'wait'})\n"
        "    print(run(folder / 'corpus', stages, jobs_of(10), BuildOptions(workers=1)).finished)\n",
        str(tmp_path),
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    driver = subprocess.Popen(command, env=environment)
    try:
        _wait_for(lambda: "clip-004" in lines(log))
        [child] = [child for child in _children(driver.pid) if _is_worker(child)]
        with pytest.raises(FileProblem, match=rf"another build is at work here \(process {driver.pid} on "):
            run(folder, two_stages(tmp_path), jobs_of(10), ONE)
    finally:
        driver.kill()
        driver.wait()
    _wait_for(lambda: not _is_worker(child))
    (tmp_path / "go").touch()
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert again.stdout == "10\n"
    assert Counter(lines(log)) == Counter({**{f"clip-{number:03d}": 1 for number in range(10)}, "clip-004": 2})


def test_a_driver_that_dies_of_a_clip_does_not_die_of_it_for_ever(tmp_path: Path) -> None:
    from tdmm.corpus.pipeline.ledger import Ledger

    folder, stages = tmp_path / "corpus", two_stages(tmp_path)
    folder.mkdir()
    for _ in range(3):
        ledger = Ledger(folder)
        ledger.settle(stages, jobs_of(1))
        ledger.recover(3)
        with ledger.transaction():
            assert ledger.take(0, 1, "here:1") is not None
        ledger.close()
    summary = run(folder, stages, jobs_of(1), ONE)
    assert [(clip.clip_id, clip.error) for clip in summary.quarantined] == [
        ("clip-000", "the build died while it was in work")
    ]


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_keeps_what_is_done_and_counts_nothing_against_the_rest(tmp_path: Path, signal_number: int) -> None:
    folder, stages = tmp_path / "corpus", two_stages(tmp_path, does={"clip-002": "wait"})

    def interrupt(summary: Summary) -> None:
        if "clip-002" in lines(stages[1].log) and not summary.interrupted:
            os.kill(os.getpid(), signal_number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "_SHOWN_EVERY", 0.0)
        summary = run(folder, stages, jobs_of(5), ONE, interrupt)
    assert summary.interrupted
    assert not summary.complete
    assert summary.stages[1].running == 0
    assert set(texts(folder)) == {"clip-000", "clip-001"}
    (tmp_path / "go").touch()
    assert run(folder, stages, jobs_of(5), ONE).finished == 5
    assert Counter(lines(stages[1].log))["clip-001"] == 1


def test_changed_settings_are_told_and_redone_only_when_asked(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    run(folder, two_stages(tmp_path, does={"clip-000": "reject"}), jobs_of(5), ONE)
    before = status(folder)
    changed = two_stages(tmp_path, word="bold")
    with pytest.raises(
        InvalidInput,
        match=r"Stage 'judge': word \"plain\" there, \"bold\" asked\. So what 'judge' made of 5 clips will be redone, "
        r"what 'draw' made is kept\. .*--redo",
    ):
        run(folder, changed, jobs_of(5), ONE)
    assert status(folder) == before
    run(folder, changed, jobs_of(5), BuildOptions(workers=1, redo=True))
    assert texts(folder)["clip-000"] == "clip-000 draw plain\nclip-000 judge bold\n"
    assert len(lines(tmp_path / "draw.log")) == 5
    assert len(lines(tmp_path / "judge.log")) == 10


def test_what_was_made_once_is_found_when_settings_return_or_the_ledger_is_gone(tmp_path: Path) -> None:
    folder, redo = tmp_path / "corpus", BuildOptions(workers=1, redo=True)
    plain, bold = two_stages(tmp_path), two_stages(tmp_path, word="bold")
    run(folder, plain, jobs_of(3), ONE)
    first = texts(folder)
    run(folder, bold, jobs_of(3), redo)
    run(folder, plain, jobs_of(3), redo)
    assert texts(folder) == first
    for path in folder.glob("ledger.sqlite*"):
        path.unlink()
    run(folder, plain, jobs_of(3), ONE)
    assert texts(folder) == first
    assert len(lines(tmp_path / "draw.log")) == 3
    assert len(lines(tmp_path / "judge.log")) == 6


def test_changed_prompts_and_clips_that_are_no_longer_asked_for(tmp_path: Path) -> None:
    folder, stages = tmp_path / "corpus", two_stages(tmp_path)
    run(folder, stages, jobs_of(4), ONE)
    other = [*jobs_of(2), *list(jobs_of(3, mood="merry"))[2:]]
    with pytest.raises(InvalidInput, match=r"1 clips have another prompt.* 1 clips with results are no longer asked"):
        run(folder, stages, other, ONE)
    assert len(texts(folder)) == 4
    run(folder, stages, other, BuildOptions(workers=1, redo=True))
    assert sorted(lines(tmp_path / "draw.log")) == ["clip-000", "clip-001", "clip-002", "clip-002", "clip-003"]
    assert list(texts(folder)) == ["clip-000", "clip-001", "clip-002"]


def test_a_stage_more_at_the_end_needs_no_leave(tmp_path: Path) -> None:
    folder, stages = tmp_path / "corpus", two_stages(tmp_path)
    run(folder, stages[:1], jobs_of(3), ONE)
    assert run(folder, stages, jobs_of(3), ONE).finished == 3
    with pytest.raises(InvalidInput, match=r"The stage 'judge' is no longer there\. So 3 results are left aside"):
        run(folder, stages[:1], jobs_of(3), ONE)


def test_a_full_disk_stops_the_build_and_tears_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    with pytest.raises(FileProblem, match=r"no space is left on the disk.*run the same command again"):
        run(folder, two_stages(tmp_path, does={"clip-002": "full"}), jobs_of(5), ONE)
    assert list(texts(folder)) == ["clip-000", "clip-001"]
    assert status(folder).stages[1].quarantined == 0
    assert run(folder, two_stages(tmp_path), jobs_of(5), ONE).finished == 5
    assert Counter(lines(tmp_path / "judge.log"))["clip-001"] == 1


@pytest.mark.parametrize(
    ("stage", "error", "message"),
    [
        ({"does": {"clip-002": "stop"}}, MissingDependency, "pip install moon"),
        ({"opening": "stop"}, MissingDependency, "pip install moon"),
        ({"opening": "raise"}, TdmmError, r"'judge' could not be opened: .*judge is beyond me"),
        ({"opening": "die"}, TdmmError, r"'judge' lost 5 workers in a row while they opened it.*SIGKILL"),
    ],
)
def test_what_a_user_can_mend_stops_the_build_and_is_held_against_no_clip(
    tmp_path: Path, stage: dict[str, Any], error: type[TdmmError], message: str
) -> None:
    folder = tmp_path / "corpus"
    with pytest.raises(error, match=f"(?s){message}"):
        run(folder, two_stages(tmp_path, **stage), jobs_of(4), ONE)
    assert status(folder).stages[0].done >= 1
    summary = run(folder, two_stages(tmp_path), jobs_of(4), ONE)
    assert summary.finished == 4
    assert len(lines(tmp_path / "draw.log")) == 4


def test_a_stage_that_crashes_on_everything_is_not_tried_on_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_HOPELESS", 4)
    stages = [FakeStage("draw", tmp_path / "draw.log", does={job.clip_id: "raise" for job in jobs_of(200)}, batch=4)]
    with pytest.raises(TdmmError, match=r"(?s)'draw' crashed 4 times in a row.*is beyond me"):
        run(tmp_path / "corpus", stages, jobs_of(200), BuildOptions(workers=1))
    assert not status(tmp_path / "corpus").quarantined


def test_outputs_in_another_place_as_well(tmp_path: Path) -> None:
    folder, url = tmp_path / "corpus", f"file://{tmp_path}/bucket"
    options = BuildOptions(workers=1, store=url)
    run(folder, two_stages(tmp_path), jobs_of(3), options)
    there = {path.relative_to(tmp_path / "bucket") for path in (tmp_path / "bucket").rglob("*.txt")}
    assert there == {path.relative_to(folder) for path in folder.rglob("*.txt")}
    for path in (folder / "store").rglob("*.txt"):
        path.unlink()
    assert len(texts(folder)) == 3  # fetched
    with pytest.raises(InvalidInput, match=r"its outputs are stored at file://"):
        run(folder, two_stages(tmp_path), jobs_of(3), ONE)
    other = tmp_path / "another-machine"
    run(other, two_stages(tmp_path), jobs_of(3), options)
    assert texts(other) == texts(folder)
    assert len(lines(tmp_path / "judge.log")) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (BuildOptions(workers=0), "workers must be 1 or more"),
        (BuildOptions(attempts=0), "attempts must be 1 or more"),
        (BuildOptions(workers=2, ray="auto"), "--workers is for one machine"),
        (BuildOptions(store="moon://corpus"), "moon"),
    ],
)
def test_senseless_options_are_refused(tmp_path: Path, options: BuildOptions, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        run(tmp_path / "corpus", two_stages(tmp_path), jobs_of(2), options)
    assert not (tmp_path / "corpus").exists()


def test_senseless_jobs_and_stages_are_refused(tmp_path: Path) -> None:
    stages = two_stages(tmp_path)
    with pytest.raises(InvalidInput, match="'clip-000' comes twice"):
        run(tmp_path / "corpus", stages, [*jobs_of(1), *jobs_of(1)], ONE)
    with pytest.raises(InvalidInput, match="nothing to build"):
        run(tmp_path / "corpus", stages, [], ONE)
    with pytest.raises(InvalidInput, match="Two stages have one name: draw, draw"):
        run(tmp_path / "corpus", [stages[0], stages[0]], jobs_of(1), ONE)


def _children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def _is_worker(pid: int) -> bool:
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 30.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
