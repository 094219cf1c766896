"""Does a generated face do what was asked, and nothing else? Graded by the reader, never by a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tdmm.acting.descriptors import Descriptor
from tdmm.acting.lexicon import load
from tdmm.acting.script import Event
from tdmm.evaluation import definitions
from tdmm.evaluation.generation import NoModel, in_batches
from tdmm.evaluation.held_out import SEED, Prompt, prompts
from tdmm.evaluation.metric import Measurement, Progress, average, exact, share, silent, skipped
from tdmm.face.facs import ACTIONS
from tdmm.motion.clip import FaceMotion
from tdmm.motion.events import ActionEvent, MotionEvents
from tdmm.reading.actions import EYE_CLOSURE
from tdmm.reading.reader import read

Animate = Callable[[Sequence[str], Sequence[int]], Sequence[FaceMotion]]
"""Prompts and seeds to motions."""

BATCH = 20
EXTRA_STRENGTH = 0.3
"""An action nobody asked for counts from this strength on."""
_HIGHEST_RATIO = 1.2
_BRIEF = 0.6
"""Eyes that a script closes for less than this many seconds may be read as a blink."""


@dataclass(frozen=True)
class EventGrade:
    """How one asked descriptor came out.

    Attributes:
        appears: every core action is there, strong enough.
        on_side: the sided core actions are on the asked side; None if no side was asked for.
        intensity_error: |measured - asked|; None if no core action was found at all.
        onset: seconds at which the first core action found begins; None if none was.
    """

    appears: bool
    on_side: bool | None
    intensity_error: float | None
    onset: float | None


@dataclass(frozen=True)
class ClipGrade:
    """How one generated clip answers its prompt.

    Attributes:
        events: one for each event of the script.
        heads: for each asked head motion, whether it appears.
        extra: actions found that no asked descriptor has.
        frames: of the clip.
        out_of_range: frames with a coefficient outside [0, 1].
    """

    events: tuple[EventGrade, ...]
    heads: tuple[bool, ...]
    extra: tuple[str, ...]
    frames: int
    out_of_range: int


def grade_animate(
    animate: Animate, count: int = 200, seed: int = SEED, progress: Progress = silent
) -> tuple[Measurement, ...]:
    """Generate held-out prompts and grade the motions.

    Args:
        animate: the generator. A prompt on which it raises is a failure, and in no figure.
    """
    try:
        single, failed = graded(animate, prompts(count, seed), progress)
    except NoModel as error:
        return tuple(skipped(definition, str(error)) for definition in definitions.ANIMATE)
    events = [event for grade in single for event in grade.events]
    return (
        share(
            definitions.ANIMATE_ACTION,
            [all(event.appears for event in grade.events) for grade in single],
            failed,
        ),
        share(definitions.ANIMATE_SIDE, [event.on_side for event in events if event.on_side is not None], failed),
        share(definitions.ANIMATE_HEAD, [head for grade in single for head in grade.heads], failed),
        average(definitions.ANIMATE_EXTRA, [float(len(grade.extra)) for grade in single], failed),
        exact(
            definitions.ANIMATE_RANGE,
            float(sum(grade.out_of_range for grade in single)),
            sum(grade.frames for grade in single),
        ),
        average(
            definitions.ANIMATE_INTENSITY,
            [event.intensity_error for event in events if event.intensity_error is not None],
            failed,
            reduce=lambda drawn: np.asarray(np.median(drawn, axis=-1)),
        ),
    )


def grade_clip(prompt: Prompt, motion: FaceMotion) -> ClipGrade:
    """Read one generated motion and compare it with the script behind its prompt."""
    found = read(motion)
    known = [(event, load().get(event.descriptor)) for event in prompt.script.events]
    allowed = {recipe.action for _, descriptor in known for recipe in descriptor.actions}
    if "tongue_show" in allowed:
        allowed.add("jaw_drop")
    strong = {event.action for event in found.actions if event.strength >= EXTRA_STRENGTH}
    kinds = {event.kind for event in found.head}
    outside = (motion.expression < 0.0) | (motion.expression > 1.0)
    return ClipGrade(
        events=tuple(grade_event(event, descriptor, found) for event, descriptor in known),
        heads=tuple(head.kind in kinds for head in prompt.script.head),
        extra=tuple(sorted(strong - allowed)),
        frames=motion.frames,
        out_of_range=int(outside.any(axis=1).sum()),
    )


def grade_event(event: Event, descriptor: Descriptor, found: MotionEvents) -> EventGrade:
    """Compare the asked descriptor with what was found in the whole clip."""
    recipes = {recipe.action: recipe for recipe in descriptor.actions if recipe.probability == 1.0}
    brief = event.end - event.onset < _BRIEF
    by_action = {action: _of_action(action, found, brief) for action in recipes}
    best = {action: max(each, key=lambda one: one.strength) for action, each in by_action.items() if each}
    appears = all(
        action in best and best[action].strength >= 0.5 * event.intensity * recipe.peak[0]
        for action, recipe in recipes.items()
    )
    sided = [action for action, recipe in recipes.items() if ACTIONS[action].sided and recipe.side != "both"]
    on_side: bool | None = None
    if event.side != "both" and sided:
        on_side = all(
            any(one.side == recipes[action].side_for(event.side) for one in by_action[action]) for action in sided
        )
    ratios = [best[action].strength / (0.5 * sum(recipes[action].peak)) for action in best]
    measured = min(float(np.median(ratios)), _HIGHEST_RATIO) if ratios else None
    return EventGrade(
        appears=appears,
        on_side=on_side,
        intensity_error=None if measured is None else abs(measured - event.intensity),
        onset=min((one.onset for each in by_action.values() for one in each), default=None),
    )


def graded(
    animate: Animate, asked: Sequence[Prompt], progress: Progress = silent, before: int = 0, total: int | None = None
) -> tuple[list[ClipGrade], int]:
    """Grades of the prompts that could be generated, and how many could not.

    Raises:
        NoModel: the model itself cannot be had.
    """
    made = motions_of(animate, asked, progress, before, total)
    grades = [grade_clip(prompt, motion) for prompt, motion in zip(asked, made, strict=True) if motion is not None]
    return grades, len(asked) - len(grades)


def motions_of(
    animate: Animate, asked: Sequence[Prompt], progress: Progress = silent, before: int = 0, total: int | None = None
) -> list[FaceMotion | None]:
    """What the generator makes of each prompt; None where it raised.

    Raises:
        NoModel: the model itself cannot be had.
    """
    return in_batches(
        lambda batch: animate([prompt.text for prompt in batch], [prompt.seed for prompt in batch]),
        asked,
        BATCH,
        lambda done: progress(before + done, total or len(asked), "prompts generated"),
    )


def _of_action(action: str, found: MotionEvents, brief: bool) -> list[ActionEvent]:
    events = [event for event in found.actions if event.action == action]
    if action == EYE_CLOSURE and brief:
        for blink in found.blinks:
            end = blink.time + blink.duration
            events.append(ActionEvent(action, blink.side, blink.strength, blink.time, blink.time, end, end))
    return events
