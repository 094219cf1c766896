"""Reads the numbers out of a pickle without running any of it.

A pickle is a program: it names functions of any module and calls them. Here each name it may use
stands for an inert class of this file that only keeps what it is given; every other name is refused
before it is looked up. Nothing of numpy, scipy, chumpy or torch is called while a pickle is read, so
none of them but numpy needs to be installed, and `to_array` makes arrays afterwards, from sizes that
were checked against the bytes that are there.

All stand-ins are classes with a `__setstate__` of their own: a pickle that tries to change one of
them (BUILD on a class) then fails, where a function would have taken new defaults.
"""

from __future__ import annotations

import io
import math
import pickle
import re
import struct
import sys
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tdmm.errors import ArtifactProblem

Array = npt.NDArray[Any]

MAX_BYTES = 1024 * 2**20
"""Largest array that is made; FLAME's are below 60 MiB."""

BROKEN = (
    pickle.UnpicklingError, EOFError, AttributeError, TypeError, ValueError, LookupError, ArithmeticError,
    MemoryError, RecursionError, ImportError, struct.error,
)  # fmt: skip
"""What a damaged or hostile stream can make an unpickler raise."""


class _StandIn:
    """Takes any arguments and any state, does nothing with them."""

    state: dict[str, Any]

    def __new__(cls, *_arguments: object, **_named: object) -> Any:
        """An empty one; pickles may call the class with what they like."""
        made = object.__new__(cls)
        made.state = {}
        return made

    def __setstate__(self, state: object) -> None:
        self.state = _attributes(state)


class _Kind(_StandIn):
    """`numpy.dtype`: its code, and the byte order that its state adds."""

    def __init__(self, code: object = "", *_arguments: object) -> None:
        self.code = code.decode("ascii") if isinstance(code, bytes) else str(code)
        self.order = "="

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple) and len(state) > 1:
            self.order = state[1].decode("ascii") if isinstance(state[1], bytes) else str(state[1])

    def resolve(self) -> np.dtype[Any]:
        if re.fullmatch(r"b1|[iu][1248]|f[248]|\?", self.code) is None or self.order not in ("=", "<", ">", "|"):
            raise ValueError(f"an array of type '{self.order}{self.code}'; plain numbers are needed")
        return np.dtype(self.code if self.order == "|" else self.order + self.code)


class _Numbers(_StandIn):
    """A numpy array: shape, kind and bytes, kept apart until `to_array`."""

    def __init__(self, *_arguments: object) -> None:
        self.shape: object = ()
        self.kind: object = None
        self.column_major = False
        self.raw: object = b""

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) < 4:
            raise ValueError("an array without shape, kind and content")
        self.shape, self.kind, column_major, self.raw = state[-4:]
        self.column_major = bool(column_major)


class _Reconstruct(_StandIn):
    """`numpy.core.multiarray._reconstruct`: an array whose state follows."""

    def __new__(cls, *_arguments: object) -> Any:
        return _Numbers()


class _FromBuffer(_StandIn):
    """`numpy.core.numeric._frombuffer`: an array of protocol 5."""

    def __new__(cls, raw: object = b"", kind: object = None, shape: object = (), order: object = "C") -> Any:
        numbers = _Numbers()
        numbers.__setstate__((shape, kind, order == "F", raw))
        return numbers


class _Scalar(_StandIn):
    """`numpy.core.multiarray.scalar`: one number, as an array without axes."""

    def __new__(cls, kind: object = None, raw: object = b"") -> Any:
        return _FromBuffer(raw, kind, ())


class _Sparse(_StandIn):
    """A scipy.sparse matrix; its attributes say how it is stored."""


class _Chumpy(_StandIn):
    """A chumpy object; of a plain one, `x` in its state is the array."""


class _Rebuild(_StandIn):
    """`copyreg._reconstructor(class, object, None)`: an empty object of one of our classes."""

    def __new__(cls, wanted: object = None, *_arguments: object) -> Any:
        if not (isinstance(wanted, type) and issubclass(wanted, _StandIn)):
            raise ValueError("an object of a class that is not read")
        return wanted()


class _Encode(_StandIn):
    """`_codecs.encode(text, 'latin1')`: how Python 3 writes bytes in an old protocol."""

    def __new__(cls, text: object = "", encoding: object = "latin1") -> Any:
        if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
            raise ValueError("text in an encoding that is not read")
        return text.encode("latin1")


