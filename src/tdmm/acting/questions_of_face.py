"""Questions about the face: which expression, on which side, how strong.

None is asked whose answer is a matter of taste: a "no" is about something of which at least one core action is
nowhere in the script, and a degree that is denied is two levels away.
"""

from __future__ import annotations

from random import Random

from tdmm.acting import asking
from tdmm.acting.asking import anybody, of_adjective, of_noun, of_verb
from tdmm.acting.brief import ADVERBS, DEGREES, THEN, degree_of, in_turn, is_empty, is_micro, name_of, with_degree
from tdmm.acting.denials import DENIABLE
from tdmm.acting.descriptors import Descriptor
from tdmm.acting.inflection import with_article
from tdmm.acting.lexicon import load
from tdmm.acting.question_facts import Asked, Known, answered, expressions_seen, noun_of, short_phrasings, unmistakable
from tdmm.acting.script import Event
from tdmm.acting.slots import SIDE_SLOTS, slots_of

_TRIES = 8  # before a question about what is not there is given up
_SYMMETRIC = 0.12  # of the questions for the side, those that may be about what is on both


def expression_question(known: Known, truth: bool, rng: Random) -> Asked | None:
    """Is one of the 200 descriptors there? Yes in its own words; no about another one that it cannot be."""
    script = known.script
    if truth:
        if not script.events:
            return None
        event = rng.choice(script.events)
        return answered(_about(load().get(event.descriptor), rng), True, with_degree(event))
    own = [load().get(event.descriptor) for event in script.events]
    families, actions = {each.family for each in own}, {recipe.action for each in own for recipe in each.actions}

    def could_be(entry: Descriptor) -> bool:
        return entry.family in families or {*entry.core} <= actions

    others = [each for each in load().entries if not could_be(each)]
    for _ in range(_TRIES):
        question = _about(rng.choice(others), rng)
        # "Smiles with pride" has a smile in it, and who smiles happily would rightly say yes to that.
        if not any(could_be(load().get(mention.descriptor)) for mention in load().mentions(question)):
            return answered(question, False, expressions_seen(script))
    return None


def action_question(known: Known, truth: bool, rng: Random) -> Asked | None:
    """Is a plain action there, whatever it means: a smile, raised eyebrows?"""
    own = [(event, load().get(event.descriptor)) for event in in_turn(known.script)]
    possible = {recipe.action for _, entry in own for recipe in entry.actions}
    certain = {action for _, entry in own for action in entry.core}
    facial = [each for each in DENIABLE if each.actions]
    fitting = [each for each in facial if (each.actions & certain if truth else not each.actions & possible)]
    if not fitting:
        return None
    what, who = rng.choice(fitting), anybody(rng)
    if what.nouns and rng.random() < 0.3:
        question = of_noun(f"any {rng.choice(what.nouns)}", who, rng)
    else:
        question = of_verb(asking.spoken(rng.choice(what.verbs), who), who, rng)
    if not truth:
        return answered(question, False, expressions_seen(known.script))
    return answered(question, True, THEN.join(name_of(event) for event, entry in own if what.actions & {*entry.core}))


def side_question(known: Known, truth: bool, rng: Random) -> Asked | None:
    """On which side of the face is it?"""
    events = [event for event in unmistakable(known.script) if event.side != "both"]
    if not truth and rng.random() < _SYMMETRIC:
        events += [event for event in unmistakable(known.script) if event.side == "both" and _symmetric(event)]
    if not events:
        return None
    event = rng.choice(events)
    side = event.side if event.side != "both" else rng.choice(("left", "right"))
    asked = side if truth or event.side == "both" else "left" if side == "right" else "right"
    entry, who = load().get(event.descriptor), anybody(rng)
    chosen = rng.choice([each for each in short_phrasings(entry) if each.form != "adjective"] or list(entry.phrasings))
    where = rng.choice((f"on the {asked}", f"on the {asked}", f"on {who.pronouns.poss} {asked}"))
    says_it = bool(slots_of(chosen.text) & SIDE_SLOTS)
    if chosen.form == "noun":
        noun = asking.the(asking.named(chosen.text, asked))
        question = of_noun(noun, who, rng) if says_it else f"is {noun} {where}?"
    else:
        question = of_verb(asking.spoken(chosen.text, who, asked, True), who, rng, "" if says_it else where)
    seen = "on both sides" if event.side == "both" else f"on the {event.side}"
    return answered(question, truth, seen)


def strength_question(known: Known, truth: bool, rng: Random) -> Asked | None:
    """Is it that strong?"""
    events = [event for event in unmistakable(known.script) if noun_of(event, rng)]
    if not events:
        return None
    event, degrees = rng.choice(events), list(DEGREES.values())
    place = degrees.index(degree_of(event))
    asked = degrees[place] if truth else rng.choice([each for i, each in enumerate(degrees) if abs(i - place) > 1])
    noun, who = noun_of(event, rng), anybody(rng)
    bare = noun.partition(" ")[2]
    question = rng.choice(
        (
            f"is it {with_article(f'{asked} {bare}')}?", of_noun(with_article(f"{asked} {bare}"), who, rng),
            f"is {asking.the(noun)} {asked}?", f"is {asking.the(noun)} only {asked}?" if place < 2 else
            f"is {asking.the(noun)} really {asked}?", f"is {asking.the(noun)} shown {ADVERBS[asked]}?",
        )
    )  # fmt: skip
    return answered(question, truth, degrees[place])


def neutral_question(known: Known, truth: bool, rng: Random) -> Asked | None:
    """Is there any expression at all?"""
    neutral, who = not known.script.events, anybody(rng)
    if neutral == truth:
        ways = [
            f"{who.is_} neutral?", "is the face neutral?", "is it a neutral face?", f"{who.does} keep a neutral face?",
            "is the face at rest?", "is there no expression at all?",
        ]  # fmt: skip
    else:
        ways = [
            f"{who.does} show any expression?", "is there any expression?", "is there an expression on the face?",
            f"{who.does} make a face?", "does the expression change?",
        ]  # fmt: skip
    return answered(rng.choice(ways), truth, expressions_seen(known.script))


def micro_question(known: Known, truth: bool, rng: Random) -> Asked | None:
    """Is there a micro-expression?"""
    shown = [event for event in in_turn(known.script) if is_micro(event)]
    if bool(shown) != truth:
        return None
    noun = rng.choice(("a micro-expression", "a microexpression", "any micro-expression", "a fleeting expression"))
    question = rng.choice((of_noun(noun, anybody(rng), rng), f"does {noun} flash by?"))
    seen = THEN.join(name_of(event) for event in shown) or (
        "the face is neutral" if is_empty(known.script) else "no micro-expression"
    )
    return answered(question, truth, seen)


def _about(entry: Descriptor, rng: Random) -> str:
    """A question that names a descriptor in one of its wordings."""
    who, one = anybody(rng), entry.side == "one"
    chosen = rng.choice(short_phrasings(entry))
    if chosen.form == "noun":
        return of_noun(asking.named(chosen.text, one_sided=one), who, rng)
    text = asking.spoken(chosen.text, who, one_sided=one)
    return of_adjective(text, who, rng) if chosen.form == "adjective" else of_verb(text, who, rng)


def _symmetric(event: Event) -> bool:
    return load().get(event.descriptor).side != "one"
