from __future__ import annotations

from collections.abc import Sequence

from tdmm.acting.lexicon import load
from tdmm.acting.narrator import narrate
from tdmm.acting.script import Event, HeadMotion, Script
from tdmm.evaluation.grade_describe import grade_describe, grade_text
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
