"""The built-in generator: our actor before our renderer, with the exact truth beside every video."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field

from tdmm.acting.actor import perform
from tdmm.corpus.prompts.prompt import ClipPrompt
from tdmm.corpus.video.backend import Declined, VideoFile
from tdmm.corpus.video.encode import ENCODER, made_clip, versions, write_video
from tdmm.corpus.video.settings import Settings, strictly
from tdmm.face.arkit import load_head
from tdmm.face.head_asset import HeadAsset, load_asset
from tdmm.face.render import Camera, Light, render
from tdmm.motion.clip import FaceMotion
from tdmm.motion.files import write_npz

SIZE = (640, 480)
_SPREAD = 0.9
"""Standard deviation of identity components: strong enough to tell people apart, short of caricature."""

Floats = npt.NDArray[np.float32]
Colour = tuple[float, float, float]

_SKINS: tuple[Colour, ...] = (
    (0.84, 0.68, 0.59), (0.79, 0.60, 0.50), (0.70, 0.51, 0.40), (0.58, 0.41, 0.30), (0.46, 0.31, 0.22),
    (0.37, 0.25, 0.18),
)  # fmt: skip
"""sRGB, from light to dark; people lie anywhere between neighbours."""
_BROWS: tuple[Colour, ...] = ((0.07, 0.05, 0.04), (0.17, 0.11, 0.08), (0.34, 0.24, 0.15))
_IRISES: tuple[Colour, ...] = ((0.20, 0.12, 0.07), (0.33, 0.21, 0.12), (0.32, 0.36, 0.22), (0.30, 0.42, 0.52))
_DARK_SKIN = 0.5
"""From this part of `_SKINS` on, brows and eyes are dark as well."""


@dataclass(frozen=True)
class Person:
    """Who is filmed. The same name is the same person in every corpus.

    Attributes:
        identity: (I,) of the built-in head.
        colours: sRGB by material ("skin", "brows", "iris").
    """

    identity: Floats
    colours: Mapping[str, Colour]

    @classmethod
    def named(cls, name: str) -> Person:
        """Drawn from the name alone."""
        draw = np.random.default_rng(list(hashlib.sha256(name.encode()).digest()))
        identity = _SPREAD * draw.normal(size=load_head().identity_size).astype(np.float32)
        tone, brow, iris = draw.uniform(size=3)
        light = 1.0 if tone < _DARK_SKIN else 0.35
        colours = {
            "skin": _between(_SKINS, tone), "brows": _between(_BROWS, brow * light),
            "iris": _between(_IRISES, iris * light),
        }  # fmt: skip
        return cls(identity, colours)

    def asset(self) -> HeadAsset:
        """The built-in head in this person's colours."""
        head = load_asset()
        painted = tuple(replace(each, srgb=self.colours.get(each.name, each.srgb)) for each in head.materials)
        return replace(head, materials=painted)


@dataclass(frozen=True)
class Scenery:
    """What is around a face: camera, lamps, and the colour of the wall behind."""

    camera: Camera
    lights: tuple[Light, ...]
    background: Colour

    @classmethod
    def drawn(cls, draw: np.random.Generator) -> Scenery:
        """A face from the front, nearer or farther, lit from anywhere before it."""
        strength, side, above, other = draw.uniform([0.6, -1, 0, -1], [1.3, 1, 1, 1]).tolist()
        return cls(
            Camera(target=(0.0, 0.014, 0.03), distance=draw.uniform(0.5, 1.2), height_m=draw.uniform(0.3, 0.5)),
            (
                Light((side, above, 0.75), (0.84 * strength, 0.81 * strength, 0.77 * strength)),
                Light((other, 0.05, 0.55), (0.30, 0.30, 0.32)),
                Light((0.15, 0.70, -0.70), (0.35, 0.36, 0.40)),
            ),
            (draw.uniform(0.05, 0.9), draw.uniform(0.05, 0.9), draw.uniform(0.05, 0.9)),
        )


