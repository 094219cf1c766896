"""Questions to a motion: yes or no, half of them yes, and a few that no motion answers."""

from __future__ import annotations

import re
from functools import cache
from random import Random

from tdmm.acting import lexicon
from tdmm.acting import questions_of_face as face
from tdmm.acting import questions_of_motion as motion
from tdmm.acting.asking import anybody
from tdmm.acting.inflection import gerund
from tdmm.acting.question_facts import Asked, Kind, Known
from tdmm.acting.script import Script
from tdmm.acting.wordings import bank
from tdmm.errors import InvalidInput

CANNOT_TELL = "cannot tell, the motion does not show that"
MAX_WORDS = 40

_KINDS: dict[str, tuple[Kind, float, float]] = {
    "expression": (face.expression_question, 5.0, 6.0),
    "action": (face.action_question, 3.0, 3.5),
    "head": (motion.head_question, 6.0, 3.7),
    "times": (motion.times_question, 2.0, 3.0),
    "blinks": (motion.blinks_question, 2.6, 3.0),
    "side": (face.side_question, 5.0, 3.0),
    "strength": (face.strength_question, 2.0, 2.8),
    "order": (motion.order_question, 3.0, 3.5),
    "gaze": (motion.gaze_question, 2.5, 1.5),
    "neutral": (face.neutral_question, 0.5, 0.8),
    "still": (motion.still_question, 0.7, 1.4),
    "micro": (face.micro_question, 4.0, 0.5),
}
"""Every kind of question, and how often it is asked beside the others where the answer is yes and where it is no:
so that the kind of a question tells little about its answer."""

_UNANSWERABLE = 0.08  # share of questions
_HIDDEN = (
    "{is} married", "{is} rich", "{is} over forty", "{is} a doctor", "{is} from here", "{is} at home", "{is} alone",
    "{is} wearing glasses", "{is} wearing a hat", "{is} sitting down", "{is} outdoors", "{is} on the phone",
    "{is} speaking french", "{is} tall", "{is} famous", "{is} holding a cup", "{does} have a beard",
    "{does} have long hair", "{does} have brown eyes", "{does} have a dog", "{does} speak loudly",
    "{does} live alone", "{does} like music", "{does} know the answer", "{does} tell the truth",
    "{does} wave {poss} hand", "{does} shrug {poss} shoulders", "{does} wear lipstick", "{does} stand up",
    "{does} walk away", "is {poss} hair dark", "is {poss} name known", "is {poss} voice low", "is it raining",
    "is the room dark", "is there a window behind {obj}", "is anyone else there", "is the picture in colour",
    "is it morning", "does the music play", "did the team win",
)  # fmt: skip

_OPEN = ("what", "who", "whom", "whose", "why", "how", "when", "where", "which")
_SMALL = frozenset(
    re.findall(
        "[a-z]+",
        """a an the is are was were be been being am do does did has have had can could will would should may might must
    she he it they her him his their them its this that these those there here you your i we us me my our person people
    woman man girl boy someone anyone somebody anybody and or but not no nor of in on at to for with by from as than
    so if any some only really very see show shown seen""",
    )
)


def about(script: Script, seed: int, blinks: int | None = None, truth: bool | None = None) -> Asked:
    """A question about a script and its answer.

    Whatever the script, half of the questions have yes for an answer, so it tells nothing by itself.

    Args:
        script: what the face does.
        seed: which question, and in which words.
        blinks: how often both lids really closed in the take, unasked blinks included; None: nobody knows, and
            blinks are not asked about.
        truth: which answer is wanted; None is either, and now and then a question that no motion answers.
    """
    rng = Random(seed)
    if truth is None:
        if rng.random() < _UNANSWERABLE:
            return _unanswerable(rng)
        truth = rng.random() < 0.5
    known, left = Known(script, blinks), dict(_KINDS)
    while left:
        name = rng.choices(list(left), [yes if truth else no for _, yes, no in left.values()])[0]
        asked = left.pop(name)[0](known, truth, rng)
        if asked is not None:
            return asked
    raise AssertionError("every script has an expression or none")


def tidied(question: str) -> str:
    """A question as models know them: small letters, no signs but a few, one question mark.

    Raises:
        InvalidInput: it is empty, too long, or asks for more than yes or no.
    """
    plain = question.lower().replace("’", "'")
    words = re.sub(r"[^a-z0-9' ,.-]+", " ", plain).split()
    if not any(any(letter.isalpha() for letter in word) for word in words):
        raise InvalidInput('The question is empty. Ask what yes or no answers, for example "does she blink twice?".')
    if len(words) > MAX_WORDS:
        raise InvalidInput(f"The question has {len(words)} words; at most {MAX_WORDS} fit. Ask one thing at a time.")
    if words[0] in _OPEN:
        raise InvalidInput(
            f"'{words[0]} ...' cannot be answered by yes or no. Ask for example \"does she blink twice?\"; the tasks "
            "describe, emotion, head, intensity, timeline and micro say what happens, how strongly and when."
        )
    return " ".join(words).rstrip(" .,-") + "?"


def is_known(question: str) -> bool:
    """Whether a word of it, small ones aside, stands in any wording of what a face can do."""
    words = {word for word in re.findall(r"[a-z]+", question.lower()) if word not in _SMALL}
    return bool(words & _words_known())


@cache
def _words_known() -> frozenset[str]:
    texts = [each.text for entry in lexicon.load().entries for each in (*entry.phrasings, *bank().get(entry.name, ()))]
    words = {word for text in texts for word in re.findall(r"[a-z]+", text.lower())} - {"poss", "obj", "subj", "refl"}
    # As the questions have them: "is she dozing", "does he doze".
    inflected = {gerund(word) for word in words}
    own = (
        "neutral",
        "expression",
        "expressions",
        "micro",
        "microexpression",
        "before",
        "after",
        "side",
        "move",
        "still",
    )
    return (lexicon.words_known() | words | inflected | {*own}) - _SMALL


def verdict(answer: str) -> bool | None:
    """Yes or no, as an answer begins; None where it says neither."""
    first = re.match(r"[a-z]+", answer.strip().lower())
    return {"yes": True, "no": False}.get(first.group()) if first else None


def _unanswerable(rng: Random) -> Asked:
    who = anybody(rng)
    question = rng.choice(_HIDDEN).format(
        **{"is": who.is_, "does": who.does, "poss": who.pronouns.poss, "obj": who.as_object}
    )
    return Asked(f"{question}?", CANNOT_TELL, None)


__all__ = ["CANNOT_TELL", "MAX_WORDS", "Asked", "about", "is_known", "tidied", "verdict"]
