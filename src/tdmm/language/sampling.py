"""From prompts to codes: guidance, temperature, seeds, durations; at once or frame by frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tdmm.errors import InvalidInput
from tdmm.language.frame_cache import FrameCache
from tdmm.language.language2motion import Language2Motion, Prefix
from tdmm.language.text_encoder import TextEncoder, load_text_encoder

Codes = npt.NDArray[np.int64]

MIN_SECONDS = 0.5
"""Shortest clip that can be asked for."""
_EARLIEST, _LATEST = 0.8, 1.2  # times the planned duration: when a model may end a clip, and when it must


@dataclass(frozen=True)
class SamplingOptions:
    """How codes are drawn.

    Attributes:
        guidance: how hard the words pull; 1 is plain sampling, 0 ignores them.
        temperature: of the first level; 0 takes the likeliest.
        residual_temperature: of the other levels, as a multiple of `temperature`.
        top_p: only the likeliest codes that make up this share are drawn from.

    Raises:
        InvalidInput: a value is out of range.
    """

    guidance: float = 3.0
    temperature: float = 0.6
    residual_temperature: float = 0.5
    top_p: float = 0.9

    def __post_init__(self) -> None:
        for name, low, high in (
            ("guidance", 0.0, 20.0),
            ("temperature", 0.0, 5.0),
            ("residual_temperature", 0.0, 5.0),
            ("top_p", 0.0, 1.0),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InvalidInput(f"{name} is {value}; it must lie between {low:g} and {high:g}.")


@dataclass(frozen=True)
class Frame:
    """Codes of one frame of several clips.

    Attributes:
        codes: (B, L) int64; what stands in the row of a clip that is over means nothing.
        alive: (B,) bool, False where the clip was over before this frame.
    """

    codes: Codes
    alive: npt.NDArray[np.bool_]


def generate(
    model: Language2Motion,
    prompts: Sequence[str],
    seconds: float | Sequence[float | None] | None = None,
    seeds: Sequence[int] | None = None,
    options: SamplingOptions | None = None,
    encoder: TextEncoder | None = None,
) -> list[Codes]:
    """Codes (T, L) of each prompt. A clip depends on its prompt, seconds and seed alone, not on the others.

    Args:
        model: from `Language2Motion.load`.
        prompts: B texts.
        seconds: length of all clips or of each; None lets the model plan it from the words and end near it.
        seeds: of each clip; None is 0, 1, 2 ...
        options: how codes are drawn.
        encoder: of the texts; None loads the one the model was trained with.

    Raises:
        InvalidPrompt: a text is empty or too long.
        InvalidInput: a duration is out of range, or there are not as many seeds or durations as prompts.
    """
    if not prompts:
        return []
    frames = list(stream(model, prompts, seconds, seeds, options, encoder))
    codes = np.stack([frame.codes for frame in frames], axis=1)
    lengths = np.sum([frame.alive for frame in frames], axis=0)
    return [row[:length] for row, length in zip(codes, lengths, strict=True)]


@torch.inference_mode()
def stream(
    model: Language2Motion,
    prompts: Sequence[str],
    seconds: float | Sequence[float | None] | None = None,
    seeds: Sequence[int] | None = None,
    options: SamplingOptions | None = None,
    encoder: TextEncoder | None = None,
) -> Iterator[Frame]:
    """`generate`, frame by frame, as soon as each is known; ends when all clips are over."""
    options = options or SamplingOptions()
    lengths = _lengths(model, seconds, len(prompts))
    seeds = list(range(len(prompts))) if seeds is None else list(seeds)
    if len(seeds) != len(prompts):
        raise InvalidInput(f"There are {len(prompts)} prompts and {len(seeds)} seeds; each prompt needs one.")
    encoder = encoder or load_text_encoder(model.text_encoder)
    model.eval()
    luck = _luck(model, seeds)
    prefix = _prefix(model, encoder, prompts, lengths, options)
    session = _Session(model, prefix, options)
    # Where no length was asked for, the prefix holds the planned one; the model may end a little off it.
    planned = prefix.seconds[: len(prompts)].numpy(force=True) * model.config.fps
    asked = np.array([length is not None for length in lengths])
    limit = np.round(np.where(asked, planned, _LATEST * planned)).clip(1, model.config.max_frames)
    earliest = np.round(np.where(asked, planned, np.maximum(_EARLIEST * planned, model.config.fps)))
    alive = np.ones(len(prompts), dtype=np.bool_)
    for place in range(int(limit.max())):
        codes, over = session.next(luck[:, place], torch.from_numpy(place >= earliest))
        alive = alive & ~over & (place < limit)
        if not alive.any():
            return
        yield Frame(codes, alive)


class _Session:
    """The state of a generation: cache, code vectors, and the codes of the last frame."""

    def __init__(self, model: Language2Motion, prefix: Prefix, options: SamplingOptions) -> None:
        self._model, self._options = model, options
        self._guided = options.guidance != 1.0
        self._vectors = model.code_vectors()
        self._cache = FrameCache(model, prefix, model.config.max_frames)
        self._before: Tensor | None = None

    def next(self, luck: Tensor, may_end: Tensor) -> tuple[Codes, npt.NDArray[np.bool_]]:
        """Codes (B, L) of the next frame, and which clips (B,) are over before it.

        Args:
            luck: (B, L) numbers in [0, 1) that decide.
            may_end: (B,) bool.
        """
        options, state = self._options, self._cache.step(self._before)
        partial, codes = state, []
        over = torch.zeros_like(may_end)
        for level in range(self._model.config.levels):
            logits, end = self._model.level_logits(level, partial)
            temperature = options.temperature * (1.0 if level == 0 else options.residual_temperature)
            if level == 0:
                logits = torch.cat([logits, end], dim=-1)
            logits = self._mix(logits)
            if level == 0:
                logits[:, -1].masked_fill_(~may_end, -torch.inf)
            chosen = _draw(logits, luck[:, level], temperature, options.top_p)
            if level == 0:
                over = chosen == logits.shape[-1] - 1
                chosen = chosen.masked_fill(over, 0)
            codes.append(chosen)
            vector = self._vectors[level, chosen]
            partial = partial + (vector.repeat(2, 1) if self._guided else vector)
        self._before = partial - state
        return torch.stack(codes, dim=1).numpy(force=True), over.numpy(force=True)

    def _mix(self, logits: Tensor) -> Tensor:
        """Logits of the words, pushed away from those of no words."""
        if not self._guided:
            return logits
        worded, wordless = logits.chunk(2)
        return wordless + self._options.guidance * (worded - wordless)


def _prefix(
    model: Language2Motion,
    encoder: TextEncoder,
    prompts: Sequence[str],
    lengths: Sequence[int | None],
    options: SamplingOptions,
) -> Prefix:
    """Prefix of every prompt, and under guidance of as many clips without words after them."""
    device = model.codebooks.device
    text = encoder.encode(list(prompts))
    seconds = torch.tensor(
        [torch.nan if length is None else length / model.config.fps for length in lengths], device=device
    )
    states, mask = text.states.to(device), text.mask.to(device)
    wordless = torch.zeros(len(prompts), dtype=torch.bool, device=device)
    if options.guidance != 1.0:
        states, mask, seconds = states.repeat(2, 1, 1), mask.repeat(2, 1), seconds.repeat(2)
        wordless = torch.cat([wordless, ~wordless])
    prefix = model.prefix(states, mask, seconds, wordless)
    if any(length is None for length in lengths):
        worded = prefix.planned[: len(prompts)].exp().clamp(1.0, model.config.max_seconds)
        planned = worded.repeat(len(seconds) // len(prompts))
        prefix = model.prefix(states, mask, torch.where(seconds.isnan(), planned, seconds), wordless)
    return replace(prefix, embedded=prefix.embedded.float())


def _draw(logits: Tensor, luck: Tensor, temperature: float, top_p: float) -> Tensor:
    """One class a row (B,), by inverting the distribution at `luck`."""
    if temperature == 0:
        return logits.argmax(-1)
    ordered, classes = (logits / temperature).softmax(-1).sort(dim=-1, descending=True)
    reached = ordered.cumsum(-1)
    # The likeliest class stays even where it alone exceeds the share.
    kept = (reached - ordered < top_p).sum(-1, keepdim=True).clamp_min(1)
    aim = luck[:, None] * reached.gather(-1, kept - 1)
    place = (reached <= aim).sum(-1, keepdim=True).minimum(kept - 1)
    return classes.gather(-1, place).squeeze(-1)


def _luck(model: Language2Motion, seeds: Sequence[int]) -> Tensor:
    """(B, frames, L) uniform numbers, each clip's from its own seed."""
    shape = (model.config.max_frames, model.config.levels)
    rows = [torch.rand(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return torch.stack(rows).to(model.codebooks.device)


def _lengths(model: Language2Motion, seconds: float | Sequence[float | None] | None, count: int) -> list[int | None]:
    """Frames of each clip, None where the model chooses."""
    each = list(seconds) if isinstance(seconds, Sequence) else [seconds] * count
    if len(each) != count:
        raise InvalidInput(f"There are {count} prompts and {len(each)} durations; give one, or one for each.")
    for value in each:
        if value is not None and not MIN_SECONDS <= value <= model.config.max_seconds:
            raise InvalidInput(
                f"seconds is {value:g}; it must lie between {MIN_SECONDS:g} and {model.config.max_seconds:g}."
            )
    return [None if value is None else max(1, round(value * model.config.fps)) for value in each]
