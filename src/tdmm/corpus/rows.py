"""One row a clip: the schema of a shard, and how a clip becomes a row and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tdmm.acting.script import Script
from tdmm.corpus.splits import Split, family_of, split_of
from tdmm.motion.clip import FPS, FaceMotion, Floats
from tdmm.motion.events import ActionEvent, BlinkEvent, GazeEvent, HeadEvent, MotionEvents
from tdmm.motion.features import FEATURES, from_features, to_features

Detail = Literal["short", "medium", "long"]
DETAILS: tuple[Detail, ...] = get_args(Detail)

ACTED = "acted"
"""Source of clips that the actor performed, and of every clip of schema 1."""


class Column(NamedTuple):
    """A column of a shard; `meaning` is written beside the shards and into the card, `since` is its first schema."""

    name: str
    type: pa.DataType
    meaning: str
    nullable: bool = True
    since: int = 1


COLUMNS: tuple[Column, ...] = (
    Column("clip_id", pa.string(), "unique within the corpus", nullable=False),
    Column("split", pa.string(), "train, validation, test or unused", nullable=False),
    Column(
        "source", pa.string(), "what made it: acted, rendered, recorded, or a generator's name with its model",
        nullable=False, since=2,
    ),
    Column("person", pa.string(), "who is seen; null where nobody is known by more than one clip", since=2),
    Column("family", pa.string(), "what is asked; clips that ask for the same share a family and a split", since=2),
    Column("seed", pa.int64(), "of the take or of the generator"),
    Column("seconds", pa.float32(), "duration", nullable=False),
    Column("fps", pa.float32(), "frames a second of `motion`", nullable=False),
    Column("native_fps", pa.float32(), "frames a second of the video that the motion was tracked in", since=2),
    Column("frames", pa.int32(), "frames of `motion`", nullable=False),
    Column("motion", pa.list_(pa.list_(pa.float32(), len(FEATURES))), "frames of the features in features.json"),
    Column("confidence", pa.list_(pa.float32()), "of the tracker, a number a frame: 0 is lost, 1 is certain", since=2),
    Column("script", pa.string(), "JSON: what was asked, on a timeline; null for clips that nobody directed"),
    Column("events", pa.string(), "JSON: what happens in it, as acted or as read from the motion"),
    Column("texts", pa.list_(pa.struct([("detail", pa.string()), ("text", pa.string())])), "what it is called"),
    Column("subject", pa.string(), "who, in words"),
    Column("energy", pa.string(), "low, normal or high"),
    Column("descriptors", pa.list_(pa.string()), "names of the lexicon, or labels of a recording, in order"),
    Column("head", pa.list_(pa.string()), "kinds of head motion that are asked for, in order"),
    Column("video_sha256", pa.string(), "of the video that it was tracked in", since=2),
    Column("quality", pa.string(), "JSON: what the rules of quality measured", since=2),
    Column("provenance", pa.string(), "JSON: how it was made", since=2),
)  # fmt: skip

SCHEMA = pa.schema([pa.field(each.name, each.type, each.nullable) for each in COLUMNS])
"""Columns of a shard, schema 2. Schema 1 had fewer of them."""


@dataclass(frozen=True)
class Text:
    """One way to say a clip."""

    detail: Detail
    text: str


@dataclass(frozen=True)
class Row:
    """A clip ready to be written. Its split follows from `family` and `person`.

    Attributes:
        clip_id: unique in the corpus.
        motion: at 25 fps on the `arkit` rig; its confidence is kept, its identity and text are not.
        source: what made it: "acted", "rendered", "recorded", or a generator and its model ("diffusion:Wan2.1").
        texts: what it is called, any number of each detail.
        script: what was asked; None for clips that nobody directed.
        events: what happens in it; None where nobody knows.
        family: what is asked of it; None takes the script's (`family_of`), if there is one.
        person: who is seen, where more clips of them may come.
        subject, descriptors, head: in words; None takes the script's.
        seed: of the take or the generator.
        native_fps: of the video.
        video_sha256: of the video.
        quality, provenance: JSON-serialisable.

    Raises:
        InvalidMotion: from `features`: another rig or frame rate.
    """

    clip_id: str
    motion: FaceMotion
    source: str
    texts: tuple[Text, ...] = ()
    script: Script | None = None
    events: MotionEvents | None = None
    family: str | None = None
    person: str | None = None
    subject: str | None = None
    descriptors: tuple[str, ...] | None = None
    head: tuple[str, ...] | None = None
    seed: int | None = None
    native_fps: float | None = None
    video_sha256: str | None = None
    quality: Mapping[str, Any] | None = None
    provenance: Mapping[str, Any] | None = None

    @cached_property
    def features(self) -> Floats:
        """Motion as (T, 58) float32, columns named by `FEATURES`."""
        return to_features(self.motion)

    @cached_property
    def split(self) -> Split:
        """Where it belongs, see `tdmm.corpus.splits`."""
        return split_of(self._family, self.person, self.clip_id)

    @cached_property
    def content(self) -> str:
        """SHA-256 of the motion: two clips with the same are one."""
        return hashlib.sha256(np.ascontiguousarray(self.features).tobytes()).hexdigest()

    @property
    def _family(self) -> str | None:
        return self.family if self.family is not None or self.script is None else family_of(self.script)

    @cached_property
    def columns(self) -> dict[str, Any]:
        """Values by the names of `COLUMNS`, the motion left out."""
        script, confidence, frames = self.script, self.motion.confidence, len(self.features)
        asked = None if script is None else tuple(event.descriptor for event in script.events)
        moved = None if script is None else tuple(motion.kind for motion in script.head)
        return {
            "clip_id": self.clip_id,
            "split": self.split,
            "source": self.source,
            "person": self.person,
            "family": self._family,
            "seed": self.seed,
            "seconds": frames / FPS,
            "fps": FPS,
            "native_fps": self.native_fps,
            "frames": frames,
            "confidence": None if confidence is None else confidence.tolist(),
            "script": None if script is None else script.model_dump_json(),
            "events": None if self.events is None else events_to_json(self.events),
            "texts": [asdict(each) for each in self.texts],
            "subject": self.subject or (None if script is None else script.subject),
            "energy": None if script is None else script.energy,
            "descriptors": list(self.descriptors if self.descriptors is not None else asked or ()),
            "head": list(self.head if self.head is not None else moved or ()),
            "video_sha256": self.video_sha256,
            "quality": _json(self.quality),
            "provenance": _json(self.provenance),
        }


class Clip:
    """A clip of the corpus; what was not read is not there.

    Args:
        row: column name to value.
        motion: (T, 58) features, when they were read.
    """

    def __init__(self, row: Mapping[str, Any], motion: Floats | None = None) -> None:
        self._row = row
        self._motion = motion

    def _column(self, name: str) -> Any:
        if name not in self._row:
            raise ValueError(f"column '{name}' was not read; name it in `columns`")
        return self._row[name]

    def has(self, column: str) -> bool:
        """Whether there is anything in a column."""
        return self._column(column) not in (None, [], "")

    @property
    def clip_id(self) -> str:
        """Unique within the corpus."""
        return str(self._column("clip_id"))

    @property
    def split(self) -> Split:
        """train, validation, test or unused."""
        split: Split = self._column("split")
        return split

    @property
    def source(self) -> str:
        """What made it."""
        return str(self._column("source"))

    @property
    def person(self) -> str | None:
        """Who is seen."""
        person: str | None = self._column("person")
        return person

    @property
    def family(self) -> str | None:
        """What is asked; clips that ask for the same share it."""
        family: str | None = self._column("family")
        return family

    @property
    def seed(self) -> int | None:
        """Seed of the take or the generator."""
        seed: int | None = self._column("seed")
        return seed

    @property
    def seconds(self) -> float:
        """Duration."""
        return float(self._column("seconds"))

    @property
    def frames(self) -> int:
        """T."""
        return int(self._column("frames"))

    @property
    def native_fps(self) -> float | None:
        """Frames a second of the video."""
        fps: float | None = self._column("native_fps")
        return fps

    @property
    def subject(self) -> str | None:
        """Who, in words."""
        subject: str | None = self._column("subject")
        return subject

    @property
    def energy(self) -> str | None:
        """low, normal or high."""
        energy: str | None = self._column("energy")
        return energy

    @property
    def descriptors(self) -> tuple[str, ...]:
        """Names of the lexicon or labels of a recording, in order."""
        return tuple(self._column("descriptors") or ())

    @property
    def head(self) -> tuple[str, ...]:
        """Kinds of head motion that are asked for, in order."""
        return tuple(self._column("head") or ())

    @property
    def video_sha256(self) -> str | None:
        """Of the video."""
        sha256: str | None = self._column("video_sha256")
        return sha256

    @property
    def features(self) -> Floats:
        """Motion as (T, 58) float32, columns named by `FEATURES`."""
        if self._motion is None:
            raise ValueError("column 'motion' was not read; name it in `columns`")
        return self._motion

    @cached_property
    def motion(self) -> FaceMotion:
        """Motion as a `FaceMotion`, with its confidence where that was read."""
        motion = from_features(self.features, fps=float(self._row.get("fps", FPS)))
        confidence = self._row.get("confidence")
        return motion if confidence is None else motion.with_(confidence=np.asarray(confidence, np.float32))

    @cached_property
    def script(self) -> Script | None:
        """What was asked; None for a clip that nobody directed."""
        script = self._column("script")
        return None if script is None else Script.model_validate_json(script)

    @cached_property
    def events(self) -> MotionEvents | None:
        """What happens in it; None where nobody knows."""
        events = self._column("events")
        return None if events is None else events_from_json(events)

    @cached_property
    def quality(self) -> Mapping[str, Any]:
        """What the rules of quality measured; empty where they did not."""
        return _mapping(self._column("quality"))

    @cached_property
    def provenance(self) -> Mapping[str, Any]:
        """How it was made."""
        return _mapping(self._column("provenance"))

    @cached_property
    def texts(self) -> tuple[Text, ...]:
        """What it is called."""
        return tuple(Text(each["detail"], each["text"]) for each in self._column("texts") or ())

    def text(self, detail: Detail, number: int = 0) -> str:
        """The `number`-th text of that detail."""
        return [each.text for each in self.texts if each.detail == detail][number]

    def row(self) -> Row:
        """The clip as it would be written again; all columns must have been read."""
        return Row(
            clip_id=self.clip_id, motion=self.motion, source=self.source, texts=self.texts, script=self.script,
            events=self.events, family=self.family, person=self.person, subject=self.subject,
            descriptors=self.descriptors, head=self.head, seed=self.seed, native_fps=self.native_fps,
            video_sha256=self.video_sha256, quality=self.quality or None, provenance=self.provenance or None,
        )  # fmt: skip


def events_to_json(events: MotionEvents) -> str:
    """`MotionEvents` as JSON; times and strengths to four decimals."""

    def rounded(value: Any) -> Any:
        return round(value, 4) if isinstance(value, float) else value

    content = {
        kind: [{name: rounded(value) for name, value in each.items()} for each in found]
        for kind, found in asdict(events).items()
    }
    return json.dumps(content, separators=(",", ":"))


def events_from_json(text: str) -> MotionEvents:
    """The inverse of `events_to_json`."""
    content = json.loads(text)
    return MotionEvents(
        actions=tuple(ActionEvent(**each) for each in content["actions"]),
        head=tuple(HeadEvent(**each) for each in content["head"]),
        gaze=tuple(GazeEvent(**each) for each in content["gaze"]),
        blinks=tuple(BlinkEvent(**each) for each in content["blinks"]),
    )


def to_table(rows: Sequence[Row]) -> pa.Table:
    """Rows as an Arrow table of `SCHEMA`."""
    features = [row.features for row in rows]
    flat = np.concatenate(features).reshape(-1) if features else np.zeros(0, np.float32)
    ends = np.cumsum([0, *(len(each) for each in features)]).astype(np.int32)
    motion = pa.ListArray.from_arrays(ends, pa.FixedSizeListArray.from_arrays(pa.array(flat), len(FEATURES)))
    arrays = [
        motion if field.name == "motion" else pa.array([row.columns[field.name] for row in rows], field.type)
        for field in SCHEMA
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def to_clips(table: pa.Table, absent: Sequence[str] = ()) -> list[Clip]:
    """Rows of an Arrow table, with any subset of the columns of `SCHEMA`.

    Args:
        table: as it was read.
        absent: columns of `SCHEMA` that the file, being of schema 1, does not have: told as they would be today.
            `family` is told from `script` and `clip_id`.
    """
    plain = table.drop_columns(["motion"]) if "motion" in table.column_names else table
    rows = plain.to_pylist() if plain.num_columns else [{} for _ in range(table.num_rows)]
    for row in rows if absent else ():
        row.update({name: _absent(name, row) for name in absent})
    motions = _motions(table) if "motion" in table.column_names else [None] * table.num_rows
    return [Clip(row, motion) for row, motion in zip(rows, motions, strict=True)]


def _absent(name: str, row: Mapping[str, Any]) -> str | None:
    if name == "source":
        return ACTED
    if name == "family":
        return family_of(Script.model_validate_json(row["script"])) or lonely_family(str(row["clip_id"]))
    return None


def lonely_family(clip_id: str) -> str:
    """Family of an acted clip without a descriptor: its number."""
    return str(int(clip_id.rsplit("-", 1)[1]))


def _motions(table: pa.Table) -> list[Floats | None]:
    motions: list[Floats | None] = []
    for chunk in table.column("motion").chunks:
        values: npt.NDArray[np.float32] = np.asarray(chunk.flatten().flatten()).reshape(-1, len(FEATURES))
        ends = np.asarray(chunk.offsets)
        motions += [values[first:last] for first, last in pairwise(ends - ends[0])]
    return motions


def _json(content: Mapping[str, Any] | None) -> str | None:
    return None if content is None else json.dumps(content, sort_keys=True, separators=(",", ":"))


def _mapping(text: str | None) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(text) if text else {}
    return content
