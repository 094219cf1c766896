"""Arrays end to end, without copying them: what lies on disk stays there."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt


class Laid(Protocol):
    """An array (F, ...), or something that stands for one, of which spans of rows are read."""

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, span: slice, /) -> npt.NDArray[Any]: ...


class Joined:
    """Arrays (F, ...) one after another, read as one.

    Args:
        parts: at least one; alike in all but their length.
    """

    def __init__(self, parts: Sequence[Laid]) -> None:
        self._parts = parts
        self._starts = np.cumsum([0, *map(len, parts)]).tolist()

    @property
    def shape(self) -> tuple[int, ...]:
        """As of the one array."""
        return (len(self), *self._parts[0].shape[1:])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, span: slice, /) -> npt.NDArray[Any]:
        first, last, _ = span.indices(len(self))
        found: list[npt.NDArray[Any]] = []
        part = min(bisect_right(self._starts, first), len(self._parts)) - 1
        while part < len(self._parts) and (self._starts[part] < last or not found):
            start = self._starts[part]
            found.append(self._parts[part][max(first - start, 0) : max(last - start, 0)])
            part += 1
        return found[0] if len(found) == 1 else np.concatenate(found)
