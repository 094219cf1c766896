from __future__ import annotations

from collections.abc import Sequence

from tdmm.acting.actor import perform
from tdmm.acting.lexicon import load
from tdmm.acting.narrator import narrate
from tdmm.acting.script import Event, HeadMotion, Script
from tdmm.evaluation.grade_describe import grade_describe, grade_text, is_absent
from tdmm.evaluation.held_out import clips
from tdmm.motion.clip import FaceMotion


def test_the_narrator_itself_names_nearly_everything() -> None:
    acted = list(clips(30))

    def told(motions: Sequence[FaceMotion]) -> list[str]:
        scripts = {clip.performance.motion.provenance["seed"]: clip.script for clip in acted}
        return [narrate(scripts[motion.provenance["seed"]], 5, "long") for motion in motions]

    figures = {each.definition.name: each for each in grade_describe(told, 30)}
    assert figures["describe.family"].value >= 0.95
    assert figures["describe.head"].value >= 0.95
    assert figures["describe.invented"].value <= 0.1


def test_silence_names_nothing() -> None:
    figures = {each.definition.name: each for each in grade_describe(lambda motions: ["" for _ in motions], 10)}
    assert figures["describe.family"].value == 0
    assert figures["describe.invented"].value is None


def test_a_text_is_graded_by_family_and_head_motion() -> None:
    lexicon = load()
    family, names = next((family, names) for family, names in lexicon.families.items() if len(names) > 1)
    other = next(entry for entry in lexicon.descriptors.values() if entry.family != family)
    script = Script(
        seconds=4,
        events=(Event(descriptor=names[0], onset=0.5, apex=1, offset=2, end=2.5),),
        head=(HeadMotion(kind="nod", cycles=2, onset=1, end=2),),
    )
    sibling = script.model_copy(update={"events": (script.events[0].model_copy(update={"descriptor": names[1]}),)})
    right = grade_text(script, narrate(sibling, 1, "medium"))
    assert right.families == (True,)
    assert right.heads == (True,)
    assert right.invented == 0
    stranger = script.model_copy(
        update={"events": (script.events[0].model_copy(update={"descriptor": other.name}),), "head": ()}
    )
    wrong = grade_text(script, narrate(stranger, 1, "medium"))
    assert wrong.families == (False,)
    assert wrong.heads == (False,)
    assert wrong.invented == 1


def timed(*names: str, apart: float = 1.0) -> Script:
    return Script(
        seconds=6,
        events=tuple(
            Event(descriptor=name, onset=i * apart, apex=i * apart + 0.2, offset=i * apart + 0.5, end=i * apart + 0.9)
            for i, name in enumerate(names)
        ),
    )


def test_families_must_be_named_in_their_order() -> None:
    told = "They smile, then frown, then wink."
    assert grade_text(timed("smile", "frown", "wink"), told).in_order
    assert grade_text(timed("smile", "wink"), told).in_order
    assert not grade_text(timed("frown", "smile"), told).in_order
    assert grade_text(timed("frown", "smile", apart=0.1), told).in_order  # at once
    assert not grade_text(timed("smile", "puff_cheeks"), told).in_order


def test_an_invention_is_unseen_where_its_signature_is() -> None:
    motion = perform(timed("smile"), 3).motion
    family = {name: load().get(name).family for name in ("smile", "puff_cheeks", "wink")}
    assert not is_absent(family["smile"], motion)
    assert is_absent(family["puff_cheeks"], motion)

    def told(motions: Sequence[FaceMotion]) -> list[str]:
        return ["They puff out their cheeks." for _ in motions]

    figures = {each.definition.name: each for each in grade_describe(told, 10)}
    assert 0.5 < figures["describe.unseen"].value <= figures["describe.invented"].value
