"""The same build on Ray."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from fake_stages import FakeStage, jobs_of

from tdmm.corpus.pipeline.runner import BuildOptions, run
from tdmm.corpus.pipeline.status import finished
from tdmm.errors import MissingDependency


def test_ray_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependency, match=r"pip install 'tdmm\[ray\]'"):
        run(tmp_path / "corpus", [FakeStage("draw", tmp_path / "log")], jobs_of(1), BuildOptions(ray="auto"))


@pytest.mark.slow
def test_actors_die_and_every_clip_is_done_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # where the actors are to find these stages
    stages = [
        FakeStage("draw", tmp_path / "draw.log", does={"clip-001": "reject"}, batch=4),
        FakeStage("judge", tmp_path / "judge.log", does={"clip-005": "die", "clip-006": "raise"}, batch=2),
    ]
    summary = run(tmp_path / "corpus", stages, jobs_of(12), BuildOptions(ray="auto", attempts=2))
    assert [(clip.clip_id, clip.attempts) for clip in summary.quarantined] == [("clip-005", 2), ("clip-006", 2)]
    assert "its worker died" in summary.quarantined[0].error
    assert "RuntimeError: clip-006 is beyond me" in summary.quarantined[1].error
    assert [clip.position for clip in finished(tmp_path / "corpus")] == [0, 2, 3, 4, 7, 8, 9, 10, 11]
    assert summary.complete
