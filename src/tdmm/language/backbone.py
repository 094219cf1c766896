"""A pretrained causal language model as the backbone of Motion2Language: loaded, checked, made ready for motion."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from tdmm.errors import ArtifactProblem, InvalidConfig
from tdmm.language import adapters, hub
from tdmm.language.pretrained_words import PretrainedWords, vocabulary_fingerprint

_DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}
_ROWS = 64  # tables of words in multiples of this: matrix products on a GPU like them
_SAMPLE = 64  # numbers of each weight that go into a fingerprint
_TYPICAL = 4096  # rows of a table that tell its scale


class PretrainedBackbone(BaseModel):
    """Which language model, how motion enters it, and what of it is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, description="a folder, or a name on the Hugging Face hub")
    motion: Literal["frames", "tokens"] = Field(
        default="frames",
        description="frames: one embedding a frame, from codebook vectors; tokens: codes as words of its vocabulary",
    )
    dtype: Literal["bf16", "fp32"] = Field(default="bf16", description="of its own weights; what is trained is fp32")
    gradient_checkpointing: bool = Field(default=False, description="less memory in training, for more time")
    shard: bool = Field(
        default=False, description="with several GPUs, each keeps a part of the weights; for models too large for one"
    )
    lora: adapters.Lora | None = Field(default=adapters.Lora(), description="null trains the frame reader alone")


@dataclass(frozen=True)
class Backbone:
    """A language model ready to be trained or used.

    Attributes:
        model: the causal language model, inside its adapter if it has one.
        words: its tokenizer and prompts.
        base: fingerprints of what it was before anything was added: `vocabulary`, `weights`.
    """

    model: Any
    words: PretrainedWords
    base: dict[str, str]


def load(
    config: PretrainedBackbone,
    codebooks: Tensor,
    source: str | Path | None = None,
    expected: Mapping[str, str] | None = None,
) -> Backbone:
    """Read a language model, on the CPU, with an untrained adapter.

    Args:
        config: which, and how.
        codebooks: (L, K, D) of the motion tokenizer; new words for its codes start near each other where
            the codes are.
        source: where it lies when not at `config.name`.
        expected: what `Backbone.base` must be; None takes any.

    Raises:
        ArtifactProblem: there is no such model, it lacks weights or its tokenizer, it is no causal language
            model of a kind that is known to work, or it is another than expected.
        InvalidConfig: motion is to enter as words and its tokenizer has several codes a frame.
        MissingDependency: `peft` is not installed.
    """
    source = source or config.name
    if config.motion == "tokens" and len(codebooks) != 1:
        raise InvalidConfig(
            f"motion: tokens needs a motion tokenizer of one code a frame, this one has {len(codebooks)}. "
            "Give --tokenizer (one trained with recipes/tokenizer-vq.yaml), or take motion: frames."
        )
    if config.lora:
        adapters.require_peft()
    what = f"language model '{source}'"
    tokenizer = hub.load_tokenizer(source, what)
    vocabulary = vocabulary_fingerprint(tokenizer)
    if expected and expected["vocabulary"] != vocabulary:
        raise ArtifactProblem(
            f"The {what} has another vocabulary than the one this adapter was trained on. Name that one with --base."
        )
    model = hub.load_model(source, what, "AutoModelForCausalLM", _DTYPES[config.dtype])
    _require_known_kind(model, what)
    words = max(tokenizer.get_vocab().values()) + 1
    rows = model.get_input_embeddings().num_embeddings
    if words > rows:
        raise ArtifactProblem(
            f"The {what} has weights for {rows} words and a tokenizer of {words}: they do not belong together. "
            "Copy or download the folder again whole."
        )
    base = {"vocabulary": vocabulary, "weights": weights_fingerprint(model)}
    if expected and expected["weights"] != base["weights"]:
        raise ArtifactProblem(
            f"The {what} has other weights than the one this adapter was trained on. Name that one with --base."
        )
    spoken = PretrainedWords(tokenizer, codebooks.shape[1] if config.motion == "tokens" else 0)
    _make_room(model, spoken, codebooks)
    model.requires_grad_(False)
    if config.gradient_checkpointing:
        # The newer name first: the older one warns where both exist.
        enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
        enable({"use_reentrant": False})
    if config.lora:
        model = adapters.add(model, config.lora, spoken.never_written)
    return Backbone(model, spoken, base)


def causal(model: Any) -> Any:
    """The causal language model itself, out of its adapter."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def blocks(model: Any) -> list[Any]:
    """Its layers, which hold nearly all of its weights."""
    return list(causal(model).get_decoder().layers)


def weights_fingerprint(model: Any) -> str:
    """SHA-256 of the names and shapes of all weights, and of a few numbers of each, rounded to bfloat16.

    The same whatever precision the model is loaded in; hashing all of a large model would take minutes.
    """
    digest = hashlib.sha256()
    for name, parameter in sorted(model.named_parameters()):
        digest.update(f"{name} {tuple(parameter.shape)}".encode())
        some = parameter.detach().flatten()[:_SAMPLE].to(torch.bfloat16)
        digest.update(some.view(torch.int16).cpu().numpy().tobytes())
    return digest.hexdigest()


def _require_known_kind(model: Any, what: str) -> None:
    kinds = model.config.architectures or [type(model).__name__]
    if not any(kind.endswith(("ForCausalLM", "LMHeadModel")) for kind in kinds):
        raise ArtifactProblem(
            f"The {what} is a {', '.join(kinds)}, not a causal language model. Choose one such as Qwen/Qwen3-0.6B."
        )
    # What these do to the logits happens outside the head, where it would be passed over.
    for key in ("final_logit_softcapping", "logit_scale", "logits_scaling"):
        if getattr(model.config, key, None) not in (None, 1, 1.0):
            raise ArtifactProblem(
                f"The {what} ({model.config.model_type}) rescales its logits ({key}), which is not supported. "
                "Choose one that does not, such as Qwen/Qwen3-0.6B."
            )


@torch.no_grad()
def _make_room(model: Any, words: PretrainedWords, codebooks: Tensor) -> None:
    """Rows for the words that were added, which start at the mean word, codes where their geometry puts them."""
    if not words.fresh:
        return
    rows = model.get_input_embeddings().num_embeddings
    # Never smaller: many checkpoints have more rows than words.
    if len(words) > rows:
        with hub.quiet():
            model.resize_token_embeddings(len(words), pad_to_multiple_of=_ROWS, mean_resizing=False)
    enter, leave = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    first = min(words.fresh)
    for table in (enter,) if enter is leave else (enter, leave):
        table[first:] = _typical(table[:first]).mean(0).to(table.dtype)
    typical = _typical(enter[:first])
    geometry = codebooks[0].float() - codebooks[0].float().mean(0)
    draw = torch.Generator().manual_seed(0)
    spread = geometry @ torch.randn(geometry.shape[1], enter.shape[1], generator=draw)
    spread *= typical.std() / spread.std().clamp(min=1e-8)
    fresh = set(words.fresh)
    for number, shift in zip(words.code_ids, spread, strict=True):
        if number in fresh:
            enter[number] += shift.to(enter.dtype)


def _typical(table: Tensor) -> Tensor:
    """Some rows of a table, evenly apart, in float32."""
    return table[:: max(1, len(table) // _TYPICAL)].float()
