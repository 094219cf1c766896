from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
import torch

from tdmm.acting.lexicon import load
from tdmm.acting.meanings import MEANINGS
from tdmm.acting.narrator import PLAIN
from tdmm.errors import ArtifactProblem
from tdmm.language.text_encoder import DEFAULT, load_text_encoder
from tdmm.language.train_phrases import PhraseRecipe, PhraseTask, sentences
from tdmm.runtime import Runtime
from tdmm.training.config import TrainingConfig
from tdmm.training.loop import fit

TEXTS = ["a broad grin", "he frowns at 1.5 s", "as if she had smelt sour milk"]


def recipe(steps: int = 2) -> PhraseRecipe:
    training = TrainingConfig(steps=steps, batch_size=4, learning_rate=0.01, warmup_steps=0)
    return PhraseRecipe(training=training, rank=2, evaluation_sentences=8)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[PhraseTask, Path]:
    """A task after two steps, and the folder that it was saved to."""
    task, folder = PhraseTask(recipe()), tmp_path_factory.mktemp("phrases")
    fit(task, task.recipe.training, folder / "run", Runtime("cpu", "test"), progress=False)
    task.model.save(folder / "tuned", {"steps": 2})
    return task, folder / "tuned"


def test_sentences_say_what_they_mean() -> None:
    found = list(islice(sentences(3, 0, PLAIN, alone=True), 30))
    assert all(len(each.means) == 1 for each in found)
    named = [
        MEANINGS[each.means[0]] in {mention.descriptor for mention in load().mentions(each.text)} for each in found
    ]
    assert sum(named) > 15
    assert [each.text for each in found] == [each.text for each in islice(sentences(3, 0, PLAIN, alone=True), 30)]


def test_an_untrained_tuning_changes_nothing() -> None:
    task = PhraseTask(recipe())
    states = task.model.base.encode(TEXTS).states
    assert torch.allclose(states, load_text_encoder().encode(TEXTS).states, atol=1e-5)


def test_a_merged_tuning_is_what_was_trained(tuned: tuple[PhraseTask, Path]) -> None:
    task, folder = tuned
    trained = task.model.eval().base.encode(TEXTS).states
    merged = load_text_encoder(f"phrases:{folder}").encode(TEXTS)
    assert torch.allclose(trained, merged.states, atol=0.02)
    assert not torch.allclose(load_text_encoder().encode(TEXTS).states, merged.states, atol=0.02)
    assert merged.seconds[1].max() == 1.5


def test_its_name_finds_it_again_and_notices_another(tuned: tuple[PhraseTask, Path]) -> None:
    name = load_text_encoder(f"phrases:{tuned[1]}").name
    assert load_text_encoder(name).name == name
    with pytest.raises(ArtifactProblem, match="has changed since"):
        load_text_encoder(f"phrases:{tuned[1]}#0123456789ab")


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactProblem, match="no such weights folder"):
        load_text_encoder(f"phrases:{tmp_path / 'none'}")


def test_training_leaves_the_default_encoder_alone(tuned: tuple[PhraseTask, Path]) -> None:
    assert load_text_encoder() is not tuned[0].model.base
    assert load_text_encoder().name == DEFAULT


def test_figures_of_an_untrained_one_are_those_of_chance() -> None:
    figures = PhraseTask(recipe()).evaluate()
    assert set(figures) == {"exact", "core", "loss"}
    assert 0 <= figures["exact"] <= figures["core"] < 0.5
