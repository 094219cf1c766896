"""What a command leaves when it runs in the tests' own process."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Done(NamedTuple):
    """Exit code, standard output, and standard error on one line."""

    code: int
    out: str
    err: str


Tdmm = Callable[..., Done]
