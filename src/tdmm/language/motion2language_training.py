"""Training of Motion2Language: motions of a corpus as tokens, and what the narrator answers about them.

The narrator answers anew in every step, in other words each time; it takes less than a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from torch import Tensor

from tdmm.acting.narrator import TASKS, Task, answer
from tdmm.acting.script import Script
from tdmm.corpus import shards
from tdmm.errors import InvalidConfig, InvalidInput
from tdmm.language import backbone
from tdmm.language.agreement import agreement
from tdmm.language.data import FrameTokenizer, codebooks, tokenise
from tdmm.language.motion2language import Motion2Language, Motion2LanguageConfig
from tdmm.language.vocabulary import Vocabulary
from tdmm.tokens.tokenizer import MotionTokens
from tdmm.training.config import TrainingConfig, read_recipe
from tdmm.training.processes import Processes

Codes = npt.NDArray[np.integer]
Answer = Callable[[Script, Task, int], str]
"""(script, task, seed) to text; the narrator's `answer`."""

_PADDED = -1
_BUCKET = 8  # batches whose clips are sorted by length together
_VOCABULARY_CLIPS = 2000  # more of them change the words learnt no more


class Distortion(BaseModel):
    """What is done to the codes of a clip in training: tokens of real faces are never clean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    crop: int = Field(default=2, ge=0, description="frames cut off either end at most")
    stretch: float = Field(default=0.03, ge=0, lt=0.5, description="largest change of duration")
    corruption: float = Field(default=0.02, ge=0, lt=1, description="share of codes replaced by random ones")
    level_dropout: float = Field(default=0.1, ge=0, le=1, description="share of clips read by their first levels only")


class Motion2LanguageRecipe(BaseModel):
    """Everything that decides the outcome of a run, the data aside."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    training: TrainingConfig
    model: Motion2LanguageConfig = Motion2LanguageConfig()
    distortion: Distortion = Distortion()
    vocabulary: int = Field(default=2048, ge=300, description="ids of the small model's text vocabulary at most")
    max_text: int = Field(default=160, ge=8, description="longer answers are cut in training")
    answers: int = Field(default=3, ge=1, description="questions asked of each motion in a step")
    mix: dict[str, float] = Field(
        default={"describe": 0.45, "emotion": 0.20, "head": 0.15, "intensity": 0.10, "timeline": 0.10},
        description="how often each task is asked; shares, summing to 1",
    )
    evaluation_clips: int = Field(default=256, ge=1, description="held-out clips for the loss of each task")
    generated_clips: int = Field(default=64, ge=0, description="held-out clips that are described and checked")

    @field_validator("mix")
    @classmethod
    def _shares(cls, mix: dict[str, float]) -> dict[str, float]:
        unknown = set(mix) - set(TASKS)
        if unknown or any(share < 0 for share in mix.values()) or abs(sum(mix.values()) - 1) > 1e-6:
            raise ValueError(f"must give shares that sum to 1 for tasks among {', '.join(TASKS)}")
        return mix

    @model_validator(mode="after")
    def _own_words(self) -> Motion2LanguageRecipe:
        if self.model.backbone != "small" and "vocabulary" in self.model_fields_set:
            raise ValueError("vocabulary means nothing for this backbone, which has its own. Leave it out")
        return self


def recipe_for(path: Path, model: str | None, motion: str | None, rank: int | None) -> Motion2LanguageRecipe:
    """A recipe with another language model than it names.

    Args:
        path: a YAML file as `recipes/motion2language-lora.yaml`.
        model: a folder, or a name on the Hugging Face hub; None as the recipe says.
        motion: `frames` or `tokens`; None as the recipe says.
        rank: of the adapter, with `alpha` twice as much; None as the recipe says.

    Raises:
        FileProblem, InvalidConfig: the recipe cannot be read, or does not fit.
    """
    recipe = read_recipe(path, Motion2LanguageRecipe).model_dump(exclude_unset=True)
    sizes = recipe.get("model", {})
    before = sizes.get("backbone", "small")
    changed = {} if before == "small" else {**before}
    if model is not None:
        changed["name"] = model
    if motion is not None:
        changed["motion"] = motion
    if rank is not None:
        changed["lora"] = {**(changed.get("lora") or {}), "rank": rank, "alpha": 2.0 * rank}
    if "name" not in changed:
        raise InvalidConfig(f"{path}: has the small language model, which has no adapter. Name another: --backbone.")
    try:
        return Motion2LanguageRecipe.model_validate({**recipe, "model": {**sizes, "backbone": changed}})
    except ValidationError as error:
        problems = "; ".join(problem["msg"] for problem in error.errors())
        raise InvalidConfig(f"{path}: does not fit the language model {changed['name']}: {problems}.") from error


