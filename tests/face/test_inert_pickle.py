"""No pickle runs code, whatever it asks for."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import pickletools
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from flame_models import Ch, as_published, csc_matrix, pickled, synthetic
from hypothesis import given, settings
from hypothesis import strategies as st

from tdmm.errors import ArtifactProblem
from tdmm.face import inert_objects, inert_pickle
from tdmm.face.inert_objects import BROKEN, to_array
from tdmm.face.inert_pickle import unpickle
from tdmm.face.named_arrays import read_mapping


def read(raw: bytes) -> Any:
    return unpickle(io.BytesIO(raw), "here")


class Calls:
    """Pickles to a call of any function."""

    def __init__(self, function: Any, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """A file that exists once something was run."""
    return tmp_path / "ran"


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("function", "argument", "said"),
    [
        (os.system, "touch {}", r"'(posix|os)\.system'"),
        (builtins.eval, "open({!r}, 'w')", r"'(builtins|__builtin__)\.eval'"),
        (builtins.exec, "open({!r}, 'w')", r"\.exec'"),
        (builtins.getattr, "{}", r"\.getattr'"),
        (subprocess.getoutput, "touch {}", r"'(subprocess|commands)\.getoutput'"),
        (builtins.__import__, "os", r"\.__import__'"),
        (np.load, "{}", r"\.load'"),
        (torch.load, "{}", r"\.load'"),
    ],
)
def test_functions_are_refused_by_name(trace: Path, protocol: int, function: Any, argument: str, said: str) -> None:
    raw = pickle.dumps(Calls(function, argument.format(str(trace))), protocol)
    with pytest.raises(ArtifactProblem, match=said) as caught:
        read(raw)
    assert "nothing was run" in str(caught.value)
    assert not trace.exists()


def test_what_is_nested_in_allowed_names_is_refused_too(trace: Path, tmp_path: Path) -> None:
    deep = Calls(os.system, f"touch {trace}")
    sparse = csc_matrix(np.eye(3))
    sparse.data = np.array([{"a": [deep]}], object)
    content = {**as_published(synthetic(9, 4)), "extra": [Ch(np.array([sparse], object))]}
    path = tmp_path / "generic_model.pkl"
    path.write_bytes(pickled(content))
    with pytest.raises(ArtifactProblem, match=r"generic_model\.pkl: asks for '(posix|os)\.system'.*Download"):
        read_mapping(path)
    assert not trace.exists()


def test_the_bytes_of_a_tensor_are_no_way_in(trace: Path) -> None:
    hidden = pickle.dumps(Calls(os.system, f"touch {trace}"), 2)
    raw = pickle.dumps(Calls(torch.storage._load_from_bytes, hidden), 4)
    with pytest.raises(ArtifactProblem, match=r"(posix|os)\.system"):
        read(raw)
    assert not trace.exists()


def test_names_with_dots_do_not_reach_inside(trace: Path) -> None:
    for module, name in (("chumpy.ch", "Ch.__init__"), ("numpy", "ndarray.tofile"), ("chumpy", "ch.os.system")):
        raw = pickle.PROTO + b"\x04" + b"".join(
            pickle.SHORT_BINUNICODE + bytes([len(text)]) + text.encode() for text in (module, name)
        ) + pickle.STACK_GLOBAL + pickle.STOP  # fmt: skip
        with pytest.raises(ArtifactProblem, match="refused"):
            read(raw)


@pytest.mark.parametrize("opcode", [b"ichumpy.ch\nCh\n", b"cchumpy.ch\nCh\no"])
def test_old_ways_to_make_objects_make_inert_ones(opcode: bytes) -> None:
    made = read(b"(" + opcode + b".")
    assert type(made).__module__ == inert_objects.__name__


@pytest.mark.parametrize(
    "name", sorted({f"{module}\n{name}" for module, name in inert_pickle._ALLOWED} | {"chumpy.ch\nCh"})
)
def test_no_allowed_name_can_be_changed_by_a_pickle(name: str) -> None:
    """BUILD on a class or a function may set its attributes; on these it fails, and leaves nothing."""
    target = inert_pickle._ALLOWED.get(tuple(name.split("\n")), inert_objects.Chumpy)  # type: ignore[call-overload]
    before = dict(vars(target))
    for state in (b"(dS'state'\nI1\ns", b"(N(dS'__setstate__'\nI1\nst"):
        with pytest.raises(BROKEN):
            read(b"c" + name.encode() + b"\n" + state + b"b.")
    assert dict(vars(target)) == before


def test_arrays_claim_no_more_than_they_hold() -> None:
    huge = inert_objects.FromBuffer(b"12345678", inert_objects.Kind("f8"), (10**9, 10**6))
    with pytest.raises(ArtifactProblem, match=r"here: cannot be read .*claims shape"):
        to_array(huge, "here")
    sparse = inert_objects.Sparse()
    sparse.__setstate__({"_shape": (10**6, 10**6), "data": [1.0], "row": [0], "col": [0]})
    with pytest.raises(ArtifactProblem, match="sparse matrix of shape"):
        to_array(sparse, "here")
    for rows, starts in (([-1], [0, 1, 1]), ([2], [0, 1, 1]), ([0], [0, 10**12, 1]), ([0], [0, -5, 1])):
        sparse.__setstate__({"_shape": (2, 2), "format": "csc", "data": [1.0], "indices": rows, "indptr": starts})
        with pytest.raises(ArtifactProblem, match="here: cannot be read"):
            to_array(sparse, "here")


@pytest.mark.parametrize(
    "word", [b"r\xff\xff\xff\xff", b"p4000000000\n", b"\x96" + b"\xff" * 7 + b"\x00", b"T\xff\xff\xff\x7f"]
)
def test_pickles_take_no_more_memory_than_they_hold(word: bytes) -> None:
    with pytest.raises(BROKEN):
        read(b"N" + word + b".")


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "<f2", "<i8", ">i4", "|u1", "|i1", "|b1", "<u2"])
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_numbers_come_back(dtype: str, protocol: int) -> None:
    array = np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype)
    for stored in (array, np.asfortranarray(array), array[:, ::2], array[0, 0], array[:0]):
        found = to_array(read(pickle.dumps(stored, protocol)), "here")
        np.testing.assert_array_equal(found, stored)


@pytest.mark.parametrize("form", ["csc", "csr", "coo"])
@pytest.mark.parametrize("kind", ["matrix", "array"])
def test_scipys_own_pickles_come_back(form: str, kind: str) -> None:
    sparse = pytest.importorskip("scipy.sparse", reason="scipy is not installed")
    dense = np.arange(12.0).reshape(3, 4) * (np.arange(12).reshape(3, 4) % 3 == 0)
    stored = getattr(sparse, f"{form}_{kind}")(dense)
    np.testing.assert_array_equal(to_array(read(pickle.dumps(stored)), "here"), dense)


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated:UserWarning")  # torch's own, when it pickles a tensor
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64, torch.int32, torch.uint8, torch.bool])
def test_tensors_come_back(dtype: torch.dtype) -> None:
    tensor = torch.arange(24).reshape(2, 3, 4).to(dtype)
    for stored in (tensor, tensor[1], tensor[:0]):
        found = to_array(read(pickle.dumps(stored)), "here")
        np.testing.assert_array_equal(found, stored.numpy())
    with pytest.raises(BROKEN, match="row by row"):
        read(pickle.dumps(tensor.mT))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damage_never_gets_past(data: st.DataObject) -> None:
    raw = bytearray(pickled(as_published(synthetic(2, 1)) | {"shapedirs": Ch(np.ones((2, 3)))}))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    del raw[data.draw(st.integers(1, len(raw))) :]
    try:
        content = read(bytes(raw))
        for value in content.values() if isinstance(content, dict) else ():
            to_array(value, "here")
    except (*BROKEN, ArtifactProblem):
        pass


def test_the_tests_pickles_are_what_they_claim() -> None:
    names = [
        str(argument) for code, argument, _ in pickletools.genops(pickled(Ch(np.ones(2)))) if code.name == "GLOBAL"
    ]
    assert "chumpy.ch Ch" in names
