"""What is found in the store is whole."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import fsspec
import pytest

from tdmm.corpus.pipeline.stage import Done, Rejected
from tdmm.corpus.pipeline.store import RESULT, Store
from tdmm.errors import FileProblem

KEY = "ab" * 32


def made(folder: Path, text: str = "moving pictures") -> Done:
    folder.mkdir(exist_ok=True)
    path = folder / "clip-1.mp4"
    path.write_text(text)
    return Done({"fps": 25.0}, {"video": path})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "corpus")


def test_what_is_kept_is_found(store: Store, tmp_path: Path) -> None:
    assert store.find("video", KEY) is None
    kept = store.keep("video", KEY, made(tmp_path / "work"), 1.5, tmp_path / "work")
    assert store.find("video", KEY) == kept
    assert (kept.state, kept.facts, kept.seconds) == ("done", {"fps": 25.0}, 1.5)
    assert kept.files == {"video": f"store/video/ab/{KEY}/video.mp4"}
    assert store.local(kept.files["video"]).read_text() == "moving pictures"
    assert not list((tmp_path / "work").iterdir())


def test_rejections_are_kept_too(store: Store, tmp_path: Path) -> None:
    kept = store.keep("quality", KEY, Rejected("jitter", "2.1 mm, at most 2", {"jitter_mm": 2.1}), 0.1, tmp_path)
    assert store.find("quality", KEY) == kept
    assert (kept.state, kept.rule, kept.reason) == ("rejected", "jitter", "2.1 mm, at most 2")


def test_the_first_of_two_wins(store: Store, tmp_path: Path) -> None:
    first = store.keep("video", KEY, made(tmp_path / "one", "first"), 1.0, tmp_path / "one")
    second = store.keep("video", KEY, made(tmp_path / "two", "second"), 2.0, tmp_path / "two")
    assert second == first
    assert store.local(second.files["video"]).read_text() == "first"


@pytest.mark.parametrize("damage", ["cut", "gone", "no result", "half a result"])
def test_what_is_torn_is_not_found_and_gives_way(store: Store, tmp_path: Path, damage: str) -> None:
    kept = store.keep("video", KEY, made(tmp_path / "one"), 1.0, tmp_path / "one")
    path = store.local(kept.files["video"])
    if damage == "cut":
        path.write_text("moving")
    elif damage == "gone":
        path.unlink()
    elif damage == "no result":
        (path.parent / RESULT).unlink()
    else:
        (path.parent / RESULT).write_text('{"state": "do')
    assert store.find("video", KEY) is None
    store.keep("video", KEY, made(tmp_path / "two", "made anew"), 1.0, tmp_path / "two")
    assert path.read_text() == "made anew"


def test_what_cannot_be_kept_leaves_nothing(store: Store, tmp_path: Path) -> None:
    answer = made(tmp_path / "work")
    with pytest.raises(ValueError, match="no file under the folder it was given"):
        store.keep("video", KEY, answer, 1.0, tmp_path / "another")
    with pytest.raises(ValueError, match="no file under"):
        store.keep("video", KEY, Done({}, {"video": tmp_path / "work" / "never.mp4"}), 1.0, tmp_path / "work")
    with pytest.raises(ValueError):
        store.keep("video", KEY, Done({"jitter": float("nan")}), 1.0, tmp_path)
    assert answer.files["video"].exists()
    assert not (store.folder / "store").exists()
    assert not list((store.folder / "scratch").iterdir())


def test_the_next_attempt_at_a_clip_finds_what_the_last_one_left(store: Store) -> None:
    with suppress(RuntimeError), store.scratch("video", [KEY]) as folder:
        (folder / "clip-1.job").write_text("operations/17")
        raise RuntimeError("the power went")
    with store.scratch("video", [KEY]) as folder:
        assert (folder / "clip-1.job").read_text() == "operations/17"
    with store.scratch("video", [KEY]) as folder:
        assert not list(folder.iterdir())


def test_batches_begin_with_nothing(store: Store) -> None:
    with suppress(RuntimeError), store.scratch("video", [KEY, "cd" * 32]) as folder:
        (folder / "clip-1.mp4").write_text("torn")
        raise RuntimeError("the power went")
    with store.scratch("video", [KEY, "cd" * 32]) as folder:
        assert not list(folder.iterdir())


def test_two_never_work_in_one_folder(store: Store) -> None:
    entered, leave, seen = threading.Event(), threading.Event(), []

    def first() -> None:
        with store.scratch("video", [KEY]):
            entered.set()
            leave.wait(10)
            seen.append("first is out")

    def second() -> None:
        with store.scratch("video", [KEY]) as folder:
            seen.append("second is in")
            assert folder.is_dir()

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    entered.wait(10)
    threads[1].start()
    threads[1].join(0.1)
    leave.set()
    for thread in threads:
        thread.join(10)
    assert seen == ["first is out", "second is in"]


def test_object_storage(tmp_path: Path) -> None:
    url = "memory://bucket/corpus"
    here, there = Store(tmp_path / "here", url), Store(tmp_path / "there", url)
    here.check()
    kept = here.keep("video", KEY, made(tmp_path / "work"), 1.0, tmp_path / "work")
    assert there.find("video", KEY) == kept
    assert there.local(kept.files["video"]).read_text() == "moving pictures"
    files = fsspec.filesystem("memory")
    assert sorted(path.rpartition("/")[2] for path in files.find("/bucket/corpus")) == [RESULT, "video.mp4"]
    files.rm("/bucket", recursive=True)


def test_what_was_not_sent_before_a_crash_is_sent_when_it_is_found(tmp_path: Path) -> None:
    kept = Store(tmp_path / "here").keep("video", KEY, made(tmp_path / "work"), 1.0, tmp_path / "work")
    url = (tmp_path / "bucket").as_uri()
    assert Store(tmp_path / "here", url).find("video", KEY) == kept
    assert Store(tmp_path / "there", url).find("video", KEY) == kept


def test_a_storage_that_loses_bytes_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = fsspec.filesystem("memory")
    monkeypatch.setattr(type(files), "info", lambda *_, **__: {"size": 1, "type": "file"})
    with pytest.raises(FileProblem, match=r"memory://lossy: .*arrived with 1 of .*run the same command again"):
        Store(tmp_path / "here", "memory://lossy").keep("v", KEY, made(tmp_path / "w"), 1.0, tmp_path / "w")
    monkeypatch.undo()
    files.rm("/lossy", recursive=True)


def test_a_file_that_is_nowhere(store: Store) -> None:
    with pytest.raises(FileProblem, match=r"is gone.*what is missing is made"):
        store.local(f"store/video/ab/{KEY}/video.mp4")
