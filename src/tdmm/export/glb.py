"""A binary glTF 2.0 file, put together: buffer views, accessors (sparse ones too), the container.

Only what a moving head needs; `tdmm.export.gltf` decides what goes in. Specification:
https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963

_COMPONENT = {
    np.dtype(np.uint8): 5121,
    np.dtype(np.uint16): 5123,
    np.dtype(np.uint32): 5125,
    np.dtype(np.float32): 5126,
}
_MAGIC, _JSON, _BINARY = 0x46546C67, 0x4E4F534A, 0x004E4942


class Glb:
    """Collects arrays into one buffer and hands out accessor numbers."""

    def __init__(self) -> None:
        self.accessors: list[dict[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self._binary = bytearray()
        self._zeros: dict[tuple[int, str], int] = {}

    def add(self, array: Array, kind: str, *, target: int | None = None, bounds: bool = False) -> int:
        """Add an accessor for `array` (N, ...) and return its number.

        Args:
            array: uint8, uint16, uint32 or float32; uint8 with four columns is stored as normalised
                colours when `kind` is ``COLOR``.
            kind: ``SCALAR``, ``VEC3``, ``VEC4``, ``MAT4``, or ``COLOR`` (a normalised ``VEC4``).
            target: `ARRAY_BUFFER`, `ELEMENT_ARRAY_BUFFER` or None for what no vertex stage reads.
            bounds: also write the least and largest value of each column.
        """
        accessor: dict[str, Any] = {
            "bufferView": self._view(array, target),
            "componentType": _COMPONENT[array.dtype],
            "count": len(array),
            "type": "VEC4" if kind == "COLOR" else kind,
        }
        if kind == "COLOR":
            accessor["normalized"] = True
        if bounds:
            accessor |= _bounds(array)
        return self._append(accessor)

    def add_sparse(self, array: Array, kind: str, *, bounds: bool = False) -> int:
        """Add an accessor for a float32 `array` (N, C) that is zero nearly everywhere.

        Only the rows that are not zero are stored; an array of zeros alone costs nothing and is shared.
        """
        rows = np.flatnonzero(array.any(axis=1))
        if len(rows) == 0:
            if (len(array), kind) not in self._zeros:
                zero = {"componentType": 5126, "count": len(array), "type": kind, **_bounds(array)}
                self._zeros[len(array), kind] = self._append(zero)
            return self._zeros[len(array), kind]
        index = rows.astype(np.uint16 if len(array) <= 2**16 else np.uint32)
        accessor: dict[str, Any] = {
            "componentType": _COMPONENT[array.dtype],
            "count": len(array),
            "type": kind,
            "sparse": {
                "count": len(rows),
                "indices": {"bufferView": self._view(index, None), "componentType": _COMPONENT[index.dtype]},
                "values": {"bufferView": self._view(array[rows], None)},
            },
        }
        if bounds:
            accessor |= _bounds(array)
        return self._append(accessor)

    def to_bytes(self, document: dict[str, Any]) -> bytes:
        """The whole file: `document` with this buffer, its views and accessors added."""
        document = {
            **document,
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{"byteLength": len(self._binary)}],
        }
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
        text += b" " * (-len(text) % 4)
        binary = bytes(self._binary) + b"\0" * (-len(self._binary) % 4)
        length = 12 + 8 + len(text) + 8 + len(binary)
        return b"".join(
            [
                struct.pack("<III", _MAGIC, 2, length),
                struct.pack("<II", len(text), _JSON), text,
                struct.pack("<II", len(binary), _BINARY), binary,
            ]
        )  # fmt: skip

    def _view(self, array: Array, target: int | None) -> int:
        # Every view starts on four bytes, which suits each component type used here.
        self._binary += b"\0" * (-len(self._binary) % 4)
        content = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()
        view = {"buffer": 0, "byteOffset": len(self._binary), "byteLength": len(content)}
        if target is not None:
            view["target"] = target
        self._binary += content
        self.views.append(view)
        return len(self.views) - 1

    def _append(self, accessor: dict[str, Any]) -> int:
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def _bounds(array: Array) -> dict[str, list[float]]:
    columns = array.reshape(len(array), -1)
    # Through Python floats, which print the very float32.
    return {"min": columns.min(axis=0).tolist(), "max": columns.max(axis=0).tolist()}
