"""An adapter worked into its language model: a plain Hugging Face folder that other programs read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tdmm.errors import InvalidInput
from tdmm.files import folder_written_aside
from tdmm.language import backbone, hub
from tdmm.language.motion2language import MERGED, Motion2Language
from tdmm.language.pretrained_words import QUESTIONS, PretrainedWords, vocabulary_fingerprint

_SHARD: Final = "4GB"


def merge(model: Motion2Language, folder: Path) -> None:
    """Write a model on a pretrained backbone as a Hugging Face folder, its adapter merged into the weights.

    The folder holds config, weights as safetensors, tokenizer and chat template, as any program for language models
    reads them; its sub-folder `tdmm` holds what reads motion, so that `Motion2Language.load(folder)` works too. The
    README.md in it says how a prompt is written.

    Args:
        model: as loaded; merged itself, in place.
        folder: made, or replaced whole once everything is written.

    Raises:
        InvalidInput: the model is the small one, or has no adapter.
        FileProblem: the folder cannot be written, or the disk is full.
    """
    config, words = model.config.backbone, model.vocabulary
    if config == "small" or config.lora is None or not isinstance(words, PretrainedWords):
        raise InvalidInput(
            "There is no adapter to merge: this is the small model, or one that is merged already. "
            "Name the folder that `tdmm language train ... --backbone` wrote."
        )
    with folder_written_aside(folder) as temporary, hub.quiet():
        model.backbone = model.backbone.merge_and_unload()
        model.backbone.save_pretrained(temporary, max_shard_size=_SHARD)
        words.tokenizer.save_pretrained(temporary)
        merged = config.model_copy(update={"name": "..", "lora": None, "gradient_checkpointing": False})
        model.config = model.config.model_copy(update={"backbone": merged})
        model.base = {
            "vocabulary": vocabulary_fingerprint(words.tokenizer),
            "weights": backbone.weights_fingerprint(model.backbone),
        }
        model.save(temporary / MERGED, {"adapter": model.fingerprint, "language_model": config.name})
        (temporary / "README.md").write_text(_card(words, config.name), encoding="utf-8")


def _card(words: PretrainedWords, name: str) -> str:
    """What a person who finds the folder needs to know."""
    title = f"# {Path(name).name}, describing facial motion\n\nMade by `tdmm language merge`. "
    if not words.code_ids:
        return (
            f"{title}Motion enters as one embedding a frame, so a server for text alone cannot ask it. In Python:\n\n"
            "    from tdmm.language.motion2language import Motion2Language\n"
            "    Motion2Language.load(THIS_FOLDER).describe([tokens])\n"
        )
    questions = "".join(f"| {task} | {question} |\n" for task, question in QUESTIONS.items())
    return (
        f"{title}A motion is written in words of the vocabulary, one a frame (codes 0 to {len(words.code_ids) - 1}, 25 "
        f"frames a second), and then a question:\n\n| task | question |\n|---|---|\n{questions}\n"
        "The whole prompt for a motion of two frames, as a JSON string "
        "(`tdmm.language.pretrained_words.PretrainedWords.of(THIS_FOLDER).written(codes, task)` makes it):\n\n"
        f"    {json.dumps(words.written([0, 1], 'describe'))}\n\n"
        f"Sampling must choose neither the words of the motion (ids {min(words.never_written)} to "
        f"{max(words.never_written)}) nor ids from {len(words)} on, which mean nothing.\n"
    )
