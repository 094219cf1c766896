from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tdmm.errors import ArtifactProblem, FileProblem, InvalidMotion, TokenizerMismatch
from tdmm.face.channels import ARKIT
from tdmm.motion.clip import FaceMotion
from tdmm.tokens import fidelity
from tdmm.tokens.data import Mixture, MixtureConfig
from tdmm.tokens.tokenizer import MotionTokens, Tokenizer, read_tokens, write_tokens


def motion(frames: int = 40, fps: float = 25.0) -> FaceMotion:
    time = np.linspace(0, 1, frames, dtype=np.float32)[:, None]
    return FaceMotion(ARKIT, 0.5 * time * np.ones((1, 52), np.float32), 0.1 * time * np.ones((1, 3), np.float32), fps)


def test_motion_survives_the_round_trip(tokenizer: Tokenizer) -> None:
    tokens = tokenizer.encode(motion())
    assert tokens.codes.shape == (40, 3)
    back = tokenizer.decode(tokens, text="everything at once")
    assert back.frames == 40
    assert back.fps == 25
    assert back.text == "everything at once"
    assert back.expression.min() >= 0
    assert back.expression.max() <= 1
    assert np.degrees(np.abs(back.head - motion().head)).mean() < 5


def test_any_frame_rate_goes_in(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode(motion(120, fps=60.0)).frames == 50


def test_streaming_equals_decoding_at_once(tokenizer: Tokenizer) -> None:
    codes = torch.randint(64, (2, 30, 3))
    whole = tokenizer.decode_codes(codes)
    stream = tokenizer.stream()
    frames = torch.stack([stream.push(codes[:, frame]) for frame in range(30)], 1)
    torch.testing.assert_close(frames, whole, rtol=1e-5, atol=1e-5)


def test_the_first_levels_alone_give_a_coarser_face(tokenizer: Tokenizer) -> None:
    features = torch.from_numpy(Mixture([], MixtureConfig(random_share=1, frames=50), seed=9).batch(0, 16))
    codes = tokenizer.encode_features(features)
    wrong = [tokenizer.model.geometry(tokenizer.decode_codes(codes[..., :n]) - features) for n in (1, 2, 3)]
    errors = [millimetres.norm(dim=-1).mean().item() for millimetres in wrong]
    assert errors[2] < errors[1] < errors[0]
    assert tokenizer.latents(codes).shape == (16, 50, tokenizer.dim)


def test_tokens_of_another_tokenizer_are_refused(tokenizer: Tokenizer) -> None:
    with pytest.raises(TokenizerMismatch, match="another-on"):
        tokenizer.decode(MotionTokens(np.zeros((4, 3), np.int64), "another-one"))


@pytest.mark.parametrize("codes", [np.full((4, 3), 64), np.zeros((4, 4), np.int64)])
def test_codes_outside_the_codebook_are_refused(tokenizer: Tokenizer, codes: np.ndarray) -> None:
    with pytest.raises(InvalidMotion, match="3 level"):
        tokenizer.decode(MotionTokens(codes, tokenizer.fingerprint))


@pytest.mark.parametrize("codes", [np.zeros(4, int), np.zeros((0, 3), int), np.zeros((2, 3)), np.full((2, 3), -1)])
def test_tables_that_are_not_codes_are_refused(codes: np.ndarray) -> None:
    with pytest.raises(InvalidMotion, match="Codes must be"):
        MotionTokens(codes, "any")


def test_saved_and_loaded_it_gives_the_same_tokens(tokenizer: Tokenizer, tmp_path: Path) -> None:
    saved = tokenizer.save(tmp_path / "tokenizer", {"recipe": "test"})
    loaded = Tokenizer.load(tmp_path / "tokenizer")
    assert loaded.fingerprint == saved.fingerprint != tokenizer.fingerprint
    tokens = saved.encode(motion())
    assert np.array_equal(tokens.codes, loaded.encode(motion()).codes)
    assert loaded.decode(tokens).frames == 40
    again = loaded.save(tmp_path / "again", {})
    assert again.fingerprint == loaded.fingerprint, "rounding twice is rounding once"


def test_a_folder_that_does_not_fit_is_refused(tokenizer: Tokenizer, tmp_path: Path) -> None:
    folder = tmp_path / "tokenizer"
    tokenizer.save(folder, {})
    content = json.loads((folder / "config.json").read_text())
    content["fps"] = 30.0
    (folder / "config.json").write_text(json.dumps(content))
    with pytest.raises(ArtifactProblem, match="checksum"):
        Tokenizer.load(folder)
    with pytest.raises(ArtifactProblem, match="no such"):
        Tokenizer.load(tmp_path / "nowhere")


def test_fidelity_of_what_is_known(tokenizer: Tokenizer) -> None:
    rng = np.random.default_rng(0)
    clips = [rng.random((30, 58)).astype(np.float32) * 0.1 for _ in range(2)]
    figures = fidelity.measure(tokenizer, clips)
    assert (figures.clips, figures.frames) == (2, 60)
    assert set(figures.regions_mm) >= {"brows", "lids", "gaze", "nose", "mouth", "jaw"}
    assert 0 < figures.face_mm < 5
    json.dumps(figures.as_json())
    quarter = np.zeros((1, 3)), np.array([[0.0, np.pi / 2, 0.0]])
    assert fidelity.rotation_errors_deg(*quarter) == pytest.approx(90)
    with pytest.raises(InvalidMotion, match="no clips"):
        fidelity.measure(tokenizer, [])


def test_token_files_round_trip(tmp_path: Path) -> None:
    tokens = MotionTokens(np.arange(12).reshape(4, 3), "mine")
    write_tokens(tokens, tmp_path / "codes.npz")
    back = read_tokens(tmp_path / "codes.npz")
    assert np.array_equal(back.codes, tokens.codes)
    assert back.fingerprint == "mine"
    with pytest.raises(FileProblem, match="no such file"):
        read_tokens(tmp_path / "nothing.npz")
    np.savez(tmp_path / "objects.npz", codes=np.array([{}], dtype=object), fingerprint="x")
    with pytest.raises(InvalidMotion, match="holds no tokens"):
        read_tokens(tmp_path / "objects.npz")


@given(junk=st.binary(max_size=300), cut=st.integers(0, 250))
def test_no_broken_token_file_escapes_as_another_error(
    junk: bytes, cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("junk") / "codes.npz"
    write_tokens(MotionTokens(np.ones((4, 3), int), "mine"), path)
    whole = path.read_bytes()
    for content in (junk, whole[:cut], whole[:cut] + junk + whole[cut + len(junk) :]):
        path.write_bytes(content)
        try:
            read_tokens(path)
        except InvalidMotion:
            continue
