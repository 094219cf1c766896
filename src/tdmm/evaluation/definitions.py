"""Every figure of `tdmm evaluate quick`: name, unit, formula and aim. `docs/evaluation.md` explains them."""

from __future__ import annotations

from tdmm.evaluation.metric import Definition
from tdmm.face.geometry import FACE_REGIONS

READER_RECALL = Definition(
    "reader.recall",
    "share",
    "true actions of strength >= 0.3 and true head motions that have a finding of the same kind and side"
    " which shares time, over all of them",
    of="events",
    threshold=0.95,
    better="up",
)
READER_FALSE = Definition(
    "reader.false",
    "share",
    "found actions and head motions that match no true event of any strength, over all found",
    of="findings",
    threshold=0.05,
    better="down",
)
READER_RECALL_ACTIONS = Definition(
    "reader.recall_actions", "share", "reader.recall of facial actions alone", of="events"
)
READER_RECALL_HEAD = Definition("reader.recall_head", "share", "reader.recall of head motions alone", of="events")
READER_BLINKS = Definition(
    "reader.blinks",
    "share",
    "true blinks of both lids with a found blink within 0.2 s, over all",
    of="blinks",
)
READER_GAZE = Definition(
    "reader.gaze",
    "share",
    "true gaze events with a found one of the same direction that shares time, over all",
    of="events",
)

ANIMATE_ACTION = Definition(
    "animate.action",
    "share",
    "clips in which every core action of every asked descriptor is found, each at half of asked intensity"
    " x the recipe's low peak or stronger, at any time and on any side",
    of="prompts",
    threshold=0.95,
    better="up",
)
ANIMATE_SIDE = Definition(
    "animate.side",
    "share",
    "of the one-sided descriptors asked for, those whose sided core actions are all found on the asked side",
    of="descriptors",
    threshold=0.93,
    better="up",
)
ANIMATE_HEAD = Definition(
    "animate.head",
    "share",
    "asked head motions of which one of the same kind (and so direction) is found, over all asked",
    of="head motions",
    threshold=0.93,
    better="up",
)
ANIMATE_EXTRA = Definition(
    "animate.extra",
    "actions a clip",
    "found actions of strength >= 0.3 that are in no asked descriptor's recipe, a mean over clips; several"
    " findings of one action in a clip count once; a jaw drop under an asked tongue does not count",
    of="prompts",
    threshold=0.15,
    better="down",
)
ANIMATE_RANGE = Definition(
    "animate.out_of_range",
    "frames",
    "generated frames with a coefficient outside [0, 1], all clips together",
    of="frames",
    threshold=0.0,
    better="down",
)
ANIMATE_INTENSITY = Definition(
    "animate.intensity",
    "",
    "median over descriptors of |measured - asked|, where measured is the median over found core actions of"
    " strength / middle of the recipe's peak range, at most 1.2; descriptors without a core action found are"
    " left out",
    of="descriptors",
    threshold=0.12,
    better="down",
)
WORDS_UNSEEN = Definition(
    "words.unseen",
    "share",
    "animate.action on prompts in phrasings that no training text had",
    of="prompts",
    threshold=0.88,
    better="up",
)
WORDS_ORDER = Definition(
    "words.order",
    "share",
    "prompts of two or three events, no two with an action in common, in which each event's earliest core"
    " action begins before the next one's",
    of="prompts",
    threshold=0.85,
    better="up",
)
WORDS_TIME = Definition(
    "words.time",
    "share",
    "prompts that give a second for one event whose earliest core action begins within 0.3 s of it; an action"
    " begins 0.4 of its rise before the reader sees it",
    of="prompts",
    threshold=0.85,
    better="up",
)
WORDS_CONTRAST = Definition(
    "words.contrast",
    "share",
    "pairs of prompts, faint or slight against extreme, otherwise alike, of which the second's core actions are"
    " stronger by 25% or more (a mean over those of the recipe; one that is not found counts as 0)",
    of="pairs",
    threshold=0.90,
    better="up",
)
WORDS_DENIED = Definition(
    "words.denied",
    "share",
    "prompts that deny something (no smile, head still) in which no such action of strength >= 0.3, or no head"
    " motion, is found",
    of="prompts",
    threshold=0.85,
    better="up",
)
WORDS = (WORDS_UNSEEN, WORDS_ORDER, WORDS_TIME, WORDS_CONTRAST, WORDS_DENIED)

