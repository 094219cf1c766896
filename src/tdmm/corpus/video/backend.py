"""`VideoBackend`: words in, video files out. `open_backend` makes one from settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tdmm.corpus.prompts.prompt import ClipPrompt
from tdmm.errors import InvalidConfig, TdmmError
from tdmm.registry import Registry


class GeneratorProblem(TdmmError):
    """A generator that cannot be used as it is (key, quota, endpoint, memory): other clips would fail as well."""


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


BACKENDS: Registry[VideoBackend] = Registry("video backend")
BACKENDS.register("rendered", "tdmm.corpus.video.rendered:open_rendered")
BACKENDS.register("diffusion", "tdmm.corpus.video.diffusion:open_diffusion")
BACKENDS.register("command", "tdmm.corpus.video.command:open_command")
BACKENDS.register("google", "tdmm.corpus.video.google:open_google")


def open_backend(settings: Mapping[str, Any]) -> VideoBackend:
    """Make the backend that `settings` describe; nothing is loaded yet and nobody is asked.

    Args:
        settings: `name` of a backend, and its settings (`docs/corpus-video.md`).

    Raises:
        UnknownName: no backend of that name.
        InvalidConfig: `name` is missing, or a setting is unknown or makes no sense.
    """
    rest = dict(settings)
    name = rest.pop("name", None)
    if not isinstance(name, str):
        raise InvalidConfig(f"The video settings need `name`, one of: {', '.join(BACKENDS.names())}.")
    return BACKENDS.get(name)(rest)
