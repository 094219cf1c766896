"""Sizes of Motion2Language, and its small language model."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from torch import nn

from tdmm.language.backbone import PretrainedBackbone
from tdmm.language.vocabulary import Vocabulary

_SMALL_ONLY = ("hidden", "layers", "heads", "key_heads", "feedforward", "dropout")
_FRAMES_ONLY = ("mixers", "kernel")


class Motion2LanguageConfig(BaseModel):
    """Sizes of the model; about five million parameters as they stand.

    A pretrained backbone has its own: the sizes of the small one are then errors, and left out of files.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: Literal["small"] | PretrainedBackbone = Field(
        default="small", description="small, or a pretrained language model: its name, or a name and settings"
    )
    hidden: int = Field(default=256, ge=8)
    layers: int = Field(default=6, ge=1)
    heads: int = Field(default=4, ge=1)
    key_heads: int = Field(default=2, ge=1)
    feedforward: int = Field(default=672, ge=8)
    dropout: float = Field(default=0.0, ge=0, lt=1, description="of attention weights, in training")
    mixers: int = Field(default=2, ge=0, description="convolutions over time before the language model")
    kernel: int = Field(default=9, ge=1, description="frames a mixer sees; odd")
    max_frames: int = Field(default=200, ge=1, description="longest motion read at once; longer ones are read in parts")

    @field_validator("backbone", mode="before")
    @classmethod
    def _by_name(cls, given: object) -> object:
        return {"name": given} if isinstance(given, str) and given != "small" else given

    @model_validator(mode="after")
    def _only_what_counts(self) -> Motion2LanguageConfig:
        extra = sorted(self._without_effect() & self.model_fields_set)
        if extra:
            raise ValueError(
                f"{', '.join(extra)} mean nothing for this backbone. Leave them out, "
                "as recipes/motion2language-lora.yaml does"
            )
        return self

    def _without_effect(self) -> set[str]:
        if self.backbone == "small":
            return set()
        return {*_SMALL_ONLY, *(_FRAMES_ONLY if self.backbone.motion == "tokens" else ())}

    def told(self) -> dict[str, Any]:
        """What a file needs to say, without what has no effect."""
        return self.model_dump(mode="json", exclude=self._without_effect())


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
