"""Direction: a scene in free words becomes a `Script`, written by a language model and checked here.

What the model is told, which shape its answer has, and what of it is let through. Nothing here knows of a
network: whoever asks the model is passed in (`tdmm.acting.endpoint` is one who does).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, get_args

from tdmm.acting.grammar import parse_script
from tdmm.acting.lexicon import load
from tdmm.acting.script import Energy, Script
from tdmm.errors import InvalidPrompt, InvalidScript
from tdmm.face.facs import Side
from tdmm.motion.events import GAZE_DIRECTIONS, HEAD_MOTIONS

MAX_SCENE = 10_000
"""Characters of the longest scene: far more than the minute that it may last."""

REPAIRS = 2
"""How often a model may mend an answer that breaks the grammar."""

Message = Mapping[str, str]
"""One turn of a conversation: `role` (system, user or assistant) and `content`."""

Ask = Callable[[Sequence[Message], Mapping[str, Any]], str]
"""Puts a conversation and the JSON schema of the wanted answer to a model and returns what it says."""

_MOST_ENTRIES = 100
_LONGEST = 60.0  # seconds of a scene
_MOST_ANSWER = 200_000
_MOST_PROBLEMS = 12
_LONGEST_PROBLEM = 400
_QUOTED_ANSWER = 8_000  # characters of a bad answer that are sent back; more would crowd out the problems

_EXAMPLE = {
    "subject": "a young man",
    "seconds": None,
    "energy": "normal",
    "timeline": [
        {"do": "flash_of_surprise", "at": 0.3, "for": None, "side": "both", "intensity": 0.8},
        {"look": "down_left", "at": 1.1, "for": 1.6, "intensity": 0.6},
        {"head": "shake", "at": 1.3, "for": 1.2, "times": 2, "intensity": 0.4},
        {"do": "sadness", "at": 1.9, "for": 3.0, "side": "both", "intensity": 0.7},
        {"blink": 2, "at": 3.4, "slow": True},
    ],
}

_INSTRUCTIONS = """\
You direct one 3D face. You are given a scene, a line of dialogue or a feeling, and you write what the face of one \
person does and when. Your whole answer is one JSON object, with nothing before or after it, like this one:

{example}

Fields
- subject: who, in a few words. With several people, the one whose reaction matters.
- seconds: null, unless a length is asked for (at most {longest:g}); the clip then ends just after its last entry.
- energy: {energies}.
- timeline: up to {most} entries; three to ten suit most scenes. Each is one of four kinds:
  do: a descriptor from the list below. side: both, left or right. intensity: 0.3 slight, 0.6 plain, 1 extreme.
  head: {head}. times: repetitions of a nod, shake or wobble, null for the others.
  look: {gaze}.
  blink: how many; slow is true or false. The face blinks by itself as well.
- at: seconds from the start, 0 or more. for: how long it lasts, from rising to gone; null for the usual time.

Rules
- Use the names below and no others. Put a feeling without a name there into descriptors that show it.
- Nothing is spoken: the lips do not follow dialogue. Show what the words do to the face.
- Left and right are the face's own.
- The same descriptor never overlaps itself. The eyes look one way at a time. The head does not turn, tilt, bow and \
raise, or lean both ways at once. Different descriptors may overlap.
- If seconds is given, every entry ends before it.

Descriptors by family
{families}

Only these may be given side left or right:
{sided}
"""

_REPAIR = """\
That answer cannot be acted:
{problems}
Answer again with the whole corrected script, as one JSON object and nothing else."""


class InvalidAnswer(InvalidScript):
    """An answer of a model that is no script. `problems` says all that is wrong, one thing each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(_printable(problem) for problem in problems)
        super().__init__(" ".join(self.problems))


