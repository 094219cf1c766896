"""Video models that run here, through diffusers: Wan, HunyuanVideo, LTX (`presets.py`).

Needs the extra `[synth]`, imported when the first clip is made.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tdmm.corpus.prompts.prompt import ClipPrompt
from tdmm.corpus.video.backend import Declined, GeneratorProblem, VideoFile
from tdmm.corpus.video.encode import ENCODER, made_clip, versions, write_video
from tdmm.corpus.video.presets import PRESETS, Preset
from tdmm.corpus.video.settings import NegativeSettings, strictly
from tdmm.errors import ArtifactProblem, InvalidConfig, InvalidVideo, MissingDependency, did_you_mean
from tdmm.runtime import resolve

_SEEDS = 2**63
"""torch's generators take seeds below it."""


class Lora(BaseModel):
    """Low-rank weights that are added to a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(description="a folder, or an id on the hub")
    weights: str | None = Field(None, description="name of its file, where there are several")
    scale: float = 1.0
    second: bool = Field(False, description="for the second transformer, where there are two")


class DiffusionSettings(NegativeSettings):
    """Settings of a model that diffusers runs; what is left out is the preset's."""

    indifferent: ClassVar[frozenset[str]] = frozenset({"device", "offload"})

    preset: str
    model: str | None = Field(None, description="an id on the hub, or a folder")
    revision: str | None = Field(None, description="of the model on the hub: a commit, a tag or a branch")
    pipeline: str | None = Field(None, description="class of diffusers")
    fps: float | None = Field(None, gt=0, le=120)
    frame_step: int | None = Field(None, ge=1)
    most_frames: int | None = Field(None, ge=2)
    size_multiple: int | None = Field(None, ge=1)
    width: int | None = Field(None, ge=16)
    height: int | None = Field(None, ge=16)
    steps: int | None = Field(None, ge=1)
    guidance: float | None = Field(None, ge=0)
    guidance_2: float | None = Field(None, ge=0)
    prompt_tokens: int | None = Field(None, ge=1)
    embeddings: tuple[str, ...] | None = None
    seconds: float | None = Field(None, gt=0, description="of every clip; by default its script's own")
    lora: tuple[Lora, ...] = ()
    dtype: Literal["bf16", "fp16", "fp32"] = Field("bf16", description="of the weights; the VAE is always fp32")
    device: str = "auto"
    offload: Literal["none", "model", "sequential"] = Field("none", description="what leaves the GPU when idle")

    @model_validator(mode="before")
    @classmethod
    def _style_of_preset(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("preset") in PRESETS:
            return {"style": PRESETS[given["preset"]].style, **given}
        return given

    @field_validator("preset")
    @classmethod
    def _known(cls, preset: str) -> str:
        if preset not in PRESETS:
            raise ValueError(f"'{preset}' is unknown.{did_you_mean(preset, PRESETS)} Known: {', '.join(PRESETS)}")
        return preset

    @model_validator(mode="after")
    def _of_a_size(self) -> DiffusionSettings:
        called = self.called()
        for side in ("width", "height"):
            value, multiple = getattr(called, side), called.size_multiple
            if value % multiple:
                nearest = max(round(value / multiple), 1) * multiple
                raise ValueError(f"{side} is {value}; this model needs a multiple of {multiple}, such as {nearest}")
        return self

    def called(self) -> Preset:
        """The preset with what is set otherwise."""
        ours = {each.name: getattr(self, each.name) for each in fields(Preset)}
        return replace(PRESETS[self.preset], **{name: value for name, value in ours.items() if value is not None})

    def deciding(self) -> dict[str, Any]:
        """All that decides the clips, the preset's facts included."""
        called = self.called()
        return {**super().deciding(), **{each.name: getattr(called, each.name) for each in fields(Preset)}}


@dataclass(frozen=True)
class _Model:
    """A pipeline that is ready, and the commit it was loaded from where the hub tells."""

    pipeline: Any
    commit: str | None


class Diffusion:
    """A `VideoBackend` on a model of diffusers. The model is loaded by the first `make`.

    Every clip has a random generator of its own, seeded by its prompt, and words of its own length; so it is the same
    whatever it is made together with, up to rounding.
    """

    def __init__(self, settings: DiffusionSettings) -> None:
        self._settings = settings
        self._called = settings.called()
        self._model: _Model | None = None
        self._negative: dict[str, Any] | None = None

    @property
    def settings(self) -> Mapping[str, Any]:
        """All that decides its clips besides their prompts."""
        return {"name": "diffusion", **self._settings.deciding()}

    def words(self, prompt: ClipPrompt) -> str:
        """The prompt in the model's dialect."""
        return self._settings.words(prompt)

    def make(self, prompts: Sequence[ClipPrompt], folder: Path) -> list[VideoFile | Declined]:
        """Generate clips; those of one length together.

        Raises:
            MissingDependency: diffusers is not installed.
            ArtifactProblem: the model cannot be had or loaded.
            GeneratorProblem: the memory does not suffice.
            InvalidVideo: what came out is no picture, or cannot be read back.
        """
        model = self._loaded()
        by_length: dict[int, list[ClipPrompt]] = {}
        for prompt in prompts:
            seconds = self._settings.seconds or prompt.script.seconds
            by_length.setdefault(self._called.frames(seconds), []).append(prompt)
        made: dict[str, VideoFile] = {}
        for frames, alike in by_length.items():
            for prompt, video in zip(alike, self._generated(model.pipeline, alike, frames), strict=True):
                made[prompt.clip_id] = self._written(prompt, video, folder, model.commit)
        return [made[prompt.clip_id] for prompt in prompts]

    def _generated(self, pipeline: Any, prompts: Sequence[ClipPrompt], frames: int) -> npt.NDArray[np.float32]:
        """(B, T, H, W, 3) sRGB, 0 to 1."""
        import torch

        called = self._called
        accepted = inspect.signature(type(pipeline).__call__).parameters
        arguments: dict[str, Any] = {
            "width": called.width,
            "height": called.height,
            "num_frames": frames,
            "num_inference_steps": called.steps,
            "generator": [torch.Generator("cpu").manual_seed(prompt.seed % _SEEDS) for prompt in prompts],
            "output_type": "np",
        }
        optional = {
            "guidance_scale": called.guidance,
            "guidance_scale_2": called.guidance_2,
            "frame_rate": called.fps,
            "max_sequence_length": called.prompt_tokens,
        }
        arguments |= {name: value for name, value in optional.items() if name in accepted and value is not None}
        try:
            encoded = [self._encoded(pipeline, self.words(prompt)) for prompt in prompts]
            arguments |= {name: torch.cat([each[name] for each in encoded]) for name in encoded[0]}
            if called.guidance > 1:
                arguments |= {
                    f"negative_{name}": torch.cat([value] * len(prompts))
                    for name, value in self._avoided(pipeline).items()
                }
            frames_made: npt.NDArray[np.float32] = pipeline(**arguments).frames
        except torch.OutOfMemoryError as error:
            raise GeneratorProblem(
                f"{len(prompts)} clips of {frames} frames at {called.width} x {called.height} do not fit into the "
                "memory of the GPU. Make fewer at once, make them smaller, or set offload: model."
            ) from error
        return np.asarray(frames_made)

    def _encoded(self, pipeline: Any, words: str) -> dict[str, Any]:
        """A text as the pipeline's arguments; one at a time, so that nothing depends on its neighbours."""
        import torch

        accepted = inspect.signature(pipeline.encode_prompt).parameters
        optional = {"do_classifier_free_guidance": False, "max_sequence_length": self._called.prompt_tokens}
        chosen = {name: value for name, value in optional.items() if name in accepted and value is not None}
        with torch.no_grad():
            encoded = pipeline.encode_prompt(prompt=[words], **chosen)
        return dict(zip(self._called.embeddings, encoded, strict=False))

    def _avoided(self, pipeline: Any) -> dict[str, Any]:
        if self._negative is None:
            self._negative = self._encoded(pipeline, self._settings.to_avoid())
        return self._negative

    def _written(
        self, prompt: ClipPrompt, video: npt.NDArray[np.float32], folder: Path, commit: str | None
    ) -> VideoFile:
        if not np.isfinite(video).all():
            raise InvalidVideo(
                f"Clip {prompt.clip_id}: the model made values that are no numbers, which happens in half precision. "
                "Set dtype: bf16, or fp32."
            )
        path = folder / f"{prompt.clip_id}.mp4"
        write_video(((picture * 255).round().astype(np.uint8) for picture in video), path, self._called.fps)
        provenance = {
            **self.settings,
            "commit": commit,
            "words": self.words(prompt),
            "seed": prompt.seed,
            "encoder": ENCODER,
            "versions": versions("torch", "diffusers", "transformers", "av"),
        }
        return made_clip(prompt.clip_id, path, provenance)

    def _loaded(self) -> _Model:
        if self._model is None:
            self._model = self._load()
        return self._model

    def _load(self) -> _Model:
        settings, called = self._settings, self._called
        kind = _pipeline_class(called.pipeline)
        import torch
        from diffusers.utils import logging
        from transformers.utils import logging as of_transformers

        logging.disable_progress_bar()  # they would run through the progress of a corpus
        of_transformers.disable_progress_bar()

        dtype = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[settings.dtype]
        runtime = resolve(settings.device)
        try:
            folder = Path(called.model)
            if not folder.is_dir():
                folder = Path(kind.download(called.model, revision=settings.revision, use_safetensors=True))
            # The VAE in bf16 makes blocks and flicker; a module that is cast later loses what must stay fp32.
            pipeline = kind.from_pretrained(
                folder, dtype={"default": dtype, "vae": torch.float32}, use_safetensors=True, local_files_only=True
            )
            _add_lora(pipeline, settings.lora)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:400]
            raise ArtifactProblem(
                f"The video model '{called.model}' cannot be loaded as {called.pipeline}: {reason} Give `model` a "
                "folder that holds it, or an id on the hub that this machine can reach (and log in where it asks)."
            ) from error
        pipeline.set_progress_bar_config(disable=True)
        if hasattr(pipeline, "guider"):  # models whose guidance is no argument of the call
            pipeline.guider.guidance_scale = called.guidance
        if settings.offload == "none":
            pipeline.to(runtime.torch_device())
        elif runtime.device == "cpu":
            raise InvalidConfig(f"offload: {settings.offload} moves models off a GPU, and there is none. Leave it out.")
        elif settings.offload == "model":
            pipeline.enable_model_cpu_offload(device=runtime.device)
        else:
            pipeline.enable_sequential_cpu_offload(device=runtime.device)
        return _Model(pipeline, folder.name if folder.parent.name == "snapshots" else None)


