"""The suite: balanced, playable, worded so that control is kept, and the same for a seed."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

import pytest

from tdmm.acting.actor import perform
from tdmm.acting.coherence import check_coherence
from tdmm.acting.lexicon import load
from tdmm.acting.narrator import narrate
from tdmm.corpus.prompts.control import lost
from tdmm.corpus.prompts.evenness import imbalance
from tdmm.corpus.prompts.prompt import ClipPrompt
from tdmm.corpus.prompts.scenes import persons
from tdmm.corpus.prompts.suite import preview, suite
from tdmm.corpus.splits import family_of
from tdmm.errors import InvalidInput, UnknownName

COUNT = 330


@cache
def prompts() -> tuple[ClipPrompt, ...]:
    return tuple(suite(COUNT, 11))


def test_the_design_holds_where_it_is_counted() -> None:
    for count in (1, 57, 200, COUNT):
        report = imbalance(prompts()[:count])
        exact = ("descriptor", "person", "descriptor x person", "descriptor x intensity")
        assert all(report[name].even for name in exact), (count, report)
    assert imbalance(prompts())["descriptor"].lowest > 0
    for name in ("intensity", "side", "head motion", "look", "framing", "lighting", "background"):
        assert imbalance(prompts())[name].deviation <= 2, name


def test_a_suite_can_be_grown() -> None:
    assert list(suite(40, 11)) == list(prompts()[:40])
    assert [prompt.script for prompt in suite(5, 12)] != [prompt.script for prompt in prompts()[:5]]


def test_every_text_keeps_control() -> None:
    for prompt in prompts():
        assert lost(prompt.script, prompt.face) == ()
        assert prompt.face[0].isupper()
        assert prompt.face.endswith(".")
    assert len({prompt.face for prompt in prompts()}) == COUNT


def test_every_change_of_what_is_asked_is_seen() -> None:
    hands = {"left": "right", "right": "left"}
    changed = []
    for before, prompt in pairwise(prompts()[:120]):
        script = prompt.script
        if any(event.side != "both" for event in script.events):
            changed.append((script, re.sub(r"\b(left|right)\b", lambda match: hands[match.group()], prompt.face)))
        others = [script.model_copy(update={"head": ()})] if script.head else []
        others += [script.model_copy(update={"events": script.events[:1]})] if len(script.events) == 2 else []
        opposite = [
            event.model_copy(update={"intensity": 0.3 if event.intensity > 0.5 else 1.0}) for event in script.events
        ]
        others += [script.model_copy(update={"events": tuple(opposite)})]
        others += [before.script.model_copy(update={"subject": script.subject})]
        changed += [(script, narrate(other, prompt.seed, "long")) for other in others]
    assert len(changed) > 300
    assert all(lost(script, text) for script, text in changed)


def test_every_script_can_be_acted() -> None:
    for prompt in prompts():
        check_coherence(prompt.script)
        assert 4.0 <= prompt.script.seconds <= 6.0
        assert prompt.script.subject == persons()[prompt.person]
        for event in prompt.script.events:
            one_sided = load().get(event.descriptor).side
            assert (event.side == "both") == (one_sided == "both") or one_sided == "either"
    for prompt in prompts()[:12]:
        performance = perform(prompt.script, prompt.seed)
        assert len(performance.motion.expression) == round(25 * prompt.script.seconds)


def test_clips_have_ids_and_seeds_of_their_own() -> None:
    assert len({prompt.clip_id for prompt in prompts()}) == COUNT
    assert len({prompt.seed for prompt in prompts()}) == COUNT
    assert all(re.fullmatch(r"[A-Za-z0-9-]+", prompt.clip_id) for prompt in prompts())
    assert all(0 <= prompt.seed < 2**31 for prompt in prompts())


def test_a_family_is_what_is_asked_and_not_how_or_of_whom() -> None:
    script = next(prompt.script for prompt in prompts() if prompt.script.head)
    milder = script.model_copy(
        update={
            "subject": "a monk",
            "events": tuple(event.model_copy(update={"intensity": 0.31}) for event in script.events),
        }
    )
    assert family_of(milder) == family_of(script)
    assert family_of(script.model_copy(update={"head": ()})) != family_of(script)
    sided = next(
        prompt.script
        for prompt in prompts()
        if prompt.script.events[0].side == "left" and len(prompt.script.events) == 1
    )
    other = sided.model_copy(update={"events": (sided.events[0].model_copy(update={"side": "right"}),)})
    assert family_of(other) != family_of(sided)


def test_persons_can_be_ones_own() -> None:
    own = {"a": "a queen", "b": "a king"}
    made = list(suite(30, 1, own))
    assert {prompt.person for prompt in made} == {"a", "b"}
    assert all(own[prompt.person].split()[1] in prompt.face for prompt in made)
    with pytest.raises(InvalidInput, match="0 persons"):
        suite(1, 1, {})


@pytest.mark.parametrize("words", ["a smiling man", "a man with slight stubble", "a man on the left", "Bob", ""])
def test_a_person_that_would_be_read_as_an_expression_is_refused_at_once(words: str) -> None:
    with pytest.raises(InvalidInput, match="Person 'a'"):
        suite(1, 1, {"a": words})


@pytest.mark.parametrize(("count", "seed"), [(-1, 0), (1, -1), (1, 2**63)])
def test_senseless_numbers_are_refused_at_once(count: int, seed: int) -> None:
    with pytest.raises(InvalidInput, match="must"):
        suite(count, seed)


def test_a_preview_shows_what_a_generator_is_told() -> None:
    shown = list(preview(3, "wan", 11))
    assert [clip_id for clip_id, _, _ in shown] == [prompt.clip_id for prompt in prompts()[:3]]
    assert all(prompt.face in words for prompt, (_, words, _) in zip(prompts()[:3], shown, strict=True))
    assert "camera shake" in shown[0][2]
    with pytest.raises(UnknownName, match="Did you mean 'wan'"):
        preview(3, "wann")
