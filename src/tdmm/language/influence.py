"""Which words of a prompt brought about which events of its plan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from tdmm.language import plan_codes
from tdmm.language.plan_codes import KIND, SIDE, STRENGTH, Plan
from tdmm.language.planner import Planner
from tdmm.language.staging import scaled
from tdmm.language.steps import Step
from tdmm.language.text_encoder import TextEncoder
from tdmm.motion.events import ActionEvent, GazeEvent, HeadEvent

_FIELDS = (KIND, SIDE, STRENGTH)
_WORD = re.compile(r"\S*[^\W_]\S*")


@dataclass(frozen=True)
class Influence:
    """How much each word matters to each event of a plan.

    Attributes:
        prompt: the words.
        spans: (start, end) of each word, by characters.
        plan: the events.
        shares: (words, events) float, in the order actions, head, gaze, blinks of the plan; of each event the
            shares of the words add up to 1, or are all 0 where no word matters.
    """

    prompt: str
    spans: tuple[tuple[int, int], ...]
    plan: Plan
    shares: npt.NDArray[np.float64]

    @property
    def words(self) -> tuple[str, ...]:
        """The words themselves, without punctuation around them."""
        return tuple(self.prompt[start:end].strip(".,;:!?\"'()") for start, end in self.spans)


@torch.inference_mode()
def influence(planner: Planner, encoder: TextEncoder, prompt: str, plan: Plan, step: Step | None = None) -> Influence:
    """Leave each word out in turn and see how much less likely every event becomes.

    Args:
        planner: in evaluation mode.
        encoder: of its words.
        prompt: plain words.
        plan: made from them.
        step: the part of the prompt that the plan was made from; None is all of it.
    """
    step = step or Step(((0, len(prompt)),))
    spans = tuple(
        match.span()
        for match in _WORD.finditer(prompt)
        if any(match.start() < end and start < match.end() for start, end in step.spans)
    )
    texts = [step.text(prompt), *(step.text(prompt, span) for span in spans)]
    texts[1:] = [text if _WORD.search(text) else "..." for text in texts[1:]]
    coded = _as_coded(plan)
    codes = torch.from_numpy(plan_codes.encode(coded))
    likely = _likelihoods(planner, encoder, texts, codes)  # (1 + words, rows)
    lost = (likely[0] - likely[1:]).clamp_min(0).numpy()
    meant, lost = lost[:, : len(coded.expressions)], lost[:, len(coded.expressions) :]
    if coded.expressions:
        # What brought about an expression brought about the actions that show it.
        onsets = np.array([each.onset for each in coded.expressions])
        for place, action in enumerate(coded.events.actions):
            lost[:, place] += meant[:, np.abs(onsets - action.onset).argmin()]
    total = lost.sum(0, keepdims=True)
    shares = np.divide(lost, total, out=np.zeros_like(lost), where=total > 0.05)
    return Influence(prompt, spans, coded, shares.astype(np.float64))


def together(parts: Sequence[Influence], plan: Plan) -> Influence:
    """The influence of a whole prompt from those of its steps.

    Args:
        parts: of one prompt.
        plan: all of their events, joined in the order of the parts.
    """
    prompt = parts[0].prompt
    spans = tuple(match.span() for match in _WORD.finditer(prompt))
    row = {span: place for place, span in enumerate(spans)}
    columns: list[npt.NDArray[np.float64]] = []
    for kind in range(4):
        for part in parts:
            sizes = [len(each) for each in _by_kind(part.plan)]
            first = sum(sizes[:kind])
            column = np.zeros((len(spans), sizes[kind]))
            column[[row[span] for span in part.spans]] = part.shares[:, first : first + sizes[kind]]
            columns.append(column)
    return Influence(prompt, spans, plan, np.concatenate(columns, axis=1))


def _by_kind(plan: Plan) -> tuple[Sequence[object], ...]:
    events = plan.events
    return events.actions, events.head, events.gaze, events.blinks


def reweighed(found: Influence, weights: Sequence[tuple[int, int, float]]) -> Plan:
    """The plan with what some words brought about made stronger or weaker.

    Args:
        found: of the plan.
        weights: (start, end, weight) by characters of the prompt.
    """
    plan = found.plan
    of_word = np.array([_weight(span, weights) for span in found.spans])
    factors = 1.0 + ((of_word - 1.0)[:, None] * found.shares).sum(0)
    actions = dict(zip(map(id, plan.events.actions), factors, strict=False))
    head = dict(zip(map(id, plan.events.head), factors[len(plan.events.actions) :], strict=False))
    looks = factors[len(plan.events.actions) + len(plan.events.head) :]
    gaze = dict(zip(map(id, plan.events.gaze), looks, strict=False))

    def times(event: ActionEvent | HeadEvent | GazeEvent) -> float:
        return float({**actions, **head, **gaze}[id(event)])

    return scaled(plan, times)


def _weight(span: tuple[int, int], weights: Sequence[tuple[int, int, float]]) -> float:
    return next((weight for start, end, weight in weights if span[0] < end and start < span[1]), 1.0)


def _as_coded(plan: Plan) -> Plan:
    """The plan with its events in the order of its codes, so that rows and events pair up."""
    return replace(plan_codes.decode(plan_codes.encode(plan)), frames=plan.frames)


def _likelihoods(planner: Planner, encoder: TextEncoder, texts: Sequence[str], codes: torch.Tensor) -> torch.Tensor:
    """(texts, rows) log likelihood of what, which side and how strong, each given the rows before."""
    encoded = encoder.encode(texts, truncate=True)
    rows = codes[None].expand(len(texts), -1, -1).to(planner.start.device)
    words = planner.prefix(encoded)
    states = planner.states(words, rows)[:, :-1]
    logits = planner.logits(states.flatten(0, 1), rows.flatten(0, 1))
    likely = torch.zeros(rows.shape[0] * rows.shape[1], device=rows.device)
    for field in _FIELDS:
        likely -= F.cross_entropy(logits[field], rows.flatten(0, 1)[:, field], reduction="none")
    return likely.view(rows.shape[:2])[:, 1:].cpu()
