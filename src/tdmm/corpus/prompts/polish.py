"""Polishing: the face part in more natural words, by a language model or by rules, and never at the cost of control."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tdmm.acting.direction import Ask, Message
from tdmm.acting.endpoint import AnswerDeclined, Endpoint
from tdmm.acting.script import Script
from tdmm.corpus.prompts.answers import KeptAnswers
from tdmm.corpus.prompts.control import asks, lost
from tdmm.corpus.prompts.prompt import ClipPrompt, Wording
from tdmm.corpus.prompts.telling import RULES, told
from tdmm.errors import InvalidInput

PARAPHRASES = 2

_TRIES = 2  # a reply that loses control is sent back once
_LONGEST = 800  # characters; video models read little more
_QUOTED = 4_000

_INSTRUCTIONS = """\
You reword descriptions of what one person's face does in a short video, so that they read as a careful writer would \
put them. Each description is one or two sentences, third person, present tense, in plain English. The words are read \
by a program that must find everything in them again, so:
- Name the person once, word for word as given.
- Say everything on the list, in the order of the list, each with one of its quoted phrasings (inflect verbs freely).
- Put the degree right beside the thing that it belongs to. Use no other words of degree anywhere.
- Name left and right only where the list has a side or a direction. They are the face's own.
- Add no other expression, feeling, head motion, look, blink, camera or light.
Vary the frame of the sentence, the joining words and the choice among the quoted phrasings. Answer with JSON: `text` \
is the best wording, `paraphrases` are others."""

_RETRY = """\
A program could not find everything again:
{problems}
Answer again with the whole corrected JSON."""


class Rewording(BaseModel):
    """The answer that a model is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    paraphrases: list[str]


@dataclass(frozen=True)
class Polished:
    """A prompt after polishing.

    Attributes:
        prompt: with new words; `face_by` and the paraphrases say who found each.
        refused: why wordings of the model were refused, in its own order; empty where none was.
    """

    prompt: ClipPrompt
    refused: tuple[str, ...] = ()


class Polisher:
    """Rewords face parts. What a model says is read like a prompt; where control is lost it is asked once more, and
    what is still missing then comes from the rules, which is recorded.

    Args:
        ask: puts a question to a model; None for rules alone.
        model: its name, for the record.
        paraphrases: ways to say each clip beside the face part itself.

    Raises:
        InvalidInput: `paraphrases` makes no sense.
    """

    def __init__(self, ask: Ask | None = None, model: str = RULES, paraphrases: int = PARAPHRASES) -> None:
        if not 0 <= paraphrases <= 20:
            raise InvalidInput(f"paraphrases must lie between 0 and 20, not {paraphrases}.")
        self._ask = ask
        self._model = model
        self._count = 1 + paraphrases

    def polish(self, prompt: ClipPrompt) -> Polished:
        """A prompt in other words. Deterministic where the model is.

        Raises:
            EndpointProblem: the endpoint cannot be reached, refuses the key, is busy or broken for good, or does not
                answer as one. What was answered before is kept.
        """
        kept, refused = self._asked(self._ask, prompt.script) if self._ask is not None else ((), ())
        wordings = [Wording(text=text, by=self._model) for text in kept]
        more = told(prompt.script, prompt.seed, self._count)
        wordings += [Wording(text=text, by=RULES) for text in more if text not in kept]
        first, *others = wordings[: self._count]
        words = {"face": first.text, "face_by": first.by, "paraphrases": tuple(others)}
        return Polished(prompt.model_copy(update=words), refused)

    def _asked(self, ask: Ask, script: Script) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Wordings of the model that keep control, and why others were refused."""
        opening = _opening(script, self._count - 1)
        messages: Sequence[Message] = opening
        kept: dict[str, None] = {}
        refused: list[str] = []
        for _ in range(_TRIES):
            try:
                answer = ask(messages, Rewording.model_json_schema())
            except AnswerDeclined as error:
                refused.append(str(error))
                break
            problems = _sorted(answer, script, self._count, kept)
            if not problems:
                break
            refused += problems
            messages = (
                *opening,
                {"role": "assistant", "content": answer[:_QUOTED].strip() or "(an empty answer)"},
                {"role": "user", "content": _RETRY.format(problems="\n".join(f"- {each}" for each in problems))},
            )
        return tuple(kept)[: self._count], tuple(refused)


@contextmanager
def polishing(
    cache: Path,
    *,
    endpoint: str,
    model: str,
    api_key: str | None = None,
    seed: int = 0,
    timeout: float = 120.0,
    paraphrases: int = PARAPHRASES,
) -> Iterator[Polisher]:
    """A polisher through an OpenAI-compatible endpoint, at temperature 0, every answer kept in `cache`.

    Args:
        cache: folder of the answers; what is there is not asked again.
        endpoint, model, api_key, timeout: as `Endpoint` takes them.
        seed: passed on to the server.
        paraphrases: ways to say each clip beside the face part itself.

    Raises:
        InvalidInput: the URL, the name, the key or a number makes no sense.
        MissingDependency: the extra `[api]` is not installed.
    """
    params = {"temperature": 0.0, "seed": seed}
    with Endpoint(endpoint, model, api_key=api_key, timeout=timeout, seed=seed, temperature=0.0) as opened:
        yield Polisher(KeptAnswers(cache, model, params, opened.ask), model, paraphrases)


def _opening(script: Script, paraphrases: int) -> tuple[Message, ...]:
    listed = "\n".join(f"{number}. {line}" for number, line in enumerate(asks(script), start=1))
    asked = f"Person: {script.subject}\nMust be said, in this order:\n{listed}\nParaphrases: {paraphrases}"
    return {"role": "system", "content": _INSTRUCTIONS}, {"role": "user", "content": asked}


def _sorted(answer: str, script: Script, count: int, kept: dict[str, None]) -> list[str]:
    """Adds the wordings of an answer that keep control to `kept`; what is wrong with it while some are missing."""
    try:
        reworded = Rewording.model_validate_json(_without_fence(answer))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the answer"
        return [f"The answer is not the JSON that was asked for ({where}: {first['msg']})."]
    problems = []
    for text in (reworded.text, *reworded.paraphrases):
        wording = " ".join(text.split())
        wrong = _malformed(wording) or lost(script, wording)
        if wrong:
            problems.append(f"'{wording[:_LONGEST]}': {' '.join(wrong)}")
        else:
            kept[wording] = None
    if len(kept) >= count:
        return []
    return problems or [f"{count} different wordings are wanted in all; these are {len(kept)}."]


def _malformed(text: str) -> tuple[str, ...]:
    if len(text) > _LONGEST:
        return (f"Use {_LONGEST} characters at most.",)
    return () if text.isprintable() else ("Use printable characters only.",)


def _without_fence(answer: str) -> str:
    """Servers without structured output put JSON between lines of backticks."""
    start, end = answer.find("{"), answer.rfind("}")
    return answer[start : end + 1] if 0 <= start < end else answer
