"""Training of Motion2Language: motions of a corpus as tokens, and what the narrator answers about them.

The narrator answers anew in every step, in other words each time; it takes less than a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tdmm.acting import questions
from tdmm.acting.answers import TASKS, Task, answer
from tdmm.acting.question_facts import Known
from tdmm.acting.script import Script
from tdmm.errors import InvalidConfig, InvalidInput
from tdmm.language import backbone
from tdmm.language.agreement import agreement, right_answers
from tdmm.language.data import FrameTokenizer, codebooks
from tdmm.language.frame_labels import FrameKnowledge
from tdmm.language.motion2language import Motion2Language
from tdmm.language.motion2language_recipe import Distortion, Motion2LanguageRecipe, recipe_for
from tdmm.language.scripted_clips import Codes, ScriptedTokens, Tracker, distort, scripted_tokens
from tdmm.language.vocabulary import Vocabulary
from tdmm.tokens.tokenizer import MotionTokens
from tdmm.training.processes import Processes

Answer = Callable[[Script, Task, int], str]
"""(script, task, seed) to text; the narrator's `answer`."""

_PADDED = -1
_BUCKET = 8  # batches whose clips are sorted by length together
_VOCABULARY_CLIPS = 2000  # more of them change the words learnt no more


@dataclass(frozen=True)
class Text:
    """What is learned about a clip.

    Attributes:
        ids: of the question, its answer and the end mark.
        asked: how many of them are the question's.
        first: ids that the first one of the answer counts as.
    """

    ids: list[int]
    asked: int
    first: float = 1.0


def build_vocabulary(
    clips: ScriptedTokens, size: int, seed: int, narrated: Answer = answer, tasks: Sequence[Task] = TASKS
) -> Vocabulary:
    """Learn the text vocabulary from answers about the first clips, and from the questions to them."""

    def texts() -> Iterator[str]:
        for index in range(min(len(clips), _VOCABULARY_CLIPS)):
            for task in tasks:
                if task == "question":
                    known = clips.known(index)
                    asked = questions.about(known.script, seed + index, known.blinks)
                    yield from (asked.question, asked.answer)
                else:
                    yield narrated(clips.scripts[index], task, seed)

    return Vocabulary.build(texts(), size)


def _going_on(start: Motion2Language, recipe: Motion2LanguageRecipe, tokenizer: str) -> Motion2Language:
    """The model to go on from, where it fits.

    Raises:
        InvalidInput: it does not.
    """
    if (recipe.model.backbone, start.config.backbone) != ("small", "small"):
        raise InvalidInput("--start is for the small language model; an adapter is trained from nothing.")
    if start.config.model_dump(exclude={"dropout"}) != recipe.model.model_dump(exclude={"dropout"}):
        raise InvalidInput(
            "The model to start from has other sizes than the recipe. Copy `model` from the config.json beside it: "
            f"{start.config.told()}."
        )
    if start.tokenizer_fingerprint != tokenizer:
        raise InvalidInput("The model to start from reads the codes of another tokenizer. Name that one: --tokenizer.")
    return start


