from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tdmm.errors import ArtifactProblem
from tdmm.language import hub

from .tiny_models import checkpoint


def model(source: str | Path) -> object:
    return hub.load_model(source, "language model", "AutoModelForCausalLM", torch.float32)


def test_a_whole_folder_loads_quietly_and_ready_for_use(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = checkpoint(tmp_path / "base")
    assert hub.load_tokenizer(folder, "language model")("a smile")["input_ids"]
    assert not model(folder).training  # type: ignore[attr-defined]
    assert capfd.readouterr() == ("", "")


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "base")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    with pytest.raises(ArtifactProblem, match=r"no tokenizer.*tokenizer\.json"):
        hub.load_tokenizer(folder, "language model")


def test_missing_weights_are_not_made_up(tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "base") / "model.safetensors"
    kept = {name: tensor for name, tensor in load_file(path).items() if "layers.1" not in name}
    save_file(kept, path, metadata={"format": "pt"})
    with pytest.raises(ArtifactProblem, match=r"lacks 11 of its weights \(model.layers.1"):
        model(path.parent)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_torn_or_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    path = checkpoint(tmp_path / "base") / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ArtifactProblem, match="cannot be loaded"):
        model(path.parent)
    path.unlink()
    with pytest.raises(ArtifactProblem, match="cannot be loaded"):
        model(path.parent)


@pytest.mark.parametrize("source", ["nobody/no-such-model", "/no/such/folder", ""])
def test_what_is_not_on_this_disk_says_how_to_fetch_it(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ArtifactProblem, match=r"hf download.*HF_HUB_OFFLINE=0"):
        hub.load_tokenizer(source, "language model")
