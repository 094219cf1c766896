"""What a motion shows, as a script: the short answers of a model put together.

A model of a few million parameters says more surely what happens, and when, in answers of one fixed form than in a
sentence whose words it has to choose as well. So a description is made from its answers: the expressions (`emotion`),
how strong they are (`intensity`), everything with its seconds (`timeline`) and the head (`head`). Where they differ, an
expression is believed that two of three answers name, and otherwise each answer about what it was asked for. On which
side something shows, and how strongly, is measured in the end; the narrator finds the words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest

import numpy as np

from tdmm.acting.answers import Task
from tdmm.acting.brief import NO_EXPRESSION, THEN
from tdmm.acting.coherence import coherent
from tdmm.acting.descriptors import ActionRecipe
from tdmm.acting.intensity_words import MIDDLES
from tdmm.acting.lexicon import load, mentioned_head_motions
from tdmm.acting.script import LONGEST, MOMENTS, Event, HeadMotion, Lasting, Script
from tdmm.acting.timelines import script_of
from tdmm.errors import InvalidMotion
from tdmm.face.channels import ARKIT
from tdmm.face.facs import ACTIONS, Side
from tdmm.language.motion2language import Motion2Language
from tdmm.language.overlooked import with_overlooked
from tdmm.language.stretches import stretches
from tdmm.motion.clip import FPS, FaceMotion
from tdmm.tokens.tokenizer import Tokenizer

NEEDED: tuple[Task, ...] = ("emotion", "intensity", "timeline", "head")
"""Answers that an account is made from."""

_UNTIMED = 0.8
"""Seconds of a movement that only the answer about the head has."""


def transcribe(model: Motion2Language, tokenizer: Tokenizer, motions: Sequence[FaceMotion]) -> list[Script]:
    """What each motion shows while its face is in sight. What is longer than the model reads at once is read in equal
    parts, and told as one.

    Args:
        model: that knows the tasks of `NEEDED`.
        tokenizer: whose codes it reads.
        motions: on the `arkit` rig.

    Raises:
        InvalidInput: the model does not know the tasks.
        TokenizerMismatch: the tokenizer is another one than the model was trained with.
        InvalidMotion: another rig, a missing channel, a face that is never in sight, or longer than a script may be.
    """
    for motion in motions:
        if motion.seconds > LONGEST:
            raise InvalidMotion(
                f"This motion lasts {motion.seconds:.0f} s; {LONGEST:g} s can be described at once. Cut it in parts."
            )
    parts = [stretches(tokenizer, motion, model.config.max_frames) for motion in motions]
    tokens = [part.tokens for one in parts for part in one]
    answers = {task: model.describe(tokens, task) for task in NEEDED}
    scripts = iter(
        account({task: answers[task][place] for task in NEEDED}, each.frames / FPS) for place, each in enumerate(tokens)
    )
    told = [
        _at_their_times([(part.start, next(scripts)) for part in one], motion.seconds)
        for one, motion in zip(parts, motions, strict=True)
    ]
    return [
        coherent(measured(with_overlooked(script, motion), motion))
        for script, motion in zip(told, motions, strict=True)
    ]


def account(answers: dict[Task, str], seconds: float) -> Script:
    """The script that a model's answers about one motion amount to.

    An expression is in it when two of the answers `emotion`, `intensity` and `timeline` name its family. Where each of
    them has some expression and no two the same, `emotion` is believed: something is there. In the place of one that
    the lexicon does not have ("focused in anger", made up of two) stands what the timeline has there.

    Args:
        answers: to the tasks of `NEEDED`.
        seconds: of the motion.
    """
    line = script_of(answers["timeline"], seconds)
    names = _names(answers["emotion"])
    by_name = {_family(name) for name in names if name in load()}
    by_time = {_family(event.descriptor) for event in line.events}
    by_strength = {_family(mention.descriptor) for mention in load().mentions(answers["intensity"])}
    agreed = (by_name & by_time) | (by_name & by_strength) | (by_time & by_strength)
    if not agreed and by_time and by_strength:
        agreed = by_name
    events = _named(_known(names, line.events), line.events, seconds)
    there = {event.descriptor for event in events}
    events += [
        event
        for event in line.events
        if _family(event.descriptor) in by_strength - by_name and event.descriptor not in there
    ]
    events = [event for event in events if _family(event.descriptor) in agreed]
    return line.model_copy(
        update={
            "events": _each_once(events, lambda event: (event.descriptor, event.side)),
            "head": _moving(_each_once(line.head, lambda motion: motion.kind), answers["head"], seconds),
            "gaze": _each_once(line.gaze, lambda look: look.direction),
        }
    )


def _at_their_times(parts: Sequence[tuple[float, Script]], seconds: float) -> Script:
    """Scripts of the parts of a motion, each from its second on, as one; what goes on across a seam is one thing."""
    # At 25 frames a second the last part may end a little after the motion does.
    whole = Script(seconds=min(max(seconds, *(start + part.seconds for start, part in parts)), LONGEST))
    for start, part in parts:
        whole = Script(
            seconds=whole.seconds,
            events=_across(whole.events, part.events, start, lambda each: (each.descriptor, each.side)),
            head=_across(whole.head, part.head, start, lambda each: each.kind),
            gaze=_across(whole.gaze, part.gaze, start, lambda each: each.direction),
            blinks=(*whole.blinks, *(each.model_copy(update={"time": each.time + start}) for each in part.blinks)),
        )
    return whole


_ENDS = ("offset", "end")


def _each_once(told: Sequence[Lasting], name: Callable[[Lasting], object]) -> tuple[Lasting, ...]:
    """The same thing told again before it is over as one that lasts as long as both."""
    kept: list[Lasting] = []
    for thing in sorted(told, key=lambda each: each.onset):
        same = [place for place, other in enumerate(kept) if name(other) == name(thing) and other.end >= thing.onset]
        if same:
            before = kept[same[-1]]
            ends = {each: max(getattr(before, each), getattr(thing, each)) for each in _ENDS if hasattr(thing, each)}
            kept[same[-1]] = before.model_copy(update=ends)
        else:
            kept.append(thing)
    return tuple(kept)


def _across(
    before: Sequence[Lasting], after: Sequence[Lasting], seam: float, name: Callable[[Lasting], object]
) -> tuple[Lasting, ...]:
    """Things before a seam and things that count from it on; two halves of one thing become one."""
    joined = list(before)
    for thing in after:
        moments = {moment: getattr(thing, moment) + seam for moment in MOMENTS if hasattr(thing, moment)}
        meets = [
            place
            for place, other in enumerate(before)
            if name(other) == name(thing) and other.end >= seam - _SEAM and thing.onset <= _SEAM
        ]
        if meets:
            moments = {moment: moments[moment] for moment in _ENDS if moment in moments}
            joined[meets[0]] = joined[meets[0]].model_copy(update=moments)
        else:
            joined.append(thing.model_copy(update=moments))
    return tuple(joined)


_SEAM = 0.3
"""Seconds about a seam in which two halves of one thing meet."""


def _family(name: str) -> str:
    return load().get(name).family


def _names(answer: str) -> list[str]:
    return [] if answer == NO_EXPRESSION else [name.replace(" ", "_") for name in answer.split(THEN)]


def _known(names: Sequence[str], timed: Sequence[Event]) -> list[str]:
    """Names of the lexicon: those that it does not have, as a timeline has them in their places."""
    instead = [event.descriptor for event in sorted(timed, key=lambda event: event.onset)]
    told = [name if name in load() else other for name, other in zip_longest(names, instead[: len(names)])]
    return [name for name in told if name is not None]


def _named(names: Sequence[str], timed: Sequence[Event], seconds: float) -> list[Event]:
    """Expressions by these names, at the times of those of a timeline that stand in their places."""
    timed = sorted(timed, key=lambda event: event.onset)
    if len(names) == len(timed):
        return [event.model_copy(update={"descriptor": name}) for name, event in zip(names, timed, strict=True)]
    lexicon = load()
    families = [lexicon.get(name).family for name in names], [lexicon.get(each.descriptor).family for each in timed]
    found: dict[int, Event] = {}
    for start, other, length in SequenceMatcher(None, *families, autojunk=False).get_matching_blocks():
        for shift in range(length):
            found[start + shift] = timed[other + shift].model_copy(update={"descriptor": names[start + shift]})
    return [found.get(place) or _between(name, place, found, seconds) for place, name in enumerate(names)]


def _between(name: str, place: int, found: dict[int, Event], seconds: float) -> Event:
    """An expression that no timeline times, after the one before it and before the next one."""
    start = max((event.end for other, event in found.items() if other < place), default=0.0)
    latest = min((event.onset for other, event in found.items() if other > place), default=seconds)
    # Among several in one gap the later ones begin later, which is all that is known.
    start = min(start + 0.01 * place, latest)
    end = max(start, latest)
    return Event(
        descriptor=name, intensity=MIDDLES["plain"], onset=start, apex=start, offset=end, end=end
    )  # fmt: skip


def measured(script: Script, motion: FaceMotion) -> Script:
    """A script whose expressions have the side and the strength that a motion shows at their time.

    Args:
        script: what happens and when.
        motion: on the `arkit` rig, with its resting face wherever a channel mostly is.
    """
    values = motion.in_order(ARKIT)
    rest = np.percentile(values[motion.seen], _AT_REST, axis=0)
    values = values - np.where(rest <= _MOST_AT_REST, rest, 0.0)
    events = []
    for event in script.events:
        first, last = round((event.onset - _ABOUT) * motion.fps), round((event.end + _ABOUT) * motion.fps)
        shown = values[max(0, first) : max(last, first + 1, 1)]
        peaks = dict(zip(ARKIT, shown.max(0, initial=0.0).tolist(), strict=True))
        entry = load().get(event.descriptor)
        core = [recipe for recipe in entry.actions if recipe.probability == 1.0]
        side = _side(core, peaks, event.side) if entry.side != "both" else "both"
        # Blinks close the eyes as well, so their closure is not measured where there is another action.
        telling = [recipe for recipe in core if recipe.action != "eye_closure"] or core
        shares = [
            np.mean([peaks[name] for name in ACTIONS[recipe.action].channels(recipe.side_for(side))])
            / (sum(recipe.peak) / 2)
            for recipe in telling
        ]
        strength = min(max(float(np.median(shares)), _LEAST), 1.0)
        events.append(event.model_copy(update={"side": side, "intensity": strength}))
    return script.model_copy(update={"events": tuple(events)})


_AT_REST = 10
"""Percentile of a channel over the motion that is taken for its resting value."""
_MOST_AT_REST = 0.15
"""Largest resting value: what is more is an expression that is held throughout, not a tracker's resting face."""
_ABOUT = 0.1
"""Seconds before and after an expression that are looked at too: its times are read, not measured."""
_LEAST = 0.05
_ONE_SIDED = 0.5
"""What one side does less than this share of the other is done by the other alone."""


