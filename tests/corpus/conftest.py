"""One small corpus, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tdmm.corpus.act import act

CLIPS, SHARD = 60, 20


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished corpus of 60 clips in three shards. Do not write in it."""
    folder = tmp_path_factory.mktemp("corpus") / "acted"
    act(folder, clips=CLIPS, seed=7, workers=1, shard_clips=SHARD)
    return folder


@pytest.fixture
def copied(corpus: Path, tmp_path: Path) -> Path:
    """A copy of it to break."""
    import shutil

    return Path(shutil.copytree(corpus, tmp_path / "copy"))