def film(
    motion: FaceMotion, scenery: Scenery, path: Path, *, size: tuple[int, int] = SIZE, asset: HeadAsset | None = None
) -> None:
    """Render a motion of the built-in head, with its own identity, as an `.mp4` at its own frame rate.

    Args:
        motion: on the `arkit` rig.
        scenery: around it.
        path: of the video.
        size: width and height in pixels, both even.
        asset: the head in other colours.

    Raises:
        InvalidInput: the motion is on another rig.
        FileProblem: the video cannot be written.
    """
    write_video(_pictures(motion, scenery, size, asset), path, motion.fps)


def _pictures(
    motion: FaceMotion, scenery: Scenery, size: tuple[int, int], asset: HeadAsset | None
) -> Iterator[npt.NDArray[np.uint8]]:
    with torch.inference_mode():
        vertices = load_head().animate(motion).numpy()
    for each in vertices:
        yield render(
            each,
            size,
            camera=scenery.camera,
            lights=scenery.lights,
            background=scenery.background,
            asset=asset,
        )


class RenderedSettings(Settings):
    """Settings of the built-in generator."""

    style: str = "plain"
    width: int = Field(SIZE[0], ge=64, le=4096, multiple_of=2)
    height: int = Field(SIZE[1], ge=64, le=4096, multiple_of=2)


class Rendered:
    """A `VideoBackend` that acts the script and renders it.

    A person's face and colours come from `person`, the take, light, camera and background from `seed`. Words and the
    scene's phrases change nothing here: the script is followed to the letter.
    """

    look: ClassVar[int] = 1
    """Raised whenever the same prompt would look different."""

    def __init__(self, settings: RenderedSettings) -> None:
        self._settings = settings

    @property
    def settings(self) -> Mapping[str, Any]:
        """All that decides its clips besides their prompts."""
        return {"name": "rendered", "look": self.look, **self._settings.deciding()}

    def words(self, prompt: ClipPrompt) -> str:
        """The prompt in words."""
        return self._settings.words(prompt)

    def make(self, prompts: Sequence[ClipPrompt], folder: Path) -> list[VideoFile | Declined]:
        """Film each prompt's script.

        Raises:
            InvalidScript: a script that cannot be acted.
            FileProblem: the folder cannot be written.
            InvalidVideo: what was written cannot be read back.
        """
        return [self._filmed(prompt, folder) for prompt in prompts]

    def _filmed(self, prompt: ClipPrompt, folder: Path) -> VideoFile:
        person, scenery = _person(prompt.person), Scenery.drawn(np.random.default_rng(prompt.seed))
        acted = perform(prompt.script, prompt.seed).motion
        motion = acted.with_(identity=person.identity, text=prompt.face)
        path, truth = folder / f"{prompt.clip_id}.mp4", folder / f"{prompt.clip_id}.truth.npz"
        film(motion, scenery, path, size=(self._settings.width, self._settings.height), asset=person.asset())
        write_npz(motion, truth)
        provenance = {
            **self.settings,
            "words": self.words(prompt),
            "seed": prompt.seed,
            "person": prompt.person,
            "colours": dict(person.colours),
            "scenery": asdict(scenery),
            "encoder": ENCODER,
            "versions": versions("numpy", "torch", "av"),
        }
        return made_clip(prompt.clip_id, path, provenance, truth)


def open_rendered(settings: Mapping[str, Any]) -> Rendered:
    """The backend of these settings.

    Raises:
        InvalidConfig: a setting is unknown or makes no sense.
    """
    return Rendered(strictly(RenderedSettings, "rendered", settings))


@lru_cache(maxsize=256)
def _person(name: str) -> Person:
    return Person.named(name)


def _between(colours: Sequence[Colour], share: float) -> Colour:
    """A colour along a row of them, `share` from 0 (the first) to 1 (the last)."""
    table = np.array(colours)
    places = np.linspace(0, 1, len(table))
    red, green, blue = (round(float(np.interp(share, places, table[:, channel])), 4) for channel in range(3))
    return red, green, blue