class _NoBytes(_StandIn):
    """`bytes()`: how Python 3 writes no bytes at all in an old protocol."""

    def __new__(cls) -> Any:
        return b""


class _Storage(_StandIn):
    """`torch.storage._load_from_bytes`: the numbers of a tensor, as torch wrote them for a pickle."""

    def __init__(self, raw: object = b"") -> None:
        self.values = _read_storage(raw)


class _Tensor(_StandIn):
    """`torch._utils._rebuild_tensor_v2`: a dense tensor on a storage."""

    def __init__(self, storage: object = None, offset: object = 0, size: object = (), *_rest: object) -> None:
        if not isinstance(storage, _Storage) or not isinstance(offset, int) or offset < 0:
            raise ValueError("a tensor without its numbers")
        self.shape = _sizes(size)
        count = math.prod(self.shape)
        if _rest and _rest[0] != _row_major(self.shape):
            raise ValueError("a tensor that is not stored row by row")
        self.values = storage.values[offset : offset + count].reshape(self.shape)


_STORAGE_KINDS = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8", "IntStorage": "<i4",
    "ShortStorage": "<i2", "CharStorage": "|i1", "ByteStorage": "|u1", "BoolStorage": "|b1",
}  # fmt: skip


class _StorageKind(_StandIn):
    """A class such as `torch.LongStorage`; each has a subclass below."""

    dtype = ""


_STORAGE_CLASSES = {name: type(name, (_StorageKind,), {"dtype": dtype}) for name, dtype in _STORAGE_KINDS.items()}

_ALLOWED: dict[tuple[str, str], type] = {
    **{
        (f"numpy.{package}.{module}", name): standin
        for package in ("core", "_core")
        for module, name, standin in (
            ("multiarray", "_reconstruct", _Reconstruct),
            ("multiarray", "scalar", _Scalar),
            ("numeric", "_frombuffer", _FromBuffer),
        )
    },
    ("numpy", "ndarray"): _Numbers,
    ("numpy", "dtype"): _Kind,
    **{("scipy.sparse." + module + form, f"{form}_{kind}"): _Sparse
       for module in ("", "_") for form in ("csc", "csr", "coo") for kind in ("matrix", "array")},
    ("copyreg", "_reconstructor"): _Rebuild,
    ("builtins", "object"): _StandIn,
    ("builtins", "bytes"): _NoBytes,
    ("builtins", "set"): set,
    ("builtins", "list"): list,
    ("builtins", "dict"): dict,
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): _Encode,
    ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
    ("torch.storage", "_load_from_bytes"): _Storage,
    **{("torch", name): kind for name, kind in _STORAGE_CLASSES.items()},
}  # fmt: skip
_PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg"}


