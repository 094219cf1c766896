"""`VideoBackend`: words in, video files out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tdmm.corpus.prompts.prompt import ClipPrompt


@dataclass(frozen=True)
class VideoFile:
    """A clip that was made.

    Attributes:
        clip_id: of its prompt.
        path: of the video (mp4, H.264).
        fps: its own; motions are resampled later, pictures never.
        frames, width, height: of the video.
        truth: motion file that the pictures show exactly, where the generator knows it.
        provenance: what made it, JSON-serialisable: model id, steps, seed, fps, the prompt and the negative prompt
            as they were sent, LoRA, versions of libraries.
    """

    clip_id: str
    path: Path
    fps: float
    frames: int
    width: int
    height: int
    truth: Path | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Declined:
    """A clip that the generator refused to make, for good: a safety filter, an unacceptable prompt."""

    clip_id: str
    reason: str


class VideoBackend(Protocol):
    """A generator of videos. Made cheap; models are loaded by the first `make`."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """All that decides its clips besides their prompts, JSON-serialisable; another value makes other clips."""

    def words(self, prompt: ClipPrompt) -> str:
        """The prompt as this generator is told it: the face part as it stands, the video part in its own dialect."""

    def make(self, prompts: Sequence[ClipPrompt], folder: Path) -> list[VideoFile | Declined]:
        """Make clips, one answer per prompt, in their order, as `folder/CLIP_ID.mp4` (and `CLIP_ID.truth.npz`).

        A clip depends on its prompt alone, not on those it is made together with.

        Raises:
            MissingDependency: the backend's package is not installed; the message names the extra.
            TdmmError: what a user can mend (key, quota, endpoint).
        """
