"""Reads the numbers out of a pickle without running any of it.

A pickle is a program: it names functions of any module and calls them. Here each name it may use
stands for an inert class (`tdmm.face.inert_objects`); every other name is refused before it is looked up.
None of the packages that the names belong to needs to be installed, but numpy.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
import struct
import sys
from collections import OrderedDict
from typing import Any

import numpy as np

from tdmm.errors import ArtifactProblem
from tdmm.face.inert_objects import (
    Array,
    Chumpy,
    Encode,
    FromBuffer,
    Kind,
    NoBytes,
    Numbers,
    Rebuild,
    Reconstruct,
    Scalar,
    Sparse,
    StandIn,
    sizes,
)


class _Storage(StandIn):
    """`torch.storage._load_from_bytes`: the numbers of a tensor, as torch wrote them for a pickle."""

    def __init__(self, raw: object = b"") -> None:
        self.values = _read_storage(raw)


class _Tensor(StandIn):
    """`torch._utils._rebuild_tensor_v2`: a dense tensor on a storage."""

    def __init__(self, storage: object = None, offset: object = 0, size: object = (), *_rest: object) -> None:
        if not isinstance(storage, _Storage) or not isinstance(offset, int) or offset < 0:
            raise ValueError("a tensor without its numbers")
        self.shape = sizes(size)
        count = math.prod(self.shape)
        if _rest and _rest[0] != _row_major(self.shape):
            raise ValueError("a tensor that is not stored row by row")
        self.values = storage.values[offset : offset + count].reshape(self.shape)

    def numbers(self) -> Array:
        """Its values."""
        return self.values


_STORAGE_KINDS = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8", "IntStorage": "<i4",
    "ShortStorage": "<i2", "CharStorage": "|i1", "ByteStorage": "|u1", "BoolStorage": "|b1",
}  # fmt: skip


class _StorageKind(StandIn):
    """A class such as `torch.LongStorage`; each has a subclass below."""

    dtype = ""


_STORAGE_CLASSES = {name: type(name, (_StorageKind,), {"dtype": dtype}) for name, dtype in _STORAGE_KINDS.items()}

_ALLOWED: dict[tuple[str, str], type] = {
    **{
        (f"numpy.{package}.{module}", name): standin
        for package in ("core", "_core")
        for module, name, standin in (
            ("multiarray", "_reconstruct", Reconstruct),
            ("multiarray", "scalar", Scalar),
            ("numeric", "_frombuffer", FromBuffer),
        )
    },
    ("numpy", "ndarray"): Numbers,
    ("numpy", "dtype"): Kind,
    **{("scipy.sparse." + module + form, f"{form}_{kind}"): Sparse
       for module in ("", "_") for form in ("csc", "csr", "coo") for kind in ("matrix", "array")},
    ("copyreg", "_reconstructor"): Rebuild,
    ("builtins", "object"): StandIn,
    ("builtins", "bytes"): NoBytes,
    ("builtins", "set"): set,
    ("builtins", "list"): list,
    ("builtins", "dict"): dict,
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): Encode,
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
            return Chumpy
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
    _check_words(stream)
    return _Inert(stream, where).load()


def _check_words(stream: io.BytesIO) -> None:
    """Refuse a pickle that would take memory for more than it holds: the unpickler believes it, this does not."""
    start, size = stream.tell(), len(stream.getbuffer())
    for word, argument, _ in pickletools.genops(stream):
        if word.name in ("PUT", "BINPUT", "LONG_BINPUT") and not 0 <= int(argument or 0) <= size:
            raise pickle.UnpicklingError(f"it remembers {argument} objects, more than it has bytes")
    stream.seek(start)


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


def _row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