class _Inert(pickle.Unpickler):
    """An unpickler that knows the stand-ins and nothing else."""

    def __init__(self, stream: io.BytesIO, where: str) -> None:
        super().__init__(stream, fix_imports=True, encoding="latin1")
        self.where = where

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in of a name; a chumpy class is any class of the package chumpy."""
        module = _PYTHON_2.get(module, module)
        if (module, name) in _ALLOWED:
            return _ALLOWED[module, name]
        if re.fullmatch(r"chumpy(\.\w+)*", module) and re.fullmatch(r"[A-Z]\w*", name):
            return _Chumpy
        raise ArtifactProblem(
            f"{self.where}: asks for '{module}.{name}', which does not belong in a FLAME file; it was refused and "
            "nothing was run. Download the file again from https://flame.is.tue.mpg.de, or save its arrays as .npz."
        )

    def persistent_load(self, reference: Any) -> Any:
        """What torch says of a storage instead of storing it: `('storage', class, key, place, count, ...)`."""
        return reference


def unpickle(stream: io.BytesIO, where: str) -> Any:
    """The next object of a stream: containers, numbers and text as they are, anything else inert.

    Raises:
        ArtifactProblem: it asks for a name that is refused; the message begins with `where`.
        pickle.UnpicklingError: it is damaged; so may any of `BROKEN` say.
    """
    return _Inert(stream, where).load()


def to_array(value: Any, where: str) -> Array:
    """The numbers of a value of `unpickle`; sparse matrices become dense.

    Raises:
        ArtifactProblem: it holds no numbers, or fewer than it claims; the message begins with `where`.
    """
    try:
        return _array(value)
    except BROKEN as error:
        raise ArtifactProblem(f"{where}: cannot be read ({error}).") from error


def the_one_object(value: Any) -> Any:
    """What an array of objects without axes holds; numpy keeps a dictionary so in a `.npy`.

    Raises:
        ValueError: it is no such array.
    """
    if isinstance(value, _Numbers) and isinstance(value.raw, list) and len(value.raw) == 1:
        return value.raw[0]
    raise ValueError("no single object in it")


def _array(value: Any) -> Array:
    if isinstance(value, _Chumpy):
        if "x" not in value.state:
            raise ValueError("a chumpy expression, not its value; evaluate it where chumpy runs and save an .npz")
        return _array(value.state["x"])
    if isinstance(value, _Numbers):
        return _from_bytes(value)
    if isinstance(value, _Sparse):
        return _dense(value.state)
    if isinstance(value, _Tensor):
        return value.values
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{type(value).__name__} in the place of numbers")
    return array


def _from_bytes(numbers: _Numbers) -> Array:
    if not isinstance(numbers.kind, _Kind):
        raise ValueError("an array without a kind")
    dtype, shape, raw = numbers.kind.resolve(), _sizes(numbers.shape), numbers.raw
    if isinstance(raw, str):  # bytes of Python 2
        raw = raw.encode("latin1")
    if not isinstance(raw, bytes | bytearray) or len(raw) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"an array that claims shape {shape}, but its content has another length")
    flat = np.frombuffer(raw, dtype)
    return flat.reshape(shape, order="F" if numbers.column_major else "C")


def _dense(state: dict[str, Any]) -> Array:
    shape = _sizes(state.get("_shape", state.get("shape")))
    if len(shape) != 2 or math.prod(shape) * 8 > MAX_BYTES:
        raise ValueError(f"a sparse matrix of shape {shape}")
    data = _array(state["data"])
    if "indptr" in state:
        starts, minor = _array(state["indptr"]), _array(state["indices"])
        if starts[-1] != len(minor) or starts[0] != 0 or (np.diff(starts) < 0).any():
            raise ValueError("a sparse matrix whose parts disagree")
        major = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        # Without `format` the two compressed forms differ by which axis the starts run along.
        by_column = state["format"] == "csc" if "format" in state else len(starts) == shape[1] + 1
        rows, columns = (minor, major) if by_column else (major, minor)
    elif "coords" in state:
        rows, columns = (_array(axis) for axis in state["coords"])
    else:
        rows, columns = _array(state["row"]), _array(state["col"])
    if not len(rows) == len(columns) == len(data):
        raise ValueError("a sparse matrix whose parts disagree")
    if len(data) and (min(rows.min(), columns.min()) < 0 or rows.max() >= shape[0] or columns.max() >= shape[1]):
        raise ValueError("a sparse matrix with an index outside of it")
    dense = np.zeros(shape)
    np.add.at(dense, (rows, columns), data)
    return dense


def _read_storage(raw: object) -> Array:
    """The numbers of torch's old format: five pickles (the fourth the storage), a count, then the bytes."""
    if not isinstance(raw, bytes):
        raise ValueError("a tensor without bytes")
    stream = io.BytesIO(raw)
    parts = [unpickle(stream, "a tensor") for _ in range(5)]
    reference = parts[3]
    if not (isinstance(reference, tuple) and len(reference) > 1 and reference[0] == "storage"):
        raise ValueError("a tensor in a form that is not read")
    kind = reference[1]
    if not (isinstance(kind, type) and issubclass(kind, _StorageKind)) or sys.byteorder != "little":
        raise ValueError("a tensor of a type that is not read")
    dtype = np.dtype(kind.dtype)
    (count,) = struct.unpack("<q", stream.read(8))
    content = stream.read()
    if count < 0 or len(content) != count * dtype.itemsize:
        raise ValueError("a tensor whose content has another length")
    return np.frombuffer(content, dtype)


def _attributes(state: object) -> dict[str, Any]:
    if isinstance(state, tuple) and len(state) == 2:  # of a class with slots: attributes, slots
        return {**_attributes(state[0]), **_attributes(state[1])}
    return dict(state) if isinstance(state, Mapping) else {}


def _sizes(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple | list) or not all(isinstance(size, int) and size >= 0 for size in value):
        raise ValueError(f"a shape that is not one ({value!r:.40})")
    return tuple(value)


def _row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
