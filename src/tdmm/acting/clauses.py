"""One thing of a script as a clause that can stand in any voice: a verb phrase and, if it has one, a noun."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

from tdmm.acting import intensity_words, times
from tdmm.acting.descriptors import FORMS, Descriptor, Phrasing
from tdmm.acting.holding_out import Wordings
from tdmm.acting.inflection import VerbForm, count_adverb, inflected, number, plural, with_article
from tdmm.acting.intensity_words import Level, level_of
from tdmm.acting.lexicon import load
from tdmm.acting.motion_words import motion_words, stem_and_hand
from tdmm.acting.pronouns import NOBODY, Pronouns
from tdmm.acting.script import Blink, Event, Gaze, HeadMotion
from tdmm.acting.slots import SIDE_SLOTS, filled, slots_of
from tdmm.acting.wordings import phrasings
from tdmm.face.facs import ACTIONS, Side

Item = Event | HeadMotion | Gaze | Blink

_SHORT_LOOK = 0.8  # seconds below which a look is a glance
_COUNTED = ("nod", "shake", "wobble")

# What one gives, what one lets out, and what stands in a face.
_GIVEN = re.compile(
    r"\b(smile|smirk|grin|look|stare|glare|frown|scowl|glower|wink|pout|sneer|shrug|laugh|chuckle|giggle|wince|grimace"
    r"|cheer|snarl|squint|flash|lift|kiss|nod|shake|blink|glance|yawn|whistle|start|bite)$"
)
_LET_OUT = re.compile(
    r"\b(laugh|laughter|chuckle|giggle|giggles|gasp|sob|yawn|sigh|cheer|scream|wail|roar|puff|shout)\b"
)
_IN_THE_FACE = re.compile(
    r"\b(smile|smirk|grin|look|expression|frown|scowl|flash|flicker|pout|sneer|grimace|stare|mix|stab)\b"
)


@dataclass(frozen=True)
class Clause:
    """A clause without its subject.

    Attributes:
        before: adverb before the verb, or nothing.
        verb: verb phrase, base form first, further verbs starred.
        after: what follows it.
        noun: the same as a noun phrase with its article; None where there is none.
        in_face: whether the noun can cross or stand in a face.
    """

    before: str
    verb: str
    after: str
    noun: str | None = None
    in_face: bool = False

    def finite(self, plural_subject: bool) -> str:
        """`slightly smirks on the left`."""
        return self._joined("base" if plural_subject else "third")

    def base(self) -> str:
        """`slightly smirk on the left`."""
        return self._joined("base")

    def gerund(self) -> str:
        """`slightly smirking on the left`."""
        return self._joined("gerund")

    def past(self) -> str:
        """`slightly smirked on the left`."""
        return self._joined("past")

    def _joined(self, form: VerbForm) -> str:
        return _joined(self.before, inflected(self.verb, form), self.after)


@dataclass(frozen=True)
class Manner:
    """How much is said of each thing, and of whom.

    Attributes:
        pronouns: of the subject; those of nobody for phrases about a face alone.
        details: intensity and side.
        timing: durations and speed.
        exact: seconds, as numbers.
        wordings: which phrasings of a descriptor may be used.
        phrasings: at most this many phrasings of each form are used; 0 for all.
        noun: which of the forms must be there.
    """

    pronouns: Pronouns
    details: bool = True
    timing: bool = False
    exact: bool = False
    wordings: Wordings = "plain"
    phrasings: int = 0
    noun: bool = False

    @property
    def rich(self) -> bool:
        """Whether degrees are said in all the ways people have."""
        return self.wordings != "plain"


def clause_of(item: Item, manner: Manner, rng: Random) -> Clause:
    """Put one thing into words."""
    if isinstance(item, Event):
        return _event(item, manner, rng)
    if isinstance(item, HeadMotion):
        return _head(item, manner, rng)
    return _gaze(item, manner, rng) if isinstance(item, Gaze) else _blink(item, manner, rng)


def has_noun(item: Item, wordings: Wordings = "plain") -> bool:
    """Whether a thing can be said as a noun phrase."""
    return not isinstance(item, Event) or bool(_nouns(load().get(item.descriptor), wordings))


def _nouns(entry: Descriptor, wordings: Wordings) -> list[Phrasing]:
    return [each for each in phrasings(entry, wordings) if each.form == "noun"]


def _event(event: Event, manner: Manner, rng: Random) -> Clause:
    entry = load().get(event.descriptor)
    level = level_of(event.intensity) if manner.details else "plain"
    usable = _usable(entry, level, manner, event.side if manner.details else "both")
    chosen = rng.choice(usable)
    side: Side = event.side if manner.details or entry.side != "one" else "both"
    one_sided = entry.side == "one"
    pronouns = manner.pronouns
    where = ""
    if manner.details and event.side != "both" and entry.side != "both":
        where = filled(_where(entry, event.side, rng), pronouns)
    noun = _noun(entry, level, where, manner, rng, event)
    if chosen.form == "noun":
        text, side_said = _said_noun(chosen, level, manner, rng), bool(slots_of(chosen.text) & SIDE_SLOTS)
        text = _joined(filled(text, pronouns, side, one_sided), "" if side_said else where)
        verb = f"{_carrier(chosen.text, entry, rng)} {text}"
        return Clause("", verb, _lasting(event, entry, manner, rng), text, _in_face(chosen.text))
    if chosen.form == "adjective":
        if where.startswith("on the "):  # one smirks on the left, but is not smug there
            where = f"with the {event.side} corner of {pronouns.poss} mouth up"
        verb = rng.choice(("look", "look", "seem", "appear"))
        behind = filled(intensity_words.trailing(level, rng, manner.rich), pronouns) if " " in chosen.text else ""
        degree = "" if behind else intensity_words.of_adjective(level, rng, manner.rich)
        text = _joined(verb, degree, filled(chosen.text, pronouns, side, one_sided))
        return Clause("", text, _joined(where, behind, _lasting(event, entry, manner, rng)), *noun)
    text = filled(chosen.text, pronouns, side, one_sided)
    side_said = bool(slots_of(chosen.text) & SIDE_SLOTS)
    before, after = _intensity_around(text, level, manner, rng)
    if _long(chosen):
        before, after = "", filled(intensity_words.trailing(level, rng, manner.rich), pronouns)
    speed = _speed(event, entry, rng) if manner.timing else ""
    if speed and not before and not after:
        before = speed
    ending = _joined(after, "" if side_said else where, _lasting(event, entry, manner, rng))
    return Clause(before, text, ending, *noun)


def _usable(entry: Descriptor, level: Level, manner: Manner, side: Side) -> list[Phrasing]:
    """Phrasings that fit intensity and side; of an adjective of several words no degree can be said."""
    quiet, known = level in ("faint", "slight"), phrasings(entry, manner.wordings)
    usable = [
        phrasing
        for phrasing in known
        if not (quiet and phrasing.strong)
        and not (phrasing.form == "adjective" and " " in phrasing.text and level != "plain" and not _long(phrasing))
        and not (manner.noun and phrasing.form != "noun")
    ]
    saying_side = [phrasing for phrasing in usable if slots_of(phrasing.text) & SIDE_SLOTS]
    if side != "both" and entry.side == "either" and saying_side:
        usable = saying_side
    if manner.phrasings:
        usable = [each for form in FORMS for each in [one for one in usable if one.form == form][: manner.phrasings]]
    return usable or [each for each in known if not manner.noun or each.form == "noun"]


def _long(phrasing: Phrasing) -> bool:
    """Whether a degree can only stand behind it, after a comma."""
    return phrasing.style in ("situation", "director") or (phrasing.style != "plain" and phrasing.text.count(" ") > 3)


def _noun(
    entry: Descriptor, level: Level, where: str, manner: Manner, rng: Random, event: Event
) -> tuple[str | None, bool]:
    nouns = [each for each in _nouns(entry, manner.wordings) if not (each.strong and level in ("faint", "slight"))]
    if not nouns:
        return None, False
    chosen = rng.choice(nouns[: manner.phrasings] if manner.phrasings else nouns)
    text = filled(_said_noun(chosen, level, manner, rng), manner.pronouns, event.side, entry.side == "one")
    return _joined(text, where), _in_face(chosen.text)


def _said_noun(chosen: Phrasing, level: Level, manner: Manner, rng: Random) -> str:
    """A noun phrase with its intensity, slots open."""
    if chosen.text.startswith("the ") or _long(chosen):
        return _joined(chosen.text, intensity_words.trailing(level, rng, manner.rich))
    return _with_intensity(chosen.text, level, manner, rng)


def _with_intensity(noun: str, level: Level, manner: Manner, rng: Random) -> str:
    article, _, rest = noun.partition(" ")
    if article not in ("a", "an"):  # a plural: "slightly raised eyebrows"
        return " ".join(part for part in (intensity_words.of_participle(level, rng, manner.rich), noun) if part)
    word = intensity_words.of_noun(level, rng, manner.rich)
    if not word:
        return noun
    if word.startswith("~"):
        return f"{word[1:]} {noun}"
    if level == "faint" and rng.random() < 0.3:
        return f"a hint of {noun}"
    return with_article(f"{word} {rest}")


def _intensity_around(text: str, level: Level, manner: Manner, rng: Random) -> tuple[str, str]:
    # A starred second verb would take the adverb after it as its own, and a long phrase would lose it.
    if rng.random() < 0.5 or "*" in text or text.count(" ") > 4:
        return intensity_words.before_verb(level, rng, manner.rich), ""
    return "", filled(intensity_words.after_verb(level, rng, manner.rich), manner.pronouns)


def _where(entry: Descriptor, side: Side, rng: Random) -> str:
    """Words for the side of an event whose phrasing does not say it."""
    leading = next(
        (recipe for recipe in entry.actions if recipe.side == "same" and ACTIONS[recipe.action].sided),
        entry.actions[0],
    )
    region = ACTIONS[leading.action].region
    if leading.action == "outer_brow_raiser":
        return rng.choice((f"with {{poss}} {side} eyebrow up", f"with {{poss}} {side} eyebrow higher"))
    if leading.action in ("mouth_sideways", "jaw_sideways"):
        part = "mouth" if leading.action == "mouth_sideways" else "jaw"
        return rng.choice((f"with {{poss}} {part} to the {side}", f"with {{poss}} {part} off to the {side}"))
    if entry.family == "confusion":
        other = "right" if side == "left" else "left"
        return rng.choice((f"with {{poss}} {side} eyebrow up", f"with {{poss}} {other} eyebrow down"))
    if entry.family == "wink":
        return rng.choice((f"with {{poss}} {side} eye", f"on the {side}"))
    if region == "mouth":
        return rng.choice((f"on the {side} side of {{poss}} mouth", f"on the {side}"))
    if region in ("lids", "brows"):
        part = "eye" if region == "lids" else "eyebrow"
        return rng.choice((f"with {{poss}} {side} {part}", f"on the {side}"))
    return rng.choice((f"on the {side}", f"on the {side} side of {{poss}} face"))


def _carrier(noun: str, entry: Descriptor, rng: Random) -> str:
    bare = re.sub("^(an?|the) ", "", noun)
    head = re.split(" of | in | with | at | to | around ", bare, maxsplit=1)[0]
    if bare == noun or bare.startswith("air of"):
        return rng.choice(("have", "show"))
    if bare.endswith(" face"):
        return rng.choice(("make", "pull"))
    if _LET_OUT.search(head):
        return rng.choice(("let out", "give"))
    if entry.kind == "micro":
        return rng.choice(("show", "give"))
    if _GIVEN.search(head):
        return rng.choice(("give", "show"))
    return rng.choice(("show", "have"))


def _in_face(noun: str) -> bool:
    return _IN_THE_FACE.search(noun) is not None


def _speed(event: Event, entry: Descriptor, rng: Random) -> str:
    if entry.kind == "micro":
        return ""
    rise = event.apex - event.onset
    if rise >= 0.9:
        return rng.choice(("slowly", "gradually"))
    if rise <= 0.16:
        return rng.choice(("suddenly", "quickly"))
    return ""


def _lasting(event: Event, entry: Descriptor, manner: Manner, rng: Random) -> str:
    if manner.exact:
        return times.said(event.onset, event.end, rng)
    if not manner.timing or entry.kind == "micro" or rng.random() < 0.25:
        return ""
    seconds = event.end - event.onset
    if seconds < 0.7:
        return rng.choice(("briefly", "for an instant"))
    if seconds < 1.3:
        return rng.choice(("for a moment", "for about a second"))
    if seconds < 1.75:
        return "for about a second and a half"
    return f"for about {number(round(seconds))} seconds"


def _head(motion: HeadMotion, manner: Manner, rng: Random) -> Clause:
    stem, hand = stem_and_hand(motion.kind)
    pronouns = manner.pronouns
    said = motion_words(manner.wordings).said[stem]
    verbs = [each for each in said if each.form == "verb"]
    verb = rng.choice(verbs[: manner.phrasings] if manner.phrasings else verbs).text
    noun = rng.choice([each for each in said if each.form == "noun"]).text
    level = level_of(motion.intensity) if manner.details else "plain"
    place = rng.choice((f"to the {hand}", f"to the {hand}", f"to {pronouns.poss} {hand}", hand))
    shoulder = f"{pronouns.poss} {hand} shoulder"
    spoken = filled(verb, pronouns, place=shoulder if "{shoulder}" in verb else place)
    how = filled(intensity_words.of_motion(level, rng, manner.rich), pronouns)
    counted = ""
    if motion.kind in _COUNTED and manner.details:
        counted = count_adverb(motion.cycles) if motion.cycles > 1 or rng.random() < 0.6 else ""
    pace = _pace(motion, bool(how), rng) if manner.timing else ""
    if manner.exact:
        pace = times.said(motion.onset, motion.end, rng)
    noun = filled(_counted_noun(noun, motion, level, manner, rng), pronouns, place=f"to the {hand}")
    if counted and rng.random() < 0.2 and stem != "wobble":
        return Clause("", f"give {noun}", pace, noun)
    return Clause("", spoken, _joined(counted, how, pace), noun)


def _counted_noun(noun: str, motion: HeadMotion, level: Level, manner: Manner, rng: Random) -> str:
    if not manner.details:
        return noun
    bare = noun.partition(" ")[2]
    word = intensity_words.of_noun(level, rng, manner.rich)
    if word.startswith("~") and not (motion.kind in _COUNTED and motion.cycles > 1):
        return f"{word[1:]} {with_article(bare)}"
    word = "" if word.startswith("~") else word
    described = f"{word} {bare}" if word else bare
    if motion.kind in _COUNTED and motion.cycles > 1:
        return f"{number(motion.cycles)} {plural(described)}"
    return with_article(described)


def _pace(motion: HeadMotion, after_adverb: bool, rng: Random) -> str:
    period = (motion.end - motion.onset) / max(motion.cycles, 1)
    slow, fast = (0.65, 0.42) if motion.kind in _COUNTED else (2.0, 1.2)
    if motion.kind == "recoil":
        return ""
    if fast <= period <= slow:
        return ""
    pace = "slow" if period > slow else "quick"
    return f"at a {pace} pace" if after_adverb or rng.random() < 0.5 else f"{pace}ly"


def _gaze(gaze: Gaze, manner: Manner, rng: Random) -> Clause:
    said = motion_words(manner.wordings).said["glance" if gaze.end - gaze.onset < _SHORT_LOOK else "look"]
    verbs = [each.text for each in said if each.form == "verb"]
    verb = rng.choice(verbs[: manner.phrasings] if manner.phrasings else verbs)
    noun = rng.choice([each.text for each in said if each.form == "noun"])
    level = level_of(gaze.intensity) if manner.details else "plain"
    how = filled(intensity_words.of_motion(level, rng, manner.rich), manner.pronouns)
    toward = _toward(gaze.direction, manner.pronouns, rng)
    spoken = filled(verb, manner.pronouns, place=toward)
    word = intensity_words.of_noun(level, rng, manner.rich).replace("mild", "slight")
    spoken_noun = filled(noun, NOBODY, place=_toward(gaze.direction, NOBODY, rng))
    if word.startswith("~"):
        spoken_noun = f"{word[1:]} {spoken_noun}"
    elif word:
        spoken_noun = with_article(f"{word} {spoken_noun.partition(' ')[2]}")
    when = times.said(gaze.onset, gaze.end, rng) if manner.exact else ""
    return Clause("", spoken, _joined(how, when), spoken_noun)


def _toward(direction: str, pronouns: Pronouns, rng: Random) -> str:
    vertical, _, side = direction.rpartition("_") if "_" in direction else ("", "", direction)
    if vertical:
        ways = (f"{vertical} to the {side}", f"{vertical} and to the {side}", f"{vertical} to {pronouns.poss} {side}")
        return rng.choice(ways)
    if side in ("up", "down"):
        return rng.choice((side, f"{side}ward"))
    return rng.choice((f"to the {side}", f"to {pronouns.poss} {side}", side))


def _blink(blink: Blink, manner: Manner, rng: Random) -> Clause:
    said = motion_words(manner.wordings).said["slow" if blink.slow else "quick"]
    verb = rng.choice([each.text for each in said if each.form == "verb"])
    noun = rng.choice([each.text for each in said if each.form == "noun"])
    counted = count_adverb(blink.count) if blink.count > 1 or rng.random() < 0.3 else ""
    bare = noun.partition(" ")[2]
    number_of = f"{number(blink.count)} {plural(bare)}" if blink.count > 1 else with_article(bare)
    spoken = filled(verb, manner.pronouns)
    if blink.slow and counted and spoken.endswith(" slowly"):
        spoken, counted = spoken.removesuffix(" slowly"), f"slowly {counted}"
    when = times.moment(blink.time, rng) if manner.exact else ""
    return Clause("", spoken, _joined(counted, when), number_of)


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part).replace(" ,", ",")
