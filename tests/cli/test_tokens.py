from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from tdmm.cli import tokens as commands
from tdmm.errors import FileProblem, InvalidConfig, TokenizerMismatch
from tdmm.face.channels import ARKIT
from tdmm.motion.clip import FaceMotion
from tdmm.motion.files import load, write_npz
from tdmm.tokens.tokenizer import MotionTokens, read_tokens, write_tokens

RECIPE = """
autoencoder: {levels: 2, codebook_size: 16, dim: 16, width: 16}
data: {frames: 16, random_share: 1}
training: {steps: 5, batch_size: 8, learning_rate: 1e-3}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recipe, a motion and a tokenizer trained by the command."""
    made = tmp_path_factory.mktemp("tokens")
    (made / "recipe.yaml").write_text(RECIPE)
    motion = FaceMotion(ARKIT, np.full((60, 52), 0.1, np.float32), np.zeros((60, 3), np.float32), fps=50.0)
    write_npz(motion, made / "face.npz")
    result = run("train", str(made / "recipe.yaml"), "-o", str(made / "tokenizer"), "--device", "cpu")
    assert result.startswith(str(made / "tokenizer"))
    return made


def run(*words: str) -> str:
    """Output of `tdmm tokens WORDS`; what it raises is raised."""
    app = typer.Typer()
    commands.register(app)
    result = CliRunner().invoke(app, ["tokens", *words], catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_motion_goes_to_tokens_and_back(folder: Path, tmp_path: Path) -> None:
    weights = ("--tokenizer", str(folder / "tokenizer"))
    said = run("encode", str(folder / "face.npz"), "-o", str(tmp_path / "codes.npz"), *weights)
    assert "30 frames of 2 codes" in said
    assert read_tokens(tmp_path / "codes.npz").codes.shape == (30, 2)
    run("decode", str(tmp_path / "codes.npz"), "-o", str(tmp_path / "back.npz"), *weights)
    assert load(tmp_path / "back.npz").frames == 30


def test_inspect_says_what_it_is_and_what_it_loses(folder: Path) -> None:
    said = run("inspect", str(folder / "tokenizer"), "--motion", str(folder / "face.npz"))
    assert "rvq: 2 level(s) of 16 codes" in said
    assert "5 steps" in said
    assert "face.npz (1 clips, 30 frames)" in said
    assert "lids" in said


def test_training_again_goes_on_from_the_checkpoint(folder: Path) -> None:
    before = (folder / "tokenizer-run" / "metrics.jsonl").read_text()
    run("train", str(folder / "recipe.yaml"), "-o", str(folder / "tokenizer"), "--device", "cpu")
    assert (folder / "tokenizer-run" / "metrics.jsonl").read_text().startswith(before)


def test_what_cannot_work_is_said_before_long_work(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="does not exist"):
        run("encode", str(folder / "face.npz"), "-o", str(tmp_path / "no" / "codes.npz"))
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("width", "widht"))
    with pytest.raises(InvalidConfig, match="widht"):
        run("train", str(tmp_path / "recipe.yaml"), "-o", str(tmp_path / "out"))
    write_tokens(MotionTokens(np.zeros((4, 2), int), "0" * 64), tmp_path / "codes.npz")
    with pytest.raises(TokenizerMismatch):
        run("decode", str(tmp_path / "codes.npz"), "-o", str(tmp_path / "x.npz"),
            "--tokenizer", str(folder / "tokenizer"))  # fmt: skip
    assert not (tmp_path / "x.npz").exists()
