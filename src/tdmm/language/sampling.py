"""From prompts and plans to codes: temperature, seeds, durations; at once or frame by frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tdmm.errors import InvalidInput
from tdmm.language.chance import draw, luck
from tdmm.language.language2motion import Language2Motion, Prefix, gathered, prefix_places
from tdmm.language.plan_codes import Plan
from tdmm.language.sketch import LatentEncoder, laid_out
from tdmm.language.step_cache import StepCache
from tdmm.language.text_encoder import MAX_TOKENS, TextStates
from tdmm.language.transformer import normed
from tdmm.motion.events import MotionEvents

Codes = npt.NDArray[np.int64]

_FIRST_STREAM = 2

_EARLIEST = 0.8
"""Share of the planned frames after which a model may end a clip whose events are over."""


@dataclass(frozen=True)
class SamplingOptions:
    """How codes are drawn.

    Attributes:
        temperature: of the first level; 0 takes the likeliest.
        residual_temperature: of the other levels, as a multiple of `temperature`.
        top_p: only the likeliest codes that make up this share are drawn from.

    Raises:
        InvalidInput: a value is out of range.
    """

    temperature: float = 0.5
    residual_temperature: float = 0.0
    top_p: float = 0.9

    def __post_init__(self) -> None:
        for name, low, high in (
            ("temperature", 0.0, 5.0),
            ("residual_temperature", 0.0, 5.0),
            ("top_p", 0.0, 1.0),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InvalidInput(f"{name} is {value}; it must lie between {low:g} and {high:g}.")

    def warmth(self, level: int) -> float:
        """The temperature that codes of a level are drawn at."""
        return self.temperature * (1.0 if level == 0 else self.residual_temperature)


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
    tokenizer: LatentEncoder,
    text: TextStates | None,
    plans: Sequence[Plan],
    seeds: Sequence[int],
    options: SamplingOptions | None = None,
    may_end_early: Sequence[bool] | None = None,
    history: Codes | None = None,
) -> list[Codes]:
    """Codes (T, L) of each prompt. A clip depends on its words, plan, seed and history alone, not on the others.

    Args:
        model: from `Language2Motion.load`.
        tokenizer: the one that it was trained with.
        text: word states of B prompts; None where the plans say it all.
        plans: of each clip, with its length. What is longer than the model was trained for is made in windows
            that overlap.
        seeds: of each clip.
        options: how codes are drawn.
        may_end_early: whether a clip may end once its events are over; None keeps all to their length.
        history: (B, C, L) codes of what came before, to go on from; they are not repeated in the result.

    Raises:
        InvalidInput: there are not as many seeds or plans as texts.
    """
    if not plans:
        return []
    frames = list(stream(model, tokenizer, text, plans, seeds, options, may_end_early, history))
    codes = np.stack([frame.codes for frame in frames], axis=1)
    lengths = np.sum([frame.alive for frame in frames], axis=0)
    return [row[:length] for row, length in zip(codes, lengths, strict=True)]


@torch.inference_mode()
def stream(
    model: Language2Motion,
    tokenizer: LatentEncoder,
    text: TextStates | None,
    plans: Sequence[Plan],
    seeds: Sequence[int],
    options: SamplingOptions | None = None,
    may_end_early: Sequence[bool] | None = None,
    history: Codes | None = None,
) -> Iterator[Frame]:
    """`generate`, frame by frame, as soon as each is known; ends when all clips are over."""
    options = options or SamplingOptions()
    texts = len(plans) if text is None else len(text.states)
    if not texts == len(plans) == len(seeds):
        raise InvalidInput(
            f"There are {texts} texts, {len(plans)} plans and {len(seeds)} seeds; give one of each a clip."
        )
    model.eval()
    limit = np.array([plan.frames for plan in plans])
    busy = np.ceil(np.array([_last_end(plan.events) for plan in plans]) * model.config.fps)
    earliest = np.where(may_end_early or [False] * len(plans), np.maximum(np.round(_EARLIEST * limit), busy), limit)
    laid = laid_out(model, tokenizer, plans, int(limit.max()) + 2 * _AHEAD)
    before = [] if history is None else [history[:, place] for place in range(history.shape[1])][-_OVERLAP:]
    alive = np.ones(len(plans), dtype=np.bool_)
    place = 0
    while place < limit.max():
        # Codes of this window's first frames are known: they carry the motion across the seam.
        known = np.stack(before[-_OVERLAP:], axis=1) if before else None
        window = _Window(place, 0 if known is None else known.shape[1], int(limit.max()))
        session = _Session(model, _prefix(model, text, laid, limit, window), window, options, known)
        for place in range(window.first, window.last):
            chance = _chance(seeds, place, model.config.levels).to(model.codebooks.device)
            codes, over = session.next(chance, torch.from_numpy(place >= earliest).to(chance.device))
            alive = alive & ~over & (place < limit)
            if not alive.any():
                return
            before.append(codes)
            yield Frame(codes, alive)
        place = window.last


_AHEAD = 4
"""Frames after its own that a frame reads of the plan, and as many that the tokenizer reads for a latent. They are
laid out beyond the end of a clip too, so that it does not matter which clips are made beside it."""

_WINDOW, _OVERLAP = 150, 40
"""Frames that are generated at once (clips in training have up to 150), and how many of them are known already."""


@dataclass(frozen=True)
class _Window:
    """Frames `first` to `last` of a clip, after `known` frames that are there already."""

    first: int
    known: int
    frames: int

    @property
    def start(self) -> int:
        """The clip's frame, perhaps below zero, that is the window's frame 0."""
        return self.first - self.known

    @property
    def last(self) -> int:
        """Where the window ends. A clip that is but a little longer than a window is made in one."""
        rest = self.frames - self.start
        return self.frames if rest <= _WINDOW + _OVERLAP else self.start + _WINDOW


def _chance(seeds: Sequence[int], place: int, levels: int) -> Tensor:
    """(B, L) numbers that decide frame `place` of each clip, whatever window it is in."""
    block, within = divmod(place, _WINDOW)
    return _luck_of_block(tuple(seeds), block, levels)[:, within]


@lru_cache(maxsize=2)
def _luck_of_block(seeds: tuple[int, ...], block: int, levels: int) -> Tensor:
    return luck(seeds, (_WINDOW, levels), _FIRST_STREAM + block)


def _last_end(events: MotionEvents) -> float:
    """Seconds at which the last action or head motion is over."""
    return max([each.end for each in events.actions] + [each.end for each in events.head], default=0.0)


class _Session:
    """The state of a generation: cache, code vectors, and the codes of the last frame."""

    def __init__(
        self, model: Language2Motion, prefix: Prefix, window: _Window, options: SamplingOptions, known: Codes | None
    ) -> None:
        self._model, self._options = model, options
        vectors = model.code_vectors()
        self._levels = [
            (model.level(index), vectors[index], model.codebooks[index], options.warmth(index))
            for index in range(model.config.levels)
        ]
        places = torch.arange(window.last - window.start, device=model.codebooks.device)
        inputs = model.frame_inputs(None, prefix, places) - model.start
        words = prefix_places(prefix.embedded.shape[1], places.device)
        turns = model.turns(words), model.turns(places + MAX_TOKENS + 1)
        self._cache = StepCache(model.trunk, prefix.embedded, prefix.mask, *turns)
        self._before: Tensor = model.start
        self._frames = zip(inputs.unbind(1), prefix.sketch[:, : len(places)].unbind(1), strict=True)
        for codes in [] if known is None else torch.from_numpy(known).to(places.device).unbind(1):
            self._state()
            self._before = gathered(vectors, codes).sum(-2)

    def _state(self) -> tuple[Tensor, Tensor]:
        """The trunk's state (B, width) of the next frame, and its sketch (B, latent_width)."""
        given, sketched = next(self._frames)
        return normed(self._cache.step(given + self._before), self._model.norm), sketched

    def next(self, luck: Tensor, may_end: Tensor) -> tuple[Codes, npt.NDArray[np.bool_]]:
        """Codes (B, L) of the next frame, and which clips (B,) are over before it.

        Args:
            luck: (B, L) numbers in [0, 1) that decide.
            may_end: (B,) bool.
        """
        model = self._model
        state, lacking = self._state()
        partial, pulls = state, model.pull(state).chunk(len(self._levels), dim=-1)
        codes: list[Tensor] = []
        over = torch.zeros_like(may_end)
        for index, (level, vectors, book, temperature) in enumerate(self._levels):
            logits = model.level_logits(level, partial, pulls[index], lacking)
            if index == 0:
                logits[:, -1].masked_fill_(~may_end, -torch.inf)
            chosen = draw(logits, luck[:, index], temperature, self._options.top_p)
            if index == 0:
                over = chosen == logits.shape[-1] - 1
                chosen = chosen.masked_fill(over, 0)
            codes.append(chosen)
            partial = partial + vectors.index_select(0, chosen)
            lacking = lacking - book.index_select(0, chosen)
        self._before = partial - state
        return torch.stack(codes, dim=1).numpy(force=True), over.numpy(force=True)


def _prefix(
    model: Language2Motion,
    text: TextStates | None,
    laid: tuple[Tensor, Tensor],
    frames: npt.NDArray[np.int64],
    window: _Window,
) -> Prefix:
    """Prefix of every prompt, and of its plan what lies in the window."""
    device = model.codebooks.device
    ends = torch.from_numpy((frames - window.start).clip(1)).to(device)
    # No clock runs where the end is out of sight.
    seconds = torch.where(ends > window.last - window.start, torch.nan, ends / model.config.fps)
    early = max(-window.start, 0)
    # Before the clip there is a history but no plan: what it begins with is taken to have held.
    parts = (each[:, max(window.start, 0) : window.last + _AHEAD] for each in laid)
    rolls, sketches = (torch.cat([each[:, :1].expand(-1, early, -1), each], dim=1) for each in parts)
    words = None if text is None else (text.states.to(device), text.mask.to(device))
    return model.prefix(words, seconds, (rolls, sketches))
