"""Motion2Language: motion tokens in, a sentence out.

A causal language model reads one embedding a frame and then writes::

    <motion> frame frame frame ... </motion> <task> text ... <eos>
    '------- read once -----------''------ one row a question ----'

The motion comes first and the question after it, so that a motion is read once and its key-value cache
serves every question, in training and in use alike. A frame's embedding is made from geometry: the
tokenizer's own codebook vectors, which travel in this artifact, summed over the levels of the frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from tdmm import artifact, weights
from tdmm.errors import ArtifactProblem, InvalidInput, InvalidMotion, TokenizerMismatch
from tdmm.language.frame_reader import FrameReader
from tdmm.language.vocabulary import Vocabulary

if TYPE_CHECKING:
    from tdmm.tokens.tokenizer import MotionTokens

KIND = "motion2language"
_VOCABULARY = "tokenizer.json"
_BATCH = 32


class Motion2LanguageConfig(BaseModel):
    """Sizes of the model; about five million parameters as they stand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: Literal["small"] = Field(default="small", description="which language model; see build_backbone")
    hidden: int = Field(default=256, ge=8)
    layers: int = Field(default=6, ge=1)
    heads: int = Field(default=4, ge=1)
    key_heads: int = Field(default=2, ge=1)
    feedforward: int = Field(default=672, ge=8)
    dropout: float = Field(default=0.0, ge=0, lt=1, description="of attention weights, in training")
    mixers: int = Field(default=2, ge=0, description="convolutions over time before the language model")
    kernel: int = Field(default=9, ge=1, description="frames a mixer sees; odd")
    max_frames: int = Field(default=200, ge=1, description="longest motion read at once; longer ones are read in parts")


def build_backbone(config: Motion2LanguageConfig, vocabulary: Vocabulary) -> nn.Module:
    """The causal language model, as `transformers` has them.

    What takes its place must accept `inputs_embeds`, `attention_mask`, `position_ids` and
    `past_key_values`, and give `get_input_embeddings()`, `model` and `lm_head`.
    """
    from transformers import Qwen3Config, Qwen3ForCausalLM

    model: nn.Module = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(vocabulary),
            hidden_size=config.hidden,
            intermediate_size=config.feedforward,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            num_key_value_heads=config.key_heads,
            head_dim=config.hidden // config.heads,
            attention_dropout=config.dropout,
            tie_word_embeddings=True,
            # At these lengths a fifth faster on a CPU than the fused kernel with a mask.
            attn_implementation="eager",
            pad_token_id=vocabulary.pad,
            eos_token_id=vocabulary.eos,
        )
    )
    return model


@dataclass(frozen=True)
class Reading:
    """A batch of motions as the language model remembers them: key-value cache, valid positions, lengths."""

    cache: Any
    valid: Tensor
    lengths: Tensor

    def about(self, rows: Tensor) -> Reading:
        """The motions of those rows (N,), in that order and as often as named; this one stays as it is."""
        from transformers import DynamicCache

        cache = DynamicCache([(keys[rows], values[rows]) for keys, values, *_ in self.cache])
        return Reading(cache, self.valid[rows], self.lengths[rows])


