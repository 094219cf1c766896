"""What was seen so far, on disk, so that an interrupted track goes on from there."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from tdmm.corpus.tracking.sighting import LANDMARKS, Sighting
from tdmm.files import written_aside


@dataclass
class Seen:
    """Sightings of the pictures of one video, in order.

    Attributes:
        key: of the video and the tracker; what was seen with another is not used.
        seconds: of each picture.
        faces: of each picture.
    """

    key: str
    seconds: list[float] = field(default_factory=list)
    faces: list[list[Sighting]] = field(default_factory=list)

    def add(self, seconds: float, faces: list[Sighting]) -> None:
        """One picture more."""
        self.seconds.append(seconds)
        self.faces.append(faces)

    def write(self, path: Path) -> None:
        """Keep it.

        Raises:
            FileProblem: the file cannot be written.
        """
        flat = [each for faces in self.faces for each in faces]
        scored = np.array([each.scores is not None for each in flat], bool)
        with written_aside(path) as temporary, temporary.open("wb") as handle:
            np.savez(
                handle,
                key=np.array(self.key),
                seconds=np.array(self.seconds),
                counts=np.array([len(faces) for faces in self.faces], np.int32),
                points=np.array([each.points for each in flat], np.float32).reshape(len(flat), LANDMARKS, 3),
                scored=scored,
                scores=np.array([each.scores for each in flat if each.scores is not None], np.float32),
            )

    @classmethod
    def read(cls, path: Path, key: str) -> Seen:
        """What was kept of the same video and tracker; nothing if there is none, or if it cannot be read."""
        try:
            with path.open("rb") as handle, np.load(handle, allow_pickle=False) as kept:
                if str(kept["key"].item()) != key:
                    return cls(key)
                scores, points, scored = iter(kept["scores"]), kept["points"], kept["scored"]
                flat = iter(
                    [Sighting(each, next(scores) if has else None) for each, has in zip(points, scored, strict=True)]
                )
                faces = [[next(flat) for _ in range(count)] for count in kept["counts"]]
                return cls(key, [float(each) for each in kept["seconds"]], faces)
        except (OSError, ValueError, KeyError, EOFError, StopIteration, BadZipFile, zlib.error):
            # It is a convenience; what was lost is seen again.
            return cls(key)


def key_of(video: Path, tracker: str, largest_side: int) -> str:
    """Names a video by its size, its time and its first megabyte, and how it is looked at."""
    digest = hashlib.sha256(f"{tracker}|{largest_side}".encode())
    files = sorted(video.iterdir()) if video.is_dir() else [video]
    for file in files:
        facts = file.stat()
        digest.update(f"{file.name}|{facts.st_size}|{facts.st_mtime_ns}".encode())
    if video.is_file():
        with video.open("rb") as handle:
            digest.update(handle.read(2**20))
    return digest.hexdigest()
