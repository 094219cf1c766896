"""A motion on one rig becomes the motion of another: expression, gaze, head and place (docs/retargeting.md)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tdmm.errors import FileProblem, InvalidInput, InvalidMotion, did_you_mean
from tdmm.face.arkit import load_head
from tdmm.face.flame import FlameHead
from tdmm.face.flame_file import read_flame
from tdmm.face.flame_landmarks import read_landmarks
from tdmm.face.head_surface import surface_of
from tdmm.face.linear_head import LinearHead, read_linear
from tdmm.face.model import FaceModel
from tdmm.face.retarget import Retargeted, Retargeting, RetargetOptions
from tdmm.face.skull import skull_motion
from tdmm.motion.clip import FaceMotion

KINDS = ("arkit", "flame", "linear")
"""What the name of a rig begins with: `arkit`, `flame:PATH`, `linear:FOLDER`."""

_BESIDE = (
    "landmark_embedding.npy", "flame_static_embedding.pkl", "flame_dynamic_embedding.npy",
    "mediapipe_landmark_embedding.npz",
)  # fmt: skip
"""Landmark files of FLAME that are used where they lie beside the model."""


@dataclass(frozen=True)
class Conversion:
    """A converted motion, and how well the face could follow: see `Retargeted`."""

    motion: FaceMotion
    fit: Retargeted


def open_rig(name: str) -> FaceModel:
    """The rig of a name: `arkit`, `flame:PATH` (with the landmark files beside it) or `linear:FOLDER`.

    Raises:
        InvalidInput: no such kind of rig, or the path is missing from the name.
        FileProblem, ArtifactProblem: the file or folder cannot be read.
    """
    kind, _, where = name.partition(":")
    if kind not in KINDS:
        raise InvalidInput(
            f"Unknown rig '{name}'.{did_you_mean(kind, KINDS)} Known: arkit, flame:PATH (a FLAME file of yours), "
            "linear:FOLDER (an .obj and the .npz of its shapes)."
        )
    if kind == "arkit":
        if where:
            raise InvalidInput("The rig 'arkit' is the built-in head; it takes no path.")
        return load_head()
    if not where:
        hint = "flame:flame2023_Open.pkl" if kind == "flame" else "linear:ict_facekit"
        raise InvalidInput(f"The rig '{kind}' needs the path of your file, for example {hint}.")
    path = Path(where)
    if kind == "linear":
        return LinearHead(read_linear(path))
    file = read_flame(path)
    beside = [path.with_name(own) for own in _BESIDE if path.with_name(own).is_file()]
    return FlameHead(file, read_landmarks(beside, faces=len(file.faces)))


class Converter:
    """Brings motions from one rig to another; made once for a pair of rigs, in a second or two.

    Raises:
        ArtifactProblem, InvalidInput: the rigs have no correspondence; see `tdmm.face.correspondence.match`.
    """

    def __init__(self, source: FaceModel, target: FaceModel, options: RetargetOptions | None = None) -> None:
        self.source, self.target = source, target
        self.surfaces = surface_of(source), surface_of(target)
        self.retargeting = Retargeting(source, target, options)

    def convert(self, motion: FaceMotion) -> Conversion:
        """The motion on the target rig, of the target's average face.

        The head turns by the same angles. It is moved so that the point midway between the eyes goes where it goes on
        the source, because heads turn about other joints (FLAME's root lies below the neck). Identity belongs to its
        rig and is left out; frame rate, confidence and text stay.

        Raises:
            InvalidMotion: the motion is on another rig than the converter's source, or lacks a channel.
        """
        if motion.rig != self.source.name:
            raise InvalidMotion(
                f"This motion is on the '{motion.rig}' rig, and is to be converted from '{self.source.name}'. "
                "Give the rig that it is on with --from; a motion of the built-in head needs none."
            )
        expression = motion.in_order(self.source.channels)
        fit = self.retargeting.convert(expression)
        here, there = self.surfaces
        turned, went = skull_motion(self.source, here, expression, motion.head)
        _, goes = skull_motion(self.target, there, np.zeros_like(fit.expression), turned)
        translation = motion.translation_or_zeros() + went - goes
        still = motion.translation is None and np.abs(translation).max() < 1e-6
        left_out = {} if motion.identity is None else {"identity_left_out": True}
        converted = replace(
            motion,
            channels=fit.channels,
            expression=fit.expression,
            head=turned,
            rig=self.target.name,
            translation=None if still else translation.astype(np.float32),
            identity=None,
            provenance={
                **motion.provenance,
                "converted_from": motion.rig,
                "residual_mm": round(float(fit.residual_mm.mean()), 3),
                **left_out,
            },
        )
        return Conversion(converted, fit)


def convert(motion: FaceMotion, rig: str, source: str | None = None) -> Conversion:
    """A motion on another rig.

    Args:
        motion: on the built-in head, or on the rig of `source`.
        rig: `arkit`, `flame:PATH` or `linear:FOLDER`.
        source: the rig of the motion, written likewise; not needed for a motion of the built-in head.

    Raises:
        InvalidInput: a rig's name makes no sense, or the motion's rig is not told.
        InvalidMotion: the motion is not on the rig of `source`.
        FileProblem, ArtifactProblem: a rig cannot be read, or the two have no correspondence.
    """
    if source is None and motion.rig != "arkit":
        raise InvalidInput(
            f"This motion is on the rig '{motion.rig}', whose head is a file of yours. Say which: "
            f"--from {'flame:PATH' if motion.rig == 'flame' else 'linear:FOLDER'}."
        )
    return Converter(open_rig(source or "arkit"), open_rig(rig)).convert(motion)


def require_arkit(motion: FaceMotion, paths: list[Path]) -> None:
    """Refuse to write a motion of another rig into a format that is of the built-in head.

    Raises:
        FileProblem: one of the paths is not an `.npz`.
    """
    other = [path for path in paths if path.suffix.lower() != ".npz"]
    if motion.rig != "arkit" and other:
        known = "flame:PATH" if motion.rig.startswith("flame") else "linear:FOLDER"
        raise FileProblem(
            f"{other[0]}: a motion on the rig '{motion.rig}' is written as .npz alone; the other formats show the "
            f"built-in head. Write .npz, or bring the motion to the built-in head with --rig arkit --from {known}"
        )
