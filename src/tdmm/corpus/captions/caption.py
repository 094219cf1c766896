"""`Caption`: what a clip shows, in words and in names of our vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tdmm.acting.entries import spelled
from tdmm.acting.intensity_words import Level
from tdmm.acting.lexicon import load, mentioned_head_motions
from tdmm.face.facs import Side
from tdmm.motion.events import HEAD_MOTIONS, HeadMotionKind

_LONGEST, _MOST = 1000, 24

Source = Literal["model", "given", "events"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Shown(_Part):
    """One expression or facial action, as a model names it."""

    name: str = Field(description="a name of the list, or a few words where none fits")
    intensity: Level
    side: Side = Field(description="left and right are the face's own, not the viewer's")


class Answer(_Part):
    """What a model is to say of a clip."""

    caption: str = Field(description="one or two sentences")
    subject: str = Field(description="who, by looks alone: a young woman")
    expressions: tuple[Shown, ...] = Field(description="in the order in which they begin")
    head_motions: tuple[str, ...] = Field(description="in the order in which they begin")

    @model_validator(mode="after")
    def _within_reason(self) -> Self:
        # Not in the schema: servers know few of its words.
        if not self.caption.strip() or len(self.caption) > _LONGEST or len(self.subject) > _LONGEST:
            raise ValueError(f"a caption has 1 to {_LONGEST} characters")
        if len(self.expressions) + len(self.head_motions) > _MOST:
            raise ValueError(f"no more than {_MOST} things happen in a clip of seconds")
        return self


class Descriptor(_Part):
    """An expression by its name in the lexicon."""

    name: str
    intensity: Level
    side: Side


class Caption(_Part):
    """What a clip shows.

    Attributes:
        text: the caption. more: other ways to say it.
        source: a model looked, somebody gave it, or it was made from what the reader finds in the motion.
        subject: who; empty where nobody says.
        descriptors: in order; names of the lexicon.
        head: head motions in order.
        refused: what a model named that our vocabulary does not have.
    """

    text: str
    source: Source
    more: tuple[str, ...] = ()
    subject: str = ""
    descriptors: tuple[Descriptor, ...] = ()
    head: tuple[HeadMotionKind, ...] = ()
    refused: tuple[str, ...] = ()


def checked(answer: Answer) -> Caption:
    """An answer in our vocabulary.

    A name of the lexicon stays; a phrase that names a descriptor ("furrows her brow") becomes the first it names.
    Anything else is refused and kept apart, and so are head motions that are none of ours.
    """
    lexicon = load()
    descriptors, head, refused = list[Descriptor](), list[HeadMotionKind](), list[str]()
    for shown in answer.expressions:
        name = spelled(shown.name)
        named = [name] if name in lexicon else [found.descriptor for found in lexicon.mentions(shown.name)]
        if named:
            descriptors.append(Descriptor(name=named[0], intensity=shown.intensity, side=shown.side))
        else:
            refused.append(shown.name)
    for words in answer.head_motions:
        kinds = [kind for kind in HEAD_MOTIONS if kind == spelled(words)] or mentioned_head_motions(words)
        head += kinds[:1]
        refused += [] if kinds else [words]
    return Caption(
        text=" ".join(answer.caption.split()),
        source="model",
        subject=answer.subject.strip(),
        descriptors=tuple(descriptors),
        head=tuple(head),
        refused=tuple(refused),
    )


def schema() -> Mapping[str, Any]:
    """JSON schema of `Answer`."""
    return Answer.model_json_schema()
