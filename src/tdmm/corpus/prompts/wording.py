"""Words for a generator: the face part as it stands, the video part after it."""

from __future__ import annotations

from tdmm.corpus.prompts.prompt import ClipPrompt


def words_for(style: str, prompt: ClipPrompt) -> str:  # noqa: ARG001 - every style speaks alike so far
    """The prompt as a generator of that style is told it."""
    parts = (prompt.face, prompt.scene.framing, prompt.scene.lighting, prompt.scene.background)
    return " ".join(f"{part[:1].upper()}{part[1:].rstrip('. ')}." for part in parts if part)


def negative_for(style: str) -> str:  # noqa: ARG001
    """What a generator of that style is told to avoid; never stillness, which calm faces need."""
    return "blurry, low quality, deformed face, extra people, text, watermark, camera cuts, camera shake"
