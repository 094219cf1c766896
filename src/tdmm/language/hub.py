"""What `transformers` reads from a folder or by its name on the Hugging Face hub: quietly, and checked.

The library itself makes an empty tokenizer where there is none, and random weights where some are missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from tdmm.errors import ArtifactProblem


def load_tokenizer(source: str | Path, what: str) -> Any:
    """The tokenizer of a model.

    Args:
        source: a folder, or a name on the hub.
        what: the model, for messages (`text encoder 'gpt2'`).

    Raises:
        ArtifactProblem: there is none, or it cannot be read.
    """
    with _loading(source, what):
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(source)
    if not tokenizer("a smile", add_special_tokens=False)["input_ids"]:
        raise ArtifactProblem(
            f"The {what} cannot be loaded: {source} holds no tokenizer. "
            "Put its tokenizer.json and tokenizer_config.json beside the weights."
        )
    return tokenizer


def load_model(source: str | Path, what: str, factory: str, dtype: torch.dtype) -> Any:
    """A model with all its weights, in evaluation mode, on the CPU.

    Args:
        source: a folder, or a name on the hub.
        what: the model, for messages.
        factory: class of `transformers` that reads it (`AutoModel`).
        dtype: of the weights.

    Raises:
        ArtifactProblem: there is none, it cannot be read, or weights are missing from it.
    """
    with _loading(source, what):
        import transformers

        model, found = getattr(transformers, factory).from_pretrained(source, dtype=dtype, output_loading_info=True)
    # A pooler makes one vector of a text; nothing here asks for it, and many checkpoints come without.
    missing = sorted(name for name in found["missing_keys"] if not name.startswith("pooler."))
    if missing:
        raise ArtifactProblem(
            f"The {what} cannot be loaded: {source} lacks {len(missing)} of its weights ({missing[0]} ...). "
            "Copy or download the folder again whole."
        )
    return model.eval()


@contextmanager
def _loading(source: str | Path, what: str) -> Iterator[None]:
    with quiet():
        try:
            yield
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ArtifactProblem(
                f"The {what} cannot be loaded ({reason}). Name a folder that holds one whole, or fetch it by name: "
                f"hf download {source}. Without HF_HUB_OFFLINE=0, only what is on this disk is found."
            ) from error


@contextmanager
def quiet() -> Iterator[None]:
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
