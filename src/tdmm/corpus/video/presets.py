"""Video models that diffusers runs: what each is called, and the lengths and sizes that it was trained for.

Facts of diffusers 0.42 and of the model cards. Every one can be set otherwise; the model ids are those of the hub.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Preset:
    """How a model is called.

    Attributes:
        pipeline: class of diffusers.
        model: id on the hub.
        style: dialect of its words.
        fps: that its frames are meant for.
        frame_step: a clip has a multiple of it, plus one.
        most_frames: longest clip that it was trained for.
        size_multiple: width and height are multiples of it.
        width, height: pixels that it was trained for.
        steps: of denoising.
        guidance: scale of classifier-free guidance.
        guidance_2: that of the second transformer, which does the low-noise steps, where there is one.
        prompt_tokens: longest prompt; None leaves the pipeline's own limit.
        embeddings: names of the pipeline's arguments for an encoded prompt, as `encode_prompt` returns them; with
            `negative_` before them, those for the negative prompt.
    """

    pipeline: str
    model: str
    style: str
    fps: float
    frame_step: int
    most_frames: int
    size_multiple: int
    width: int
    height: int
    steps: int
    guidance: float
    guidance_2: float | None = None
    prompt_tokens: int | None = None
    embeddings: tuple[str, ...] = ("prompt_embeds",)

    def frames(self, seconds: float) -> int:
        """Frames of the shortest clip that holds so many seconds, within what the model was trained for."""
        wanted = math.ceil((seconds * self.fps - 1) / self.frame_step - 1e-6)
        most = (self.most_frames - 1) // self.frame_step
        return min(max(wanted, 1), most) * self.frame_step + 1


_WAN_1_3B = Preset(
    pipeline="WanPipeline",
    model="Wan-AI/Wan2.1-T2V-1.3B-Diffusers",
    style="wan",
    fps=16.0,
    frame_step=4,
    most_frames=81,
    size_multiple=16,
    width=832,
    height=480,
    steps=50,
    guidance=5.0,
    prompt_tokens=512,
)

PRESETS: dict[str, Preset] = {
    "wan2.1-1.3b": _WAN_1_3B,
    "wan2.1-14b": replace(_WAN_1_3B, model="Wan-AI/Wan2.1-T2V-14B-Diffusers"),
    "wan2.2-a14b": replace(_WAN_1_3B, model="Wan-AI/Wan2.2-T2V-A14B-Diffusers", steps=40, guidance=4.0, guidance_2=3.0),
    "wan2.2-5b": replace(
        _WAN_1_3B,
        model="Wan-AI/Wan2.2-TI2V-5B-Diffusers",
        fps=24.0,
        most_frames=121,
        size_multiple=32,
        width=1280,
        height=704,
    ),
    "hunyuan-1.5": Preset(
        pipeline="HunyuanVideo15Pipeline",
        model="hunyuanvideo-community/HunyuanVideo-1.5-480p_t2v",
        style="hunyuan",
        fps=24.0,
        frame_step=4,
        most_frames=121,
        size_multiple=16,
        width=848,
        height=480,
        steps=50,
        guidance=6.0,
        embeddings=("prompt_embeds", "prompt_embeds_mask", "prompt_embeds_2", "prompt_embeds_mask_2"),
    ),
    "ltx": Preset(
        pipeline="LTXPipeline",
        model="Lightricks/LTX-Video",
        style="ltx",
        fps=25.0,
        frame_step=8,
        most_frames=161,
        size_multiple=32,
        width=704,
        height=480,
        steps=50,
        guidance=3.0,
        prompt_tokens=128,
        embeddings=("prompt_embeds", "prompt_attention_mask"),
    ),
}
