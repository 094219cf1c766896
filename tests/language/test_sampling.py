from __future__ import annotations

import numpy as np
import pytest
import torch

from tdmm.errors import InvalidInput
from tdmm.language.language2motion import Language2Motion, Language2MotionConfig
from tdmm.language.plan_codes import Plan
from tdmm.language.sampling import Codes, SamplingOptions, generate, stream
from tdmm.language.text_encoder import HashedWords, TextStates
from tdmm.motion.events import ActionEvent, MotionEvents

CONFIG = Language2MotionConfig(
    levels=3, codebook_size=16, latent_width=4, text_width=32, width=32, depth=2, heads=2, max_seconds=4
)
PROMPTS = ("she smiles", "he frowns, then looks away to the left and blinks twice", "a nod")
ENCODER = HashedWords(32)


class Means:
    """Latents that know how much of everything there is, in three frames to both sides as well."""

    def encode_latents(self, features: torch.Tensor) -> torch.Tensor:
        around = torch.nn.functional.avg_pool1d(features.mean(-1, keepdim=True).mT, 7, stride=1, padding=3).mT
        return 100 * around.expand(-1, -1, 4)


TOKENIZER = Means()


@pytest.fixture(scope="module")
def model() -> Language2Motion:
    torch.manual_seed(0)
    model = Language2Motion(CONFIG, torch.randn(3, 16, 4), "tokens", ENCODER.name).eval()
    with torch.no_grad():
        model.end_out.bias.fill_(0.0)  # ends are drawn, but not at once
    return model


def plan(frames: int, end: float = 0.4) -> Plan:
    return Plan(MotionEvents((ActionEvent("lip_corner_puller", "both", 0.8, 0.1, 0.2, 0.3, end),)), frames)


def words(*prompts: str) -> TextStates:
    return ENCODER.encode(list(prompts))


def one(model: Language2Motion, seed: int, options: SamplingOptions | None = None, prompt: str = PROMPTS[0]) -> Codes:
    return generate(model, TOKENIZER, words(prompt), [plan(40)], [seed], options)[0]


def test_clip_does_not_depend_on_its_batch(model: Language2Motion) -> None:
    plans = [plan(30, 1.3), plan(50), plan(15, 0.9)]  # two of them end before their events do
    together = generate(model, TOKENIZER, words(*PROMPTS), plans, [5, 6, 7], None, [False, True, False])
    for place, prompt in enumerate(PROMPTS):
        alone = generate(model, TOKENIZER, words(prompt), [plans[place]], [5 + place], None, [place == 1])[0]
        assert np.array_equal(together[place], alone)


def test_seed_decides(model: Language2Motion) -> None:
    assert np.array_equal(one(model, 1), one(model, 1))
    assert not np.array_equal(one(model, 1), one(model, 2))


def test_planned_length_is_kept_to_the_frame(model: Language2Motion) -> None:
    clips = generate(model, TOKENIZER, words(*PROMPTS), [plan(12), plan(50), plan(100)], [0, 1, 2])
    assert [clip.shape for clip in clips] == [(12, 3), (50, 3), (100, 3)]
    assert all(clip.dtype == np.int64 and clip.min() >= 0 and clip.max() < 16 for clip in clips)


def test_a_clip_may_end_early_but_not_before_its_events_are_over(model: Language2Motion) -> None:
    def lengths(end: float) -> set[int]:
        runs = (generate(model, TOKENIZER, words(PROMPTS[0]), [plan(90, end)], [s], None, [True]) for s in range(6))
        return {len(clip) for (clip,) in runs}

    assert len(lengths(0.4)) > 1
    assert min(lengths(0.4)) >= 72
    assert min(lengths(3.4)) >= 80
    assert max(lengths(0.4)) <= 90


def test_temperature_zero_takes_the_likeliest(model: Language2Motion) -> None:
    options = SamplingOptions(temperature=0)
    assert np.array_equal(one(model, 1, options), one(model, 2, options))


def test_small_share_takes_the_likeliest(model: Language2Motion) -> None:
    assert np.array_equal(one(model, 1, SamplingOptions(temperature=0)), one(model, 1, SamplingOptions(top_p=0.0)))


def test_words_and_plan_matter(model: Language2Motion) -> None:
    first = generate(model, TOKENIZER, words(PROMPTS[0]), [plan(25, 0.4)], [3])[0]
    other_words = generate(model, TOKENIZER, words(PROMPTS[1]), [plan(25, 0.4)], [3])[0]
    other_plan = generate(model, TOKENIZER, words(PROMPTS[0]), [plan(25, 0.9)], [3])[0]
    assert not np.array_equal(first, other_words)
    assert not np.array_equal(first, other_plan)


def test_a_plan_may_say_it_all(model: Language2Motion) -> None:
    together = generate(model, TOKENIZER, None, [plan(25), plan(15)], [3, 4])
    assert [len(each) for each in together] == [25, 15]
    assert np.array_equal(together[1], generate(model, TOKENIZER, None, [plan(15)], [4])[0])


def test_stream_gives_the_frames_of_generate(model: Language2Motion) -> None:
    text, plans = words(*PROMPTS[:2]), [plan(25), plan(15)]
    frames = stream(model, TOKENIZER, text, plans, [1, 2])
    first = next(frames)
    rest = list(frames)
    clips = generate(model, TOKENIZER, text, plans, [1, 2])
    assert np.array_equal(first.codes[0], clips[0][0])
    assert len(rest) == 24
    assert [frame.alive.tolist() for frame in (rest[13], rest[14])] == [[True, True], [True, False]]


def test_nothing_asked_nothing_made(model: Language2Motion) -> None:
    assert generate(model, TOKENIZER, words(PROMPTS[0]), [], []) == []


def test_counts_must_agree(model: Language2Motion) -> None:
    with pytest.raises(InvalidInput, match="one of each"):
        generate(model, TOKENIZER, words(*PROMPTS), [plan(25)], [1])


def test_a_long_clip_is_made_in_windows_that_go_on_from_each_other(model: Language2Motion) -> None:
    text, options = words(PROMPTS[0]), SamplingOptions(temperature=1.0)
    clip = generate(model, TOKENIZER, text, [plan(400)], [3], options)[0]
    assert clip.shape == (400, 3)
    # Another beginning changes what comes after the seam, the same one does not.
    again = generate(model, TOKENIZER, text, [plan(400)], [3], options)[0]
    assert np.array_equal(clip, again)
    short = generate(model, TOKENIZER, text, [plan(380)], [3], options)[0]
    assert np.array_equal(short[:150], clip[:150])


def test_a_history_is_gone_on_from(model: Language2Motion) -> None:
    text = words(PROMPTS[0])
    first, second = (generate(model, TOKENIZER, text, [plan(60)], [seed])[0] for seed in (1, 2))
    after_first = generate(model, TOKENIZER, text, [plan(30)], [3], history=first[None])[0]
    after_second = generate(model, TOKENIZER, text, [plan(30)], [3], history=second[None])[0]
    assert after_first.shape == (30, 3)
    assert not np.array_equal(after_first, after_second)
    assert np.array_equal(after_first, generate(model, TOKENIZER, text, [plan(30)], [3], history=first[None, -40:])[0])


@pytest.mark.parametrize("options", [{"temperature": -1}, {"temperature": float("nan")}, {"top_p": 1.5}])
def test_options_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(options))):
        SamplingOptions(**options)
