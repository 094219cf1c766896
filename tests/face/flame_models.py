"""Models in FLAME's format with random content, and files of them as the published ones are written."""

from __future__ import annotations

import io
import pickle
import struct
import sys
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]


def synthetic(vertices: int = 30, faces: int = 20, seed: int = 0) -> Arrays:
    """The arrays of a FLAME file; only their numbers are made up."""
    rng = np.random.default_rng(seed)
    regressor = rng.random((5, vertices)) ** 8  # a few vertices carry each joint
    weights = rng.random((vertices, 5)) ** 3
    return {
        "v_template": rng.normal(0, 0.1, (vertices, 3)),
        "shapedirs": rng.normal(0, 1e-3, (vertices, 3, 400)),
        "posedirs": rng.normal(0, 1e-3, (vertices, 3, 36)),
        "J_regressor": regressor / regressor.sum(1, keepdims=True),
        "weights": weights / weights.sum(1, keepdims=True),
        "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.uint32),
        "f": rng.integers(0, vertices, (faces, 3)).astype(np.uint32),
    }


class Ch:
    """Stands for `chumpy.ch.Ch`: what is pickled of one is its `x` and some bookkeeping."""

    def __init__(self, x: npt.NDArray[Any]) -> None:
        self.x = x
        self._dirty_vars: set[str] = set()
        self._itr = None


class csc_matrix:
    """Stands for `scipy.sparse.csc.csc_matrix`."""

    def __init__(self, dense: npt.NDArray[Any]) -> None:
        self._shape = dense.shape
        self.maxprint = 50
        self.format = "csc"
        columns, rows = np.nonzero(dense.T)
        self.indices = rows.astype(np.int32)
        self.indptr = np.searchsorted(columns, np.arange(dense.shape[1] + 1)).astype(np.int32)
        self.data = dense[rows, columns]


def pickled(content: object, protocol: int = 2, scipy_module: str = "scipy.sparse.csc") -> bytes:
    """A pickle in which `Ch` and `csc_matrix` have the module names of the real classes, which need not be here."""
    Ch.__module__, csc_matrix.__module__ = "chumpy.ch", scipy_module
    modules = {name: types.ModuleType(name) for name in ("chumpy", "chumpy.ch", "scipy", "scipy.sparse", scipy_module)}
    modules["chumpy.ch"].Ch = Ch  # type: ignore[attr-defined]
    modules[scipy_module].csc_matrix = csc_matrix  # type: ignore[attr-defined]
    with mock.patch.dict(sys.modules, modules):
        return pickle.dumps(content, protocol=protocol)


class _Python2Pickler(pickle._Pickler):  # type: ignore[name-defined, misc]
    """Writes text and bytes alike as Python 2's `str`, as the published files have them."""

    dispatch: ClassVar[dict[Any, Any]] = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def save_string(self, value: bytes | str) -> None:
        raw = value.encode("latin1") if isinstance(value, str) else value
        self.write(b"T" + struct.pack("<i", len(raw)) + raw)
        self.memoize(value)

    dispatch[bytes] = save_string
    dispatch[str] = save_string


def pickled_by_python_2(content: object) -> bytes:
    """As `pickled`, in the very words of Python 2 and of the numpy of its time."""
    stream = io.BytesIO()
    with mock.patch.object(pickle, "dumps", lambda value, protocol: _Python2Pickler(stream, protocol).dump(value)):
        pickled(content)
    return stream.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def as_published(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, Any]:
    """The values as the published files hold them: a sparse regressor, chumpy arrays, other entries beside."""
    return {
        **arrays,
        "J_regressor": csc_matrix(arrays["J_regressor"]),
        "v_template": Ch(arrays["v_template"]),
        "shapedirs": Ch(arrays["shapedirs"]),
        "posedirs": np.asfortranarray(arrays["posedirs"]),
        "bs_style": "lbs",
        "bs_type": "lrotmin",
        "J": np.zeros((5, 3)),
    }


def write(path: Path, arrays: Mapping[str, npt.NDArray[Any]], by: Callable[[object], bytes] = pickled) -> Path:
    """A `.pkl` as published, or a plain `.npz`."""
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    else:
        path.write_bytes(by(as_published(arrays)))
    return path
