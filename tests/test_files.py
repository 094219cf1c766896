from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tdmm.errors import FileProblem
from tdmm.files import folder_written_aside, require_readable, require_writable, written_aside


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "face.glb"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), written_aside(target) as temporary:
        temporary.write_text(str(1 / 0))
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["face.glb"]


def test_a_full_disk_is_a_file_problem(tmp_path: Path) -> None:
    target = tmp_path / "face.glb"
    with pytest.raises(FileProblem, match="nothing was left behind"), written_aside(target):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_success_replaces_and_keeps_the_suffix(tmp_path: Path) -> None:
    target = tmp_path / "face.mp4"
    with written_aside(target) as temporary:
        assert temporary.suffix == ".mp4"
        temporary.write_text("new")
    assert target.read_text() == "new"


def test_missing_folders_and_folders_as_files(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="does not exist"):
        require_writable(tmp_path / "nowhere" / "face.glb")
    with pytest.raises(FileProblem, match="is a folder"):
        require_writable(tmp_path)
    with pytest.raises(FileProblem, match="no such file"):
        require_readable(tmp_path / "x.npz")
    with pytest.raises(FileProblem, match="is a folder"):
        require_readable(tmp_path)


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "made" / "model"
    with folder_written_aside(target) as temporary:
        (temporary / "inside").mkdir()
        (temporary / "inside" / "a").write_text("1")
        assert not target.exists()
    with pytest.raises(ZeroDivisionError), folder_written_aside(target) as temporary:
        (temporary / "b").write_text(str(1 / 0))
    assert [path.name for path in target.parent.iterdir()] == ["model"]
    with folder_written_aside(target) as temporary:
        (temporary / "c").touch()
    assert [path.name for path in target.iterdir()] == ["c"]
    with pytest.raises(FileProblem, match="cannot write here"), folder_written_aside(target / "c" / "d"):
        pass