def _side(core: Sequence[ActionRecipe], peaks: Mapping[str, float], told: Side) -> Side:
    """The side on which an expression shows; as told where none of its actions has one."""
    sums: dict[Side, float] = {"left": 0.0, "right": 0.0}
    for recipe in core:
        action = ACTIONS[recipe.action]
        if action.sided and recipe.side != "both":
            for side in sums:
                sums[side] += sum(peaks[name] for name in action.channels(recipe.side_for(side)))
    weaker, stronger = sorted(sums, key=lambda side: sums[side])
    if not sums[stronger]:
        return told
    return stronger if sums[weaker] < _ONE_SIDED * sums[stronger] or told != "both" else "both"


def _moving(timed: Sequence[HeadMotion], said: str, seconds: float) -> tuple[HeadMotion, ...]:
    """Head motions of a timeline, and those that only the answer about the head has, at half time."""
    missing = [kind for kind in mentioned_head_motions(said) if kind not in {motion.kind for motion in timed}]
    start = max(0.0, (seconds - _UNTIMED) / 2)
    end = max(start, min(seconds, start + _UNTIMED))
    extra = [HeadMotion(kind=kind, intensity=MIDDLES["plain"], cycles=1, onset=start, end=end) for kind in missing]
    return (*timed, *extra)
