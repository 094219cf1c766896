from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from fake_stages import FakeStage, jobs_of

from tdmm.corpus.pipeline.ledger import Ledger
from tdmm.corpus.pipeline.lock import build_lock
from tdmm.corpus.pipeline.pruning import prune
from tdmm.corpus.pipeline.runner import BuildOptions, run
from tdmm.corpus.pipeline.status import finished
from tdmm.errors import FileProblem, InvalidInput


@pytest.mark.parametrize("away", [False, True])
def test_what_an_older_recipe_made_goes_and_nothing_else(tmp_path: Path, away: bool) -> None:
    folder, log = tmp_path / "corpus", tmp_path / "log"
    store = f"file://{tmp_path}/away" if away else None
    run(folder, [FakeStage("draw", log, word="plain")], jobs_of(3), BuildOptions(workers=1, store=store))
    assert prune(folder).outputs == 0
    changed = [FakeStage("draw", log, word="bold", does={"clip-000": "reject"})]
    run(folder, changed, jobs_of(2), BuildOptions(workers=1, store=store, redo=True))
    would = prune(folder, only_look=True)
    assert (would.outputs, would.bytes > 0) == (3, True)
    assert len(list(folder.glob("store/*/*/*"))) == 5
    assert prune(folder) == would
    assert len(list(folder.glob("store/*/*/*"))) == 2
    if away:
        assert len(list((tmp_path / "away").glob("store/*/*/*/result.json"))) == 2
    [clip] = finished(folder)
    assert "bold" in clip.files["text"].read_text()
    # Going back makes anew what went.
    before = len(log.read_text().splitlines())
    run(folder, [FakeStage("draw", log)], jobs_of(3), BuildOptions(workers=1, store=store, redo=True))
    assert len(log.read_text().splitlines()) == before + 3


def test_what_a_build_has_not_come_to_yet_is_kept(tmp_path: Path) -> None:
    stages = [FakeStage("draw", tmp_path / "log"), FakeStage("judge", tmp_path / "log")]
    run(tmp_path / "corpus", stages, jobs_of(2), BuildOptions(workers=1))
    (tmp_path / "corpus" / "ledger.sqlite").unlink()  # the next build finds what is there
    with closing(Ledger(tmp_path / "corpus")) as ledger:
        ledger.settle(stages, jobs_of(2))
    with pytest.raises(InvalidInput, match="not through"):
        prune(tmp_path / "corpus")
    assert len(list(tmp_path.glob("corpus/store/*/*/*"))) == 4


def test_nothing_is_pruned_where_nothing_was_built_or_a_build_is_at_work(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="no corpus"):
        prune(tmp_path)
    run(tmp_path, [FakeStage("draw", tmp_path / "log")], jobs_of(1), BuildOptions(workers=1))
    with build_lock(tmp_path), pytest.raises(FileProblem, match="at work"):
        prune(tmp_path)
