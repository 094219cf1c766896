"""Publishing, against a hub of our own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from tdmm.corpus.hub import files_of, push
from tdmm.errors import FileProblem, InvalidInput, TdmmError


class FakeHub:
    """Remembers what it was told; fails with `error` where there is one."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.repository, self.uploaded = error, {}, {}  # type: ignore[var-annotated]

    def create_repo(self, repo_id: str, **how: Any) -> None:
        if self.error:
            raise self.error
        self.repository = {"id": repo_id, **how}

    def upload_folder(self, **how: Any) -> None:
        self.uploaded = how


@pytest.fixture
def carded(wild: Path, tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(wild, tmp_path / "wild"))
    (folder / "README.md").write_text("---\nlicense: cc0-1.0\n---\n")
    (folder / "figures").mkdir()
    (folder / "figures" / "head.png").write_bytes(b"\x89PNG")
    (folder / "packed").mkdir()
    (folder / "packed" / "train.npy").write_bytes(b"a cache")
    (folder / "notes.txt").write_text("mine")
    return folder


def test_what_belongs_to_the_corpus_goes_and_nothing_else(carded: Path) -> None:
    hub = FakeHub()
    sent = push(carded, "me/faces", connect=lambda: hub)
    names = [each.name for each in sent]
    assert names[:4] == ["README.md", "manifest.json", "features.json", "figures/head.png"]
    assert names[4:] == sorted(names[4:], key=names.index)
    assert set(names[4:]) == {path.name for path in carded.glob("*.parquet")}
    assert hub.repository == {"id": "me/faces", "repo_type": "dataset", "private": True, "exist_ok": True}
    assert hub.uploaded["allow_patterns"] == names
    assert hub.uploaded["folder_path"] == carded
    assert hub.uploaded["delete_patterns"] == ["*.parquet", "figures/*.png"]
    assert sent == files_of(carded)
    assert all(each.bytes == (carded / each.name).stat().st_size for each in sent)


def test_a_damaged_or_unfinished_corpus_is_not_sent(carded: Path) -> None:
    hub = FakeHub()
    (carded / "README.md").unlink()
    with pytest.raises(FileProblem, match="tdmm corpus card"):
        push(carded, "me/faces", connect=lambda: hub)
    shard = next(carded.glob("*.parquet"))
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    with pytest.raises(FileProblem, match="altered"):
        push(carded, "me/faces", connect=lambda: hub)
    assert hub.repository == {}


@pytest.mark.parametrize("name", ["faces", "me/", "/faces", "me/faces/more", ""])
def test_a_name_has_an_owner(carded: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="OWNER/NAME"):
        push(carded, name, connect=FakeHub)


def test_no_token_is_said(carded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    with pytest.raises(InvalidInput, match="hf auth login"):
        push(carded, "me/faces")


class Response:
    headers: dict[str, str] = {}  # noqa: RUF012
    request = None

    def __init__(self, status: int) -> None:
        self.status_code = status


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (HfHubHTTPError("Forbidden", response=Response(403)), TdmmError, "token that may write"),  # type: ignore[arg-type]
        (HfHubHTTPError("Bad gateway\nmore", response=Response(502)), TdmmError, r"\(Bad gateway\).*again"),  # type: ignore[arg-type]
        (ConnectionError("no route to host"), TdmmError, "cannot be reached"),
        (HFValidationError("Repo id must use alphanumeric chars"), InvalidInput, "alphanumeric"),
    ],
)
def test_what_the_hub_says_is_told(carded: Path, error: Exception, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        push(carded, "me/faces", connect=lambda: FakeHub(error))