class Motion2Language(nn.Module):
    """Reads motion tokens and answers in words.

    Args:
        config: sizes.
        vocabulary: its words; travels in the artifact.
        codebooks: (L, K, D) vectors of the tokenizer whose codes are read.
        tokenizer_fingerprint: of that tokenizer; other tokens are refused.
    """

    def __init__(
        self,
        config: Motion2LanguageConfig,
        vocabulary: Vocabulary,
        codebooks: Tensor,
        tokenizer_fingerprint: str,
    ) -> None:
        super().__init__()
        self.config = config
        self.vocabulary = vocabulary
        self.tokenizer_fingerprint = tokenizer_fingerprint
        self.fingerprint = ""
        self.reader = FrameReader(codebooks, config.hidden, config.mixers, config.kernel)
        self.backbone: Any = build_backbone(config, vocabulary)

    def read(self, codes: Tensor, lengths: Tensor, levels: Tensor | None = None) -> Reading:
        """Read motions: codes (B, T, L) int64, padded with any valid code; lengths (B,) frames."""
        inside = torch.arange(codes.shape[1], device=codes.device) < lengths[:, None]
        frames = self.reader(codes, inside, levels)
        start = self.backbone.get_input_embeddings().weight[self.vocabulary.motion]
        embeddings = torch.cat([start.expand(len(codes), 1, -1), frames.to(start.dtype)], dim=1)
        valid = nn.functional.pad(inside, (1, 0), value=True)
        read = self.backbone.model(inputs_embeds=embeddings, attention_mask=valid.long(), use_cache=True)
        return Reading(read.past_key_values, valid, lengths)

    def write(self, reading: Reading, text: Tensor, written: int = 0) -> Tensor:
        """States (N, S, hidden) after each id of text (N, S), which goes on after `written` ids in the cache.

        The cache of `reading` grows by S positions.
        """
        known = torch.ones(len(text), written + text.shape[1], dtype=torch.long, device=text.device)
        position = reading.lengths[:, None] + 1 + written + torch.arange(text.shape[1], device=text.device)
        out = self.backbone.model(
            input_ids=text,
            attention_mask=torch.cat([reading.valid.long(), known], dim=1),
            position_ids=position,
            past_key_values=reading.cache,
            use_cache=True,
        )
        states: Tensor = out.last_hidden_state
        return states

    def logits(self, states: Tensor) -> Tensor:
        """Logits (..., V) of the next id, of states (..., hidden)."""
        logits: Tensor = self.backbone.lm_head(states)
        return logits

    def prompt(self, task: str) -> list[int]:
        """Ids that close a motion and ask for a task."""
        return [self.vocabulary.end_of_motion, self.vocabulary.task(task)]

    def describe(
        self,
        tokens: Sequence[MotionTokens],
        task: str = "describe",
        *,
        max_tokens: int = 160,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[str]:
        """Say what each motion shows; a motion's text does not depend on the others beside it.

        Args:
            tokens: motions as tokens. One longer than `config.max_frames` is read in equal parts, and its
                text says which seconds each part speaks of.
            task: `describe`, `emotion`, `head`, `intensity` or `timeline`.
            max_tokens: where a text is cut off at the latest.
            temperature: 0 takes the likeliest word every time; above it texts vary with `seed`.
            seed: of the variation.

        Raises:
            InvalidInput: the task is unknown, or `temperature` or `max_tokens` makes no sense.
            TokenizerMismatch: the tokens come from another tokenizer than this model was trained with.
            InvalidMotion: a code that its tokenizer does not have.
        """
        prompt = self.prompt(task)
        if temperature < 0 or max_tokens < 1:
            raise InvalidInput(f"temperature is {temperature}, max_tokens {max_tokens}; at least 0 and 1 are needed.")
        clips = [self._parts(clip) for clip in tokens]
        parts = [part for clip in clips for part in clip]
        texts: list[str] = []
        for start in range(0, len(parts), _BATCH):
            texts += self._answer(parts[start : start + _BATCH], prompt, max_tokens, temperature, seed)
        rest = iter(texts)
        return [_joined([next(rest) for _ in clip], [len(part) for part in clip]) for clip in clips]

    def _parts(self, clip: MotionTokens) -> list[Tensor]:
        """Codes (T, L) of a clip, in as few equal parts as fit the model."""
        if clip.fingerprint != self.tokenizer_fingerprint:
            raise TokenizerMismatch(
                f"These tokens come from tokenizer {clip.fingerprint[:12]}, this model reads "
                f"those of {self.tokenizer_fingerprint[:12]}. Encode with the tokenizer it was trained on."
            )
        levels, size, _ = self.reader.codebooks.shape
        if clip.codes.shape[1] != levels or int(clip.codes.max()) >= size:
            raise InvalidMotion(
                f"Codes of shape {clip.codes.shape} up to {clip.codes.max()}: this model reads "
                f"{levels} levels of {size} codes. Encode the motion again."
            )
        codes = torch.from_numpy(clip.codes.astype(np.int64))
        return list(torch.tensor_split(codes, -(-len(codes) // self.config.max_frames)))

    @torch.inference_mode()
    def _answer(
        self, parts: list[Tensor], prompt: list[int], max_tokens: int, temperature: float, seed: int
    ) -> list[str]:
        device = self.reader.codebooks.device
        lengths = torch.tensor([len(part) for part in parts], device=device)
        codes = nn.utils.rnn.pad_sequence(parts, batch_first=True).to(device)
        reading = self.read(codes, lengths)
        text = torch.tensor(prompt, device=device).expand(len(parts), -1)
        # One generator a clip: what is drawn for it is the same in any batch.
        generators = [torch.Generator().manual_seed(seed) for _ in parts]
        written, position = text[:, :0], 0
        while written.shape[1] < max_tokens and not bool((written == self.vocabulary.eos).any(1).all()):
            logits = self.logits(self.write(reading, text, position)[:, -1]).float()
            position += text.shape[1]
            if temperature == 0:
                text = logits.argmax(-1, keepdim=True)
            else:
                chances = (logits / temperature).softmax(-1).cpu()
                rows = zip(chances, generators, strict=True)
                text = torch.stack([torch.multinomial(row, 1, generator=own) for row, own in rows]).to(device)
            written = torch.cat([written, text], dim=1)
        return [self.vocabulary.decode(row) for row in written.tolist()]

    def save(self, folder: Path, provenance: dict[str, Any] | None = None) -> str:
        """Write the artifact in half precision; returns its fingerprint."""
        tensors = {name: value.half() for name, value in self.state_dict().items() if name != _TIED}
        config = {"model": self.config.model_dump(), "tokenizer": self.tokenizer_fingerprint}
        extra = {_VOCABULARY: self.vocabulary.to_json()}
        return artifact.save(folder, kind=KIND, config=config, tensors=tensors, provenance=provenance, extra=extra)

    @classmethod
    def load(cls, folder: Path | None = None) -> Motion2Language:
        """Read the artifact in `folder`, or the bundled one; ready to describe, on the CPU.

        Raises:
            ArtifactProblem: a file is missing, altered, or does not fit the others.
        """
        folder = folder or weights.MOTION2LANGUAGE
        stored = artifact.load(folder, kind=KIND)
        try:
            config = Motion2LanguageConfig.model_validate(stored.config["model"])
            vocabulary = Vocabulary.from_json(stored.extra[_VOCABULARY])
            tensors = {name: tensor.float() for name, tensor in stored.tensors.items()}
            model = cls(config, vocabulary, tensors["reader.codebooks"], stored.config["tokenizer"])
            model.load_state_dict({**tensors, _TIED: tensors["backbone.model.embed_tokens.weight"]})
        except (KeyError, TypeError, RuntimeError, ValidationError) as error:
            raise ArtifactProblem(
                f"{folder}: its files do not fit together ({error}). Copy the folder again whole."
            ) from error
        model.fingerprint = stored.fingerprint
        return model.eval()


_TIED = "backbone.lm_head.weight"  # the input embeddings again; stored once


def _joined(texts: list[str], frames: list[int]) -> str:
    """One text as it is; of several, each with the seconds it speaks of (25 frames a second)."""
    if len(texts) == 1:
        return texts[0]
    ends = np.cumsum(frames) / 25.0
    starts = np.concatenate([[0.0], ends[:-1]])
    return " ".join(f"[{a:.1f}-{b:.1f} s] {text}" for a, b, text in zip(starts, ends, texts, strict=True))
