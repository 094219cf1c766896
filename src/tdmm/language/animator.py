"""Words to motion tokens: encoder, planner and Language2Motion as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tdmm.errors import InvalidInput, InvalidPrompt
from tdmm.language import planning, sampling
from tdmm.language.data import FrameTokenizer
from tdmm.language.influence import Influence, influence, reweighed, together
from tdmm.language.language2motion import Language2Motion
from tdmm.language.plan_codes import Plan, decode
from tdmm.language.planner import Planner
from tdmm.language.planning import PlanningOptions
from tdmm.language.prompt import LONGEST, Row, timeline, weighted
from tdmm.language.sampling import Codes, SamplingOptions
from tdmm.language.sketch import LatentEncoder
from tdmm.language.staging import at_levels, at_pace, completed, fitted, in_turn, joined, squeezed, trimmed
from tdmm.language.steps import Step, steps, without_manner
from tdmm.language.text_encoder import TextEncoder, TextStates, load_text_encoder
from tdmm.motion.clip import FPS

MIN_SECONDS = 0.5
"""Shortest clip that can be asked for."""


@dataclass(frozen=True)
class Scene:
    """A prompt made ready: its plain words, and what will happen."""

    text: str
    plan: Plan


@dataclass(frozen=True)
class Animator:
    """What turns prompts into codes.

    Attributes:
        planner: words to plans.
        model: words and plans to codes.
        tokenizer: of the codes.
        planner_encoder: of the words.
        model_encoder: of the words that `model` reads beside the plan; None where it follows the plan alone.
    """

    planner: Planner
    model: Language2Motion
    tokenizer: LatentEncoder
    planner_encoder: TextEncoder
    model_encoder: TextEncoder | None

    @classmethod
    def load(
        cls, tokenizer: FrameTokenizer, planner: Path | None = None, model: Path | None = None, words: bool = False
    ) -> Animator:
        """From artifacts, the bundled ones where None, for the codes of a tokenizer.

        Args:
            tokenizer: of the codes.
            planner, model: folders.
            words: whether `model` reads the words too. The bundled one does as well without, and starts sooner.

        Raises:
            ArtifactProblem, TokenizerMismatch: see `Planner.load` and `Language2Motion.load`.
        """
        loaded, written = Planner.load(planner), Language2Motion.load(model, tokenizer.fingerprint)
        model_encoder = load_text_encoder(written.text_encoder) if words else None
        return cls(loaded, written, tokenizer, load_text_encoder(loaded.text_encoder), model_encoder)

    def plan(
        self,
        prompts: Sequence[str],
        seconds: float | Sequence[float | None] | None = None,
        seeds: Sequence[int] | None = None,
        options: PlanningOptions | None = None,
    ) -> list[Plan]:
        """What will happen, when and how strongly. A plan depends on its prompt, seconds and seed alone.

        Args:
            prompts: B texts.
            seconds: length of all clips or of each; None lets the planner choose.
            seeds: of each clip; None is 0, 1, 2 ...
            options: how plans are drawn.

        Raises:
            InvalidPrompt: a text is empty or too long.
            InvalidInput: a duration is out of range, or there are not as many seeds or durations as prompts.
        """
        if not prompts:
            return []
        lengths = self._lengths(seconds, len(prompts))
        text = self.planner_encoder.encode(list(prompts))
        codes = planning.plan(self.planner, text, lengths, _seeds(seeds, len(prompts)), options)
        return [decode(each) for each in codes]

    def codes(
        self,
        prompts: Sequence[str],
        plans: Sequence[Plan],
        seeds: Sequence[int] | None = None,
        options: SamplingOptions | None = None,
        may_end_early: bool = False,
    ) -> list[Codes]:
        """Codes (T, L) of each prompt, as planned.

        Args:
            prompts: B texts.
            plans: of each, from `plan` or by hand.
            seeds: of each clip; None is 0, 1, 2 ...
            options: how codes are drawn.
            may_end_early: whether the model may end a clip once its events are over.

        Raises:
            InvalidPrompt: a text is empty or too long.
            InvalidInput: there are not as many seeds or plans as prompts.
        """
        if not prompts:
            return []
        chosen, early = _seeds(seeds, len(prompts)), [may_end_early] * len(prompts)
        return sampling.generate(self.model, self.tokenizer, self.states(prompts), plans, chosen, options, early)

    def states(self, prompts: Sequence[str]) -> TextStates | None:
        """The words as Language2Motion reads them; None where it does not."""
        return None if self.model_encoder is None else self.model_encoder.encode(list(prompts))

    def stage(
        self,
        prompt: str,
        *,
        seconds: float | None = None,
        seed: int = 0,
        options: PlanningOptions | None = None,
        rows: Sequence[Row] = (),
    ) -> Scene:
        """Plan a prompt of any kind: a sentence, a long text, a timeline, with or without weights.

        Args:
            prompt: words; nothing when there are `rows`.
            seconds: length, up to 30; None is as long as it takes.
            seed: of the clip.
            options: how the plan is drawn.
            rows: a timeline, instead of one in the prompt.

        Raises:
            InvalidPrompt: it is empty or too long, or its timeline or its weights are wrong.
            InvalidInput: `seconds` is out of range, or shorter than the timeline.
        """
        rows = rows or timeline(prompt)
        if rows:
            return self._stage_rows(rows, seconds, seed, options)
        plain = weighted(prompt)
        parts = steps(plain.text)
        plans = self._planned(plain.text, parts, seconds, seed, options)
        for place, step in enumerate(parts):
            if any(start < weight[1] and weight[0] < end for start, end in step.spans for weight in plain.weights):
                found = influence(self.planner, self.planner_encoder, plain.text, plans[place], step)
                plans[place] = reweighed(found, plain.weights)
        return Scene(plain.text, self._in_turn(plans, parts, seconds))

    def explain(self, prompt: str, seed: int = 0, options: PlanningOptions | None = None) -> Influence:
        """Which word of a prompt brought about what of its plan; weights are left out.

        Raises:
            InvalidPrompt: as in `stage`.
        """
        text = weighted(prompt).text
        parts = steps(text)
        plans = self._planned(text, parts, None, seed, options)
        found = [
            influence(self.planner, self.planner_encoder, text, plan, step)
            for plan, step in zip(plans, parts, strict=True)
        ]
        if _alone(parts):
            return found[0]
        return together(found, self._in_turn([each.plan for each in found], parts, None))

    def _planned(
        self, text: str, parts: Sequence[Step], seconds: float | None, seed: int, options: PlanningOptions | None
    ) -> list[Plan]:
        """The plan of each step, as if it were alone; of the only one in its length if it can be."""
        whole = seconds if _alone(parts) and (seconds is None or seconds <= self.longest_at_once) else None
        texts = [step.text(text) for step in parts]
        plans = self.plan(texts, whole, [seed + place for place in range(len(parts))], options)
        told = zip(plans, map(without_manner, texts), strict=True)
        plans = [at_pace(completed(at_levels(plan, said)), said) for plan, said in told]
        if whole is not None:
            plans = [squeezed(plans[0], round(whole * FPS))]
        return plans if _alone(parts) else [trimmed(plan) for plan in plans]

    def _in_turn(self, plans: Sequence[Plan], parts: Sequence[Step], seconds: float | None) -> Plan:
        if _alone(parts) and (seconds is None or seconds <= self.longest_at_once):
            return plans[0]
        plan = joined(in_turn(plans, parts, None if seconds is None else _within(seconds)))
        if plan.frames > LONGEST * FPS:
            raise InvalidPrompt(
                f"All of this takes {plan.frames / FPS:.0f} s; {LONGEST:g} s is the longest. "
                f"Say less, or ask for {LONGEST:g} seconds."
            )
        return plan

    def write(
        self,
        scenes: Sequence[Scene],
        seeds: Sequence[int],
        options: SamplingOptions | None = None,
        may_end_early: bool = False,
    ) -> list[Codes]:
        """`codes` of staged prompts."""
        texts = [readable(scene.text) for scene in scenes]
        return self.codes(texts, [scene.plan for scene in scenes], seeds, options, may_end_early)

    @property
    def longest_at_once(self) -> float:
        """Seconds of the longest clip that is planned as a whole."""
        return self.model.config.max_seconds

    def _stage_rows(
        self, rows: Sequence[Row], seconds: float | None, seed: int, options: PlanningOptions | None
    ) -> Scene:
        plans, texts = [], []
        for place, row in enumerate(rows):
            # Expressions of less than two seconds were not in the training; a short row is a squeezed one.
            length = min(max(row.end - row.start, _SHORTEST_SCENE), self.longest_at_once)
            part = self.stage(row.text, seconds=length, seed=seed + place, options=options)
            plans.append(fitted(part.plan, row.start, row.end))
            texts.append(part.text)
        plan, end = joined(plans), rows[-1].end
        if seconds is not None and seconds < end:
            raise InvalidInput(
                f"seconds is {seconds:g}, but the timeline lasts until {end:g} s. Leave one of them out."
            )
        return Scene(_THEN.join(texts), replace(plan, frames=round(_within(seconds or end) * FPS)))

    def _lengths(self, seconds: float | Sequence[float | None] | None, count: int) -> list[int | None]:
        """Frames of each clip, None where the planner chooses."""
        longest = self.longest_at_once
        each = list(seconds) if isinstance(seconds, Sequence) else [seconds] * count
        if len(each) != count:
            raise InvalidInput(f"There are {count} prompts and {len(each)} durations; give one, or one for each.")
        for value in each:
            if value is not None and not MIN_SECONDS <= value <= longest:
                raise InvalidInput(f"seconds is {value:g}; it must lie between {MIN_SECONDS:g} and {longest:g}.")
        return [None if value is None else max(1, round(value * FPS)) for value in each]


_SHORTEST_SCENE = 2.0
_THEN = "; then "


def _alone(parts: Sequence[Step]) -> bool:
    """Whether a prompt is one thing that has no moment or length of its own."""
    return len(parts) == 1 and not parts[0].timed


def _within(seconds: float) -> float:
    if not MIN_SECONDS <= seconds <= LONGEST:
        raise InvalidInput(f"seconds is {seconds:g}; it must lie between {MIN_SECONDS:g} and {LONGEST:g}.")
    return seconds


def readable(text: str) -> str:
    """The words that the frames are read from; of a long text what fits, for its plan says the rest."""
    return " ".join(text.split()[:_WORDS])


_WORDS = 60


def _seeds(seeds: Sequence[int] | None, count: int) -> list[int]:
    chosen = list(range(count)) if seeds is None else list(seeds)
    if len(chosen) != count:
        raise InvalidInput(f"There are {count} prompts and {len(chosen)} seeds; each prompt needs one.")
    return chosen
