"""LoRA adapters on a pretrained language model, with `peft`: put on, taken out, put back."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from tdmm.errors import InvalidConfig, MissingDependency


class Lora(BaseModel):
    """Low-rank changes to the weights of a language model: what is trained instead of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int = Field(default=16, ge=1)
    alpha: float = Field(default=32.0, gt=0, description="changes are scaled by alpha / rank")
    dropout: float = Field(default=0.05, ge=0, lt=1)
    targets: str | tuple[str, ...] = Field(
        default="all-linear", description="names of layers, as peft's target_modules; all but the head as it stands"
    )


def require_peft() -> None:
    """Fail early, before a large model is read.

    Raises:
        MissingDependency: `peft` is not installed.
    """
    try:
        import peft  # noqa: F401
    except ImportError as error:
        raise MissingDependency(
            "A pretrained language model is trained and used through peft. Run: pip install 'tdmm[lora]'"
        ) from error


def add(model: Any, lora: Lora, new_words: Sequence[int]) -> Any:
    """The model inside an untrained adapter, which changes nothing yet.

    Args:
        model: a causal language model; altered in place.
        lora: rank and the rest.
        new_words: ids whose embeddings are trained whole. Where head and embeddings are one table, the head's too;
            where they are two, not: these words are read and never written.

    Raises:
        InvalidConfig: `targets` names no layer of the model.
    """
    require_peft()
    from peft import LoraConfig, get_peft_model

    settings = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets if isinstance(lora.targets, str) else list(lora.targets),
        trainable_token_indices=list(new_words) or None,
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        # peft asks transformers for things by their former names.
        warnings.simplefilter("ignore", FutureWarning)
        try:
            return get_peft_model(model, settings)
        except ValueError as error:
            raise InvalidConfig(
                f"lora.targets: {lora.targets!r} does not fit this language model ({error})."
            ) from error


def tensors(model: Any) -> dict[str, Tensor]:
    """What an adapter holds, by name; nothing of the language model itself."""
    from peft import get_peft_model_state_dict

    held: dict[str, Tensor] = get_peft_model_state_dict(model, save_embedding_layers=False)
    return held


def put(model: Any, held: Mapping[str, Tensor]) -> None:
    """Put back what `tensors` gave.

    Raises:
        KeyError, RuntimeError: it is of another adapter.
    """
    from peft import set_peft_model_state_dict

    strange = set(held) ^ set(tensors(model))
    if strange:
        raise KeyError(f"{len(strange)} tensors do not match, {min(strange)} among them")
    set_peft_model_state_dict(model, dict(held))
