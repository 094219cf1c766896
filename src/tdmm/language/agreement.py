"""How well a text about a motion agrees with the script that the motion was acted from."""

from __future__ import annotations

from collections.abc import Sequence

from tdmm.acting import lexicon, narrator, questions
from tdmm.acting.question_facts import Asked
from tdmm.acting.script import Script


def agreement(texts: Sequence[str], scripts: Sequence[Script]) -> dict[str, float]:
    """How well texts name what was acted.

    Returns:
        `family_recall` (asked families that are named), `family_precision` (named families that were asked),
        and the same for head motions; shares over all clips together, 0 where there is nothing to count.
    """
    words = lexicon.load()
    families, heads = _Overlap(), _Overlap()
    for text, script in zip(texts, scripts, strict=True):
        families.add(
            {words.get(event.descriptor).family for event in script.events},
            {words.get(mention.descriptor).family for mention in words.mentions(text)},
        )
        heads.add({motion.kind for motion in script.head}, set(narrator.mentioned_head_motions(text)))
    return {
        "family_recall": families.recall,
        "family_precision": families.precision,
        "head_recall": heads.recall,
        "head_precision": heads.precision,
    }


def right_answers(texts: Sequence[str], asked: Sequence[Asked]) -> dict[str, float]:
    """`question_right`: share of the answers that begin with the right one of yes and no."""
    right = [questions.verdict(text) == each.truth for text, each in zip(texts, asked, strict=True)]
    return {"question_right": sum(right) / max(1, len(right))}


class _Overlap:
    """Counts of what was asked, what was named, and both."""

    def __init__(self) -> None:
        self._asked = self._named = self._both = 0

    def add(self, asked: set[str], named: set[str]) -> None:
        self._asked += len(asked)
        self._named += len(named)
        self._both += len(asked & named)

    @property
    def recall(self) -> float:
        return self._both / max(1, self._asked)

    @property
    def precision(self) -> float:
        return self._both / max(1, self._named)
