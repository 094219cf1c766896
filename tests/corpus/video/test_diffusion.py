"""Real pipelines of diffusers, tiny and random, through the real backend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from video_clips import pictures, prompt

from tdmm.corpus.video.backend import VideoFile, open_backend
from tdmm.corpus.video.diffusion import Diffusion
from tdmm.corpus.video.encode import write_video
from tdmm.errors import ArtifactProblem, InvalidConfig, InvalidVideo, MissingDependency

KINDS = ("wan2.1-1.3b", "wan2.2-a14b", "wan2.2-5b")
SMALL = {"name": "diffusion", "width": 64, "height": 64, "steps": 2, "dtype": "fp32", "device": "cpu"}


def transformer(channels: int) -> Any:
    from diffusers import WanTransformer3DModel

    return WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=channels,
        out_channels=channels,
        text_dim=32,
        freq_dim=256,
        ffn_dim=32,
        num_layers=2,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=64,
    )


def pipeline(kind: str) -> Any:
    from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline
    from transformers import ByT5Tokenizer, UMT5Config, UMT5EncoderModel

    torch.manual_seed(0)
    text = UMT5Config(vocab_size=384, d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4)
    large = kind == "wan2.2-5b"
    vae = {"base_dim": 3, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1, "temperal_downsample": [False, True, True]}
    if large:
        vae |= {
            "z_dim": 48, "in_channels": 12, "out_channels": 12, "is_residual": True, "patch_size": 2,
            "latents_mean": [0.0] * 48, "latents_std": [1.0] * 48, "scale_factor_spatial": 16,
            "scale_factor_temporal": 4,
        }  # fmt: skip
    channels = 48 if large else 16
    two = {"transformer_2": transformer(channels), "boundary_ratio": 0.875} if kind == "wan2.2-a14b" else {}
    return WanPipeline(
        tokenizer=ByT5Tokenizer(),
        text_encoder=UMT5EncoderModel(text).eval(),
        vae=AutoencoderKLWan(**{"z_dim": 16, **vae}),
        transformer=transformer(channels),
        scheduler=UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0),
        expand_timesteps=large,
        **two,
    )


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of tiny models, as `save_pretrained` writes them."""
    folder = tmp_path_factory.mktemp("models")
    for kind in KINDS:
        pipeline(kind).save_pretrained(folder / kind)
    return {kind: folder / kind for kind in KINDS}


def backend(models: dict[str, Path], kind: str = KINDS[0], **others: Any) -> Diffusion:
    made = open_backend({**SMALL, "preset": kind, "model": str(models[kind]), **others})
    assert isinstance(made, Diffusion)
    return made


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict[Path, np.ndarray]:
    """Pictures by video, as they were before H.264, which makes much of a rounding error in noise."""
    seen: dict[Path, np.ndarray] = {}

    def write(frames: Any, path: Path, fps: float) -> None:
        seen[path] = np.stack(list(frames)).astype(int)
        write_video(iter(seen[path].astype(np.uint8)), path, fps)

    monkeypatch.setattr("tdmm.corpus.video.diffusion.write_video", write)
    return seen


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_does_not_depend_on_its_batch(
    models: dict[str, Path], kind: str, shown: dict[Path, np.ndarray], tmp_path: Path
) -> None:
    wan = backend(models, kind)
    alone, together = tmp_path / "alone", tmp_path / "together"
    alone.mkdir()
    together.mkdir()
    ours = prompt("b", seed=11, seconds=0.7)
    wan.make([ours], alone)
    made = wan.make([prompt("a", seed=3, seconds=0.7), ours, prompt("c", seed=5, seconds=0.4)], together)
    assert [clip.clip_id for clip in made] == ["a", "b", "c"]
    assert np.abs(shown[alone / "b.mp4"] - shown[together / "b.mp4"]).max() <= 1
    assert np.abs(shown[alone / "b.mp4"] - shown[together / "a.mp4"]).max() > 5  # another seed is another clip


