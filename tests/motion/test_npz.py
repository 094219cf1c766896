from __future__ import annotations

import contextlib
import errno
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tdmm.errors import FileProblem, InvalidMotion, TdmmError, UnknownFormat
from tdmm.motion.clip import FaceMotion
from tdmm.motion.files import load, write_npz

T = 6


def content(**changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "rig": np.array("arkit"),
        "channels": np.array(["jawOpen", "eyeBlinkLeft"]),
        "expression": np.zeros((T, 2), np.float32),
        "head": np.zeros((T, 3), np.float32),
        "fps": np.float32(25),
    }
    whole |= changes
    return {name: value for name, value in whole.items() if value is not None}


def written(path: Path, **changes: Any) -> Path:
    np.savez(path, **content(**changes))
    return path


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 20).flatmap(lambda t: arrays(np.float32, (t, 2), elements=st.floats(-2, 2, width=32))),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30),
    st.sampled_from([24.0, 25.0, 30.0, 60.0]),
    st.booleans(),
)
def test_nothing_is_lost(tmp_path: Path, expression: np.ndarray, text: str, fps: float, whole: bool) -> None:
    frames = len(expression)
    rng = np.random.default_rng(frames)
    motion = FaceMotion(
        channels=("jawOpen", "tongueOut"),
        expression=expression,
        head=rng.normal(size=(frames, 3)),
        fps=fps,
        translation=rng.normal(size=(frames, 3)) if whole else None,
        identity=rng.normal(size=5) if whole else None,
        confidence=rng.random(frames) if whole else None,
        text=text,
        provenance={"by": "a test", "seed": 7, "nested": {"é": [1, 2]}} if whole else {},
    )
    path = tmp_path / "face.npz"
    write_npz(motion, path)
    again = load(path)
    for name in ("expression", "head", "translation", "identity", "confidence"):
        assert np.array_equal(getattr(again, name), getattr(motion, name)) or getattr(motion, name) is None
    for name in ("channels", "fps", "rig", "text", "provenance"):
        assert getattr(again, name) == getattr(motion, name)


def test_numpy_alone_opens_it(tmp_path: Path) -> None:
    motion = FaceMotion(channels=("jawOpen",), expression=np.ones((3, 1)), head=np.zeros((3, 3)), text="a yawn")
    write_npz(motion, tmp_path / "face.npz")
    with np.load(tmp_path / "face.npz", allow_pickle=False) as opened:
        assert set(opened) == {"rig", "channels", "expression", "head", "fps", "text"}
        assert opened["expression"].dtype == np.float32
        assert opened["fps"].dtype == np.float32
        assert str(opened["text"]) == "a yawn"


def test_the_same_motion_is_the_same_bytes(tmp_path: Path) -> None:
    motion = FaceMotion(channels=("jawOpen",), expression=np.ones((3, 1)), head=np.zeros((3, 3)))
    write_npz(motion, tmp_path / "a.npz")
    write_npz(motion, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


class _Trap:
    """Pickles to a call that leaves a trace."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('unpickled')",))


@pytest.mark.parametrize("name", ["expression", "text", "channels", "provenance"])
def test_objects_are_refused_and_never_unpickled(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "face.npz", **{name: np.array([_Trap()], dtype=object)})
    with pytest.raises(InvalidMotion, match=f"'{name}' holds Python objects, which are never unpickled"):
        load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expression": None, "head": None}, r"lacks expression, head \(it holds channels, fps, rig\)"),
        ({"confidense": np.zeros(T)}, "unknown array 'confidense'. Did you mean 'confidence'"),
        ({"expression": np.zeros((T, 3))}, "2 channels are named"),
        ({"expression": np.zeros(T)}, "expression has shape"),
        ({"head": np.zeros((T + 1, 3))}, r"head has shape \(7, 3\); \(6, 3\) is needed"),
        ({"head": np.zeros((T, 4))}, r"head has shape \(6, 4\)"),
        ({"translation": np.zeros((T, 2))}, "translation has shape"),
        ({"confidence": np.zeros((T, 1))}, "confidence has shape"),
        ({"identity": np.zeros((2, 2))}, "identity has shape"),
        ({"expression": np.zeros((0, 2)), "head": np.zeros((0, 3))}, "no frames"),
        ({"expression": np.full((T, 2), np.nan)}, "not finite"),
        ({"expression": np.full((T, 2), 1e300)}, "not finite"),
        ({"expression": np.full((T, 2), "x")}, "'expression' is of type <U1; numbers are needed"),
        ({"expression": np.zeros((T, 2), complex)}, "numbers are needed"),
        ({"channels": np.zeros(2)}, "'channels' is of type float64; text is needed"),
        ({"channels": np.array([["jawOpen", "tongueOut"]])}, "one row of names"),
        ({"channels": np.array(["jawOpen", "jawOpen"])}, "named twice"),
        ({"fps": np.zeros(2)}, "one value is needed"),
        ({"fps": np.float32(0)}, "fps is 0.0; it must be a positive number"),
        ({"fps": np.float32(-25)}, "fps is -25.0"),
        ({"fps": np.float32(np.nan)}, "fps is nan"),
        ({"text": np.array(["a", "b"])}, "'text' has shape"),
        ({"provenance": np.array("{")}, "'provenance' is not JSON"),
        ({"provenance": np.array("[" * 100_000)}, "'provenance' is not JSON"),
        ({"provenance": np.array("[1]")}, "must be a JSON object"),
    ],
)
def test_what_is_no_motion_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = written(tmp_path / "face.npz", **changes)
    with pytest.raises(InvalidMotion, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_a_truncated_file_says_so(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole.npz").read_bytes()
    for length in range(0, len(whole), 97):
        path = tmp_path / "cut.npz"
        path.write_bytes(whole[:length])
        with pytest.raises(InvalidMotion, match="truncated"):
            load(path)


def test_a_flipped_byte_never_becomes_another_error(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole.npz").read_bytes()
    path = tmp_path / "flipped.npz"
    for place in range(0, len(whole), 13):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with contextlib.suppress(TdmmError):
            load(path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_are_a_clear_error(tmp_path: Path, noise: bytes) -> None:
    path = tmp_path / "noise.npz"
    path.write_bytes(noise)
    with pytest.raises(InvalidMotion, match=r"not a whole \.npz file"):
        load(path)


def npy(shape: tuple[int, ...], data: bytes = b"") -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return stream.getvalue() + data


def test_a_shape_larger_than_the_file_sets_no_memory_aside(tmp_path: Path) -> None:
    path = written(tmp_path / "face.npz", expression=None)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("expression.npy", npy((2**40, 2)))
    with pytest.raises(InvalidMotion, match=r"claims shape .* more than the file holds"):
        load(path)


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tdmm.motion.files.MAX_BYTES", 10_000)
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, **content(expression=np.zeros((100_000, 2), np.float32)))
    assert path.stat().st_size < 10_000
    with pytest.raises(InvalidMotion, match="unpacks to"):
        load(path)


def test_missing_file_folder_and_extension(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="no such file"):
        load(tmp_path / "none.npz")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(FileProblem, match="is a folder"):
        load(tmp_path / "folder.npz")
    with pytest.raises(UnknownFormat, match=r"'\.npy'.*Did you mean '\.npz'.*Readable: \.npz, \.csv"):
        load(tmp_path / "face.npy")


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    motion = FaceMotion(channels=("jawOpen",), expression=np.ones((3, 1)), head=np.zeros((3, 3)))
    with pytest.raises(FileProblem, match="No space left on device"):
        write_npz(motion, tmp_path / "face.npz")
    assert list(tmp_path.iterdir()) == []
