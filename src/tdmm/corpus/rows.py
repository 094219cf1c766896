"""One row a clip: the schema of a shard, and how a clip becomes a row and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tdmm.acting.actor import perform
from tdmm.acting.casting import cast
from tdmm.acting.narrator import AS_WRITTEN, narrate
from tdmm.acting.script import Script
from tdmm.acting.single import single
from tdmm.motion.clip import FaceMotion, Floats
from tdmm.motion.events import ActionEvent, BlinkEvent, GazeEvent, HeadEvent, MotionEvents
from tdmm.motion.features import FEATURES, from_features, to_features

SCHEMA_VERSION = 1

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
Detail = Literal["short", "medium", "long"]
DETAILS: tuple[Detail, ...] = get_args(Detail)

TEXTS_A_DETAIL = 2
_TRAIN, _VALIDATION = 0.94, 0.97  # what lies below; the rest is the test split

SCHEMA = pa.schema(
    [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("seed", pa.int64(), nullable=False),
        pa.field("seconds", pa.float32(), nullable=False),
        pa.field("fps", pa.float32(), nullable=False),
        pa.field("frames", pa.int32(), nullable=False),
        pa.field("motion", pa.list_(pa.list_(pa.float32(), len(FEATURES)))),
        pa.field("script", pa.string(), nullable=False),
        pa.field("events", pa.string(), nullable=False),
        pa.field("texts", pa.list_(pa.struct([("detail", pa.string()), ("text", pa.string())]))),
        pa.field("subject", pa.string(), nullable=False),
        pa.field("energy", pa.string(), nullable=False),
        pa.field("descriptors", pa.list_(pa.string())),
        pa.field("head", pa.list_(pa.string())),
    ]
)
"""Columns of a shard; `motion` holds `FEATURES` per frame, `script` and `events` are JSON."""


@dataclass(frozen=True)
class Text:
    """One way to say a clip."""

    detail: Detail
    text: str


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

    @property
    def clip_id(self) -> str:
        """Unique within the corpus."""
        return str(self._column("clip_id"))

    @property
    def split(self) -> Split:
        """train, validation or test."""
        split: Split = self._column("split")
        return split

    @property
    def seed(self) -> int:
        """Seed of the take."""
        return int(self._column("seed"))

    @property
    def seconds(self) -> float:
        """Duration."""
        return float(self._column("seconds"))

    @property
    def frames(self) -> int:
        """T."""
        return int(self._column("frames"))

    @property
    def subject(self) -> str:
        """Who, in words."""
        return str(self._column("subject"))

    @property
    def energy(self) -> str:
        """low, normal or high."""
        return str(self._column("energy"))

    @property
    def descriptors(self) -> tuple[str, ...]:
        """Names of the lexicon, in the order in which they are acted."""
        return tuple(self._column("descriptors"))

    @property
    def head(self) -> tuple[str, ...]:
        """Kinds of head motion that the script asks for, in order."""
        return tuple(self._column("head"))

    @property
    def features(self) -> Floats:
        """Motion as (T, 58) float32, columns named by `FEATURES`."""
        if self._motion is None:
            raise ValueError("column 'motion' was not read; name it in `columns`")
        return self._motion

    @cached_property
    def motion(self) -> FaceMotion:
        """Motion as a `FaceMotion`."""
        return from_features(self.features, fps=float(self._row.get("fps", 25.0)))

    @cached_property
    def script(self) -> Script:
        """What was asked."""
        return Script.model_validate_json(self._column("script"))

    @cached_property
    def events(self) -> MotionEvents:
        """What was acted."""
        return events_from_json(self._column("events"))

    @cached_property
    def texts(self) -> tuple[Text, ...]:
        """What it is called: `TEXTS_A_DETAIL` texts of each detail."""
        return tuple(Text(each["detail"], each["text"]) for each in self._column("texts"))

    def text(self, detail: Detail, number: int = 0) -> str:
        """The `number`-th text of that detail."""
        return [each.text for each in self.texts if each.detail == detail][number]


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


def clip_seed(seed: int, index: int) -> int:
    """Seed of the take of clip `index`, within 63 bits."""
    return _digest(f"take/{seed}/{index}") >> 1


def split_of(script: Script, index: int) -> Split:
    """The split of a clip: 94 % train, 3 % validation, 3 % test.

    Clips that ask for the same combination of descriptors, sides, head motions and gaze share a split, so
    nothing of the test split was seen in training in the same combination. Clips without a descriptor
    are divided by `index`.
    """
    asked = [f"{event.descriptor}:{event.side}" for event in script.events]
    asked += [motion.kind for motion in script.head] + [gaze.direction for gaze in script.gaze]
    combination = "/".join(asked) if script.events else str(index)
    part = _digest(f"split/{combination}") / 2.0**64
    if part < _TRAIN:
        return "train"
    return "validation" if part < _VALIDATION else "test"


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


@dataclass(frozen=True)
class Row:
    """A clip ready to be written: plain columns, and features (T, 58) apart."""

    columns: dict[str, Any]
    features: Floats


def make_row(seed: int, index: int, single_share: float = 0.0) -> Row:
    """Cast, act and narrate clip `index` of the corpus of that seed.

    Args:
        seed, index: of the casting.
        single_share: share of the clips in which one thing alone happens.
    """
    script, draw = cast(seed, index), np.random.default_rng((seed, index, 9))
    if draw.random() < single_share:
        script = single(script, draw)
    take = clip_seed(seed, index)
    performance = perform(script, take)
    features = to_features(performance.motion)
    columns = {
        "clip_id": f"acted-{seed}-{index:07d}",
        "split": split_of(script, index),
        "seed": take,
        "seconds": script.seconds,
        "fps": performance.motion.fps,
        "frames": len(features),
        "script": script.model_dump_json(),
        "events": events_to_json(performance.events),
        "texts": [{"detail": detail, "text": text} for detail in DETAILS for text in _say(script, take, detail)],
        "subject": script.subject,
        "energy": script.energy,
        "descriptors": [event.descriptor for event in script.events],
        "head": [motion.kind for motion in script.head],
    }
    return Row(columns, features)


def _say(script: Script, seed: int, detail: Detail) -> list[str]:
    """Texts of one detail, different where a few attempts find different ones."""
    texts: list[str] = []
    for attempt in range(3 * TEXTS_A_DETAIL):
        text = narrate(script, seed + attempt, detail, AS_WRITTEN)
        if text not in texts:
            texts.append(text)
        if len(texts) == TEXTS_A_DETAIL:
            return texts
    return (texts * TEXTS_A_DETAIL)[:TEXTS_A_DETAIL]


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


def to_clips(table: pa.Table) -> list[Clip]:
    """Rows of an Arrow table, with any subset of the columns of `SCHEMA`."""
    plain = table.drop_columns(["motion"]) if "motion" in table.column_names else table
    rows = plain.to_pylist() if plain.num_columns else [{} for _ in range(table.num_rows)]
    motions = _motions(table) if "motion" in table.column_names else [None] * table.num_rows
    return [Clip(row, motion) for row, motion in zip(rows, motions, strict=True)]


def _motions(table: pa.Table) -> list[Floats | None]:
    motions: list[Floats | None] = []
    for chunk in table.column("motion").chunks:
        values: npt.NDArray[np.float32] = np.asarray(chunk.flatten().flatten()).reshape(-1, len(FEATURES))
        ends = np.asarray(chunk.offsets)
        motions += [values[first:last] for first, last in pairwise(ends - ends[0])]
    return motions
