"""Control: what a text loses of its script is found, and what it keeps is not taken for lost."""

from __future__ import annotations

import re

import pytest

from tdmm.acting.casting import cast
from tdmm.acting.narrator import narrate
from tdmm.acting.script import Blink, Event, Gaze, HeadMotion, Script
from tdmm.corpus.prompts.control import asks, lost
from tdmm.corpus.prompts.telling import candidates, told
from tdmm.errors import InvalidScript


def event(name: str, onset: float, intensity: float = 0.6, side: str = "both") -> Event:
    times = {"onset": onset, "apex": onset + 0.4, "offset": onset + 0.9, "end": onset + 1.2}
    return Event.model_validate({"descriptor": name, "intensity": intensity, "side": side, **times})


SMIRK = Script(
    seconds=5,
    subject="a bald young man",
    events=(event("smirk", 0.4, 0.4, "left"), event("surprise", 2.5, 0.8)),
    head=(HeadMotion(kind="turn_right", intensity=0.6, onset=2.6, end=3.9),),
)
LOOK = Script(
    seconds=4,
    subject="an old woman",
    events=(event("disgust", 0.4, 1.0),),
    gaze=(Gaze(direction="up_left", intensity=0.6, onset=2.0, end=2.9),),
    blinks=(Blink(time=3.2, count=1),),
)


@pytest.mark.parametrize(
    "text",
    [
        "A bald young man smirks slightly on the left, then looks very surprised while turning his head to the right.",
        "We see a bald young man who gives a slight smirk with the left corner of his mouth, and then a look of strong "
        "surprise crosses his face as he turns to the right.",
        "A slight smirk appears on the left side of the mouth of a bald young man. Then he clearly shows surprise and "
        "turns his face to his right for about a second and a half.",
    ],
)
def test_a_text_that_says_it_all_keeps_control(text: str) -> None:
    assert lost(SMIRK, text) == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("A man smirks slightly on the left, then looks very surprised while turning his head to the right.", "person"),
        ("A bald young man looks very surprised while turning his head to the right.", "Say this too: 'smirk'"),
        ("A bald young man smirks slightly on the left, then turns his head to the right.", "too: .*surprise"),
        ("A bald young man smirks slightly on the left, then looks very surprised.", "too: the head"),
        ("A bald young man smirks slightly on the left, then looks very surprised while turning his head to the left.",
         "turn"),
        ("A bald young man smirks slightly on the right, then looks very surprised while turning his head to the "
         "right.", "is on the left side"),
        ("A bald young man smirks slightly, then looks very surprised while turning his head to the right.",
         "is on the left side"),
        ("A bald young man smirks on the left, then looks very surprised while turning his head to the right.",
         "how strong it is: slight"),
        ("A bald young man smirks slightly on the left, then looks surprised while turning his head to the right.",
         "how strong it is: strong"),
        ("A bald young man smirks strongly on the left, then looks slightly surprised while turning his head to the "
         "right.", "how strong it is: slight"),
        ("A bald young man smirks slightly on the left, then looks very surprised while turning his head slightly to "
         "the right.", "no degree of the head"),
        ("A bald young man looks very surprised while turning his head to the right, then smirks slightly on the left.",
         "order"),
        ("A bald young man smirks slightly on the left, then frowns and looks very surprised while turning his head "
         "to the right.", "Leave out frown"),
        ("A bald young man smirks slightly on the left, then looks very surprised on the left while turning his head "
         "to the right.", "no side of"),
    ],
)  # fmt: skip
def test_what_is_lost_or_added_is_told(text: str, complaint: str) -> None:
    assert re.search(complaint, " ".join(lost(SMIRK, text)))


def test_looks_and_blinks_are_control_too() -> None:
    assert lost(LOOK, "An old woman shows extreme disgust, then looks up to the left and blinks.") == ()
    for text in (
        "An old woman shows extreme disgust, then looks down to the left and blinks.",
        "An old woman shows extreme disgust, then looks up and blinks.",
        "An old woman shows extreme disgust and then blinks.",
        "An old woman shows extreme disgust, then looks up to the left.",
    ):
        assert lost(LOOK, text) != (), text


def test_what_the_narrator_says_at_length_keeps_control() -> None:
    """The checker is as strict as the readers allow: almost nothing of the narrator's is refused."""
    scripts = [script for script in (cast(21, index) for index in range(150)) if script.events]
    kept = [not lost(script, narrate(script, seed, "long")) for seed, script in enumerate(scripts)]
    assert sum(kept) >= 0.98 * len(kept)


def test_short_texts_lose_sides_and_degrees() -> None:
    assert all(lost(SMIRK, narrate(SMIRK, seed, "short")) for seed in range(30))


def test_the_list_for_a_model_names_everything() -> None:
    smirk, surprise, head = asks(SMIRK)
    assert "'smirk'" in smirk
    assert "slight" in smirk
    assert smirk.endswith("side: left")
    assert "strong" in surprise
    assert "to the right" in head
    assert "{" not in "".join((*asks(SMIRK), *asks(LOOK)))
    assert len(asks(LOOK)) == 3


def test_told_in_several_ways_and_always_with_control() -> None:
    texts = told(SMIRK, 5, 8)
    assert len(set(texts)) == 8
    assert all(lost(SMIRK, text) == () for text in texts)
    assert told(SMIRK, 5, 3) == texts[:3]
    assert told(SMIRK, 6, 1) != texts[:1]
    assert any(lost(SMIRK, text) for text in candidates(SMIRK, 5))  # not every way is taken


def test_a_script_that_cannot_be_told_is_refused() -> None:
    twice = Script(seconds=4, subject="a man", events=(event("smirk", 0.3, 0.3), event("smirk", 2.0, 1.0)))
    broken = twice.model_copy(update={"subject": "a man who always frowns"})
    with pytest.raises(InvalidScript, match="keeps control"):
        told(broken, 1)