DESCRIBE_FAMILY = Definition(
    "describe.family",
    "share",
    "descriptors of a clip whose family is named in its description, a mean over clips",
    threshold=0.88,
    better="up",
)
DESCRIBE_ALL = Definition("describe.all_families", "share", "clips of which every descriptor's family is named")
DESCRIBE_INVENTED = Definition(
    "describe.invented",
    "share",
    "families named in the descriptions that are not in the clip, over all named",
    of="families",
)
DESCRIBE_HEAD = Definition(
    "describe.head",
    "share",
    "head motions of a clip whose kind (and so direction) is named in its description, a mean over clips with any",
    threshold=0.93,
    better="up",
)
DESCRIBE_HEAD_INVENTED = Definition(
    "describe.head_invented", "share", "clips without head motion whose description names one"
)
DESCRIBE_ORDER = Definition(
    "describe.order",
    "share",
    "clips of two or more descriptors whose description names every family, in the order in which they begin; those"
    " that begin within 0.25 s of each other may change places",
    threshold=0.85,
    better="up",
)
DESCRIBE_UNSEEN = Definition(
    "describe.unseen",
    "share",
    "families named in the descriptions that are not in the clip and that the reader is sure are absent, over all"
    " named: of each descriptor of the family a core action is nowhere in the clip at half the reader's thresholds"
    " (any blink counts as closed eyes)",
    of="families",
)
DESCRIBE_NOISY = Definition(
    "describe.noisy",
    "share",
    "describe.family on the same clips as a face tracker may deliver them (a resting face that is not zero, gains,"
    " jitter, other frame rates, lost frames), no part of the face hidden",
)
DESCRIBE_TRACKED = Definition(
    "describe.tracked",
    "share",
    "describe.family on the same clips with the errors of tdmm's own tracker, as measured on rendered films",
)
DESCRIBE_CUT = Definition(
    "describe.cut",
    "share",
    "describe.tracked on parts of the same clips that begin, end or do both while an expression is held, as recordings"
    " are cut",
)
DESCRIBE_RESTING = Definition(
    "describe.resting",
    "share",
    "faces at rest, with the errors of tdmm's own tracker, in whose description no expression is named",
)
DESCRIBE_BROWS = Definition(
    "describe.brows",
    "share",
    "describe.tracked of the same clips of people whose brows rest lower or higher than the tracker takes them for",
)
DESCRIBE_RESTING_BROWS = Definition(
    "describe.resting_brows",
    "share",
    "describe.resting of people whose brows rest lower or higher than the tracker takes them for",
)
DESCRIBE_DESCRIPTOR = Definition(
    "describe.descriptor",
    "share",
    "descriptors of a clip, of 200, that the answer to the task emotion names exactly, a mean over clips",
    threshold=0.60,
    better="up",
)
DESCRIBE_INTENSITY = Definition(
    "describe.intensity",
    "share",
    "descriptors whose level of five the answer to the task intensity gives, position by position, over all; in a"
    " clip for which it gives another number of them, none",
    of="descriptors",
    threshold=0.75,
    better="up",
)
DESCRIBE_QUESTION = Definition(
    "describe.question",
    "share",
    "questions, one a clip and half of them to be answered yes (so chance is 50%), whose answer begins with the right"
    " one of yes and no",
    of="questions",
)