class Motion2LanguageTask:
    """What `tdmm.training.loop.fit` trains.

    Args:
        recipe: sizes, mix and noise.
        train: clips to learn from.
        validation: clips to judge by.
        tokenizer: whose codes they are.
        narrated: puts a script into words; the narrator, unless a test says otherwise.
        processes: that share each batch; None is this one alone.
        start: a finished small model to go on from, which keeps its vocabulary; None begins with nothing.

    Raises:
        InvalidInput: there are no clips to train on, or none to judge by; or none with features, which `tracked` needs;
            or `start` reads other codes, or has other sizes than the recipe.
        InvalidConfig: nothing would be trained, or a batch is too small to share.
        ArtifactProblem, MissingDependency: the pretrained language model cannot be used.
    """

    def __init__(
        self,
        recipe: Motion2LanguageRecipe,
        train: ScriptedTokens,
        validation: ScriptedTokens,
        tokenizer: FrameTokenizer,
        narrated: Answer = answer,
        processes: Processes | None = None,
        start: Motion2Language | None = None,
    ) -> None:
        if not len(train) or not len(validation):
            raise InvalidInput(
                f"The corpus has {len(train)} clips to train on and {len(validation)} to validate with; "
                "both are needed. Act a larger one: tdmm corpus act --clips 20000"
            )
        if recipe.distortion.tracked and train.features is None:
            raise InvalidInput("distortion.tracked encodes clips anew, which needs their features beside their codes.")
        seed = recipe.training.seed
        self._tasks = tuple(task for task in TASKS if recipe.mix.get(task))
        books, source = codebooks(tokenizer), tokenizer.fingerprint
        if start is not None:
            torch.manual_seed(seed)
            self.model = _going_on(start, recipe, source)
        elif recipe.model.backbone == "small":
            vocabulary = build_vocabulary(train, recipe.vocabulary, seed, narrated, self._tasks)
            torch.manual_seed(seed)
            self.model = Motion2Language(recipe.model, vocabulary, books, source)
        else:
            torch.manual_seed(seed)
            self.model = Motion2Language.on_pretrained(recipe.model, books, source)
        if recipe.knowledge and recipe.model.backbone == "small":
            self.model.knowledge = FrameKnowledge(recipe.model.hidden)
        if not any(parameter.requires_grad for parameter in self.model.parameters()):
            raise InvalidConfig(
                "Nothing would be trained: with motion: tokens the backbone needs lora. Give --lora 16, or set it in "
                "the recipe."
            )
        self.model.tasks = self._tasks
        self._processes = processes or Processes()
        self._batch = min(recipe.training.batch_size, len(train))
        if self._batch < self._processes.count:
            raise InvalidConfig(
                f"A batch of {self._batch} clips cannot be shared among {self._processes.count} processes. "
                "Raise training.batch_size, or start fewer."
            )
        if recipe.model.backbone != "small" and recipe.model.backbone.shard:
            if self._batch % self._processes.count:
                raise InvalidConfig(
                    f"With shard: true, a batch of {self._batch} clips must be shared evenly among "
                    f"{self._processes.count} processes. Change training.batch_size."
                )
            self._processes.shard(backbone.blocks(self.model.backbone))
        self._tracker = Tracker(train, tokenizer, excerpts=recipe.distortion.excerpts)
        self._recipe, self._train, self._validation = recipe, train, validation
        self._narrated = narrated
        self._judged = min(recipe.evaluation_clips, len(validation))
        self._epoch, self._order = -1, np.empty((0, 0), np.int64)
        self._shares = np.array([recipe.mix.get(task, 0.0) for task in TASKS])

    def loss(self, step: int) -> dict[str, Tensor]:
        """Mean cross entropy of the answers' ids, over this process's share of the batch of that step."""
        recipe = self._recipe
        rng = np.random.default_rng([recipe.training.seed, step])
        clips = self._drawn(step)
        levels = self._train.codes.shape[1]
        kept = np.where(
            rng.random(len(clips)) < recipe.distortion.level_dropout,
            rng.integers(1, levels + 1, len(clips)),
            levels,
        )
        mine = self._processes.share(range(len(clips)))
        chance = np.random.default_rng([recipe.training.seed, step, 3]).random(len(clips))
        tracked = chance < recipe.distortion.tracked
        heard, known = self._heard(step, {row: clips[row] for row in mine if tracked[row]})
        size = self.model.reader.codebooks.shape[1]
        codes = [
            distort(heard.get(row, self._train.clip(clip)), size, recipe.distortion, rng)
            for row, clip in enumerate(clips)
        ]
        asked = rng.choice(len(TASKS), (len(clips), recipe.answers), p=self._shares)
        wordings = rng.integers(2**31, size=asked.shape)
        texts = [
            [
                self._written(known.get(row) or self._train.known(clips[row]), TASKS[task], int(wording))
                for task, wording in zip(asked[row], wordings[row], strict=True)
            ]
            for row in mine
        ]
        scripts = [(known.get(row) or self._train.known(clips[row])).script for row in mine]
        total, counted, unknown = self._summed_entropy(
            [codes[row] for row in mine], texts, torch.from_numpy(kept[mine]), scripts
        )
        # So that the mean over the processes is the mean over all ids of the batch.
        (everyone,) = self._processes.total([counted])
        words = total / (everyone / self._processes.count)
        if unknown is None:
            return {"loss": words}
        return {"loss": words + recipe.knowledge * unknown, "words": words, "knowledge": unknown}

    def _heard(self, step: int, rows: Mapping[int, int]) -> tuple[dict[int, Codes], dict[int, Known]]:
        """Codes of some clips of a step (row to clip) as a tracker saw them, and what is known of each."""
        seed, device = self._recipe.training.seed, self.model.reader.codebooks.device.type
        seen = {
            row: self._tracker.seen(clip, np.random.default_rng([seed, step, row, 2])) for row, clip in rows.items()
        }
        codes = self._tracker.encoded([features for features, _ in seen.values()], device)
        return dict(zip(seen, codes, strict=True)), {row: known for row, (_, known) in seen.items()}

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Loss of each task on held-out clips, how well descriptions agree with the scripts, and answers are right."""
        figures: dict[str, float] = {}
        batch = self._recipe.training.batch_size
        for task in self._tasks:
            total = 0.0
            for start in range(0, self._judged, batch):
                clips = range(start, min(start + batch, self._judged))
                texts = [[self._written(self._validation.known(clip), task, clip)] for clip in clips]
                loss = self._cross_entropy([self._validation.clip(clip) for clip in clips], texts, None)
                total += float(loss) * len(clips)
            figures[f"validation/{task}"] = total / self._judged
        count = min(self._recipe.generated_clips, len(self._validation))
        shown = [self._tokens(clip) for clip in range(count)]
        if count and "describe" in self._tasks:
            written = self.model.describe(shown, max_tokens=self._recipe.max_text)
            figures |= agreement(written, self._validation.scripts[:count])
        if count and "question" in self._tasks:
            known = [self._validation.known(clip) for clip in range(count)]
            asked = [questions.about(each.script, i, each.blinks, i % 2 == 0) for i, each in enumerate(known)]
            answers = self.model.ask(shown, [each.question for each in asked], max_tokens=self._recipe.max_text)
            figures |= right_answers(answers, asked)
        return figures

    def _tokens(self, clip: int) -> MotionTokens:
        codes = self._validation.clip(clip).astype(np.int64)
        return MotionTokens(codes, self.model.tokenizer_fingerprint)

    def _drawn(self, step: int) -> list[int]:
        """Clips of a step: every clip once an epoch, or as its corpus weighs; clips of like length, to save padding."""
        count, size = len(self._train), self._batch
        epoch, place = divmod(step, count // size)
        if epoch != self._epoch:
            rng = np.random.default_rng([self._recipe.training.seed, epoch, 1])
            blend = self._train.blend
            shuffled = (rng.permutation(count) if blend is None else blend.epoch(rng))[: count // size * size]
            lengths = np.diff(self._train.offsets)[shuffled]
            window = np.arange(len(shuffled)) // (size * _BUCKET)
            ordered = shuffled[np.lexsort((lengths, window))]
            self._order, self._epoch = rng.permutation(ordered.reshape(-1, size)), epoch
        return [int(clip) for clip in self._order[place]]

    def _written(self, known: Known, task: Task, seed: int) -> Text:
        """A question about a clip and one wording of its answer."""
        question, certain = "", False
        if task == "question":
            asked = questions.about(known.script, seed, known.blinks)
            question, told, certain = asked.question, asked.answer, asked.truth is not None
        else:
            told = self._narrated(known.script, task, seed)
        prompt, vocabulary = self.model.prompt(task, question), self.model.vocabulary
        ids = vocabulary.encode(told)[: self._recipe.max_text]
        return Text([*prompt, *ids, vocabulary.eos], len(prompt), self._recipe.verdict if certain else 1.0)

    def _cross_entropy(self, codes: list[Codes], texts: list[list[Text]], levels: Tensor | None) -> Tensor:
        """Mean over the ids of answers; see `_summed_entropy`."""
        total, counted, _ = self._summed_entropy(codes, texts, levels)
        return total / counted

    def _summed_entropy(
        self,
        codes: list[Codes],
        texts: list[list[Text]],
        levels: Tensor | None,
        scripts: Sequence[Script] | None = None,
    ) -> tuple[Tensor, float, Tensor | None]:
        """Of texts (B, A) about codes (B, frames), summed over ids by weight, and the weights; prompts have none.

        With the scripts, also the loss of what is known at each frame.
        """
        device = self.model.reader.codebooks.device
        lengths = torch.tensor([len(clip) for clip in codes])
        frames = torch.zeros(len(codes), int(lengths.max()), codes[0].shape[1], dtype=torch.long)
        for row, clip in enumerate(codes):
            frames[row, : len(clip)] = torch.from_numpy(clip.astype(np.int64))
        motions = (frames.to(device), lengths.to(device), None if levels is None else levels.to(device))
        # The small one reads a motion once for all questions; gradient checkpointing allows no cache.
        reading = self.model.read(*motions) if self._recipe.model.backbone == "small" else None
        rows = sorted(
            ((clip, text) for clip, answers in enumerate(texts) for text in answers),
            key=lambda row: len(row[1].ids),
        )
        unknown = None
        if scripts is not None and reading is not None and self.model.knowledge is not None:
            unknown = self.model.knowledge(reading.states, scripts, [len(clip) for clip in codes])
        total, counted = torch.zeros((), device=device), 0.0
        # Short texts apart from long ones, to save padding.
        for group in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
            if group:
                ids = torch.nn.utils.rnn.pad_sequence(
                    [torch.tensor(text.ids) for _, text in group], batch_first=True, padding_value=_PADDED
                ).to(device)
                targets = ids[:, 1:].clone()
                weights = torch.ones(targets.shape, device=device)
                for row, (_, text) in enumerate(group):
                    targets[row, : text.asked - 1] = _PADDED
                    weights[row, text.asked - 1] = text.first
                about = torch.tensor([clip for clip, _ in group], device=device)
                before = ids[:, :-1].clamp(min=0)
                if reading:
                    states = self.model.write(reading.about(about), before)
                else:
                    states = self.model(*motions, about, before)
                told = targets != _PADDED
                logits = self.model.logits(states[told]).float()
                each = torch.nn.functional.cross_entropy(logits, targets[told], reduction="none")
                total = total + (each * weights[told]).sum()
                counted += float(weights[told].sum())
        return total, counted, unknown


__all__ = [
    "Answer",
    "Distortion",
    "Motion2LanguageRecipe",
    "Motion2LanguageTask",
    "ScriptedTokens",
    "Text",
    "build_vocabulary",
    "distort",
    "recipe_for",
    "scripted_tokens",
]