def open_diffusion(settings: Mapping[str, Any]) -> Diffusion:
    """The backend of these settings.

    Raises:
        InvalidConfig: a setting is unknown or makes no sense.
    """
    return Diffusion(strictly(DiffusionSettings, "diffusion", settings))


def _pipeline_class(name: str) -> Any:
    try:
        import diffusers
    except ImportError as error:
        raise MissingDependency(f"Making videos here needs diffusers ({error}): pip install 'tdmm[synth]'") from error
    try:
        return getattr(diffusers, name)
    except AttributeError as error:
        raise InvalidConfig(
            f"diffusers {diffusers.__version__} has no pipeline '{name}'. Check the spelling, or update diffusers."
        ) from error


def _add_lora(pipeline: Any, loras: Sequence[Lora]) -> None:
    if not loras:
        return
    try:
        import peft  # noqa: F401 - what diffusers adds them with
    except ImportError as error:
        raise MissingDependency(f"LoRA weights need peft ({error}): pip install 'tdmm[lora]'") from error
    scales: dict[str, dict[str, float]] = {"transformer": {}, "transformer_2": {}}
    for number, lora in enumerate(loras):
        name = f"lora-{number}"
        second = {"load_into_transformer_2": True} if lora.second else {}
        pipeline.load_lora_weights(
            lora.model, weight_name=lora.weights, adapter_name=name, use_safetensors=True, **second
        )
        scales["transformer_2" if lora.second else "transformer"][name] = lora.scale
    for part, chosen in scales.items():
        if chosen:
            getattr(pipeline, part).set_adapters(list(chosen), list(chosen.values()))
