"""One build at a time in a corpus folder."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tdmm.errors import FileProblem

_NAME = "build.lock"


@contextmanager
def build_lock(folder: Path) -> Iterator[None]:
    """Keep other builds out of `folder`, made if it is missing. The lock of a build that died keeps nobody out.

    Raises:
        FileProblem: another build is at work there, the message says which; or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _NAME).open("a+")
    except OSError as error:
        raise FileProblem(f"{folder}: cannot be written ({error.strerror or error}). Name another folder.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise FileProblem(
                f"{folder}: another build is at work here ({lock.read().strip() or 'it has only just begun'}). "
                f"Wait for it, or look at it: tdmm corpus status {folder}"
            ) from error
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {socket.gethostname()}")
        lock.flush()
        yield
