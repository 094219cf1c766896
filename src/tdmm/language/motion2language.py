"""Motion2Language: motion tokens in, a sentence out.

A causal language model reads one embedding a frame and then writes::

    <motion> frame frame frame ... </motion> <task> text ... <eos>
    '------- read once -----------''------ one row a question ----'
    <motion> frame frame frame ... </motion> <question> does she blink twice? <question> text ... <eos>

The motion comes first and the question after it, so that a motion is read once and its key-value cache
serves every question, in training and in use alike. A frame's embedding is made from geometry: the
tokenizer's own codebook vectors, which travel in this artifact, summed over the levels of the frame.

The language model is a small one of our own, or any pretrained one (`backbone.py`), whose own words then take
the place of the marks and tasks above, and which may read codes as words of its vocabulary instead.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from tdmm import artifact, weights
from tdmm.acting import questions
from tdmm.acting.answers import FIRST_TASKS, TASKS
from tdmm.errors import ArtifactProblem, InvalidInput, InvalidMotion, TokenizerMismatch, did_you_mean
from tdmm.language import adapters, backbone
from tdmm.language.backbone import Backbone
from tdmm.language.frame_reader import CodeReader, FrameReader
from tdmm.language.motion2language_config import Motion2LanguageConfig, build_backbone
from tdmm.language.pretrained_words import PretrainedWords
from tdmm.language.stretches import joined
from tdmm.language.vocabulary import Vocabulary
from tdmm.motion.clip import FPS

if TYPE_CHECKING:
    from tdmm.tokens.tokenizer import MotionTokens

KIND = "motion2language"
MERGED = "tdmm"
"""Sub-folder of a merged language model that holds what reads motion."""

_VOCABULARY = "tokenizer.json"
_BATCH = 32


@dataclass(frozen=True)
class Reading:
    """A batch of motions as the language model remembers them: key-value cache, valid positions, lengths.

    `states` (B, T, hidden) are those after each frame.
    """

    cache: Any
    valid: Tensor
    lengths: Tensor
    states: Tensor

    def about(self, rows: Tensor) -> Reading:
        """The motions of those rows (N,), in that order and as often as named; this one stays as it is."""
        from transformers import DynamicCache

        cache = DynamicCache([(keys[rows], values[rows]) for keys, values, *_ in self.cache])
        return Reading(cache, self.valid[rows], self.lengths[rows], self.states[rows])


class Motion2Language(nn.Module):
    """Reads motion tokens and answers in words.

    Args:
        config: sizes.
        vocabulary: its words; travels in the artifact.
        codebooks: (L, K, D) vectors of the tokenizer whose codes are read.
        tokenizer_fingerprint: of that tokenizer; other tokens are refused.
        pretrained: the language model, where `config.backbone` is not the small one; `vocabulary` is then its.

    Attributes:
        tasks: those it was trained on; others are refused.
    """

    reader: FrameReader | CodeReader

    def __init__(
        self,
        config: Motion2LanguageConfig,
        vocabulary: Vocabulary | PretrainedWords,
        codebooks: Tensor,
        tokenizer_fingerprint: str,
        pretrained: Backbone | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.vocabulary = vocabulary
        self.tokenizer_fingerprint = tokenizer_fingerprint
        self.fingerprint = ""
        self.tasks: tuple[str, ...] = TASKS
        self.knowledge: nn.Module | None = None
        """What is trained along with it, and left out when it is saved."""
        self.base: dict[str, str] = {}
        """Fingerprints of the pretrained language model as it was; empty for the small one."""
        if pretrained is None:
            assert isinstance(vocabulary, Vocabulary)
            self.reader = FrameReader(codebooks, config.hidden, config.mixers, config.kernel)
            self.backbone: Any = build_backbone(config, vocabulary)
            return
        self.backbone, self.base = pretrained.model, pretrained.base
        if pretrained.words.code_ids:
            self.reader = CodeReader(codebooks, pretrained.words.code_ids)
        else:
            width = self.backbone.get_input_embeddings().embedding_dim
            self.reader = FrameReader(codebooks, width, config.mixers, config.kernel)

    @classmethod
    def on_pretrained(
        cls,
        config: Motion2LanguageConfig,
        codebooks: Tensor,
        tokenizer_fingerprint: str,
        source: str | Path | None = None,
        expected: Mapping[str, str] | None = None,
    ) -> Motion2Language:
        """A model on the pretrained language model that `config.backbone` names, its adapter untrained.

        Raises:
            ArtifactProblem, InvalidConfig, MissingDependency: see `tdmm.language.backbone.load`.
        """
        assert config.backbone != "small"
        loaded = backbone.load(config.backbone, codebooks, source, expected)
        return cls(config, loaded.words, codebooks, tokenizer_fingerprint, loaded)

    def read(self, codes: Tensor, lengths: Tensor, levels: Tensor | None = None) -> Reading:
        """Read motions: codes (B, T, L) int64, padded with any valid code; lengths (B,) frames."""
        embeddings, valid = self._motion(codes, lengths, levels)
        read = self._decoder()(inputs_embeds=embeddings, attention_mask=valid.long(), use_cache=True)
        opening = len(self.vocabulary.opening)
        return Reading(read.past_key_values, valid, lengths, read.last_hidden_state[:, opening:])

    def forward(self, codes: Tensor, lengths: Tensor, levels: Tensor | None, about: Tensor, text: Tensor) -> Tensor:
        """What `write` gives after `read`, in one pass without a cache, as gradient checkpointing needs it.

        Args:
            codes: (B, T, L) motions.
            lengths: (B,) frames of each.
            levels: (B,) levels of each that count; None for all.
            about: (N,) which motion each text speaks of.
            text: (N, S) ids, from the question on.

        Returns:
            (N, S, hidden) states after each id.
        """
        embeddings, valid = self._motion(codes, lengths, levels)
        words = self._embedded(text)
        here = torch.arange(text.shape[1], device=text.device)
        places = torch.arange(embeddings.shape[1], device=text.device).expand(len(text), -1)
        after = lengths[about, None] + len(self.vocabulary.opening) + here
        out = self._decoder()(
            inputs_embeds=torch.cat([embeddings[about], words], dim=1),
            attention_mask=torch.cat([valid[about], torch.ones_like(text, dtype=torch.bool)], dim=1).long(),
            position_ids=torch.cat([places, after], dim=1),
            use_cache=False,
        )
        states: Tensor = out.last_hidden_state[:, -text.shape[1] :]
        return states

    def _motion(self, codes: Tensor, lengths: Tensor, levels: Tensor | None) -> tuple[Tensor, Tensor]:
        """Embeddings (B, O + T, hidden) of the opening and the frames, and which of them exist."""
        inside = torch.arange(codes.shape[1], device=codes.device) < lengths[:, None]
        opening = torch.tensor(self.vocabulary.opening, dtype=torch.long, device=codes.device)
        if isinstance(self.reader, CodeReader):
            words = torch.cat([opening.expand(len(codes), -1), self.reader(codes)], dim=1)
            embeddings = self._embedded(words)
        else:
            frames = self.reader(codes, inside, levels)
            start = self._embedded(opening)
            embeddings = torch.cat([start.expand(len(codes), -1, -1), frames.to(start.dtype)], dim=1)
        return embeddings, nn.functional.pad(inside, (len(opening), 0), value=True)

    def _embedded(self, ids: Tensor) -> Tensor:
        embeddings: Tensor = self.backbone.get_input_embeddings()(ids)
        return embeddings

    def _decoder(self) -> Any:
        """The language model without its head."""
        return backbone.causal(self.backbone).get_decoder()

    def write(self, reading: Reading, text: Tensor, written: int = 0) -> Tensor:
        """States (N, S, hidden) after each id of text (N, S), which goes on after `written` ids in the cache.

        The cache of `reading` grows by S positions.
        """
        known = torch.ones(len(text), written + text.shape[1], dtype=torch.long, device=text.device)
        opening = len(self.vocabulary.opening)
        position = reading.lengths[:, None] + opening + written + torch.arange(text.shape[1], device=text.device)
        out = self._decoder()(
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
        logits: Tensor = backbone.causal(self.backbone).get_output_embeddings()(states)
        # Tables of words have rows to spare, which mean nothing.
        return logits[..., : len(self.vocabulary)]

    def prompt(self, task: str, question: str = "") -> list[int]:
        """Ids that close a motion and ask for a task, or a question.

        Raises:
            InvalidInput: there is no such task, or this model was not trained on it.
        """
        if task not in TASKS:
            raise InvalidInput(
                f"Unknown task '{task}'.{did_you_mean(task, self.tasks)} Tasks: {', '.join(self.tasks)}."
            )
        if task not in self.tasks:
            raise InvalidInput(
                f"This model was not trained on the task '{task}'; it knows {', '.join(self.tasks)}. "
                "Train one that does: tdmm language train motion2language recipes/motion2language.yaml"
            )
        return self.vocabulary.prompt(task, question)

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
            task: `describe`, `emotion`, `head`, `intensity`, `timeline` or `micro`; questions are for `ask`.
            max_tokens: where a text is cut off at the latest.
            temperature: 0 takes the likeliest word every time; above it texts vary with `seed`.
            seed: of the variation.

        Raises:
            InvalidInput: the task is unknown to the model, or `temperature` or `max_tokens` makes no sense.
            TokenizerMismatch: the tokens come from another tokenizer than this model was trained with.
            InvalidMotion: a code that its tokenizer does not have.
        """
        if task == "question":
            raise InvalidInput('The task "question" needs a question. Give one: ask="does she blink twice?"')
        return self._told(tokens, [self.prompt(task)] * len(tokens), max_tokens, temperature, seed)

    def ask(
        self,
        tokens: Sequence[MotionTokens],
        asked: Sequence[str],
        *,
        max_tokens: int = 160,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[str]:
        """Answer one question about each motion: "yes" or "no" and a few words of what was seen.

        A question of words that have nothing to do with a face, and one that the model takes for such, is answered by
        `questions.CANNOT_TELL`. A motion that is read in parts has an answer for each, with its seconds.

        Args:
            tokens: motions as tokens, as in `describe`.
            asked: a question for each that yes or no answers: "does she blink twice?"
            max_tokens, temperature, seed: as in `describe`.

        Raises:
            InvalidInput: a question is empty, too long or asks for more than yes or no; or as in `describe`.
            TokenizerMismatch, InvalidMotion: as in `describe`.
        """
        if len(asked) != len(tokens):
            raise InvalidInput(f"{len(asked)} questions for {len(tokens)} motions; give one for each.")
        tidied = [questions.tidied(each) for each in asked]
        texts = self._told(tokens, [self.prompt("question", each) for each in tidied], max_tokens, temperature, seed)
        return [
            text if questions.is_known(each) else questions.CANNOT_TELL
            for each, text in zip(tidied, texts, strict=True)
        ]

    def _told(
        self, tokens: Sequence[MotionTokens], prompts: list[list[int]], max_tokens: int, temperature: float, seed: int
    ) -> list[str]:
        """What is written about each motion after its prompt."""
        if temperature < 0 or max_tokens < 1:
            raise InvalidInput(f"temperature is {temperature}, max_tokens {max_tokens}; at least 0 and 1 are needed.")
        clips = [self._parts(clip) for clip in tokens]
        rows = [(part, prompt) for clip, prompt in zip(clips, prompts, strict=True) for part in clip]
        texts = [""] * len(rows)
        # Prompts of one length go together: nothing is padded between a prompt and its answer.
        order = sorted(range(len(rows)), key=lambda row: len(rows[row][1]))
        for _, group in itertools.groupby(order, key=lambda row: len(rows[row][1])):
            alike = list(group)
            for start in range(0, len(alike), _BATCH):
                batch = alike[start : start + _BATCH]
                parts, asked = [rows[row][0] for row in batch], [rows[row][1] for row in batch]
                for row, text in zip(batch, self._answer(parts, asked, max_tokens, temperature, seed), strict=True):
                    texts[row] = text
        rest = iter(texts)
        return [joined([next(rest) for _ in clip], _times(clip)) for clip in clips]

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
        self, parts: list[Tensor], prompts: list[list[int]], max_tokens: int, temperature: float, seed: int
    ) -> list[str]:
        """Texts about parts (N) after as many prompts, all of one length."""
        device = self.reader.codebooks.device
        lengths = torch.tensor([len(part) for part in parts], device=device)
        codes = nn.utils.rnn.pad_sequence(parts, batch_first=True).to(device)
        reading = self.read(codes, lengths)
        text = torch.tensor(prompts, device=device)
        # One generator a clip: what is drawn for it is the same in any batch.
        generators = [torch.Generator().manual_seed(seed) for _ in parts]
        written, position = text[:, :0], 0
        while written.shape[1] < max_tokens and not bool((written == self.vocabulary.eos).any(1).all()):
            logits = self.logits(self.write(reading, text, position)[:, -1]).float()
            logits[:, self.vocabulary.never_written] = -torch.inf
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
        """Write the artifact; returns its fingerprint.

        Of a model on a pretrained backbone, the frame reader and the adapter, as they are, without the backbone;
        of the small one everything, in half precision.
        """
        config: dict[str, Any] = {
            "model": self.config.told(), "tokenizer": self.tokenizer_fingerprint, "tasks": list(self.tasks)
        }  # fmt: skip
        if isinstance(self.vocabulary, PretrainedWords):
            held = {f"reader.{name}": value for name, value in self.reader.state_dict().items()}
            if self._adapted:
                held |= {f"{_ADAPTER}{name}": value for name, value in adapters.tensors(self.backbone).items()}
            config["base"] = self.base
            return artifact.save(folder, kind=KIND, config=config, tensors=held, provenance=provenance)
        tensors = {
            name: value.half()
            for name, value in self.state_dict().items()
            if name != _TIED and not name.startswith(_TRAINED_ALONG)
        }
        extra = {_VOCABULARY: self.vocabulary.to_json()}
        return artifact.save(folder, kind=KIND, config=config, tensors=tensors, provenance=provenance, extra=extra)

    @property
    def _adapted(self) -> bool:
        return self.config.backbone != "small" and self.config.backbone.lora is not None

    @classmethod
    def load(cls, folder: Path | None = None, base: str | Path | None = None) -> Motion2Language:
        """Read the artifact in `folder`, or the bundled one; ready to describe, on the CPU.

        Args:
            folder: what `save` or `tdmm.language.merging.merge` wrote.
            base: the pretrained language model, where it no longer lies at the place it was trained from.

        Raises:
            ArtifactProblem: a file is missing, altered, or does not fit the others; or the pretrained language
                model is not there, or is not the one that this was trained on.
            MissingDependency: it needs `peft`, which is not installed.
        """
        folder = folder or weights.folder("motion2language")
        if (folder / MERGED).is_dir():
            folder, base = folder / MERGED, folder
        stored = artifact.load(folder, kind=KIND)
        try:
            config = Motion2LanguageConfig.model_validate(stored.config["model"])
            tensors = {name: tensor.float() for name, tensor in stored.tensors.items()}
            codebooks, tokenizer = tensors["reader.codebooks"], stored.config["tokenizer"]
            if config.backbone != "small":
                model = cls.on_pretrained(config, codebooks, tokenizer, base, stored.config["base"])
                own = {name: value for name, value in tensors.items() if not name.startswith(_ADAPTER)}
                model.reader.load_state_dict({name.removeprefix("reader."): value for name, value in own.items()})
                if model._adapted:
                    held = {name.removeprefix(_ADAPTER): tensors[name] for name in tensors.keys() - own.keys()}
                    adapters.put(model.backbone, held)
            else:
                vocabulary = Vocabulary.from_json(stored.extra[_VOCABULARY])
                model = cls(config, vocabulary, codebooks, tokenizer)
                model.load_state_dict({**tensors, _TIED: tensors["backbone.model.embed_tokens.weight"]})
        except (KeyError, TypeError, RuntimeError, ValidationError) as error:
            raise ArtifactProblem(
                f"{folder}: its files do not fit together ({error}). Copy the folder again whole."
            ) from error
        model.fingerprint = stored.fingerprint
        model.tasks = tuple(stored.config.get("tasks", FIRST_TASKS))
        return model.eval()


_ADAPTER = "adapter."
_TRAINED_ALONG = "knowledge."
_TIED = "backbone.lm_head.weight"  # the input embeddings again; stored once


def _times(parts: Sequence[Tensor]) -> list[tuple[float, float]]:
    """Seconds (start, end) of parts that follow one another."""
    ends = np.cumsum([len(part) for part in parts]) / FPS
    return list(zip([0.0, *ends[:-1].tolist()], ends.tolist(), strict=True))


__all__ = ["KIND", "MERGED", "Motion2Language", "Motion2LanguageConfig", "Reading"]