ANIMATE = (
    ANIMATE_ACTION,
    ANIMATE_SIDE,
    ANIMATE_HEAD,
    ANIMATE_EXTRA,
    ANIMATE_RANGE,
    ANIMATE_INTENSITY,
)
DESCRIBE = (
    DESCRIBE_FAMILY,
    DESCRIBE_ALL,
    DESCRIBE_INVENTED,
    DESCRIBE_HEAD,
    DESCRIBE_HEAD_INVENTED,
    DESCRIBE_ORDER,
    DESCRIBE_UNSEEN,
)
"""Of the sentence that describes a clip."""
ANSWERS = (
    DESCRIBE_NOISY, DESCRIBE_TRACKED, DESCRIBE_CUT, DESCRIBE_BROWS, DESCRIBE_RESTING, DESCRIBE_RESTING_BROWS,
    DESCRIBE_DESCRIPTOR, DESCRIBE_INTENSITY, DESCRIBE_QUESTION,
)  # fmt: skip
"""Of degraded clips, and of the answers to other tasks."""
READER = (READER_RECALL, READER_FALSE, READER_RECALL_ACTIONS, READER_RECALL_HEAD, READER_BLINKS, READER_GAZE)


def tokens(kind: str, data: str) -> dict[str, Definition]:
    """Definitions of a tokenizer's figures.

    Args:
        kind: `rvq` or `vq`.
        data: `acted` (held-out clips) or `capture` (the real recording).

    Returns:
        Figure to definition; names are "tokens.<kind>.<data>.<figure>".
    """
    acted, shipped = data == "acted", kind == "rvq"
    prefix = f"tokens.{kind}.{data}"
    vertex_aim = 0.2 if acted else 0.5
    mean = "mean over frames, then over clips" if acted else "mean over the recording"
    figures = {
        "vertex": Definition(
            f"{prefix}.vertex",
            "mm",
            f"distance of each vertex before and after, head held still, over the vertices that move, {mean}",
            threshold=vertex_aim if shipped else None,
            better="down" if shipped else "none",
        ),
        "head": Definition(
            f"{prefix}.head",
            "degrees",
            f"angle of the rotation between the head before and after, {mean}",
            threshold=0.12 if shipped and acted else None,
            better="down" if shipped and acted else "none",
        ),
        "translation": Definition(f"{prefix}.translation", "mm", f"distance of the head before and after, {mean}"),
        "coefficient": Definition(
            f"{prefix}.coefficient", "", f"absolute difference of coefficients, mean over 52 channels, {mean}"
        ),
    }
    for region in FACE_REGIONS:
        figures[f"vertex_{region}"] = Definition(
            f"{prefix}.vertex_{region}", "mm", f"the vertex error of the {region} alone, {mean}"
        )
    if acted:
        figures["action"] = Definition(
            f"{prefix}.action",
            "share",
            "animate.action on the acted clips of its prompts, encoded and decoded again: the ceiling of every"
            " model that speaks in these tokens",
            of="prompts",
        )
        figures["side"] = Definition(
            f"{prefix}.side",
            "share",
            "animate.side on the same clips: what is done with one side stays on it",
            of="actions with a side",
        )
        figures["unchanged"] = Definition(
            f"{prefix}.unchanged",
            "share",
            "frames whose first code is the previous frame's: what copying would get right",
        )
        figures["bits"] = Definition(
            f"{prefix}.bits", "bits", "levels x log2(codebook size): bits a frame", of="levels"
        )
        figures["code_use"] = Definition(
            f"{prefix}.code_use",
            "share",
            "codes used at least once on the held-out clips over the codebook size, of the least used level",
            of="frames",
            threshold=0.9 if shipped else None,
            better="up" if shipped else "none",
        )
        figures["perplexity"] = Definition(
            f"{prefix}.perplexity",
            "codes",
            "2^entropy of the codes of a level, of the level with the least",
            of="frames",
        )
    return figures
