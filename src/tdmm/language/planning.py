"""From prompts to plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tdmm.language.chance import draw, guided, luck
from tdmm.language.plan_codes import CLIP, END, FIELDS, GROUPS, KIND, MAX_EVENTS, ONSET, SIDE, TOLD, PlanCodes
from tdmm.language.planner import Planner
from tdmm.language.step_cache import StepCache
from tdmm.language.text_encoder import TextStates
from tdmm.language.transformer import normed

_STREAM = 1
_SHORTEST = 13  # frames


@dataclass(frozen=True)
class PlanningOptions:
    """How a plan is drawn.

    Attributes:
        guidance: how hard the words pull; 1 is plain sampling.
        temperature: of what happens and on which side; 0 takes the likeliest.
        detail_temperature: of how strong, when and how long, as a multiple of `temperature`.
        top_p: only the likeliest codes that make up this share are drawn from.
    """

    guidance: float = 1.5
    temperature: float = 0.5
    detail_temperature: float = 0.7
    top_p: float = 0.9


@torch.inference_mode()
def plan(
    planner: Planner,
    text: TextStates,
    frames: Sequence[int | None],
    seeds: Sequence[int],
    options: PlanningOptions | None = None,
) -> list[PlanCodes]:
    """A plan for each text; it depends on its text, frames and seed alone.

    Args:
        planner: in evaluation mode.
        text: word states of B texts.
        frames: length of each clip; None lets the planner choose.
        seeds: of each clip.
        options: how it is drawn.
    """
    options = options or PlanningOptions()
    count, device = len(seeds), planner.start.device
    wordless = torch.zeros(count, dtype=torch.bool, device=device)
    if options.guidance != 1.0:
        text = TextStates(text.states.repeat(2, 1, 1), text.mask.repeat(2, 1), text.seconds.repeat(2, 1))
        wordless = torch.cat([wordless, ~wordless])
    words = planner.prefix(text, wordless)
    places = planner.places(words.embedded.shape[1], MAX_EVENTS + 2)
    turns = [planner.turns(each) for each in places]
    cache = StepCache(planner.trunk, words.embedded, words.mask, *turns)
    chance = luck(seeds, (MAX_EVENTS + 2, len(FIELDS)), _STREAM).to(device)
    groups, told = torch.from_numpy(GROUPS).to(device), torch.from_numpy(TOLD).to(device)
    kinds, onsets = (torch.arange(FIELDS[name], device=device) for name in ("kind", "onset"))

    def drawn(place: int, field: int, partial: Tensor, barred: Tensor | None) -> Tensor:
        logits = guided(planner.field_logits(field, partial), options.guidance)
        if barred is not None:
            logits = logits.masked_fill(barred, -torch.inf)
        warmth = options.temperature * (1.0 if field in (KIND, SIDE) else options.detail_temperature)
        return draw(logits, chance[:, place, field], warmth, options.top_p)

    rows: list[Tensor] = []
    group, over = torch.zeros(count, dtype=torch.long, device=device), torch.zeros_like(wordless[:count])
    length = torch.zeros_like(group)
    before = planner.start.expand(len(words.mask), -1)
    for place in range(MAX_EVENTS + 1):
        state = normed(cache.step(before), planner.norm)
        partial, row = state, list[Tensor]()
        for field in range(len(FIELDS)):
            if place == 0 and field == ONSET:
                length = _asked(drawn(place, field, partial, onsets < _SHORTEST), frames)
                chosen = length
            elif place == 0:
                # The clip has a length and no more: nothing to draw.
                chosen = torch.full_like(group, CLIP if field == KIND else 0)
            elif field == KIND:
                chosen = drawn(place, field, partial, (groups < group[:, None]) | (kinds == CLIP))
                over = over | (chosen == END)
                if over.all():
                    return _clips(rows)
                group = groups[chosen]
            else:
                silent = ~told[row[KIND], field]
                chosen = torch.zeros_like(group)
                if not silent.all():
                    chosen = drawn(place, field, partial, onsets >= length[:, None] if field == ONSET else None)
                    chosen = chosen.masked_fill(silent, 0)
            row.append(chosen)
            vector = planner.field_embedding[field](chosen)
            partial = partial + (vector if options.guidance == 1.0 else vector.repeat(2, 1))
        rows.append(torch.where(over[:, None], -1, torch.stack(row, dim=1)))
        before = partial - state
    return _clips(rows)


def _clips(rows: Sequence[Tensor]) -> list[PlanCodes]:
    """Rows (B, fields), -1 where a clip is over, as the plan of each clip."""
    table = torch.stack(list(rows), dim=1).numpy(force=True)
    return [clip[clip[:, KIND] >= 0] for clip in table]


def _asked(chosen: Tensor, frames: Sequence[int | None]) -> Tensor:
    asked = torch.tensor([-1 if each is None else each for each in frames], device=chosen.device)
    return torch.where(asked >= 0, asked, chosen)
