"""Prompts, and small videos, for tests of video backends."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from tdmm.acting.script import Event, Script
from tdmm.corpus.prompts.prompt import ClipPrompt, Scene
from tdmm.corpus.video.encode import write_video

SCENE = Scene(framing="head and shoulders centred", lighting="soft light", background="a plain grey wall")


def prompt(clip_id: str = "clip-1", *, seconds: float = 1.0, seed: int = 7, person: str = "ada") -> ClipPrompt:
    """Somebody smiles."""
    smile = Event(descriptor="smile", onset=0.1, apex=0.3, offset=0.6, end=0.9)
    return ClipPrompt(
        clip_id=clip_id,
        script=Script(seconds=seconds, events=(smile,)),
        face="a woman smiles",
        scene=SCENE,
        family="smile",
        person=person,
        seed=seed,
    )


def small_video(path: Path, frames: int = 12) -> bytes:
    """A video of noise."""
    draw = np.random.default_rng(1)
    write_video((draw.integers(0, 255, (32, 48, 3), np.uint8) for _ in range(frames)), path, 24.0)
    return path.read_bytes()


def pictures(path: Path) -> np.ndarray:
    """(T, H, W, 3) of a video."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
