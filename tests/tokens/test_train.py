from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tdmm import artifact
from tdmm.corpus.act import act
from tdmm.corpus.manifest import load as load_manifest
from tdmm.corpus.mixing import Share
from tdmm.corpus.rows import Row
from tdmm.corpus.sharding import write_shards
from tdmm.errors import InvalidConfig, InvalidInput
from tdmm.motion.features import from_features, to_features
from tdmm.motion.files import load
from tdmm.motion.timeline import resample
from tdmm.recipes import read_recipe
from tdmm.runtime import Runtime
from tdmm.tokens import fidelity
from tdmm.tokens.data import Mixture, MixtureConfig
from tdmm.tokens.tokenizer import KIND, Tokenizer
from tdmm.tokens.train import TokenizerRecipe, train

CPU = Runtime("cpu")
RECIPES = Path(__file__).resolve().parents[2] / "recipes"


def tiny(**training: object) -> TokenizerRecipe:
    return TokenizerRecipe.model_validate(
        {
            "autoencoder": {"levels": 2, "codebook_size": 16, "dim": 16, "width": 16},
            "data": {"frames": 16, "random_share": 1.0},
            "training": {"steps": 6, "batch_size": 8, "learning_rate": 1e-3, **training},
        }
    )


@pytest.mark.parametrize("path", sorted(RECIPES.glob("tokenizer-*.yaml")), ids=lambda path: path.stem)
def test_recipes_can_be_read(path: Path) -> None:
    recipe = read_recipe(path, TokenizerRecipe)
    assert recipe.autoencoder.quantizer == path.stem.removeprefix("tokenizer-").removesuffix("-decoder")


def test_training_without_a_corpus_writes_a_tokenizer_that_says_where_it_came_from(tmp_path: Path) -> None:
    trained = train(tiny(), tmp_path / "tokenizer", CPU, progress=False)
    assert trained.tokenizer is not None
    assert trained.fidelity is None
    stored = artifact.load(tmp_path / "tokenizer", kind=KIND)
    assert stored.fingerprint == trained.tokenizer.fingerprint
    assert stored.provenance["steps"] == 6
    assert stored.provenance["recipe"]["autoencoder"]["levels"] == 2
    assert (tmp_path / "tokenizer-run" / "metrics.jsonl").is_file()


def test_training_on_a_corpus_measures_the_held_out_split(tmp_path: Path) -> None:
    act(tmp_path / "corpus", clips=80, seed=3, workers=1)
    recipe = tiny().model_copy(update={"data": tiny().data.model_copy(update={"random_share": 0.25})})
    trained = train(recipe, tmp_path / "tokenizer", CPU, corpora=[Share(tmp_path / "corpus")], progress=False)
    assert trained.fidelity is not None
    provenance = json.loads((tmp_path / "tokenizer" / "provenance.json").read_text())
    assert provenance["corpus"]["clips"] == 80
    assert provenance["held_out"]["face_mm"] == round(trained.fidelity.face_mm, 4)
    assert Tokenizer.load(tmp_path / "tokenizer").levels == 2


def test_corpora_are_mixed_and_clips_need_no_script(tmp_path: Path) -> None:
    act(tmp_path / "acted", clips=80, seed=3, workers=1)
    motion = from_features(np.full((30, 58), 0.2, np.float32))
    rows = [Row(f"wild-{number}", motion, "recorded", person=f"person-{number}") for number in range(40)]
    write_shards(tmp_path / "wild", rows, origin={"kind": "recorded"})
    recipe = tiny().model_copy(update={"data": tiny().data.model_copy(update={"random_share": 0.25})})
    corpora = [Share(tmp_path / "acted", 0.7), Share(tmp_path / "wild", 0.3)]
    trained = train(recipe, tmp_path / "tokenizer", CPU, corpora=corpora, progress=False)
    assert trained.fidelity is not None
    held_out = sum(load_manifest(share.folder).clips("validation") for share in corpora)
    assert trained.fidelity.as_json()["clips"] == held_out
    told = json.loads((tmp_path / "tokenizer" / "provenance.json").read_text())["corpus"]
    assert [(each["clips"], each["weight"]) for each in told] == [(80, 0.7), (40, 0.3)]


def test_a_corpus_without_train_clips_is_named(tmp_path: Path) -> None:
    motion = from_features(np.full((30, 58), 0.2, np.float32))
    rows = (Row(f"wild-{number}", motion, "recorded") for number in range(200))
    write_shards(tmp_path / "wild", [row for row in rows if row.split == "test"], origin={"kind": "recorded"})
    with pytest.raises(InvalidInput, match="holds no train clips"):
        train(tiny(), tmp_path / "tokenizer", CPU, corpora=[Share(tmp_path / "wild")], progress=False)


def test_a_recipe_that_needs_a_corpus_says_so(tmp_path: Path) -> None:
    recipe = tiny().model_copy(update={"data": tiny().data.model_copy(update={"random_share": 0.25})})
    with pytest.raises(InvalidConfig, match="corpus"):
        train(recipe, tmp_path / "tokenizer", CPU, progress=False)


def test_the_bundled_tokenizer_survives_a_real_capture(shared_data: Path) -> None:
    capture = load(shared_data / "alexdjulin_livelink" / "alex_rom_3.csv")
    figures = fidelity.measure(Tokenizer.load(), [to_features(resample(capture))])
    assert figures.face_mm <= 0.8


def test_the_bundled_tokenizer_keeps_a_resting_face_at_rest() -> None:
    still = np.zeros((50, 58), np.float32)
    figures = fidelity.measure(Tokenizer.load(), [still])
    assert figures.face_mm < 0.05
    assert figures.head_deg < 0.25


def test_a_decoder_learns_on_while_the_codes_stay(tmp_path: Path) -> None:
    first = train(tiny(), tmp_path / "first", CPU, progress=False).tokenizer
    on = tiny(learning_rate=3e-2)
    second = train(on, tmp_path / "second", CPU, progress=False, decoder_of=tmp_path / "first").tokenizer
    assert first is not None
    assert second is not None
    assert second.fingerprint == first.fingerprint == Tokenizer.load(tmp_path / "second").fingerprint
    features = torch.from_numpy(Mixture([], MixtureConfig(random_share=1, frames=20), seed=4).batch(0, 4))
    codes = first.encode_features(features)
    assert torch.equal(second.latents(codes), first.latents(codes))
    assert not torch.allclose(second.decode_codes(codes), first.decode_codes(codes), atol=1e-3)
    assert artifact.load(tmp_path / "second", kind=KIND).provenance["decoder_of"] == first.fingerprint


def test_a_decoder_of_other_sizes_is_refused(tmp_path: Path) -> None:
    train(tiny(), tmp_path / "first", CPU, progress=False)
    larger = {**tiny().model_dump(), "autoencoder": {"levels": 2, "codebook_size": 16, "dim": 16, "width": 24}}
    with pytest.raises(InvalidConfig, match="other sizes"):
        train(
            TokenizerRecipe.model_validate(larger), tmp_path / "second", CPU, progress=False,
            decoder_of=tmp_path / "first",
        )  # fmt: skip