@pytest.mark.parametrize(("kind", "frames", "fps"), [("wan2.1-1.3b", 17, 16.0), ("wan2.2-5b", 25, 24.0)])
def test_length_rate_and_provenance(
    models: dict[str, Path], kind: str, frames: int, fps: float, tmp_path: Path
) -> None:
    wan = backend(models, kind, negative="blurry")
    (clip,) = wan.make([prompt(seed=11)], tmp_path)
    assert isinstance(clip, VideoFile)
    assert (clip.frames, clip.fps, clip.width, clip.height) == (frames, fps, 64, 64)
    told = json.loads(json.dumps(clip.provenance))
    assert told["model"] == str(models[kind])
    assert (told["steps"], told["guidance"], told["seed"], told["frames"], told["fps"]) == (2, 5.0, 11, frames, fps)
    assert (told["width"], told["height"], told["negative"]) == (64, 64, "blurry")
    assert told["words"] == wan.words(prompt())
    assert set(told["versions"]) == {"tdmm", "torch", "diffusers", "transformers", "av"}


def test_words_negative_and_guidance_reach_the_model(models: dict[str, Path], tmp_path: Path) -> None:
    def made(**others: Any) -> np.ndarray:
        backend(models, seconds=0.3, **others).make([prompt()], tmp_path)
        return pictures(tmp_path / "clip-1.mp4").astype(int)

    plain = made(guidance=5.0, negative="")
    assert np.abs(plain - made(guidance=5.0, negative="")).max() == 0
    for others in ({"guidance": 5.0, "negative": "a man shouting"}, {"guidance": 1.0}):
        assert np.abs(plain - made(**others)).max() > 0


def test_the_second_transformer_has_a_guidance_of_its_own(models: dict[str, Path], tmp_path: Path) -> None:
    def made(**others: float) -> np.ndarray:
        backend(models, "wan2.2-a14b", seconds=0.3, steps=4, **others).make([prompt()], tmp_path)
        return pictures(tmp_path / "clip-1.mp4").astype(int)

    assert np.abs(made() - made(guidance=4.0, guidance_2=3.0)).max() == 0
    assert np.abs(made() - made(guidance_2=30.0)).max() > 0


def test_weights_are_half_but_the_vae_is_not(models: dict[str, Path], tmp_path: Path) -> None:
    wan = backend(models, dtype="bf16", seconds=0.3)
    wan.make([prompt()], tmp_path)
    tiny = wan._loaded().pipeline
    assert (tiny.transformer.dtype, tiny.vae.dtype) == (torch.bfloat16, torch.float32)


@pytest.fixture
def lora(models: dict[str, Path], tmp_path: Path) -> Path:
    """LoRA weights for the tiny model, large enough to show."""
    from diffusers import WanPipeline
    from peft import LoraConfig, get_peft_model_state_dict

    tiny = WanPipeline.from_pretrained(models[KINDS[0]], local_files_only=True)
    tiny.transformer.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_v"], init_lora_weights=False))
    WanPipeline.save_lora_weights(tmp_path / "lora", get_peft_model_state_dict(tiny.transformer))
    return tmp_path / "lora"


def test_lora_changes_the_clip_by_its_scale(models: dict[str, Path], lora: Path, tmp_path: Path) -> None:
    def made(**others: Any) -> np.ndarray:
        (clip,) = backend(models, seconds=0.3, **others).make([prompt()], tmp_path)
        assert clip.provenance["lora"] == others.get("lora", [])
        return pictures(clip.path).astype(int)

    def weighed(scale: float) -> dict[str, Any]:
        return {"lora": [{"model": str(lora), "weights": None, "scale": scale, "second": False}]}

    plain, full, none = made(), made(**weighed(8.0)), made(**weighed(0.0))
    assert np.abs(plain - full).max() > 2
    assert np.abs(plain - none).max() <= 1


def test_values_that_are_no_numbers_are_no_clip(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wan = backend(models, seconds=0.3)
    weights = wan._loaded().pipeline.transformer.parameters()
    with torch.no_grad():
        next(iter(weights)).fill_(float("nan"))
    with pytest.raises(InvalidVideo, match=r"no numbers.*dtype: bf16"):
        wan.make([prompt()], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    (tmp_path / "empty").mkdir()
    for model in (str(tmp_path / "empty"), "nobody/has-this-model"):
        with pytest.raises(ArtifactProblem, match=r"cannot be loaded as WanPipeline.*`model`"):
            open_backend({**SMALL, "preset": "wan2.1-14b", "model": model}).make([prompt()], tmp_path)


def test_a_pipeline_that_diffusers_does_not_have(models: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="no pipeline 'WanPipelin'"):
        backend(models, pipeline="WanPipelin").make([prompt()], tmp_path)


def test_without_diffusers_the_message_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "diffusers", None)
    with pytest.raises(MissingDependency, match=r"tdmm\[synth\]"):
        open_backend({**SMALL, "preset": "ltx"}).make([prompt()], tmp_path)
