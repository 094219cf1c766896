"""Questions about the head, the eyes and the lids, and about what comes first."""

from __future__ import annotations

from random import Random

from tdmm.acting import asking
from tdmm.acting.asking import anybody, of_noun, of_verb
from tdmm.acting.beats import onset_of
from tdmm.acting.brief import THEN, done, heads_of, name_of
from tdmm.acting.clauses import Item
from tdmm.acting.inflection import count_adverb, number, plural
from tdmm.acting.lexicon import load
from tdmm.acting.motion_words import motion_words, stem_and_hand
from tdmm.acting.question_facts import Asked, Known, answered, noun_of, unmistakable
from tdmm.acting.script import Event, HeadMotion
from tdmm.motion.events import GAZE_DIRECTIONS, HEAD_MOTIONS, GazeDirection, HeadMotionKind

_APART = 0.4  # seconds from one beginning to the next, so that their order can be told
_WAYS: dict[GazeDirection, str] = {
    direction: direction.replace("_", " to the ") if "_" in direction
    else direction if direction in ("up", "down") else f"to the {direction}"
    for direction in GAZE_DIRECTIONS
}  # fmt: skip


def head_question(known: Known, truth: bool, rng: Random) -> Asked | None:
    """Does the head do this?"""
    script = known.script
    moved = {motion.kind for motion in script.head}
    meant = {load().get(event.descriptor).head for event in script.events}
    kinds: list[HeadMotionKind] = [kind for kind in HEAD_MOTIONS if (kind in moved) == truth and kind not in meant]
    if not kinds:
        return None
    # Often the same motion to the other side, which is the slip to be expected.
    stems = {stem_and_hand(kind)[0] for kind in moved}
    likely = [] if truth else [kind for kind in kinds if stem_and_hand(kind)[0] in stems]
    kind = rng.choice(likely if likely and rng.random() < 0.3 else kinds)
    question = _of_head(kind, rng)
    if truth:
        motion = next(each for each in script.head if each.kind == kind)
        return answered(question, True, done(motion, rng))
    return answered(question, False, heads_of(script, rng))


def times_question(known: Known, truth: bool, rng: Random) -> Asked | None:
    """How often does the head nod, shake or wobble?"""
    counted = [motion for motion in known.script.head if motion.kind in ("nod", "shake", "wobble")]
    if len(counted) != 1 or not (motion := counted[0]):
        return None
    count = motion.cycles if truth else rng.choice([each for each in (1, 2, 3, 4) if each != motion.cycles])
    return answered(_of_head(motion.kind, rng, count_adverb(count)), truth, count_adverb(motion.cycles))


def blinks_question(known: Known, truth: bool, rng: Random) -> Asked | None:
    """Does it blink, and how often?"""
    really = known.blinks
    if really is None:
        return None
    who = anybody(rng)
    seen = count_adverb(really) if really else "no blink"
    if rng.random() < 0.3:
        if (really > 0) != truth:
            return None
        return answered(rng.choice((of_verb("blink", who, rng), of_noun("a blink", who, rng))), truth, seen)
    if truth and not really:
        return None
    count = really if truth else rng.choice([each for each in (1, 2, 2, 3, 3, 4) if each != really])
    blinks = f"{number(count)} {plural('blink')}" if count > 1 else "one blink"
    if rng.random() < 0.2:
        return answered(f"are there {blinks}?" if count > 1 else f"is there {blinks}?", truth, seen)
    return answered(of_verb("blink", who, rng, count_adverb(count)), truth, seen)


def order_question(known: Known, truth: bool, rng: Random) -> Asked | None:
    """Which comes first?"""
    things: list[Item] = sorted([*unmistakable(known.script), *known.script.head], key=onset_of)
    pairs = [
        (one, other)
        for i, one in enumerate(things)
        for other in things[i + 1 :]
        if onset_of(other) - onset_of(one) >= _APART and noun_of(one, rng) and noun_of(other, rng)
    ]
    if not pairs:
        return None
    first, then = rng.choice(pairs)
    one, other = (asking.the(noun_of(each, rng)) for each in ((first, then) if truth else (then, first)))
    question = rng.choice(
        (
            f"does {one} come before {other}?", f"is {one} before {other}?", f"does {other} come after {one}?",
            f"does {one} come first, then {other}?", f"is {one} followed by {other}?", f"is {other} after {one}?",
        )
    )  # fmt: skip
    told = [name_of(each) if isinstance(each, Event) else _plainly(each) for each in (first, then)]
    return answered(question, truth, f"first {told[0]}, then {told[1]}")


def gaze_question(known: Known, truth: bool, rng: Random) -> Asked | None:
    """Do the eyes go there?"""
    script = known.script
    looked = {gaze.direction for gaze in script.gaze}
    if not looked and (script.head or any(load().get(event.descriptor).gaze for event in script.events)):
        return None  # eyes go with a turning head a little
    halves = {half for direction in looked for half in direction.split("_")}
    ways = [each for each in _WAYS if (each in looked if truth else not {*each.split("_")} & halves)]
    if not ways:
        return None
    who = anybody(rng)
    verb = rng.choice(("look {}", "look {}", "glance {}", f"turn {who.pronouns.poss} eyes {{}}"))
    seen = THEN.join(f"looks {_WAYS[gaze.direction]}" for gaze in script.gaze) or "the eyes look ahead"
    return answered(of_verb(verb.format(_WAYS[rng.choice(ways)]), who, rng), truth, seen)


def still_question(known: Known, truth: bool, rng: Random) -> Asked | None:
    """Does the head move?"""
    if any(load().get(event.descriptor).head for event in known.script.events):
        return None
    who, still = anybody(rng), not known.script.head
    poss = who.pronouns.poss
    if still == truth:
        ways = ["does the head stay still?", of_verb(f"keep {poss} head still", who, rng), "is the head still?"]
    else:
        ways = ["does the head move?", of_verb(f"move {poss} head", who, rng), of_noun("any head movement", who, rng)]
    return answered(rng.choice(ways), truth, heads_of(known.script, rng))


def _of_head(kind: HeadMotionKind, rng: Random, tail: str = "") -> str:
    stem, hand = stem_and_hand(kind)
    who = anybody(rng)
    verbs = [each.text for each in motion_words().said[stem] if each.form == "verb"]
    if kind in ("nod", "shake", "wobble") and rng.random() < 0.25:
        return of_verb(kind, asking.Who("the head", "the head", who.pronouns), rng, tail)
    verb = rng.choice(verbs)
    place = f"{who.pronouns.poss} {hand} shoulder" if "{shoulder}" in verb else f"to the {hand}"
    return of_verb(asking.spoken(verb, who, place=place), who, rng, tail)


def _plainly(item: Item) -> str:
    assert isinstance(item, HeadMotion)
    stem, hand = stem_and_hand(item.kind)
    return f"{stem.replace('_', ' ')} {hand}".rstrip()