def check_scene(scene: str) -> None:
    """Refuse a scene that no model should be asked about.

    Raises:
        InvalidPrompt: it is empty, longer than `MAX_SCENE` characters, or not text.
    """
    if not scene.strip():
        raise InvalidPrompt(
            'The scene is empty. Say what happens or what is felt, for example "he learns that his brother lied".'
        )
    if len(scene) > MAX_SCENE:
        raise InvalidPrompt(
            f"The scene has {len(scene):,} characters; {MAX_SCENE:,} is the limit, and a script lasts {_LONGEST:g} s "
            "at most. Direct one moment of it at a time."
        )
    try:
        scene.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidPrompt(
            f"The scene is not text in UTF-8 (character {error.start + 1}). Save or type it again as UTF-8."
        ) from error


def direct(scene: str, ask: Ask, *, author: str = "the model", progress: Callable[[str], None] | None = None) -> Script:
    """Have a model write the script of a scene; send it back with its errors until it can be acted.

    Args:
        scene: dialogue, a scene or a feeling.
        ask: puts the conversation to the model.
        author: names the model in messages.
        progress: told in a few words what is going on when an answer has to be mended.

    Raises:
        InvalidPrompt: the scene is empty or too long.
        InvalidScript: after `REPAIRS` rounds of mending the answer still breaks the grammar; the message says how.
        whatever `ask` raises.
    """
    check_scene(scene)
    opening = ({"role": "system", "content": instructions()}, {"role": "user", "content": scene.strip()})
    messages: Sequence[Message] = opening
    problems: tuple[str, ...] = ()
    for attempt in range(1 + REPAIRS):
        if attempt and progress is not None:
            progress(f"mending the script, {attempt} of {REPAIRS}: {problems[0]}")
        answer = ask(messages, schema())
        try:
            return read_answer(answer)
        except InvalidAnswer as error:
            problems = error.problems
        listed = "\n".join(f"- {problem}" for problem in problems)
        # Only the last answer is kept: earlier mistakes would be context to copy.
        messages = (
            *opening,
            {"role": "assistant", "content": answer[:_QUOTED_ANSWER].strip() or "(an empty answer)"},
            {"role": "user", "content": _REPAIR.format(problems=listed)},
        )
    raise InvalidScript(
        f"{author} gave {1 + REPAIRS} answers and none of them can be acted. The last one: {' '.join(problems[:3])} "
        "Try again, put the scene in plainer words, or use another model."
    )


def read_answer(answer: str) -> Script:
    """The script in an answer, held to the grammar of `docs/script.md`.

    Code fences, thoughts and talk around the JSON object are passed over; a field that is null counts as left out.

    Raises:
        InvalidAnswer: there is no JSON object, or it breaks the grammar. All entries are looked at, so that one
            round can mend them together.
    """
    data = _without_nulls(_first_object(answer))
    timeline = data.get("timeline")
    if not isinstance(timeline, list) or not timeline:
        raise InvalidAnswer(["The answer has no entries: 'timeline' must be a list with at least one."])
    if len(timeline) > _MOST_ENTRIES:
        raise InvalidAnswer([f"'timeline' has {len(timeline)} entries; {_MOST_ENTRIES} is the limit."])
    data = {**data, "timeline": [_without_nulls(entry) if isinstance(entry, dict) else entry for entry in timeline]}
    problems = _problems(data)
    if problems:
        raise InvalidAnswer(problems)
    try:
        script = parse_script(data)
    except InvalidScript as error:
        raise InvalidAnswer([str(error)]) from error
    if script.seconds > _LONGEST:
        raise InvalidAnswer([f"The script lasts {script.seconds:g} s; {_LONGEST:g} s is the limit."])
    return script


@cache
def instructions() -> str:
    """The system message: the shape of a script, its limits, and the lexicon by family."""
    words = load()
    return _INSTRUCTIONS.format(
        example=json.dumps(_EXAMPLE),
        longest=_LONGEST,
        most=_MOST_ENTRIES,
        energies=", ".join(get_args(Energy)),
        head=", ".join(HEAD_MOTIONS),
        gaze=", ".join(GAZE_DIRECTIONS),
        families="\n".join(f"{family}: {', '.join(names)}" for family, names in sorted(words.families.items())),
        sided=", ".join(entry.name for entry in words.entries if entry.side != "both"),
    )


