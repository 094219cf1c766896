"""`manifest.json`, written last, says what a corpus is and how it came to be.

A corpus is finished when its manifest is there; it names every shard with its SHA-256. What is acted also has a
`plan.json`, written first, which says what it is to be.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from tdmm.errors import FileProblem, InvalidInput
from tdmm.files import written_aside

PLAN, MANIFEST, FEATURES_FILE = "plan.json", "manifest.json", "features.json"
SHARD_CLIPS = 500
SCHEMA_VERSION = 2
"""Of the shards that are written; older ones are read as well."""


@dataclass(frozen=True)
class Plan:
    """What decides every byte of a corpus that is acted.

    Attributes:
        schema_version: of the shards.
        seed: of the corpus.
        clips: how many.
        shard_clips: how many in a shard.
        fingerprint: SHA-256 of a few clips: another lexicon, actor or narrator gives another.
        single_share: share of the clips in which one thing alone happens.
    """

    schema_version: int
    seed: int
    clips: int
    shard_clips: int
    fingerprint: str
    single_share: float = 0.0

    @property
    def shards(self) -> int:
        """How many shards it has."""
        return -(-self.clips // self.shard_clips)

    def shard_name(self, number: int) -> str:
        """File name of a shard."""
        return f"shard-{number:05d}.parquet"

    def indices(self, number: int) -> range:
        """Clips of a shard."""
        return range(number * self.shard_clips, min((number + 1) * self.shard_clips, self.clips))

    @property
    def digest(self) -> str:
        """One name for all of it."""
        content = asdict(self)
        if not self.single_share:
            del content["single_share"]  # as in corpora from before there was such a thing
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def command(self) -> str:
        """The command that acts it, without its folder."""
        single = f" --single-share {self.single_share:g}" if self.single_share else ""
        return f"tdmm corpus act --clips {self.clips} --seed {self.seed}{single}"

    @property
    def origin(self) -> dict[str, Any]:
        """For the manifest."""
        return {"kind": "acted", "command": self.command, **asdict(self)}


@dataclass(frozen=True)
class Shard:
    """A finished file.

    Attributes:
        name: file name.
        sha256: of the file.
        bytes: its size.
        clips: split to clips in it.
        frames: split to frames in it.
    """

    name: str
    sha256: str
    bytes: int
    clips: dict[str, int]
    frames: dict[str, int]


@dataclass(frozen=True)
class Manifest:
    """A finished corpus.

    Attributes:
        origin: how it came to be, JSON-serialisable: `kind` ("acted", "built", "merged", ...) and whatever else tells
            of it. `command`, where there is one, is what makes it again, without its folder; messages name it.
        shards: its files, in order.
        balance: counts of what is in it (`tdmm.corpus.balance`).
        schema_version: of the shards.
    """

    origin: Mapping[str, Any]
    shards: tuple[Shard, ...]
    balance: dict[str, Any]
    schema_version: int = SCHEMA_VERSION

    @property
    def digest(self) -> str:
        """One name for the content: changes when any shard does."""
        return hashlib.sha256("".join(shard.sha256 for shard in self.shards).encode()).hexdigest()

    def clips(self, split: str | None = None) -> int:
        """Clips of a split, or of all."""
        return sum(_count(shard.clips, split) for shard in self.shards)

    def frames(self, split: str | None = None) -> int:
        """Frames of a split, or of all."""
        return sum(_count(shard.frames, split) for shard in self.shards)

    @property
    def about(self) -> dict[str, Any]:
        """What names it in the provenance of a model: kind or seed, how many clips, digest."""
        named = "seed" if "seed" in self.origin else "kind"
        return {named: self.origin.get(named), "clips": self.clips(), "digest": self.digest}

    def again(self, folder: Path) -> str:
        """What to do when a part of it is damaged."""
        command = self.origin.get("command")
        return f"Make it again: {command} --out {folder}" if command else "Fetch it again from where it came from."


def _count(counts: Mapping[str, int], split: str | None) -> int:
    return sum(counts.values()) if split is None else counts.get(split, 0)


def sha256(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def settle(folder: Path, plan: Plan) -> None:
    """Make `folder` the place of that plan, or check that it already is.

    Raises:
        InvalidInput: it holds another corpus; the message says in what the two differ.
        FileProblem: it holds something else, or cannot be written.
    """
    make_folder(folder)
    path = folder / PLAN
    if not path.is_file():
        if any(not each.name.startswith(".") for each in folder.iterdir()):
            raise FileProblem(f"{folder}: is not empty and holds no acted corpus. Name a new or an empty folder.")
        with written_aside(path) as aside:
            aside.write_text(json.dumps(asdict(plan), indent=1) + "\n")
        return
    found = _plan(_read(path), path)
    differences = [
        f"{field.name} {getattr(found, field.name)} there, {getattr(plan, field.name)} asked"
        for field in fields(Plan)
        if field.name != "fingerprint" and getattr(found, field.name) != getattr(plan, field.name)
    ]
    if not differences and found.fingerprint != plan.fingerprint:
        differences = ["it was made by another version of the lexicon, the actor or the narrator"]
    if differences:
        raise InvalidInput(
            f"{folder}: holds another corpus ({'; '.join(differences)}). "
            "Name another folder, or ask for what it holds to complete it."
        )


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises:
        FileProblem: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileProblem(f"{folder}: cannot be made ({error.strerror or error}).") from error


def save(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json`: from then on the corpus is finished."""
    content = {"digest": manifest.digest, "clips": manifest.clips(), "hours": _hours(manifest), **asdict(manifest)}
    with written_aside(folder / MANIFEST) as aside:
        aside.write_text(json.dumps(content, indent=1) + "\n")


