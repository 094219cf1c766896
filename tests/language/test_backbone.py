"""Motion2Language on language models that lie on disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tdmm.errors import ArtifactProblem, InvalidConfig, TokenizerMismatch
from tdmm.language import backbone, hub
from tdmm.language.backbone import PretrainedBackbone
from tdmm.language.motion2language import Motion2Language, Motion2LanguageConfig
from tdmm.tokens.tokenizer import MotionTokens

from . import scripted
from .scripted import FINGERPRINT, LEVELS, SIZE, FakeTokenizer
from .tiny_models import HIDDEN, ROWS, checkpoint, model, tokenizer

KINDS = [(motion, tied) for motion in ("frames", "tokens") for tied in (True, False)]


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    folder = tmp_path_factory.mktemp("bases")
    return {tied: checkpoint(folder / f"tied-{tied}", tied=tied) for tied in (True, False)}


def clips(motion: str) -> list[MotionTokens]:
    levels = 1 if motion == "tokens" else LEVELS
    draw = np.random.default_rng(0)
    return [MotionTokens(draw.integers(0, SIZE, (frames, levels)), FINGERPRINT) for frames in (20, 33, 1)]


@pytest.mark.parametrize(("motion", "tied"), KINDS)
def test_a_text_does_not_depend_on_the_clips_beside_it(bases: dict[bool, Path], motion: str, tied: bool) -> None:
    reader = model(bases[tied], motion=motion)
    shown = clips(motion)
    together = reader.describe(shown, max_tokens=10)
    assert together == [reader.describe([clip], max_tokens=10)[0] for clip in shown]
    assert len(set(together)) > 1  # it does look at the motion


@pytest.mark.parametrize(("motion", "tied"), KINDS)
def test_saved_and_loaded_it_says_the_same(bases: dict[bool, Path], tmp_path: Path, motion: str, tied: bool) -> None:
    original = model(bases[tied], motion=motion)
    fingerprint = original.save(tmp_path / "adapter", {"steps": 1})
    again = Motion2Language.load(tmp_path / "adapter")
    assert again.fingerprint == fingerprint
    assert not again.training
    assert again.describe(clips(motion), max_tokens=10) == original.describe(clips(motion), max_tokens=10)
    with pytest.raises(TokenizerMismatch):
        again.describe([MotionTokens(clips(motion)[0].codes, "b" * 64)])


def test_only_what_was_trained_is_saved(bases: dict[bool, Path], tmp_path: Path) -> None:
    model(bases[True], motion="tokens").save(tmp_path / "adapter")
    from tdmm import artifact

    stored = artifact.load(tmp_path / "adapter", kind="motion2language")
    own = {name for name in stored.tensors if not name.startswith("reader.")}
    assert all("lora_" in name or "trainable_tokens" in name for name in own)
    (words,) = (stored.tensors[name] for name in own if "trainable_tokens" in name)
    assert words.shape == (SIZE + 2, HIDDEN)  # rows of the new words, not the whole table


def test_in_one_pass_it_is_as_with_a_cache(bases: dict[bool, Path]) -> None:
    """What training computes is what use computes, for the small one too."""
    readers = [model(bases[True]), model(bases[False], motion="tokens"), scripted.model()]
    for reader in readers:
        levels = len(reader.reader.codebooks)
        codes, lengths = torch.randint(0, SIZE, (2, 12, levels)), torch.tensor([12, 7])
        about, questions = torch.tensor([1, 0, 1]), [reader.prompt("head") for _ in range(3)]
        text = torch.tensor(questions)
        with torch.no_grad():
            whole = reader(codes, lengths, None, about, text)
            cached = reader.write(reader.read(codes, lengths).about(about), text)
        torch.testing.assert_close(whole, cached, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("motion", "tied"), KINDS)
def test_gradient_checkpointing_changes_no_gradient(bases: dict[bool, Path], motion: str, tied: bool) -> None:
    gradients = []
    for checkpointing in (False, True):
        reader = model(bases[tied], motion=motion, gradient_checkpointing=checkpointing).train()
        levels = len(reader.reader.codebooks)
        codes = torch.arange(20 * levels).reshape(1, 20, levels) % SIZE
        text = torch.tensor([[*reader.prompt("head"), *reader.vocabulary.encode("nods")]])
        states = reader(codes, torch.tensor([20]), None, torch.tensor([0]), text)
        reader.logits(states).logsumexp(-1).mean().backward()
        gradients.append({name: p.grad for name, p in reader.named_parameters() if p.requires_grad})
    straight, again = gradients
    assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in straight.values())
    for name, gradient in straight.items():
        torch.testing.assert_close(again[name], gradient)


def test_the_language_model_itself_is_not_trained(bases: dict[bool, Path]) -> None:
    reader = model(bases[True], motion="tokens")
    trained = {name for name, p in reader.named_parameters() if p.requires_grad}
    assert trained
    assert all("lora_" in name or "trainable_tokens" in name for name in trained)
    reader = model(bases[True], lora=None)
    assert {name.split(".")[0] for name, p in reader.named_parameters() if p.requires_grad} == {"reader"}


@pytest.mark.parametrize("tied", [True, False])
def test_the_table_of_words_grows_and_never_shrinks(bases: dict[bool, Path], tied: bool) -> None:
    def rows(codes: int) -> tuple[int, bool]:
        config = PretrainedBackbone(name=str(bases[tied]), motion="tokens", dtype="fp32", lora=None)
        books = torch.randn(1, codes, 8)
        loaded = backbone.load(config, books).model
        enter, leave = loaded.get_input_embeddings().weight, loaded.get_output_embeddings().weight
        assert len(enter) == len(leave) == loaded.config.vocab_size
        return len(enter), enter is leave

    assert rows(codes=2) == (ROWS, tied)  # 300 words and 4 more: there is room
    assert rows(codes=100) == (448, tied)  # 402 words: the next multiple of 64


def test_new_words_start_near_each_other_where_the_codes_are(bases: dict[bool, Path]) -> None:
    books = torch.randn(1, 6, 8)
    books[0, 1] = books[0, 0] + 0.01
    config = PretrainedBackbone(name=str(bases[False]), motion="tokens", dtype="fp32", lora=None)
    loaded = backbone.load(config, books)
    table = loaded.model.get_input_embeddings().weight.detach()
    near, far = ((table[loaded.words.code_ids[0]] - table[loaded.words.code_ids[i]]).norm() for i in (1, 2))
    assert near < 0.1 * far
    assert 0.3 < table[loaded.words.code_ids].std() / table[:300].std() < 3


def test_words_of_the_motion_are_never_written(bases: dict[bool, Path]) -> None:
    reader = model(bases[False], motion="tokens")
    with torch.no_grad():
        head = reader.backbone.get_base_model().lm_head.weight
        head.zero_()
        head[reader.vocabulary.code_ids[3]] = 100.0  # type: ignore[union-attr]
        head[-1] = 200.0  # a row that is no word at all
    texts = reader.describe(clips("tokens"), max_tokens=4)
    assert not any("motion" in text for text in texts)
    assert reader.logits(torch.ones(1, HIDDEN)).shape == (1, len(reader.vocabulary))


def test_bfloat16_weights_keep_what_is_trained_in_float32(bases: dict[bool, Path]) -> None:
    reader = model(bases[True], motion="tokens", dtype="bf16")
    kinds = {(p.requires_grad, p.dtype) for p in reader.parameters()}
    assert kinds == {(True, torch.float32), (False, torch.bfloat16)}
    assert len(reader.describe(clips("tokens"), max_tokens=4)) == 3


def test_a_fingerprint_sees_the_weights_and_not_their_precision(bases: dict[bool, Path], tmp_path: Path) -> None:
    def fingerprint(folder: Path, dtype: torch.dtype) -> str:
        return backbone.weights_fingerprint(hub.load_model(folder, "", "AutoModelForCausalLM", dtype))

    assert fingerprint(bases[True], torch.float32) == fingerprint(bases[True], torch.bfloat16)
    others = [bases[False], checkpoint(tmp_path / "other", seed=5)]
    assert len({fingerprint(folder, torch.float32) for folder in (bases[True], *others)}) == 3


@pytest.mark.parametrize(
    ("other", "complaint"), [({"seed": 5}, "other weights"), ({"words": 290}, "another vocabulary")]
)
def test_an_adapter_is_refused_on_another_language_model(
    bases: dict[bool, Path], tmp_path: Path, other: dict[str, int], complaint: str
) -> None:
    model(bases[True]).save(tmp_path / "adapter")
    strange = checkpoint(tmp_path / "strange", **other)  # type: ignore[arg-type]
    with pytest.raises(ArtifactProblem, match=f"{complaint}.*--base"):
        Motion2Language.load(tmp_path / "adapter", base=strange)


def test_a_language_model_may_move(tmp_path: Path) -> None:
    base = checkpoint(tmp_path / "base")
    original = model(base)
    original.save(tmp_path / "adapter")
    base.rename(tmp_path / "moved")
    with pytest.raises(ArtifactProblem, match="cannot be loaded"):
        Motion2Language.load(tmp_path / "adapter")
    again = Motion2Language.load(tmp_path / "adapter", base=tmp_path / "moved")
    assert again.describe(clips("frames"), max_tokens=6) == original.describe(clips("frames"), max_tokens=6)


def test_a_tokenizer_of_another_model_is_refused(tmp_path: Path) -> None:
    base = checkpoint(tmp_path / "base")
    larger = tokenizer()
    larger.add_tokens([f"<more{number}>" for number in range(30)])
    larger.save_pretrained(base)
    with pytest.raises(ArtifactProblem, match="weights for 320 words and a tokenizer of 330"):
        model(base)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [({"architectures": ["Qwen3ForSequenceClassification"]}, "not a causal"), ({"logit_scale": 0.5}, "rescales")],
)
def test_a_model_of_a_kind_that_would_go_wrong_is_refused(
    tmp_path: Path, changed: dict[str, object], complaint: str
) -> None:
    path = checkpoint(tmp_path / "base") / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    with pytest.raises(ArtifactProblem, match=complaint):
        model(path.parent)


def test_codes_of_several_levels_are_no_words(bases: dict[bool, Path]) -> None:
    config = PretrainedBackbone(name=str(bases[True]), motion="tokens")
    with pytest.raises(InvalidConfig, match="one code a frame"):
        backbone.load(config, FakeTokenizer().books)


def test_files_that_do_not_fit_together_are_refused(bases: dict[bool, Path], tmp_path: Path) -> None:
    from tdmm import artifact

    model(bases[True]).save(tmp_path / "adapter")
    stored = artifact.load(tmp_path / "adapter", kind="motion2language")
    for lora in ({"rank": 8}, {"targets": ["q_proj"]}):
        settings = json.loads(json.dumps(stored.config))
        settings["model"]["backbone"]["lora"] |= lora
        artifact.save(tmp_path / "mixed", kind="motion2language", config=settings, tensors=stored.tensors)
        with pytest.raises(ArtifactProblem, match="do not fit"):
            Motion2Language.load(tmp_path / "mixed")


def test_settings_without_effect_are_refused(bases: dict[bool, Path]) -> None:
    name = str(bases[True])
    assert Motion2LanguageConfig.model_validate({"backbone": name}).backbone == PretrainedBackbone(name=name)
    for settings in ({"hidden": 64}, {"backbone": {"name": name, "motion": "tokens"}, "mixers": 1}):
        with pytest.raises(ValueError, match="mean nothing"):
            Motion2LanguageConfig.model_validate({"backbone": name, **settings})
