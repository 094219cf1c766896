"""The words of a pretrained language model: its own tokenizer, and how a motion and a question are put to it.

As the model's chat template has it, or without one as plain text::

    <|im_start|>user\\n MOTION \\nHow does the head move?<|im_end|>\\n<|im_start|>assistant\\n ANSWER <|im_end|>
    MOTION \\nHow does the head move?\\n ANSWER <|endoftext|>

MOTION is one embedding a frame. With `codes` it is written in words added to the vocabulary,
`<|motion_start|><|motion_17|><|motion_940|>...<|motion_end|>`, so that whoever serves the model needs text only.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from tdmm.acting.answers import TASKS, Task
from tdmm.errors import ArtifactProblem, InvalidInput, did_you_mean
from tdmm.language.hub import load_tokenizer, quiet

MOTION_START, MOTION_END = "<|motion_start|>", "<|motion_end|>"
QUESTIONS: Final[dict[Task, str]] = {
    "describe": "What does this face do?",
    "emotion": "Which expressions does this face show, in order?",
    "head": "How does the head move?",
    "intensity": "How strong is each expression, in order?",
    "timeline": "What happens when, in seconds?",
    "micro": "Which micro-expressions does this face show, and when?",
    "question": "{question} Answer yes or no, and say what you see.",
}
"""What is asked for each task; a question of one's own stands in place of `{question}`."""
_HERE = "@@motion@@"
_OWN = "{question}"


class PretrainedWords:
    """Text to ids and back with the tokenizer of a language model.

    Args:
        tokenizer: as `transformers` loads it; words for the motion are added to it.
        codes: how many motion codes become words; 0 adds none.

    Raises:
        ArtifactProblem: it has no word that ends a text, or its chat template cannot be used.
    """

    def __init__(self, tokenizer: Any, codes: int = 0) -> None:
        self.tokenizer = tokenizer
        before = tokenizer.get_vocab()
        marks = [MOTION_START, MOTION_END, *(code_word(code) for code in range(codes))] if codes else []
        if marks:
            tokenizer.add_tokens(marks, special_tokens=True)
        self._size: int = max(tokenizer.get_vocab().values()) + 1
        if tokenizer.eos_token_id is None:
            raise ArtifactProblem(
                f"The tokenizer of {tokenizer.name_or_path} has no word that ends a text (eos_token in "
                "tokenizer_config.json). Add it there, or choose another language model."
            )
        self.eos: int = tokenizer.eos_token_id
        self.pad: int = self.eos if tokenizer.pad_token_id is None else tokenizer.pad_token_id
        ids: list[int] = tokenizer.convert_tokens_to_ids(marks)
        self.never_written = ids
        """Ids of the motion's words: read, never answered with."""
        self.code_ids = ids[2:]
        """Ids of the codes, in their order; empty without them."""
        self.fresh = [number for number, word in zip(ids, marks, strict=True) if word not in before]
        """Those of `never_written` that the tokenizer did not have before."""
        self._around = {task: self._template(question) for task, question in QUESTIONS.items()}
        opening = self._around["describe"][0] + (MOTION_START if codes else "")
        # A chat template writes the mark of the beginning itself.
        first = [] if tokenizer.chat_template or tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
        self.opening: list[int] = first + self._ids(opening)
        """Ids before the first frame."""
        self._closing: dict[Task, list[int]] = {
            task: self._ids((MOTION_END if codes else "") + around[1]) for task, around in self._around.items()
        }

    @classmethod
    def of(cls, folder: str | Path) -> PretrainedWords:
        """The words of a merged language model, without its weights: enough to write prompts for a server.

        Raises:
            ArtifactProblem: there is no tokenizer, or it cannot be used.
        """
        tokenizer = load_tokenizer(folder, f"language model '{folder}'")
        known = tokenizer.get_vocab()
        return cls(tokenizer, next(code for code in itertools.count() if code_word(code) not in known))

    def __len__(self) -> int:
        """Ids that mean something; a model may have rows for more."""
        return self._size

    def prompt(self, task: str, question: str = "") -> list[int]:
        """Ids that close a motion and ask for a task, or a question.

        Raises:
            InvalidInput: there is no such task.
        """
        if not question:
            return self._closing[_known(task)]
        return self._ids((MOTION_END if self.code_ids else "") + self._around[_known(task)][1].replace(_OWN, question))

    def encode(self, text: str) -> list[int]:
        """Ids of an answer, without marks; what looks like a mark in it is text."""
        return self._ids(text, split_special_tokens=True)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids up to the end mark."""
        ids = list(ids)
        if self.eos in ids:
            ids = ids[: ids.index(self.eos)]
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True)
        return text.strip()

    def written(self, codes: Iterable[int], task: str, question: str = "") -> str:
        """The whole prompt as text, for a server: the motion in words, the question, up to the answer.

        Args:
            codes: of the motion.
            task: which.
            question: where the task is `question`, as `tdmm.acting.questions.tidied` leaves it.

        Raises:
            InvalidInput: there is no such task, or the motion is no words of this model.
        """
        if not self.code_ids:
            raise InvalidInput("This model reads motion as embeddings, not as words; train it with motion: tokens.")
        before, after = self._around[_known(task)]
        return before + spelt(codes) + after.replace(_OWN, question)

    def _template(self, question: str) -> tuple[str, str]:
        """What stands before a motion and after it."""
        if not self.tokenizer.chat_template:
            return "", f"\n{question}\n"
        asked = [{"role": "user", "content": f"{_HERE}\n{question}"}]
        try:
            with quiet():
                text: str = self.tokenizer.apply_chat_template(
                    asked, tokenize=False, add_generation_prompt=True, enable_thinking=False
                )
        except Exception as error:  # a template is a program of its own
            raise ArtifactProblem(
                f"The chat template of {self.tokenizer.name_or_path} cannot be used ({error}). "
                "Mend or remove its chat_template; without one, plain text is used."
            ) from error
        before, here, after = text.partition(_HERE)
        if not here:
            raise ArtifactProblem(
                f"The chat template of {self.tokenizer.name_or_path} does not show what the user says. "
                "Mend or remove its chat_template; without one, plain text is used."
            )
        return before, after

    def _ids(self, text: str, **options: bool) -> list[int]:
        with quiet():
            ids: list[int] = self.tokenizer(text, add_special_tokens=False, **options)["input_ids"]
        return ids


def code_word(code: int) -> str:
    """The word of a motion code."""
    return f"<|motion_{code}|>"


def spelt(codes: Iterable[int]) -> str:
    """A motion of one code a frame in words."""
    return MOTION_START + "".join(map(code_word, codes)) + MOTION_END


def vocabulary_fingerprint(tokenizer: Any) -> str:
    """SHA-256 of the words with their ids, and of the chat template."""
    told = json.dumps([sorted(tokenizer.get_vocab().items()), tokenizer.chat_template])
    return hashlib.sha256(told.encode()).hexdigest()


def _known(task: str) -> Task:
    for name in TASKS:
        if name == task:
            return name
    raise InvalidInput(f"Unknown task '{task}'.{did_you_mean(task, TASKS)} Tasks: {', '.join(TASKS)}.")
