"""`tdmm language`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner

from tdmm import api
from tdmm.cli import language, main
from tdmm.corpus.act import act
from tdmm.errors import FileProblem, InvalidConfig, InvalidInput, TokenizerMismatch
from tdmm.face.geometry import GeometryBasis
from tdmm.language.animator import Animator
from tdmm.language.language2motion import Language2Motion
from tdmm.tokens.autoencoder import AutoencoderConfig, GeometryAutoencoder
from tdmm.tokens.tokenizer import Tokenizer

app = typer.Typer()
language.register(app)

RECIPE = """
model: {width: 32, depth: 1, heads: 2, head_depth: 1}
text_encoder: hashed-words
texts_per_clip: 2
evaluation_clips: 4
training: {steps: 3, batch_size: 4, learning_rate: 1e-3}
"""


@app.callback()
def _main() -> None: ...


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("language") / "corpus"
    act(folder, clips=60, seed=5, workers=1)
    return folder


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    config = AutoencoderConfig(levels=2, codebook_size=16, dim=4, width=8, encoder_blocks=1, decoder_blocks=1)
    folder = tmp_path_factory.mktemp("language") / "tokenizer"
    basis = torch.from_numpy(GeometryBasis.balanced().matrix.T.copy())
    Tokenizer(GeometryAutoencoder(config, basis), "unsaved").save(folder, {})
    return folder


def run(*arguments: object) -> str:
    words = ["language", "train", *(str(each) for each in arguments)]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_trained_models_generate(corpus: Path, tokenizer: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    recipe, out = tmp_path / "recipe.yaml", models / "language2motion"
    recipe.write_text(RECIPE)
    said = run("language2motion", recipe, "--corpus", corpus, "--out", out, "--tokenizer", tokenizer)
    assert "after 3 steps" in said
    assert (models / "language2motion-run" / "metrics.jsonl").is_file()

    fingerprint = Tokenizer.load(tokenizer).fingerprint
    Language2Motion.load(out, fingerprint)
    planned = tmp_path / "planner.yaml"
    planned.write_text(RECIPE)
    assert "after 3 steps" in run("planner", planned, "--corpus", corpus, "--out", models / "planner")
    animator = Animator.load(Tokenizer.load(tokenizer), models / "planner", out)
    plans = animator.plan(["she smiles"], 1.0)
    assert animator.codes(["she smiles"], plans)[0].shape == (25, 2)
    with_words = Animator.load(Tokenizer.load(tokenizer), models / "planner", out, words=True)
    assert with_words.codes(["she smiles"], plans)[0].shape == (25, 2)
    with pytest.raises(TokenizerMismatch):
        Language2Motion.load(out, "another")

    shutil.copytree(tokenizer, models / "tokenizer")
    api.use_models(None)  # forgets what other tests loaded
    try:
        words = ["--models", str(models), "animate", "she smiles", "--seconds", "1", "-o", str(tmp_path / "face.npz")]
        made = CliRunner().invoke(main.app, words, catch_exceptions=False)
        assert made.exit_code == 0, made.output
        assert api.load(tmp_path / "face.npz").provenance["tokenizer"] == fingerprint
    finally:
        api.use_models(None)


def test_recipe_is_checked_before_anything_else(tokenizer: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.replace("steps: 3", "steps: none"))
    with pytest.raises(InvalidConfig, match=r"training\.steps"):
        run("language2motion", recipe, "--corpus", tmp_path / "none", "--out", tmp_path / "model")


def test_missing_corpus_is_named(tokenizer: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE)
    with pytest.raises(FileProblem, match="no corpus here"):
        run(
            "language2motion", recipe, "--corpus", tmp_path / "none", "--out", tmp_path / "model",
            "--tokenizer", tokenizer,
        )  # fmt: skip


def test_options_of_a_language_model_are_for_motion2language(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    with pytest.raises(InvalidInput, match="are for motion2language"):
        run("planner", tmp_path / "recipe.yaml", "--lora", 8, "--corpus", tmp_path, "--out", tmp_path / "model")


def test_an_adapter_that_cannot_be_merged_ends_with_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["tdmm", "language", "merge", str(tmp_path / "none"), "-o", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as stop:
        main.run()
    assert stop.value.code == 2
    assert "no such weights folder" in capsys.readouterr().err