def _hours(manifest: Manifest) -> float:
    return round(float(manifest.balance["seconds"]["total"]) / 3600.0, 3)


def load(folder: Path) -> Manifest:
    """Read `manifest.json`.

    Raises:
        FileProblem: no corpus is there, it is unfinished, or of a newer tdmm; the message says what to do.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise FileProblem(f"{folder}: {_why_none(folder)}")
    content = _read(path)
    try:
        old = "plan" in content  # schema 1 knew acted corpora alone
        version = int(content["plan"]["schema_version"] if old else content["schema_version"])
        if version > SCHEMA_VERSION:
            raise FileProblem(
                f"{path}: this corpus has schema {version}; this tdmm reads up to {SCHEMA_VERSION}. "
                "Update it: pip install --upgrade tdmm"
            )
        origin = _plan(content["plan"], path).origin if old else dict(content["origin"])
        shards = tuple(Shard(**each) for each in content["shards"])
        return Manifest(origin, shards, content["balance"], version)
    except (KeyError, TypeError, ValueError) as error:
        raise FileProblem(f"{path}: is not a manifest ({error}). Make the corpus again.") from error


def _why_none(folder: Path) -> str:
    """Why a folder without a manifest is no corpus, and what to do."""
    if (folder / PLAN).is_file():
        command = _plan(_read(folder / PLAN), folder / PLAN).command
        return f"this corpus is unfinished. Complete it: {command} --out {folder}"
    if any(folder.glob("*.parquet")):
        return "this corpus is unfinished. Complete it with the command that began it."
    return f"no corpus here. Make one: tdmm corpus act --clips 20000 --out {folder}"


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise FileProblem(f"{path}: cannot be read ({error}). Make the corpus again.") from error
    if not isinstance(content, dict):
        raise FileProblem(f"{path}: is not what it should be. Make the corpus again.")
    return content


def _plan(content: dict[str, Any], path: Path) -> Plan:
    try:
        return Plan(**content)
    except TypeError as error:
        raise FileProblem(f"{path}: is of another version of tdmm ({error}). Make the corpus again.") from error
