from __future__ import annotations

import os
import sys
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import corners, noise, record

from tdmm.corpus.tracking.footage import Clock, Footage
from tdmm.errors import FileProblem, InvalidInput


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="no such file"):
        Footage.open(tmp_path / "missing.mp4")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.mp4")
        with pytest.raises(FileProblem, match="not a regular file"):
            Footage.open(tmp_path / "pipe.mp4")


@pytest.mark.parametrize(("fps", "side"), [(0.0, 9), (-1.0, 9), (float("nan"), 9), (1e9, 9), (None, 0)])
def test_options_that_make_no_sense(tmp_path: Path, fps: float | None, side: int) -> None:
    with pytest.raises(InvalidInput):
        Footage.open(tmp_path, fps=fps, largest_side=side)


def test_a_colon_in_a_name_is_no_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform == "win32":
        pytest.skip("no colons in names here")
    monkeypatch.chdir(tmp_path)
    record(tmp_path / "take.mp4", [corners()]).rename("take:1.mp4")
    assert len(list(Footage.open(Path("take:1.mp4")))) == 1


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted where the system lists them")
def test_nothing_stays_open(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4", [noise() for _ in range(20)])

    def held() -> int:
        links = (entry for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink())
        return sum(os.path.realpath(link) == str(path.resolve()) for link in links)

    footage = Footage.open(path)
    assert held() == 0
    iterator = iter(footage)
    next(iterator)
    assert held() == 1
    iterator.close()  # type: ignore[attr-defined]
    assert held() == 0
    for _ in footage:
        break
    assert held() == 0
    assert len(list(footage)) == 20
    assert held() == 0


def test_a_file_that_is_gone_by_the_time_it_is_read(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4", [corners()])
    footage = Footage.open(path)
    path.unlink()
    with pytest.raises(FileProblem, match=r"a\.mp4: cannot be read"):
        list(footage)


@given(st.lists(st.none() | st.floats(-1e6, 1e6, width=32), max_size=40), st.sampled_from([1.0, 25.0, 29.97, 240.0]))
def test_times_strictly_increase_from_zero(stamps: list[float | None], fps: float) -> None:
    clock = Clock(fps)
    seconds = [clock.tell(stamp) for stamp in stamps]
    assert seconds[:1] in ([], [0.0])
    assert all(before < after for before, after in pairwise(seconds))


@given(st.lists(st.integers(0, 10**7), min_size=1, unique=True).map(sorted))
def test_good_stamps_are_kept(milliseconds: list[int]) -> None:
    clock = Clock(25)
    told = [clock.tell(stamp / 1000) for stamp in milliseconds]
    np.testing.assert_allclose(told, [(stamp - milliseconds[0]) / 1000 for stamp in milliseconds], atol=1e-9)


def test_bad_stamps_become_one_interval() -> None:
    clock = Clock(10)
    stamps = [None, 7.0, 7.0, 6.9, 7.5, None, 0.0, 0.5]  # the clock restarts at 0.0
    assert [clock.tell(stamp) for stamp in stamps] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.6, 0.7, 0.8, 1.3])


def test_real_recordings(shared_data: Path) -> None:
    found = [path for path in shared_data.rglob("*") if path.suffix in (".mp4", ".mkv", ".mov", ".gif")]
    assert found
    for path in found:
        footage = Footage.open(path, largest_side=160)
        seconds = [picture.seconds for picture in islice(footage, 20)]
        assert len(seconds) > 1, path
        assert all(before < after for before, after in pairwise(seconds)), path
        assert footage.pictures is not None, path
        assert max(footage.width, footage.height) <= 160
