"""`Store`: what stages made, each under its content key, whole or not at all.

`store/STAGE/KK/KEY/` holds the files of one clip at one stage and `result.json`. The folder is filled aside and
renamed, so that whoever finds it finds all of it; of two workers that made the same, the first wins. With a URL
the same tree lies in object storage too, `result.json` written last, and the folder is a cache of it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any
from uuid import uuid4

from tdmm.corpus.pipeline.stage import Done, Rejected
from tdmm.errors import FileProblem, InvalidInput, MissingDependency

RESULT = "result.json"
_STORE, _SCRATCH = "store", "scratch"


@dataclass(frozen=True)
class Kept:
    """What a clip came to at a stage.

    Attributes:
        state: "done" or "rejected".
        facts: what the stage told.
        files: by name, relative to the corpus folder.
        rule, reason: of a rejection.
        seconds: of work on it.
    """

    state: str
    facts: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)
    rule: str | None = None
    reason: str | None = None
    seconds: float = 0.0


def canonical(content: Any) -> str:
    """JSON in one spelling only.

    Raises:
        TypeError, ValueError: it holds what JSON cannot, NaN included.
    """
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def content_key(content: Any) -> str:
    """SHA-256 of JSON content, in hexadecimal."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()


class Store:
    """The outputs of a corpus folder. Picklable: every worker has its own, all of the same folder.

    Args:
        folder: of the corpus.
        url: where outputs are copied to as well, as fsspec writes it: s3://bucket/corpus, file:///mnt/corpus.
    """

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder.absolute()
        self.url = url

    def find(self, stage: str, key: str) -> Kept | None:
        """What was made under that key, wherever it lies; None when nothing whole is there.

        Raises:
            FileProblem: the object storage cannot be reached.
        """
        place = _place(stage, key)
        kept = self._read(place)
        if self.url is None:
            return kept
        with self._remote() as (files, root):
            there = files.exists(f"{root}/{place}/{RESULT}")
            if kept is None and there:
                self._fetch(files, root, place)
            elif kept is not None and not there:
                self._upload(files, root, place)
        return kept or self._read(place)

    def keep(self, stage: str, key: str, answer: Done | Rejected, seconds: float, folder: Path) -> Kept:
        """Take a clip's files out of `folder` and put them where they are found.

        Raises:
            ValueError: what was returned is no file under `folder`; it may be somebody else's.
            OSError: as the file system says it; nothing half-written is left.
            FileProblem: the object storage cannot be reached.
        """
        place = _place(stage, key)
        rejected = answer if isinstance(answer, Rejected) else None
        with self._aside() as aside:
            files: dict[str, dict[str, Any]] = {}
            for name, path in (answer.files if isinstance(answer, Done) else {}).items():
                if not path.is_file() or not path.absolute().is_relative_to(folder.absolute()):
                    raise ValueError(f"stage '{stage}' returned {path}, which is no file under the folder it was given")
                target = aside / f"{name}{path.suffix}"
                path.rename(target)
                _flush(target)
                files[name] = {"path": target.name, "bytes": target.stat().st_size}
            content = {
                "state": "rejected" if rejected else "done",
                "facts": answer.facts,
                "files": files,
                "rule": rejected.rule if rejected else None,
                "reason": rejected.reason if rejected else None,
                "seconds": seconds,
            }
            (aside / RESULT).write_text(canonical(content))
            _flush(aside / RESULT)
            self._settle(aside, place)
        if self.url is not None:
            with self._remote() as (remote, root):
                self._upload(remote, root, place)
        kept = self._read(place)
        if kept is None:
            raise FileProblem(f"{self.folder / place}: was written and is gone. Is somebody clearing {self.folder}?")
        return kept

    def outputs(self) -> Iterator[tuple[str, str, int]]:
        """Stage, key and bytes of all that lies in the folder."""
        for result in sorted((self.folder / _STORE).glob(f"*/*/*/{RESULT}")):
            place = result.parent
            yield place.parts[-3], place.name, sum(each.stat().st_size for each in place.iterdir())

    def remove(self, stage: str, key: str) -> None:
        """Take away what was made under that key, here and in object storage. Only while nobody works.

        Raises:
            FileProblem: the object storage cannot be reached.
        """
        place = _place(stage, key)
        if self.url is not None:
            with self._remote() as (files, root):
                if files.exists(f"{root}/{place}"):
                    files.rm(f"{root}/{place}", recursive=True)
        with self._aside() as aside:  # at once, so that nobody finds half of it
            (self.folder / place).rename(aside / key)

    def local(self, path: str) -> Path:
        """A file that a ledger names, fetched when it is not here.

        Raises:
            FileProblem: it is nowhere; the message says what to do.
        """
        here = self.folder / path
        if not here.exists() and self.url is not None and not Path(path).is_absolute():
            with self._remote() as (files, root):
                self._fetch(files, root, PurePosixPath(path).parent)
        if not here.exists():
            raise FileProblem(
                f"{here}: is gone. Put it back; or delete ledger.sqlite in {self.folder} and build again: "
                "what is still there is found, what is missing is made."
            )
        return here

    @contextmanager
    def scratch(self, stage: str, keys: Sequence[str]) -> Iterator[Path]:
        """A folder to work in, held by one process at a time and removed on success.

        When the work on a single clip dies, its folder stays and is given to the next attempt: the id of a job that
        was paid for can wait there. Batches begin with an empty folder.
        """
        home = self.folder / _SCRATCH / stage / content_key(list(keys))
        with _hold(home):
            folder = home / "files"
            if len(keys) > 1:
                shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(exist_ok=True)
            yield folder
            shutil.rmtree(home, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what attempts that died left behind. Only while nobody works."""
        shutil.rmtree(self.folder / _SCRATCH, ignore_errors=True)

    def check(self) -> None:
        """Make sure that the object storage can be reached, if there is one.

        Raises:
            InvalidInput: its URL makes no sense.
            MissingDependency: its package is not installed.
            FileProblem: it cannot be reached.
        """
        if self.url is not None:
            with self._remote() as (files, root):
                files.makedirs(root, exist_ok=True)

    def _read(self, place: PurePosixPath) -> Kept | None:
        content = _whole(self.folder / place)
        if content is None:
            return None
        return Kept(
            **{**content, "files": {name: f"{place}/{file['path']}" for name, file in content["files"].items()}}
        )

    @contextmanager
    def _aside(self) -> Iterator[Path]:
        scratch = self.folder / _SCRATCH
        scratch.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix="aside-", dir=scratch))
        try:
            aside.chmod(0o755)
            yield aside
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _settle(self, aside: Path, place: PurePosixPath) -> None:
        """Rename `aside` to `place`; what is whole there already wins, what is torn gives way."""
        target = self.folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and _whole(target) is None:
            with self._aside() as torn:
                target.rename(torn / target.name)
        try:
            aside.rename(target)
            _flush(target.parent)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise

    @contextmanager
    def _remote(self) -> Iterator[tuple[Any, str]]:
        """The file system of the URL and the path in it; what goes wrong within is trouble of the storage."""
        import fsspec

        try:
            files, root = fsspec.core.url_to_fs(self.url)
        except ImportError as error:
            raise MissingDependency(f"{self.url}: {error}") from error
        except ValueError as error:
            raise InvalidInput(f"{self.url}: is no place to store to ({error}). Write s3://BUCKET/FOLDER.") from error
        try:
            yield files, root.rstrip("/")
        except Exception as error:  # every storage has exceptions of its own
            raise FileProblem(
                f"{self.url}: the storage does not answer as it should ({type(error).__name__}: {error}). "
                "What was made is kept; run the same command again when it is back."
            ) from error

    def _upload(self, files: Any, root: str, place: PurePosixPath) -> None:
        """Copy a folder, each file aside and then renamed; `result.json` comes last and says that all is there."""
        here = self.folder / place
        for path in sorted(here.iterdir(), key=lambda path: (path.name == RESULT, path.name)):
            aside, target = f"{root}/{_SCRATCH}/{uuid4().hex}", f"{root}/{place}/{path.name}"
            for each in (aside, target):
                files.makedirs(each.rpartition("/")[0], exist_ok=True)
            files.put_file(str(path), aside)
            files.mv(aside, target)
            arrived, sent = files.info(target)["size"], path.stat().st_size
            if arrived != sent:
                raise OSError(f"{target} arrived with {arrived} of {sent} bytes")

    def _fetch(self, files: Any, root: str, place: PurePosixPath) -> None:
        with self._aside() as aside:
            for path in files.find(f"{root}/{place}"):
                files.get_file(path, str(aside / PurePosixPath(path).name))
            if _whole(aside) is not None:
                self._settle(aside, place)


def _place(stage: str, key: str) -> PurePosixPath:
    return PurePosixPath(_STORE, stage, key[:2], key)


def _whole(place: Path) -> dict[str, Any] | None:
    """What `result.json` says, if all that it names is there with the right sizes."""
    try:
        content: dict[str, Any] = json.loads((place / RESULT).read_text())
        if all((place / file["path"]).stat().st_size == file["bytes"] for file in content["files"].values()):
            return content
    except (OSError, ValueError):
        pass
    return None


@contextmanager
def _hold(home: Path) -> Iterator[None]:
    """Keep other processes out of a folder; made if it is missing. The dead keep nobody out."""
    lock = None
    while lock is None:
        lock = _locked(home)
    with lock:
        yield


def _locked(home: Path) -> IO[str] | None:
    """An open lock; None when its last holder removed the folder meanwhile."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / "lock"
    try:
        lock = path.open("w")
    except FileNotFoundError:
        return None
    fcntl.flock(lock, fcntl.LOCK_EX)
    if path.exists() and os.path.samestat(os.fstat(lock.fileno()), path.stat()):
        return lock
    lock.close()
    return None


def _flush(path: Path) -> None:
    """To the disk, so that a machine that dies leaves nothing torn behind a name."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
