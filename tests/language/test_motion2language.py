from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tdmm.acting.answers import FIRST_TASKS
from tdmm.acting.questions import CANNOT_TELL
from tdmm.errors import ArtifactProblem, InvalidInput, InvalidMotion, TokenizerMismatch
from tdmm.language.motion2language import Motion2Language
from tdmm.tokens.tokenizer import MotionTokens

from .scripted import FINGERPRINT, LEVELS, SIZE, model, tokens

CLIPS = [tokens(frames, seed=frames) for frames in (25, 40, 1, 7)]


@pytest.fixture(scope="module")
def reader() -> Motion2Language:
    return model()


def test_a_text_does_not_depend_on_the_clips_beside_it(reader: Motion2Language) -> None:
    together = reader.describe(CLIPS, max_tokens=12)
    alone = [reader.describe([clip], max_tokens=12)[0] for clip in CLIPS]
    assert together == alone
    assert len(set(together)) > 1  # it does look at the motion


def test_sampled_texts_do_not_depend_on_the_batch_either(reader: Motion2Language) -> None:
    together = reader.describe(CLIPS, max_tokens=12, temperature=1.0, seed=5)
    alone = [reader.describe([clip], max_tokens=12, temperature=1.0, seed=5)[0] for clip in CLIPS]
    assert together == alone
    assert together != reader.describe(CLIPS, max_tokens=12, temperature=1.0, seed=6)


def test_padding_does_not_reach_a_clip(reader: Motion2Language) -> None:
    codes = torch.from_numpy(CLIPS[0].codes.copy())[None]
    padded = torch.nn.functional.pad(codes, (0, 0, 0, 13), value=SIZE - 1)
    length, text = torch.tensor([codes.shape[1]]), torch.tensor([reader.prompt("head")])
    with torch.no_grad():
        short, long = (reader.write(reader.read(x, length), text) for x in (codes, padded))
    torch.testing.assert_close(long, short)


def test_writing_word_by_word_equals_writing_at_once(reader: Motion2Language) -> None:
    codes, length = torch.from_numpy(CLIPS[0].codes.copy())[None], torch.tensor([25])
    text = torch.tensor([[*reader.prompt("describe"), *reader.vocabulary.encode("She smiles")]])
    with torch.no_grad():
        at_once = reader.write(reader.read(codes, length), text)
        reading = reader.read(codes, length)
        steps = [reader.write(reading, text[:, i : i + 1], i) for i in range(text.shape[1])]
    torch.testing.assert_close(torch.cat(steps, 1), at_once, rtol=1e-4, atol=1e-5)


def test_answers_to_several_questions_do_not_see_each_other(reader: Motion2Language) -> None:
    codes, length = torch.from_numpy(CLIPS[0].codes.copy())[None], torch.tensor([25])
    first, second = reader.prompt("head"), reader.prompt("emotion")
    with torch.no_grad():
        reading = reader.read(codes, length)
        both = reader.write(reading.about(torch.tensor([0, 0])), torch.tensor([first, second]))
        alone = reader.write(reading, torch.tensor([second]))
    torch.testing.assert_close(both[1:], alone)


def test_every_frame_and_every_level_counts(reader: Motion2Language) -> None:
    codes = torch.from_numpy(CLIPS[0].codes.copy())[None]

    def states(codes: torch.Tensor, levels: torch.Tensor | None = None) -> torch.Tensor:
        reading = reader.read(codes, torch.tensor([25]), levels)
        return reader.write(reading, torch.tensor([reader.prompt("describe")]))

    with torch.no_grad():
        before = states(codes)
        for frame, level in ((0, 0), (12, 1), (24, LEVELS - 1)):
            changed = codes.clone()
            changed[0, frame, level] = (changed[0, frame, level] + 1) % SIZE
            assert (states(changed) - before).abs().max() > 1e-6
        changed = codes.clone()
        changed[..., 1:] = 0
        torch.testing.assert_close(states(changed, torch.tensor([1])), states(codes, torch.tensor([1])))


def test_a_long_motion_is_read_in_parts_with_their_times(reader: Motion2Language) -> None:
    text = reader.describe([tokens(100)], max_tokens=4)[0]  # 40 frames fit
    assert text.startswith("[0.0-1.4 s] ")
    assert text.count(" s] ") == 3


def test_saved_and_loaded_it_says_the_same(tmp_path: Path) -> None:
    original = model()
    for value in original.state_dict().values():
        value.copy_(value.half())
    fingerprint = original.save(tmp_path / "m2l", {"steps": 1})
    again = Motion2Language.load(tmp_path / "m2l")
    assert again.fingerprint == fingerprint
    assert again.tokenizer_fingerprint == FINGERPRINT
    assert not again.training
    assert again.describe(CLIPS, max_tokens=12) == original.describe(CLIPS, max_tokens=12)
    assert {path.name for path in (tmp_path / "m2l").iterdir()} == {
        "config.json", "weights.safetensors", "provenance.json", "tokenizer.json",
    }  # fmt: skip


