from __future__ import annotations

import numpy as np
import pytest
import torch

from tdmm.errors import InvalidInput, InvalidPrompt
from tdmm.language.language2motion import Language2Motion, Language2MotionConfig
from tdmm.language.sampling import SamplingOptions, generate, stream
from tdmm.language.text_encoder import HashedWords

CONFIG = Language2MotionConfig(
    levels=3, codebook_size=16, latent_width=4, text_width=32, width=32, depth=2, heads=2, max_seconds=4
)
PROMPTS = ("she smiles", "he frowns, then looks away to the left and blinks twice", "a nod")
ENCODER = HashedWords(32)


@pytest.fixture(scope="module")
def model() -> Language2Motion:
    torch.manual_seed(0)
    model = Language2Motion(CONFIG, torch.randn(3, 16, 4), "tokens", ENCODER.name).eval()
    with torch.no_grad():
        model.end_out.bias.fill_(-1.0)  # ends are drawn, but not at once
    return model


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_clip_does_not_depend_on_its_batch(model: Language2Motion, guidance: float) -> None:
    options, seconds = SamplingOptions(guidance=guidance), [1.2, None, 0.6]
    together = generate(model, PROMPTS, seconds, [5, 6, 7], options)
    for place, prompt in enumerate(PROMPTS):
        alone = generate(model, [prompt], [seconds[place]], [5 + place], options)[0]
        assert np.array_equal(together[place], alone)


def test_seed_decides(model: Language2Motion) -> None:
    first, again, other = (generate(model, PROMPTS[:1], 2.0, [seed])[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_asked_duration_is_kept_to_the_frame(model: Language2Motion) -> None:
    clips = generate(model, PROMPTS, [0.5, 2.0, 4.0])
    assert [clip.shape for clip in clips] == [(12, 3), (50, 3), (100, 3)]
    assert all(clip.dtype == np.int64 and clip.min() >= 0 and clip.max() < 16 for clip in clips)


def test_open_end_is_drawn_between_the_limits(model: Language2Motion) -> None:
    lengths = {len(clip) for seed in range(6) for clip in generate(model, PROMPTS[:1], None, [seed])}
    assert len(lengths) > 1
    assert min(lengths) >= 25
    assert max(lengths) <= CONFIG.max_frames


def test_temperature_zero_takes_the_likeliest(model: Language2Motion) -> None:
    options = SamplingOptions(temperature=0)
    first, other = (generate(model, PROMPTS[:1], 1.0, [seed], options)[0] for seed in (1, 2))
    assert np.array_equal(first, other)


def test_small_share_takes_the_likeliest(model: Language2Motion) -> None:
    greedy = generate(model, PROMPTS[:1], 1.0, [1], SamplingOptions(temperature=0))[0]
    narrow = generate(model, PROMPTS[:1], 1.0, [1], SamplingOptions(top_p=0.0))[0]
    assert np.array_equal(greedy, narrow)


def test_without_guidance_the_words_do_not_matter(model: Language2Motion) -> None:
    options = SamplingOptions(guidance=0)
    first, other = (generate(model, [prompt], 1.0, [3], options)[0] for prompt in PROMPTS[:2])
    assert np.array_equal(first, other)
    worded = generate(model, PROMPTS[1:2], 1.0, [3], SamplingOptions(guidance=3))[0]
    assert not np.array_equal(first, worded)


def test_stream_gives_the_frames_of_generate(model: Language2Motion) -> None:
    frames = stream(model, PROMPTS[:2], [1.0, 0.6], [1, 2])
    first = next(frames)
    rest = list(frames)
    clips = generate(model, PROMPTS[:2], [1.0, 0.6], [1, 2])
    assert np.array_equal(first.codes[0], clips[0][0])
    assert len(rest) == 24
    assert [frame.alive.tolist() for frame in (rest[13], rest[14])] == [[True, True], [True, False]]


def test_nothing_asked_nothing_made(model: Language2Motion) -> None:
    assert generate(model, []) == []


@pytest.mark.parametrize("seconds", [0.0, -1.0, 0.1, 4.5, float("nan")])
def test_duration_out_of_range_is_refused(model: Language2Motion, seconds: float) -> None:
    with pytest.raises(InvalidInput, match=r"between 0\.5 and 4"):
        generate(model, PROMPTS[:1], seconds)


def test_counts_must_agree(model: Language2Motion) -> None:
    with pytest.raises(InvalidInput, match="seeds"):
        generate(model, PROMPTS, 1.0, [1])
    with pytest.raises(InvalidInput, match="durations"):
        generate(model, PROMPTS, [1.0])


@pytest.mark.parametrize("options", [{"guidance": -1}, {"temperature": float("nan")}, {"top_p": 1.5}])
def test_options_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(options))):
        SamplingOptions(**options)


def test_empty_prompt_is_refused(model: Language2Motion) -> None:
    with pytest.raises(InvalidPrompt):
        generate(model, ["she smiles", " "])
