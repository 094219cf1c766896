"""Training on a pretrained language model as the command line does it, from a corpus to a merged folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner

from tdmm.cli import language
from tdmm.corpus.act import act
from tdmm.errors import TdmmError
from tdmm.face.geometry import GeometryBasis
from tdmm.language.motion2language import Motion2Language
from tdmm.language.motion2language_training import Motion2LanguageTask
from tdmm.tokens.autoencoder import AutoencoderConfig, GeometryAutoencoder
from tdmm.tokens.tokenizer import MotionTokens, Tokenizer

from .tiny_models import checkpoint

app = typer.Typer()
language.register(app)


@app.callback()
def _main() -> None: ...


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("language") / "corpus"
    act(folder, clips=60, seed=5, workers=1)
    return folder


@pytest.fixture(scope="module")
def trained_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    config = AutoencoderConfig(levels=2, codebook_size=16, dim=4, width=8, encoder_blocks=1, decoder_blocks=1)
    folder = tmp_path_factory.mktemp("language") / "tokenizer"
    basis = torch.from_numpy(GeometryBasis.balanced().matrix.T.copy())
    Tokenizer(GeometryAutoencoder(config, basis), "unsaved").save(folder, {})
    return folder


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["language", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


DESCRIBING = """
model: {backbone: {name: nobody/nothing, dtype: fp32, gradient_checkpointing: true, shard: true, lora: {dropout: 0}}}
answers: 1
max_text: 24
evaluation_clips: 2
generated_clips: 1
training: {steps: 3, batch_size: 4, learning_rate: 1e-2, log_every: 1}
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint(tmp_path_factory.mktemp("language") / "base")


@pytest.fixture
def describing(tmp_path: Path) -> Path:
    recipe = tmp_path / "describing.yaml"
    recipe.write_text(DESCRIBING)
    return recipe


def test_a_language_model_is_adapted_and_merged(
    corpus: Path, trained_tokenizer: Path, base: Path, describing: Path, tmp_path: Path
) -> None:
    options = ("--backbone", base, "--lora", 4, "--corpus", corpus, "--tokenizer", trained_tokenizer, "--threads", 1)
    said = run("train", "motion2language", describing, "--out", tmp_path / "adapter", *options)
    assert "after 3 steps" in said
    provenance = json.loads((tmp_path / "adapter" / "provenance.json").read_text())
    assert provenance["recipe"]["model"]["backbone"]["lora"]["rank"] == 4

    merged = tmp_path / "merged"
    run("merge", tmp_path / "adapter", "-o", merged)
    fingerprint = Tokenizer.load(trained_tokenizer).fingerprint
    tokens = MotionTokens(torch.arange(40).reshape(20, 2).numpy() % 16, fingerprint)
    texts = [Motion2Language.load(folder).describe([tokens], max_tokens=6) for folder in (tmp_path / "adapter", merged)]
    assert texts[0] == texts[1]


@pytest.mark.slow
def test_two_processes_train_as_one_does(
    corpus: Path, trained_tokenizer: Path, base: Path, describing: Path, tmp_path: Path
) -> None:
    """Two on this CPU, each with half of the untrained weights, have the losses of one that has it all."""
    options = [
        "--backbone", str(base), "--lora", "4", "--corpus", str(corpus), "--tokenizer", str(trained_tokenizer),
        "--threads", "1", "--device", "cpu",
    ]  # fmt: skip
    run("train", "motion2language", describing, "--out", tmp_path / "one", *options)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words = ["language", "train", "motion2language", str(describing), "--out", str(tmp_path / "two"), *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([*torchrun, "-m", "tdmm.cli.main", *words], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("after 3 steps") == 1  # one of them speaks

    def losses(name: str) -> list[float]:
        lines = (tmp_path / f"{name}-run" / "metrics.jsonl").read_text().splitlines()
        return [row["loss"] for row in map(json.loads, lines) if "loss" in row]

    assert losses("two") == pytest.approx(losses("one"), rel=1e-4)
    assert Motion2Language.load(tmp_path / "two").base == Motion2Language.load(tmp_path / "one").base


def test_a_full_gpu_says_what_to_lower(
    corpus: Path, trained_tokenizer: Path, base: Path, describing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_task: Motion2LanguageTask, _step: int) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(Motion2LanguageTask, "loss", full)
    describing.write_text(DESCRIBING.replace("gradient_checkpointing: true, ", ""))
    with pytest.raises(TdmmError, match=r"training\.batch_size \(now 4\).*gradient_checkpointing: true"):
        run(
            "train", "motion2language", describing, "--corpus", corpus, "--out", tmp_path / "model",
            "--tokenizer", trained_tokenizer, "--backbone", base, "--threads", 1,
        )  # fmt: skip


BEGUN = """
model: {hidden: 16, layers: 1, heads: 2, key_heads: 1, feedforward: 16, mixers: 1, kernel: 3}
vocabulary: 320
answers: 1
evaluation_clips: 2
generated_clips: 1
training: {steps: 2, batch_size: 4, learning_rate: 1e-2, log_every: 1}
"""


def test_training_goes_on_from_a_finished_model(corpus: Path, trained_tokenizer: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "small.yaml"
    recipe.write_text(BEGUN)
    given = ("--corpus", corpus, "--tokenizer", trained_tokenizer, "--device", "cpu", "--threads", 1)
    run("train", "motion2language", recipe, *given, "--out", tmp_path / "first")
    recipe.write_text(BEGUN.replace("1e-2", "1e-9"))
    run("train", "motion2language", recipe, *given, "--start", tmp_path / "first", "--out", tmp_path / "second")
    first, second = (Motion2Language.load(tmp_path / name) for name in ("first", "second"))
    for (name, one), other in zip(first.state_dict().items(), second.state_dict().values(), strict=True):
        assert torch.allclose(one, other, atol=1e-5), name
    assert json.loads((tmp_path / "second/provenance.json").read_text())["start"] == first.fingerprint
    recipe.write_text(BEGUN.replace("hidden: 16", "hidden: 32"))
    with pytest.raises(TdmmError, match=r"other sizes.*'hidden': 16"):
        run("train", "motion2language", recipe, *given, "--start", tmp_path / "first", "--out", tmp_path / "third")
    recipe.write_text(BEGUN)
    with pytest.raises(TdmmError, match="codes of another tokenizer"):
        run("train", "motion2language", recipe, *given[:2], "--start", tmp_path / "first", "--out", tmp_path / "fourth")
    with pytest.raises(TdmmError, match=r"--start is for motion2language"):
        run("train", "planner", recipe, *given, "--start", tmp_path / "first", "--out", tmp_path / "fifth")
