"""What stands in a pickle for the objects of other packages: inert classes that only keep what they are given.

Nothing of numpy, scipy, chumpy or torch is called while a pickle is read; `to_array` makes arrays afterwards,
from sizes that were checked against the bytes that are there.

All are classes with a `__setstate__` of their own: a pickle that tries to change one of them (BUILD on a
class) then fails, where a function would have taken new defaults.
"""

from __future__ import annotations

import math
import pickle
import re
import struct
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


class StandIn:
    """Takes any arguments and any state, does nothing with them."""

    state: dict[str, Any]

    def __new__(cls, *_arguments: object, **_named: object) -> Any:
        """An empty one; pickles may call the class with what they like."""
        made = object.__new__(cls)
        made.state = {}
        return made

    def __setstate__(self, state: object) -> None:
        self.state = _attributes(state)

    def numbers(self) -> Array:
        """Its array.

        Raises:
            ValueError: it is none, or is not whole; so may any of `BROKEN` say.
        """
        raise ValueError("an object in the place of numbers")


class Kind(StandIn):
    """`numpy.dtype`: its code, and the byte order that its state adds."""

    def __init__(self, code: object = "", *_arguments: object) -> None:
        self.code = code.decode("ascii") if isinstance(code, bytes) else str(code)
        self.order = "="

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple) and len(state) > 1:
            self.order = state[1].decode("ascii") if isinstance(state[1], bytes) else str(state[1])

    def resolve(self) -> np.dtype[Any]:
        """The dtype, of plain numbers only."""
        if re.fullmatch(r"b1|[iu][1248]|f[248]|\?", self.code) is None or self.order not in ("=", "<", ">", "|"):
            raise ValueError(f"an array of type '{self.order}{self.code}'; plain numbers are needed")
        return np.dtype(self.code if self.order == "|" else self.order + self.code)


class Numbers(StandIn):
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

    def numbers(self) -> Array:
        """From its bytes, if there are as many as it claims."""
        return _from_bytes(self)


class Reconstruct(StandIn):
    """`numpy.core.multiarray._reconstruct`: an array whose state follows."""

    def __new__(cls, *_arguments: object) -> Any:
        """Empty; its state follows."""
        return Numbers()


class FromBuffer(StandIn):
    """`numpy.core.numeric._frombuffer`: an array of protocol 5."""

    def __new__(cls, raw: object = b"", kind: object = None, shape: object = (), order: object = "C") -> Any:
        """Whole."""
        numbers = Numbers()
        numbers.__setstate__((shape, kind, order == "F", raw))
        return numbers


class Scalar(StandIn):
    """`numpy.core.multiarray.scalar`: one number, as an array without axes."""

    def __new__(cls, kind: object = None, raw: object = b"") -> Any:
        """Without axes."""
        return FromBuffer(raw, kind, ())


class Sparse(StandIn):
    """A scipy.sparse matrix; its attributes say how it is stored."""

    def numbers(self) -> Array:
        """Dense."""
        return _dense(self.state)


class Chumpy(StandIn):
    """A chumpy object; of a plain one, `x` in its state is the array."""

    def numbers(self) -> Array:
        """Its value, where it was saved as one."""
        if "x" not in self.state:
            raise ValueError("a chumpy expression, not its value; evaluate it where chumpy runs and save an .npz")
        return _array(self.state["x"])


class Rebuild(StandIn):
    """`copyreg._reconstructor(class, object, None)`: an empty object of one of our classes."""

    def __new__(cls, wanted: object = None, *_arguments: object) -> Any:
        """Only of a class of this file."""
        if not (isinstance(wanted, type) and issubclass(wanted, StandIn)):
            raise ValueError("an object of a class that is not read")
        return wanted()


class Encode(StandIn):
    """`_codecs.encode(text, 'latin1')`: how Python 3 writes bytes in an old protocol."""

    def __new__(cls, text: object = "", encoding: object = "latin1") -> Any:
        """Bytes."""
        if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
            raise ValueError("text in an encoding that is not read")
        return text.encode("latin1")


class NoBytes(StandIn):
    """`bytes()`: how Python 3 writes no bytes at all in an old protocol."""

    def __new__(cls) -> Any:
        """None."""
        return b""


def to_array(value: Any, where: str) -> Array:
    """The numbers of a value of `tdmm.face.inert_pickle.unpickle`; sparse matrices become dense.

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
    if isinstance(value, Numbers) and isinstance(value.raw, list) and len(value.raw) == 1:
        return value.raw[0]
    raise ValueError("no single object in it")


def _stacked(rows: list[StandIn] | tuple[StandIn, ...]) -> Array:
    """One array of a list of them, as programs keep that append one a frame."""
    first = rows[0].numbers()
    # The same array may stand in a list any number of times for a few bytes each.
    if first.nbytes * len(rows) > MAX_BYTES:
        raise ValueError(f"{len(rows)} arrays of {first.nbytes} bytes, more than is read")
    made = np.empty((len(rows), *first.shape), first.dtype)
    for place, row in enumerate(rows):
        array = row.numbers()
        if array.shape != first.shape:
            raise ValueError(f"a list of arrays of shapes {first.shape} and {array.shape}")
        made[place] = array
    return made


def _array(value: Any) -> Array:
    if isinstance(value, StandIn):
        return value.numbers()
    if isinstance(value, list | tuple) and value and all(isinstance(row, StandIn) for row in value):
        return _stacked(value)
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{type(value).__name__} in the place of numbers")
    return array


def _from_bytes(numbers: Numbers) -> Array:
    if not isinstance(numbers.kind, Kind):
        raise ValueError("an array without a kind")
    dtype, shape, raw = numbers.kind.resolve(), sizes(numbers.shape), numbers.raw
    if isinstance(raw, str):  # bytes of Python 2
        raw = raw.encode("latin1")
    if not isinstance(raw, bytes | bytearray) or len(raw) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"an array that claims shape {shape}, but its content has another length")
    flat = np.frombuffer(raw, dtype)
    return flat.reshape(shape, order="F" if numbers.column_major else "C")


def _dense(state: dict[str, Any]) -> Array:
    shape = sizes(state.get("_shape", state.get("shape")))
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


def _attributes(state: object) -> dict[str, Any]:
    if isinstance(state, tuple) and len(state) == 2:  # of a class with slots: attributes, slots
        return {**_attributes(state[0]), **_attributes(state[1])}
    return dict(state) if isinstance(state, Mapping) else {}


def sizes(value: object) -> tuple[int, ...]:
    """A shape, if it is one."""
    if not isinstance(value, tuple | list) or not all(isinstance(size, int) and size >= 0 for size in value):
        raise ValueError(f"a shape that is not one ({value!r:.40})")
    return tuple(value)
