"""Checkpoints of a language model with random weights, as a person would download them, but of two layers."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from tdmm.language.hub import quiet
from tdmm.language.motion2language import Motion2Language, Motion2LanguageConfig

from .scripted import FINGERPRINT, TEXTS, FakeTokenizer

HIDDEN = 32
ROWS = 320  # more than there are words, as in Qwen3's own checkpoints
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
)


def tokenizer(*, chat: bool = True, words: int = 300) -> PreTrainedTokenizerFast:
    own = Tokenizer(models.BPE())
    own.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    own.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=words,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    own.train_from_iterator(TEXTS, trainer)
    eos = "<|im_end|>" if chat else "<|endoftext|>"
    fast = PreTrainedTokenizerFast(tokenizer_object=own, eos_token=eos, pad_token="<|endoftext|>")
    fast.chat_template = TEMPLATE if chat else None
    return fast


def checkpoint(folder: Path, *, tied: bool = True, chat: bool = True, seed: int = 0, words: int = 300) -> Path:
    """Write one; `tied` as Qwen3 up to 4B, not tied as 8B."""
    torch.manual_seed(seed)
    spoken = tokenizer(chat=chat, words=words)
    model = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=ROWS,
            hidden_size=HIDDEN,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=16,
            tie_word_embeddings=tied,
            initializer_range=0.2,  # so that words differ in what follows them
            eos_token_id=spoken.eos_token_id,
            pad_token_id=spoken.pad_token_id,
        )
    )
    with quiet():
        model.save_pretrained(folder)
        spoken.save_pretrained(folder)
    return folder


def one_code() -> FakeTokenizer:
    """A motion tokenizer of one code a frame."""
    made = FakeTokenizer()
    made.levels = 1
    made.books = made.books[:1]
    return made


def model(base: Path, *, motion: str = "frames", **settings: object) -> Motion2Language:
    """Motion2Language on that checkpoint, its adapter untrained but not without effect."""
    config = Motion2LanguageConfig.model_validate(
        {
            "max_frames": 40,
            "backbone": {
                "name": str(base), "motion": motion, "dtype": "fp32", "lora": {"rank": 4, "dropout": 0.0}, **settings,
            },
        }
    )  # fmt: skip
    books = (one_code() if motion == "tokens" else FakeTokenizer()).books
    torch.manual_seed(1)
    made = Motion2Language.on_pretrained(config, books, FINGERPRINT)
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.requires_grad:
                parameter += 0.1 * torch.randn_like(parameter)
    return made.eval()
