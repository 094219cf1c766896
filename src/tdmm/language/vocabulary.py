"""The words Motion2Language writes with: a small byte-level BPE learnt from the corpus's own texts.

Byte-level, so that any text can be written and nothing is ever "unknown"; digits stand alone, so that
a time or a count is spelt the same way everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from tdmm.acting.answers import FIRST_TASKS, TASKS
from tdmm.errors import ArtifactProblem, InvalidInput, did_you_mean

PAD, EOS, MOTION, END_OF_MOTION = "<pad>", "<eos>", "<motion>", "</motion>"
_SPECIAL = (PAD, EOS, MOTION, END_OF_MOTION, *(f"<{task}>" for task in TASKS))
_LATER = {f"<{task}>" for task in TASKS if task not in FIRST_TASKS}


class Vocabulary:
    """Text to ids and back, with one id for each task and for the marks around a motion."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        ids = {token: tokenizer.token_to_id(token) for token in _SPECIAL}
        self._marks = {token: number for token, number in ids.items() if number is not None}
        # Vocabularies from before there were more tasks lack the marks of these alone.
        missing = [token for token in _SPECIAL if token not in self._marks and token not in _LATER]
        if missing:
            raise ArtifactProblem(f"The vocabulary lacks {', '.join(missing)}; it was not made by tdmm. Train again.")
        # A text that happens to contain "<eos>" is text, not a command.
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        self.pad, self.eos = self._marks[PAD], self._marks[EOS]
        self.motion, self.end_of_motion = self._marks[MOTION], self._marks[END_OF_MOTION]
        self.opening = [self.motion]
        """Ids before the first frame."""
        self.never_written: list[int] = []
        """Ids that no answer may hold: none."""

    @classmethod
    def build(cls, texts: Iterable[str], size: int) -> Vocabulary:
        """Learn merges from `texts`; the result has at most `size` ids and the same for the same texts."""
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=list(_SPECIAL),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer)

    @classmethod
    def from_json(cls, content: bytes) -> Vocabulary:
        """Read what `to_json` wrote.

        Raises:
            ArtifactProblem: it is not a tokenizer, or lacks the marks and tasks.
        """
        try:
            tokenizer = Tokenizer.from_str(content.decode())
        except Exception as error:  # the library raises nothing narrower
            raise ArtifactProblem(f"The vocabulary cannot be read ({error}). Copy the folder again whole.") from error
        return cls(tokenizer)

    def to_json(self) -> bytes:
        """The whole vocabulary as JSON, readable by the `tokenizers` library anywhere."""
        content: str = self._tokenizer.to_str()
        return content.encode()

    def __len__(self) -> int:
        size: int = self._tokenizer.get_vocab_size()
        return size

    def encode(self, text: str) -> list[int]:
        """Ids of a text, without marks."""
        ids: list[int] = self._tokenizer.encode(text).ids
        return ids

    def encode_many(self, texts: Sequence[str]) -> list[list[int]]:
        """`encode` for many texts at once."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids up to the end mark; marks and tasks leave no trace."""
        ids = list(ids)
        if self.eos in ids:
            ids = ids[: ids.index(self.eos)]
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        return text.strip()

    def prompt(self, task: str, question: str = "") -> list[int]:
        """Ids that close a motion and ask for a task; a question stands between two marks of its task.

        Raises:
            InvalidInput: there is no such task here.
        """
        mark = self.task(task)
        return [self.end_of_motion, mark, *self.encode(question), mark] if question else [self.end_of_motion, mark]

    def task(self, name: str) -> int:
        """The id that asks for a task.

        Raises:
            InvalidInput: there is no such task here.
        """
        mark = self._marks.get(f"<{name}>") if name in TASKS else None
        if mark is None:
            raise InvalidInput(f"Unknown task '{name}'.{did_you_mean(name, TASKS)} Tasks: {', '.join(TASKS)}.")
        return mark