@cache
def schema() -> dict[str, Any]:
    """JSON schema of an answer.

    It keeps to what strict structured output takes everywhere: every field required, `null` in place of optional,
    nothing besides, and no limits on numbers; the grammar checks those.
    """
    number = {"type": "number"}
    maybe = {"type": ["number", "null"]}
    sided = [entry.name for entry in load().entries if entry.side != "both"]
    symmetric = [entry.name for entry in load().entries if entry.side == "both"]
    kinds = (
        {"do": _one_of(symmetric), "at": number, "for": maybe, "side": _one_of(["both"]), "intensity": number},
        {"do": _one_of(sided), "at": number, "for": maybe, "side": _one_of(get_args(Side)), "intensity": number},
        {"head": _one_of(HEAD_MOTIONS), "at": number, "for": maybe, "times": {"type": ["integer", "null"]},
         "intensity": number},
        {"look": _one_of(GAZE_DIRECTIONS), "at": number, "for": maybe, "intensity": number},
        {"blink": {"type": "integer"}, "at": number, "slow": {"type": "boolean"}},
    )  # fmt: skip
    return _object(
        {
            "subject": {"type": "string"},
            "seconds": maybe,
            "energy": _one_of(get_args(Energy)),
            "timeline": {"type": "array", "items": {"anyOf": [_object(kind) for kind in kinds]}},
        }
    )


def _one_of(names: Sequence[str]) -> dict[str, Any]:
    return {"type": "string", "enum": list(names)}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _first_object(answer: str) -> dict[str, Any]:
    if len(answer) > _MOST_ANSWER:
        raise InvalidAnswer([f"The answer has {len(answer):,} characters; {_MOST_ANSWER:,} is the limit."])
    spoken = answer.rpartition("</think>")[2]
    start = spoken.find("{")
    if start < 0:
        raise InvalidAnswer(["The answer holds no JSON object." if spoken.strip() else "The answer is empty."])
    # A number of hundreds of digits becomes infinite, which the grammar refuses, instead of an overflow.
    decoder = json.JSONDecoder(parse_int=lambda digits: int(digits) if len(digits) < 16 else float(digits))
    try:
        found, _ = decoder.raw_decode(spoken, start)
    except json.JSONDecodeError as error:
        raise InvalidAnswer(
            [f"The answer is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."]
        ) from (error)
    except RecursionError as error:
        raise InvalidAnswer(["The answer nests too deep."]) from error
    return dict(found)


def _without_nulls(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def _problems(data: Mapping[str, Any]) -> list[str]:
    """What is wrong with the fields at the top and with each entry by itself; the grammar stops at the first."""
    problems = []
    if "events" in data:
        # The grammar also reads the exact fields of a `Script`; of a model only one way of saying it is wanted.
        problems.append("script: unknown field 'events'. Everything that happens stands in 'timeline'.")
    top = {key: value for key, value in data.items() if key not in ("timeline", "events")}
    try:
        parse_script({"seconds": _LONGEST, **top, "timeline": []})
    except InvalidScript as error:
        problems.append(str(error))
    for number, entry in enumerate(data["timeline"], start=1):
        try:
            # The blink stands for the entry before, which 'together' needs.
            parse_script({"timeline": [{"blink": 1, "at": 0}, entry]})
        except InvalidScript as error:
            problems.append(f"timeline entry {number}: {str(error).removeprefix('timeline entry 2: ')}")
    if len(problems) > _MOST_PROBLEMS:
        problems = [*problems[:_MOST_PROBLEMS], f"And {len(problems) - _MOST_PROBLEMS} more of the kind."]
    return problems


def _printable(text: str) -> str:
    """Words of a stranger, fit for a terminal: no control characters, no end."""
    printable = "".join(character if character.isprintable() else " " for character in text[:_LONGEST_PROBLEM])
    return printable if len(text) <= _LONGEST_PROBLEM else f"{printable}..."