@dataclass(frozen=True)
class ScriptedTokens:
    """Clips as tokens, with the scripts that they were acted from.

    Attributes:
        codes: (F, L), all clips end to end.
        offsets: (N + 1,) where each clip starts.
        scripts: N.
    """

    codes: Codes
    offsets: npt.NDArray[np.int64]
    scripts: tuple[Script, ...]

    def __post_init__(self) -> None:
        if len(self.offsets) != len(self.scripts) + 1 or self.offsets[-1] != len(self.codes):
            raise ValueError(f"{len(self.scripts)} scripts, {len(self.offsets)} offsets, {len(self.codes)} frames")

    def __len__(self) -> int:
        return len(self.scripts)

    def clip(self, index: int) -> Codes:
        """Codes (T, L) of one clip."""
        return self.codes[self.offsets[index] : self.offsets[index + 1]]


def scripted_tokens(corpus: Path, split: str, tokenizer: FrameTokenizer, cache: Path) -> ScriptedTokens:
    """Clips of a split of a corpus; their codes are kept in `cache`.

    Raises:
        FileProblem: the corpus or the cache folder cannot be used.
        InvalidInput: the split has no clips.
    """
    clips = tokenise(corpus, split, tokenizer, cache)
    scripts = tuple(clip.script for clip in shards.read(corpus, split, columns=("script",)))
    return ScriptedTokens(clips.codes, clips.offsets, scripts)


def build_vocabulary(scripts: Sequence[Script], size: int, seed: int, narrated: Answer = answer) -> Vocabulary:
    """Learn the text vocabulary from answers about the first clips."""
    texts = (narrated(script, task, seed) for script in scripts[:_VOCABULARY_CLIPS] for task in TASKS)
    return Vocabulary.build(texts, size)


