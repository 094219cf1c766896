"""From prompts to motions: make, edit, go on, fill a gap, stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import torch

from tdmm.corpus.rows import events_from_json, events_to_json
from tdmm.errors import InvalidMotion
from tdmm.language import sampling
from tdmm.language.animator import Animator, Scene, readable
from tdmm.language.plan_codes import Expression, Plan
from tdmm.language.planning import PlanningOptions
from tdmm.language.prompt import Row
from tdmm.language.sampling import SamplingOptions
from tdmm.language.staging import edited, scaled
from tdmm.motion.clip import FPS, FaceMotion, Floats
from tdmm.motion.features import from_features, to_features
from tdmm.motion.joining import concatenated, met
from tdmm.motion.timeline import resample
from tdmm.tokens.tokenizer import MotionTokens, Tokenizer

_HISTORY = 40
"""Frames of a motion that are read to go on from it."""


class FaceFrame(NamedTuple):
    """One frame of a stream on the `arkit` rig.

    Attributes:
        seconds: from the start.
        expression: (52,) coefficients within [0, 1], in the order of `tdmm.face.channels.ARKIT`.
        head: (3,) pitch, yaw, roll in radians.
        translation: (3,) metres.
    """

    seconds: float
    expression: Floats
    head: Floats
    translation: Floats


@dataclass(frozen=True)
class Performer:
    """Prompts to motions.

    Attributes:
        animator: words to codes.
        tokenizer: codes to motion.
        planning, sampling: how plans and codes are drawn.
    """

    animator: Animator
    tokenizer: Tokenizer
    planning: PlanningOptions = field(default_factory=PlanningOptions)
    sampling: SamplingOptions = field(default_factory=SamplingOptions)

    def stage(
        self,
        prompt: str,
        seed: int,
        *,
        seconds: float | None = None,
        rows: Sequence[Row] = (),
        strength: float = 1.0,
        like: Plan | None = None,
    ) -> Scene:
        """A prompt made ready to be performed.

        Args:
            prompt: a sentence, a long text or a timeline, with or without weights; nothing with `rows`.
            seed: of the take.
            seconds: length; None is as long as it takes, or as `like` is.
            rows: a timeline.
            strength: of everything, as a multiple.
            like: a plan to keep to as far as the words allow.

        Raises:
            InvalidPrompt, InvalidInput: see `Animator.stage`.
        """
        scene = self.animator.stage(prompt, seconds=seconds, seed=seed, options=self.planning, rows=rows)
        plan = scene.plan if like is None else edited(like, scene.plan)
        if like is not None and seconds is not None:
            plan = replace(plan, frames=scene.plan.frames)
        return Scene(scene.text, plan if strength == 1.0 else scaled(plan, strength))

    def perform(self, scenes: Sequence[Scene], seeds: Sequence[int], may_end_early: bool = False) -> list[FaceMotion]:
        """Motions at 25 fps of staged prompts, their plans in their provenance."""
        codes = self.animator.write(scenes, seeds, self.sampling, may_end_early)
        return [
            self.tokenizer.decode(MotionTokens(row, self.tokenizer.fingerprint)).with_(
                text=scene.text, provenance=self._provenance(scene, seed)
            )
            for scene, seed, row in zip(scenes, seeds, codes, strict=True)
        ]

    def extend(
        self, motion: FaceMotion, prompt: str, seed: int, *, seconds: float | None = None,
        until: FaceMotion | None = None, strength: float = 1.0,
    ) -> FaceMotion:  # fmt: skip
        """What comes after a motion, joined to it; the motion itself stays as it is.

        Args:
            motion: on the `arkit` rig, of any frame rate; the result has 25 fps.
            prompt: what comes.
            seed: of the take.
            seconds: length of the new part.
            until: another motion that the new part leads to and that follows it; the gap between the two is filled.
            strength: of the new part, as a multiple.

        Raises:
            InvalidMotion: a motion is on another rig.
            InvalidPrompt, InvalidInput: see `stage`.
        """
        first, last = resample(motion), None if until is None else resample(until)
        scene = self.stage(prompt, seed, seconds=seconds, strength=strength)
        # What went before is heard from its codes, and decoded along with the new ones so that they join.
        before = from_features(to_features(first)[-_HISTORY:])
        history = self.tokenizer.encode(before).codes.astype(np.int64)
        states = self.animator.states([readable(scene.text)])
        codes = sampling.generate(
            self.animator.model, self.tokenizer, states, [scene.plan], [seed], self.sampling, history=history[None]
        )[0]
        decoded = self.tokenizer.decode(MotionTokens(np.concatenate([history, codes]), self.tokenizer.fingerprint))
        after = from_features(to_features(decoded)[len(history) :]).with_(identity=first.identity)
        parts = [first, met(after, first, last), *([] if last is None else [last])]
        provenance = {**self._provenance(scene, seed), "after": dict(motion.provenance)}
        joined = concatenated(_alike(parts))
        return joined.with_(text="; then ".join(filter(None, (motion.text, scene.text))), provenance=provenance)

    def stream(self, scene: Scene, seed: int, may_end_early: bool = False) -> Iterator[FaceFrame]:
        """The frames of `perform`, each as soon as it is known."""
        states = self.animator.states([readable(scene.text)])
        decoder = self.tokenizer.stream()
        early = [may_end_early]
        frames = sampling.stream(
            self.animator.model, self.tokenizer, states, [scene.plan], [seed], self.sampling, early
        )
        for place, frame in enumerate(frames):
            features = decoder.push(torch.from_numpy(frame.codes))[0].cpu().numpy()
            yield FaceFrame(place / FPS, features[:52], features[52:55], features[55:58])

    def _provenance(self, scene: Scene, seed: int) -> dict[str, Any]:
        return {
            "by": "tdmm animate", "prompt": scene.text, "seed": seed, "guidance": self.planning.guidance,
            "temperature": self.sampling.temperature, "planner": self.animator.planner.fingerprint,
            "model": self.animator.model.fingerprint, "tokenizer": self.tokenizer.fingerprint,
            "plan": {
                "frames": scene.plan.frames, "events": events_to_json(scene.plan.events),
                "expressions": [asdict(each) for each in scene.plan.expressions],
            },
        }  # fmt: skip


def plan_of(motion: FaceMotion) -> Plan | None:
    """The plan that a motion was made from, None if it was not made here.

    Raises:
        InvalidMotion: it says that it holds one, but it cannot be read.
    """
    kept = motion.provenance.get("plan")
    if kept is None:
        return None
    try:
        meant = tuple(Expression(**each) for each in kept["expressions"])
        return Plan(events_from_json(kept["events"]), int(kept["frames"]), meant)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidMotion(f"The plan inside this motion cannot be read ({error}). Make the motion again.") from error


def _alike(motions: Sequence[FaceMotion]) -> list[FaceMotion]:
    """Motions with their channels in the order of the first."""
    channels = motions[0].channels
    return [
        motion if motion.channels == channels else motion.with_(channels=channels, expression=motion.in_order(channels))
        for motion in motions
    ]
