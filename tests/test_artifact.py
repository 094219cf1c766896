from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tdmm import artifact
from tdmm.errors import ArtifactProblem


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    artifact.save(
        tmp_path / "model",
        kind="tokenizer",
        config={"levels": 4},
        tensors={"weight": torch.arange(6.0).reshape(2, 3)},
        provenance={"seed": 7},
        extra={"words.json": b"[]"},
    )
    return tmp_path / "model"


def test_round_trip(folder: Path) -> None:
    loaded = artifact.load(folder, kind="tokenizer")
    assert loaded.config == {"levels": 4}
    assert torch.equal(loaded.tensors["weight"], torch.arange(6.0).reshape(2, 3))
    assert loaded.extra == {"words.json": b"[]"}
    assert loaded.provenance["seed"] == 7
    assert len(loaded.fingerprint) == 64


def test_saving_again_replaces_whole(folder: Path) -> None:
    artifact.save(folder, kind="tokenizer", config={}, tensors={"other": torch.zeros(1)})
    loaded = artifact.load(folder, kind="tokenizer")
    assert set(loaded.tensors) == {"other"}
    assert loaded.extra == {}
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors", "provenance.json", "words.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ArtifactProblem, match=name.replace(".", r"\.")):
        artifact.load(folder, kind="tokenizer")


@pytest.mark.parametrize("name", ["weights.safetensors", "words.json"])
def test_a_flipped_byte_is_found(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(bytes(content))
    with pytest.raises(ArtifactProblem, match="checksum"):
        artifact.load(folder, kind="tokenizer")


def test_another_kind_format_or_no_folder(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactProblem, match="holds a 'tokenizer'"):
        artifact.load(folder, kind="language2motion")
    with pytest.raises(ArtifactProblem, match="no such weights folder"):
        artifact.load(tmp_path / "nothing", kind="tokenizer")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "format": 99}))
    with pytest.raises(ArtifactProblem, match="format 99"):
        artifact.load(folder, kind="tokenizer")
    (folder / "provenance.json").write_text("{")
    with pytest.raises(ArtifactProblem, match="not JSON"):
        artifact.load(folder, kind="tokenizer")


def test_large_weights_are_cut_into_files_that_travel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact, "_LARGEST_FILE", 100)
    tensors = {f"layer{i}": torch.full((20,), float(i)) for i in range(3)}
    fingerprint = artifact.save(
        tmp_path / "model", kind="tokenizer", config={}, tensors=tensors, extra={"a.json": b"1"}
    )
    assert len(list((tmp_path / "model").glob("weights*.safetensors"))) == 3
    loaded = artifact.load(tmp_path / "model", kind="tokenizer")
    assert {name: tensor[0].item() for name, tensor in loaded.tensors.items()} == {
        "layer0": 0,
        "layer1": 1,
        "layer2": 2,
    }
    assert loaded.fingerprint == fingerprint
    assert set(loaded.extra) == {"a.json"}
    (tmp_path / "model" / "weights-3.safetensors").unlink()
    with pytest.raises(ArtifactProblem, match="weights-3"):
        artifact.load(tmp_path / "model", kind="tokenizer")
