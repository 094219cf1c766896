"""From prompts to plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tdmm.language.chance import draw, guided, luck
from tdmm.language.plan_codes import CLIP, END, FIELDS, GROUPS, KIND, MAX_EVENTS, ONSET, SIDE, PlanCodes
from tdmm.language.planner import Planner
from tdmm.language.step_cache import StepCache
from tdmm.language.text_encoder import TextStates

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
    states, mask = text.states.to(device), text.mask.to(device)
    wordless = torch.zeros(count, dtype=torch.bool, device=device)
    if options.guidance != 1.0:
        states, mask = states.repeat(2, 1, 1), mask.repeat(2, 1)
        wordless = torch.cat([wordless, ~wordless])
    words = planner.prefix(states, mask, wordless)
    places = planner.places(words.embedded.shape[1], MAX_EVENTS + 2)
    turns = [planner.turns(each) for each in places]
    cache = StepCache(planner.trunk, words.embedded, words.mask, *turns)
    chance = luck(seeds, (MAX_EVENTS + 2, len(FIELDS)), _STREAM).to(device)
    groups = torch.from_numpy(GROUPS).to(device)

    rows: list[Tensor] = []
    group, over = torch.zeros(count, dtype=torch.long, device=device), torch.zeros_like(wordless[:count])
    length = torch.zeros(count, dtype=torch.long, device=device)
    before = planner.start.expand(len(words.mask), -1)
    for place in range(MAX_EVENTS + 1):
        state = planner.norm(cache.step(before))
        partial, row = state, []
        for field, size in enumerate(FIELDS.values()):
            logits = guided(planner.field_logits(field, partial), options.guidance)
            barred = torch.zeros(count, size, dtype=torch.bool, device=device)
            if field == KIND and place == 0:
                barred |= torch.arange(size, device=device) != CLIP
            elif field == KIND:
                barred |= (groups < group[:, None]) | (torch.arange(size, device=device) == CLIP)
            elif field == ONSET and place == 0:
                barred[:, :_SHORTEST] = True
            elif field == ONSET:
                barred |= torch.arange(size, device=device) >= length[:, None]
            warmth = options.temperature * (1.0 if field in (KIND, SIDE) else options.detail_temperature)
            chosen = draw(logits.masked_fill(barred, -torch.inf), chance[:, place, field], warmth, options.top_p)
            if place == 0 and field == ONSET:
                chosen = length = _asked(chosen, frames)
            elif place == 0 and field != KIND:
                chosen = torch.zeros_like(chosen)  # the clip has a length and no more
            row.append(chosen)
            vector = planner.field_embedding[field](chosen)
            partial = partial + (vector if options.guidance == 1.0 else vector.repeat(2, 1))
        codes = torch.stack(row, dim=1)
        over = over | (codes[:, KIND] == END)
        if over.all():
            break
        group = groups[codes[:, KIND]]
        rows.append(torch.where(over[:, None], -1, codes))
        before = partial - state
    table = torch.stack(rows, dim=1).numpy(force=True)
    return [clip[clip[:, KIND] >= 0] for clip in table]


def _asked(chosen: Tensor, frames: Sequence[int | None]) -> Tensor:
    asked = torch.tensor([-1 if each is None else each for each in frames], device=chosen.device)
    return torch.where(asked >= 0, asked, chosen)
