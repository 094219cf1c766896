"""Nothing that was learned from is judged by."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from tdmm.acting.script import Event, HeadMotion, Script
from tdmm.corpus.splits import SPLITS, family_of, split_of

JUDGED = {"validation", "test"}


def test_no_family_and_no_person_is_in_two_splits() -> None:
    where: dict[str, set[str]] = {}
    for family, person in product(map(str, range(300)), map(str, range(100))):
        split = split_of(family, person, "clip")
        if split != "unused":
            where.setdefault(f"family {family}", set()).add(split)
            where.setdefault(f"person {person}", set()).add(split)
    assert all(len(splits) == 1 for splits in where.values())
    assert {next(iter(splits)) for splits in where.values()} == {"train", "validation", "test"}


def test_shares_are_as_stated() -> None:
    families = [split_of(str(number), None, "clip") for number in range(20_000)]
    assert abs(families.count("train") / 20_000 - 0.94) < 0.01
    assert abs(families.count("test") / 20_000 - 0.03) < 0.005
    persons = [split_of(None, str(number), "clip") for number in range(20_000)]
    assert abs(persons.count("train") / 20_000 - 0.8) < 0.01
    assert abs(persons.count("validation") / 20_000 - 0.1) < 0.01
    assert "unused" not in {*families, *persons}


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_both_must_agree(family: str, person: str, clip: str) -> None:
    asked, seen = split_of(family, None, clip), split_of(None, person, clip)
    assert split_of(family, person, clip) == (asked if asked == seen else "unused")
    assert {asked, seen} <= set(SPLITS)


def test_a_clip_without_either_stands_for_itself() -> None:
    assert len({split_of(None, None, str(number)) for number in range(300)} & JUDGED) == 2


def test_a_family_is_what_is_asked_and_not_when() -> None:
    def script(onset: float, head: bool) -> Script:
        smile = Event(descriptor="grin", onset=onset, apex=onset + 0.1, offset=onset + 0.2, end=onset + 0.3)
        return Script(seconds=2, events=(smile,), head=(HeadMotion(kind="nod", onset=0, end=1),) if head else ())

    assert family_of(script(0.1, True)) == family_of(script(0.5, True)) != family_of(script(0.1, False))
    assert family_of(Script(seconds=2)) is None
