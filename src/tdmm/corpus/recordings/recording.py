"""`Recording`: a video that somebody has, and what is known of it before anything was looked at."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tdmm.corpus.pipeline.stage import Job

_LONGEST_ID = 80
FACTS = "recordings"
"""The entry of `Job.facts` that a recording begins with."""


@dataclass(frozen=True)
class Recording:
    """One video.

    Attributes:
        clip_id: lower-case letters, digits and hyphens; unique within a listing.
        path: of the video.
        person: who is filmed; empty where nobody says. What has no person counts as a person of its own.
        texts: what it shows in words, the caption first, then other ways to say it; empty where nobody says.
        labels: what else is said of it, name to value: emotion, level, view. Weak: nobody looked at the clip.
        licence: under which it may be used; empty where nobody says.
        group: recordings that ask for the same thing; splits never divide a group.
    """

    clip_id: str
    path: Path
    person: str = ""
    texts: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    licence: str = ""
    group: str = ""

    def job(self) -> Job:
        """It, ready for the first stage: the video is `files["video"]`, the rest is `facts["recordings"]`."""
        facts = {
            "source": self.path.name,
            "person": self.person or self.clip_id,
            "texts": list(self.texts),
            "labels": dict(self.labels),
            "licence": self.licence,
            "group": self.group or self.clip_id,
        }
        return Job(self.clip_id, {FACTS: facts}, {"video": self.path})


@dataclass(frozen=True)
class Listing:
    """What was found.

    Attributes:
        recordings: in a fixed order.
        left_out: files that are no recordings of this layout, and what is missing of those that are, in words.
    """

    recordings: tuple[Recording, ...]
    left_out: tuple[str, ...] = ()


def clip_id_of(name: str) -> str:
    """A name as a clip id: `Take 1/Ähem_02` is `take-1-ahem-02`; a long one is cut and ends in a digest of itself."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    spelled = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "clip"
    if len(spelled) > _LONGEST_ID:
        return f"{spelled[: _LONGEST_ID - 9].rstrip('-')}-{_digest(name)}"
    return spelled


def with_ids(recordings: Iterable[tuple[str, Recording]]) -> tuple[Recording, ...]:
    """Recordings with ids made from names, each its own.

    Names that are spelled alike ("a b", "a-b") all end in a digest of the name, so that the order in which they are
    found does not matter, nor what else is there. The same name twice is told apart by its place.

    Args:
        recordings: a name (a path within its folder, without the extension) and the recording, its id still empty.
    """
    named = list(recordings)
    spelled = [clip_id_of(name) for name, _ in named]
    common = {each for each, count in Counter(spelled).items() if count > 1}
    # A digest may make a name that another one has without it; such a one takes a digest too.
    ids = [
        f"{each}-{_digest(name)}" if each in common else each for each, (name, _) in zip(spelled, named, strict=True)
    ]
    taken: set[str] = set()
    made = []
    for identity, (name, recording) in zip(ids, named, strict=True):
        own, place = identity, 1
        while own in taken:
            place += 1
            own = f"{clip_id_of(name)}-{_digest(f'{name}/{place}')}"
        taken.add(own)
        made.append(replace(recording, clip_id=own))
    return tuple(made)


def _digest(name: str) -> str:
    return hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