class Motion2LanguageTask:
    """What `tdmm.training.loop.fit` trains.

    Args:
        recipe: sizes, mix and noise.
        train: clips to learn from.
        validation: clips to judge by.
        tokenizer: whose codes they are.
        narrated: puts a script into words; the narrator, unless a test says otherwise.
        processes: that share each batch; None is this one alone.

    Raises:
        InvalidInput: there are no clips to train on, or none to judge by.
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
    ) -> None:
        if not len(train) or not len(validation):
            raise InvalidInput(
                f"The corpus has {len(train)} clips to train on and {len(validation)} to validate with; "
                "both are needed. Act a larger one: tdmm corpus act --clips 20000"
            )
        seed = recipe.training.seed
        books, source = codebooks(tokenizer), tokenizer.fingerprint
        if recipe.model.backbone == "small":
            vocabulary = build_vocabulary(train.scripts, recipe.vocabulary, seed, narrated)
            torch.manual_seed(seed)
            self.model = Motion2Language(recipe.model, vocabulary, books, source)
        else:
            torch.manual_seed(seed)
            self.model = Motion2Language.on_pretrained(recipe.model, books, source)
        if not any(parameter.requires_grad for parameter in self.model.parameters()):
            raise InvalidConfig(
                "Nothing would be trained: with motion: tokens the backbone needs lora. Give --lora 16, or set it in "
                "the recipe."
            )
        self._prompts = [self.model.prompt(task) for task in TASKS]
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
        size = self.model.reader.codebooks.shape[1]
        codes = [distort(self._train.clip(clip), size, recipe.distortion, rng) for clip in clips]
        asked = rng.choice(len(TASKS), (len(clips), recipe.answers), p=self._shares)
        wordings = rng.integers(2**31, size=asked.shape)
        texts = [
            [
                self._written(self._train.scripts[clip], TASKS[task], int(wording))
                for task, wording in zip(asked[row], wordings[row], strict=True)
            ]
            for row, clip in enumerate(clips)
        ]
        mine = self._processes.share(range(len(clips)))
        total, counted = self._summed_entropy(
            [codes[row] for row in mine], [texts[row] for row in mine], torch.from_numpy(kept[mine])
        )
        # So that the mean over the processes is the mean over all ids of the batch.
        (everyone,) = self._processes.total([counted])
        return {"loss": total / (everyone / self._processes.count)}

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Loss of each task on held-out clips, and how well descriptions agree with the scripts."""
        figures: dict[str, float] = {}
        batch = self._recipe.training.batch_size
        for task in TASKS:
            total = 0.0
            for start in range(0, self._judged, batch):
                clips = range(start, min(start + batch, self._judged))
                texts = [[self._written(self._validation.scripts[clip], task, clip)] for clip in clips]
                loss = self._cross_entropy([self._validation.clip(clip) for clip in clips], texts, None)
                total += float(loss) * len(clips)
            figures[f"validation/{task}"] = total / self._judged
        count = min(self._recipe.generated_clips, len(self._validation))
        if count:
            shown = [self._tokens(clip) for clip in range(count)]
            written = self.model.describe(shown, max_tokens=self._recipe.max_text)
            figures |= agreement(written, self._validation.scripts[:count])
        return figures

    def _tokens(self, clip: int) -> MotionTokens:
        codes = self._validation.clip(clip).astype(np.int64)
        return MotionTokens(codes, self.model.tokenizer_fingerprint)

    def _drawn(self, step: int) -> list[int]:
        """Clips of a step: every clip once an epoch, with clips of like length, to save padding."""
        count, size = len(self._train), self._batch
        epoch, place = divmod(step, count // size)
        if epoch != self._epoch:
            rng = np.random.default_rng([self._recipe.training.seed, epoch, 1])
            shuffled = rng.permutation(count)[: count // size * size]
            lengths = np.diff(self._train.offsets)[shuffled]
            window = np.arange(len(shuffled)) // (size * _BUCKET)
            ordered = shuffled[np.lexsort((lengths, window))]
            self._order, self._epoch = rng.permutation(ordered.reshape(-1, size)), epoch
        return [int(clip) for clip in self._order[place]]

    def _written(self, script: Script, task: Task, seed: int) -> list[int]:
        """Ids of a question about a script, one wording of its answer, and the end mark."""
        ids = self.model.vocabulary.encode(self._narrated(script, task, seed))
        return [*self.model.prompt(task), *ids[: self._recipe.max_text], self.model.vocabulary.eos]

    def _cross_entropy(self, codes: list[Codes], texts: list[list[list[int]]], levels: Tensor | None) -> Tensor:
        """Mean over the ids of answers; see `_summed_entropy`."""
        total, counted = self._summed_entropy(codes, texts, levels)
        return total / counted

    def _summed_entropy(
        self, codes: list[Codes], texts: list[list[list[int]]], levels: Tensor | None
    ) -> tuple[Tensor, int]:
        """Of texts (B, A, ids) about codes (B, frames), summed over ids, and their number; prompts do not count."""
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
            key=lambda row: len(row[1]),
        )
        total, counted = torch.zeros((), device=device), 0
        # Short texts apart from long ones, to save padding.
        for group in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
            if group:
                ids = torch.nn.utils.rnn.pad_sequence(
                    [torch.tensor(text) for _, text in group], batch_first=True, padding_value=_PADDED
                ).to(device)
                targets = ids[:, 1:].clone()
                for row, (_, text) in enumerate(group):
                    targets[row, : self._asked(text) - 1] = _PADDED
                about = torch.tensor([clip for clip, _ in group], device=device)
                before = ids[:, :-1].clamp(min=0)
                if reading:
                    states = self.model.write(reading.about(about), before)
                else:
                    states = self.model(*motions, about, before)
                logits = self.model.logits(states[targets != _PADDED]).float()
                wanted = targets[targets != _PADDED]
                total = total + torch.nn.functional.cross_entropy(logits, wanted, reduction="sum")
                counted += len(wanted)
        return total, counted

    def _asked(self, text: list[int]) -> int:
        """How many ids of a text are its question."""
        return next(len(prompt) for prompt in self._prompts if text[: len(prompt)] == prompt)


def distort(codes: Codes, codebook_size: int, how: Distortion, rng: np.random.Generator) -> Codes:
    """Codes (T, L) a little shorter, slower or faster, and with a few wrong ones; at least one frame."""
    front, back = rng.integers(0, how.crop + 1, 2)
    if len(codes) > front + back:
        codes = codes[front : len(codes) - back]
    count = max(1, round(len(codes) * (1 + rng.uniform(-how.stretch, how.stretch))))
    codes = codes[np.linspace(0, len(codes) - 1, count).round().astype(np.int64)]
    wrong = rng.random(codes.shape) < how.corruption
    return np.where(wrong, rng.integers(0, codebook_size, codes.shape), codes)