def test_tokens_of_another_tokenizer_are_refused(reader: Motion2Language) -> None:
    with pytest.raises(TokenizerMismatch, match="bbbb"):
        reader.describe([MotionTokens(CLIPS[0].codes, "b" * 64)])


def test_codes_that_the_tokenizer_does_not_have_are_refused(reader: Motion2Language) -> None:
    with pytest.raises(InvalidMotion, match=f"{LEVELS} levels of {SIZE}"):
        reader.describe([MotionTokens(np.full((4, LEVELS), SIZE), FINGERPRINT)])
    with pytest.raises(InvalidMotion):
        reader.describe([MotionTokens(np.zeros((4, 1), np.int64), FINGERPRINT)])


@pytest.mark.parametrize("options", [{"task": "sing"}, {"temperature": -1.0}, {"max_tokens": 0}])
def test_senseless_options_are_refused(reader: Motion2Language, options: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        reader.describe(CLIPS[:1], **options)  # type: ignore[arg-type]


QUESTIONS = ["Does she blink twice?", "is the smile on the left", "does he nod?", "is it a very faint frown?"]


def test_an_answer_does_not_depend_on_the_questions_beside_it(reader: Motion2Language) -> None:
    together = reader.ask(CLIPS, QUESTIONS, max_tokens=12)
    alone = [reader.ask([clip], [question], max_tokens=12)[0] for clip, question in zip(CLIPS, QUESTIONS, strict=True)]
    assert together == alone


def test_the_question_is_read(reader: Motion2Language) -> None:
    first, other = (reader.prompt("question", text) for text in ("does she nod?", "does she wink twice?"))
    assert first[:2] == other[:2]
    assert first[-1] == other[-1] == first[1]
    assert reader.vocabulary.decode(other) == "does she wink twice?"
    reading = reader.read(torch.from_numpy(CLIPS[0].codes.copy())[None], torch.tensor([25]))
    with torch.no_grad():
        states = [reader.write(reading.about(torch.tensor([0])), torch.tensor([ids]))[:, -1] for ids in (first, other)]
    assert (states[0] - states[1]).abs().max() > 1e-4


def test_what_has_nothing_to_do_with_a_face_cannot_be_told(reader: Motion2Language) -> None:
    assert reader.ask(CLIPS[:1], ["is the xqzt blorfen?"], max_tokens=4) == [CANNOT_TELL]


def test_questions_that_cannot_be_asked_are_refused(reader: Motion2Language) -> None:
    for asked in ([""], ["why does she smile?"], ["does she nod?", "does she smile?"]):
        with pytest.raises(InvalidInput):
            reader.ask(CLIPS[:1], asked)
    with pytest.raises(InvalidInput, match="needs a question"):
        reader.describe(CLIPS[:1], "question")


def test_a_vocabulary_of_the_first_tasks_is_still_read_and_refuses_the_others(tmp_path: Path) -> None:
    original = model()
    original.save(tmp_path / "m2l")
    for name, before, after in (
        ("tokenizer.json", "<micro>", "<other>"), ("tokenizer.json", "<question>", "<another>"),
        ("config.json", '"tasks"', '"other"'),
    ):  # fmt: skip
        path = tmp_path / "m2l" / name
        path.write_text(path.read_text().replace(before, after))
    provenance = tmp_path / "m2l" / "provenance.json"
    listed = json.loads(provenance.read_text())
    for name in ("tokenizer.json", "config.json"):
        listed["files"][name] = hashlib.sha256((tmp_path / "m2l" / name).read_bytes()).hexdigest()
    provenance.write_text(json.dumps(listed))
    old = Motion2Language.load(tmp_path / "m2l")
    assert old.tasks == FIRST_TASKS
    assert len(old.describe(CLIPS[:1], "head", max_tokens=4)) == 1
    with pytest.raises(InvalidInput, match="not trained on the task 'micro'"):
        old.describe(CLIPS[:1], "micro")
    with pytest.raises(InvalidInput, match="not trained on the task 'question'"):
        old.ask(CLIPS[:1], ["does she nod?"])


def test_nothing_to_describe_is_nothing(reader: Motion2Language) -> None:
    assert reader.describe([]) == []


@pytest.mark.parametrize("name", ["weights.safetensors", "tokenizer.json", "config.json"])
def test_a_flipped_byte_is_found(tmp_path: Path, name: str) -> None:
    model().save(tmp_path / "m2l")
    path = tmp_path / "m2l" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ArtifactProblem):
        Motion2Language.load(tmp_path / "m2l")


def test_files_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    model().save(tmp_path / "m2l")
    config, provenance = tmp_path / "m2l" / "config.json", tmp_path / "m2l" / "provenance.json"
    config.write_text(config.read_text().replace('"layers": 2', '"layers": 3'))
    listed = json.loads(provenance.read_text())
    listed["files"]["config.json"] = hashlib.sha256(config.read_bytes()).hexdigest()
    provenance.write_text(json.dumps(listed))
    with pytest.raises(ArtifactProblem, match="do not fit"):
        Motion2Language.load(tmp_path / "m2l")
