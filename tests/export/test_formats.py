from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from tdmm import export
from tdmm.errors import FileProblem, InvalidInput, UnknownFormat
from tdmm.motion.clip import FaceMotion
from tdmm.motion.files import load

ALL = (".csv", ".glb", ".json", ".mp4", ".npz", ".png")


def test_every_extension_writes_a_file(performance: FaceMotion, tmp_path: Path) -> None:
    assert export.extensions() == ALL
    paths = [tmp_path / f"face{extension}" for extension in ALL]
    export.save(performance, paths, size=64)
    assert sorted(tmp_path.iterdir()) == paths
    first = {path.suffix: path.read_bytes()[:12] for path in paths}
    assert first[".glb"][:4] == b"glTF"
    assert first[".png"][:4] == b"\x89PNG"
    assert first[".npz"][:2] == b"PK"
    assert first[".mp4"][4:8] == b"ftyp"
    assert first[".json"][:1] == b"{"
    assert first[".csv"].startswith(b"Timecode,")


def test_what_is_written_is_read_again(performance: FaceMotion, tmp_path: Path) -> None:
    export.save(performance, [tmp_path / "face.npz", tmp_path / "face.CSV"])
    for name in ("face.npz", "face.CSV"):
        again = load(tmp_path / name)
        assert again.fps == 25
        assert np.allclose(again.in_order(performance.channels), performance.expression, atol=1e-7)


def test_one_unknown_extension_stops_all_before_any_work(performance: FaceMotion, tmp_path: Path) -> None:
    paths = [tmp_path / "face.npz", tmp_path / "face.gbl"]
    with pytest.raises(
        UnknownFormat, match=r"cannot write '\.gbl'\. Did you mean '\.glb'.* Known: \.csv, \.glb, \.json"
    ):
        export.save(performance, paths)
    with pytest.raises(UnknownFormat, match="a name without an extension"):
        export.save(performance, [tmp_path / "face"])
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_stops_all_before_any_work(performance: FaceMotion, tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match=r"does not exist. Create it first: mkdir -p"):
        export.save(performance, [tmp_path / "face.npz", tmp_path / "none" / "face.glb"])
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_folder_stops_all_before_any_work(
    performance: FaceMotion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    # The superuser may write anywhere, so the answer of the system is given here.
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder and allowed(path, mode))
    with pytest.raises(FileProblem, match="is read-only"):
        export.save(performance, [tmp_path / "face.npz", folder / "face.glb"])
    assert [path.name for path in tmp_path.iterdir()] == ["locked"]


def test_no_path_and_one_path_twice(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="at least one file"):
        export.check([])
    with pytest.raises(FileProblem, match="named twice"):
        export.check([tmp_path / "a.npz", tmp_path / "." / "a.npz"])


@pytest.mark.parametrize("extension", ALL)
def test_a_full_disk_leaves_what_was_there(
    performance: FaceMotion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extension: str
) -> None:
    path = tmp_path / f"face{extension}"
    path.write_bytes(b"an older file")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tdmm.files.os.fsync", full)
    with pytest.raises(FileProblem, match=r"No space left on device\); nothing was left behind"):
        export.save(performance, [path], size=32)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"an older file"


def test_a_size_or_view_that_makes_no_sense_is_refused(performance: FaceMotion, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="size is 0 pixels"):
        export.save(performance, [tmp_path / "face.mp4"], size=0)
    with pytest.raises(InvalidInput, match=r"Unknown view 'fornt'. Did you mean 'front'"):
        export.picture_options(tmp_path / "face.mp4", 64, "fornt")
    with pytest.raises(UnknownFormat, match=r"a rendering is one of \.mp4, \.png"):
        export.picture_options(tmp_path / "face.glb", 64, "front")
    assert list(tmp_path.iterdir()) == []
