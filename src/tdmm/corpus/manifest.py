"""`plan.json` says what a corpus is to be; `manifest.json`, written last, what it is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from tdmm.errors import FileProblem, InvalidInput
from tdmm.files import written_aside

PLAN, MANIFEST = "plan.json", "manifest.json"
SHARD_CLIPS = 500


@dataclass(frozen=True)
class Plan:
    """What decides every byte of a corpus.

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
        plan: what it was to be.
        shards: its files, in order.
        balance: counts of what is in it (`tdmm.corpus.balance`).
    """

    plan: Plan
    shards: tuple[Shard, ...]
    balance: dict[str, Any]

    @property
    def digest(self) -> str:
        """One name for the content: changes when any shard does."""
        return hashlib.sha256("".join(shard.sha256 for shard in self.shards).encode()).hexdigest()

    def clips(self, split: str) -> int:
        """Clips of a split."""
        return sum(shard.clips[split] for shard in self.shards)

    def frames(self, split: str) -> int:
        """Frames of a split."""
        return sum(shard.frames[split] for shard in self.shards)


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
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileProblem(f"{folder}: cannot be made ({error.strerror or error}).") from error
    path = folder / PLAN
    if not path.is_file():
        if any(not each.name.startswith(".") for each in folder.iterdir()):
            raise FileProblem(f"{folder}: is not empty and holds no corpus. Name a new or an empty folder.")
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


def save(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json`."""
    content = {"digest": manifest.digest, **asdict(manifest)}
    with written_aside(folder / MANIFEST) as aside:
        aside.write_text(json.dumps(content, indent=1) + "\n")


def load(folder: Path) -> Manifest:
    """Read `manifest.json`.

    Raises:
        FileProblem: no corpus is there, or it is unfinished; the message says how to complete it.
    """
    path = folder / MANIFEST
    if not path.is_file():
        if (folder / PLAN).is_file():
            plan = _plan(_read(folder / PLAN), folder / PLAN)
            single = f" --single-share {plan.single_share:g}" if plan.single_share else ""
            raise FileProblem(
                f"{folder}: this corpus is unfinished. Complete it: "
                f"tdmm corpus act --clips {plan.clips} --seed {plan.seed}{single} --out {folder}"
            )
        raise FileProblem(f"{folder}: no corpus here. Make one: tdmm corpus act --clips 20000 --out {folder}")
    content = _read(path)
    try:
        shards = tuple(Shard(**each) for each in content["shards"])
        return Manifest(_plan(content["plan"], path), shards, content["balance"])
    except (KeyError, TypeError) as error:
        raise FileProblem(f"{path}: is not a manifest ({error}). Make the corpus again.") from error


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
