"""Trains the tracker's refiner (`tdmm.corpus.tracking.refiner`) on films whose truth is known.

    pip install -e '.[video]'
    python tools/refine_tracker.py film --landmarker face_landmarker.task --clips 900 --out films
    python tools/refine_tracker.py fit films --out fitted
    python tools/refine_tracker.py train fitted --recipe recipes/refiner.yaml --out refiner
    python tools/refine_tracker.py errors others --out src/tdmm/motion/assets/tracking_noise.npz

How the bundled one was made stands in the recipe. Each film is a person, a camera, a light and a place of its own, its
script cast as those of `tdmm corpus act`; no picture of it is kept, only its points, its scores and its truth. `fit` is
what `tdmm track` does with points. `errors` measures how the tracker errs, refiner and all, on films that it did not
learn from (`tdmm.motion.tracking_noise`), after comparing what one half of them shows with the other half. Every
command but that goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from calibrate_tracker import lights
from pydantic import BaseModel, ConfigDict
from rich.progress import track as shown_progress
from torch import Tensor, nn

from tdmm.acting.actor import Performance, perform
from tdmm.acting.casting import cast
from tdmm.acting.single import single
from tdmm.corpus.tracking.fit import fit as fit_points
from tdmm.corpus.tracking.landmark_rig import load_rig
from tdmm.corpus.tracking.mediapipe_faces import open_tracker
from tdmm.corpus.tracking.refiner import MIRROR, Refiner, RefinerConfig, Shown, load_refiner, save, told
from tdmm.corpus.tracking.sighting import LANDMARKS, Floats, Sighting
from tdmm.corpus.tracking.track import TrackOptions, motion_of
from tdmm.corpus.video.rendered import Person
from tdmm.face.arkit import load_head
from tdmm.face.channels import ARKIT
from tdmm.face.render import Camera, render
from tdmm.face.skinning import matrix_to_euler
from tdmm.files import written_aside
from tdmm.motion.clip import FPS
from tdmm.motion.events import MotionEvents
from tdmm.motion.features import from_features, to_features
from tdmm.motion.tracking_noise import TrackingNoise
from tdmm.reading import reader
from tdmm.reading.matching import Matching, match
from tdmm.recipes import read_recipe
from tdmm.runtime import resolve
from tdmm.training.config import TrainingConfig
from tdmm.training.loop import fit as train_model

SIZE = 400
TURN = np.radians([10.0, 16.0, 8.0])  # spread of how a head is held throughout: pitch, yaw, roll
SINGLE = 0.25  # share of the clips in which one thing alone happens
MOVED = 0.3  # a coefficient from which on a channel has been moved
WHOLE = 1.2  # times a length up to which a clip of that length is taken whole, or nearly so
SHORTEST, LONGEST = 20, 110  # frames of a piece of a clip that is learnt from


class RefinerRecipe(BaseModel):
    """How a refiner learns.

    Attributes:
        model: its size.
        whole: share of the pieces that are a whole clip; the others are any part of one, so that what lasts for the
            whole of a recording is met as well.
        gain, score_gain: spread of the logarithm of what a clip's coefficients and scores are multiplied by, channel by
            channel; people are not made like our head.
        offset: spread of what is added to half of a clip's coefficients and scores.
        pattern_gain: as `gain`, of what points lack.
        no_patterns, no_scores: share of the pieces without them.
        shown: how much more an error counts where the truth is 1 than where it is 0.
        common: share of the clips in which a channel is moved from which on it is common. Clips that move a rarer one
            are met more often, by the root of how much rarer (repeat factors: Gupta, Dollár and Girshick 2019).
        held_out: clips that are not learnt from.
        training: the loop's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: RefinerConfig = RefinerConfig()
    whole: float = 0.35
    gain: float = 0.15
    score_gain: float = 0.2
    offset: float = 0.12
    pattern_gain: float = 0.2
    no_patterns: float = 0.15
    no_scores: float = 0.1
    shown: float = 4.0
    common: float = 0.0
    held_out: int = 40
    training: TrainingConfig


def acted(seed: int, number: int, rng: np.random.Generator) -> Performance:
    """What happens in a film, before it is decided how the head is held."""
    script = cast(seed, number)
    if rng.random() < SINGLE:
        script = single(script, rng)
    return perform(script, seed + number)


@torch.no_grad()
def film(landmarker: Path | None, seed: int, number: int) -> dict[str, npt.NDArray[np.generic]]:
    """A film: `points` (T, 478, 3) pixels, `scores` and `expression` (T, 52), `size`; nothing where a face is lost."""
    rng, head = np.random.default_rng((seed, number)), load_head()
    motion = acted(seed, number, rng).motion
    held = rng.normal(size=3) * TURN if rng.random() < 0.5 else np.zeros(3)
    motion = motion.with_(head=(motion.head + held).astype(np.float32))
    person = Person.named(f"{seed}-{number}")
    identity, asset = torch.from_numpy(person.identity), person.asset()
    camera = Camera(target=(0.0, 0.014, 0.03), distance=rng.uniform(0.45, 1.3), height_m=rng.uniform(0.28, 0.5))
    light, background = lights(rng), tuple(rng.uniform(0.05, 0.9, 3))
    tracker = open_tracker(landmarker)
    points, scores = [], []
    try:
        for frame, vertices in enumerate(head.animate(motion, identity).numpy()):
            picture = render(vertices, (SIZE, SIZE), camera=camera, lights=light, background=background, asset=asset)
            faces = tracker.faces(picture, frame / 25)
            if not faces or faces[0].scores is None:
                return {}
            points.append(faces[0].points)
            scores.append(faces[0].scores)
    finally:
        tracker.close()
    return {
        "points": np.stack(points), "scores": np.stack(scores), "expression": motion.in_order(ARKIT),
        "size": np.array([SIZE, SIZE]),
    }  # fmt: skip


def fitted(path: Path) -> dict[str, npt.NDArray[np.generic]]:
    """What a film's fit shows (`Shown`), with its truth."""
    with np.load(path) as stored:
        if "points" not in stored:
            return {}
        content = {name: stored[name] for name in stored.files}
    found = fit_points(content["points"], tuple(content["size"].tolist()))
    return {
        "expression": found.expression, "scores": content["scores"], "truth": content["expression"],
        "angles": matrix_to_euler(torch.from_numpy(found.rotation)).numpy(),
        "lacking": found.lacking.astype(np.float16),
    }  # fmt: skip


@torch.no_grad()
def errors(films: Sequence[Path]) -> tuple[list[Floats], list[Floats], list[MotionEvents]]:
    """What was acted in films and what is tracked of it, (T, 58) features, and what the reader should find.

    How a head is held is nothing that its tracker gets wrong, but pitch within 10 degrees, which is taken for level.
    """
    acts, tracks, events = [], [], []
    for path in shown_progress(films):
        with np.load(path) as stored:
            if "points" not in stored:
                continue
            points, scores, size = stored["points"], stored["scores"], tuple(stored["size"].tolist())
        seed, number = map(int, path.stem.split("-"))
        rng = np.random.default_rng((seed, number))
        performance = acted(seed, number, rng)
        seconds = np.arange(len(points)) / FPS
        across = float(np.median([Sighting(each).size for each in points]))
        motion = motion_of(fit_points(points, size), list(scores), seconds, seconds, FPS, across, TrackOptions())
        truth, told = to_features(performance.motion), to_features(motion)
        if rng.random() < 0.5:
            angles = slice(len(ARKIT), len(ARKIT) + 3)
            told[:, angles] -= np.median(told[:, angles] - truth[:, angles], axis=0)
        acts.append(truth)
        tracks.append(told)
        events.append(performance.events)
    return acts, tracks, events


def compared(acts: Sequence[Floats], tracks: Sequence[Floats], events: Sequence[MotionEvents]) -> None:
    """Print what the reader finds in clips as tracked, and as the errors measured on other clips spoil them."""
    noise = TrackingNoise.measured(acts[::2], tracks[::2])
    spoilt = [noise.spoilt(clip, np.random.default_rng(number)) for number, clip in enumerate(acts[1::2])]
    for name, clips in (("tracked", tracks[1::2]), ("spoilt", spoilt)):
        matched, squares = Matching(), 0.0
        for each, truth, happened in zip(clips, acts[1::2], events[1::2], strict=True):
            held = np.concatenate([np.clip(each[:, : len(ARKIT)], 0, 1), each[:, len(ARKIT) :]], axis=1)
            matched += match(happened, reader.read(from_features(held.astype(np.float32))))
            squares += float(((held - truth)[:, : len(ARKIT)] ** 2).mean()) / len(clips)
        found = sum(hit.truth.kind == "action" for hit in matched.hits)
        missed = sum(miss.mark.kind == "action" for miss in matched.misses)
        false = sum(fault.mark.kind == "action" for fault in matched.false)
        print(
            f"{name}: {found} of {found + missed} actions found, {false / len(clips):.2f} false ones a clip; "
            f"coefficients off by {math.sqrt(squares):.3f}"
        )


@dataclass(frozen=True)
class Clip:
    """What is learnt from: numbers of a clip, patterns told already, and its truth (T, 52)."""

    expression: Floats
    scores: Floats
    angles: Floats
    along: Floats
    truth: Floats

    def cut(self, first: int, frames: int) -> Clip:
        """Some of its frames."""
        part = slice(first, first + frames)
        return Clip(*(each[part] for each in (self.expression, self.scores, self.angles, self.along, self.truth)))


class Learning:
    """The training loop's task."""

    def __init__(
        self, clips: Sequence[tuple[Shown, Floats]], recipe: RefinerRecipe, start: Refiner | None = None
    ) -> None:
        self._recipe = recipe
        self.refiner = Refiner(recipe.model)
        kept, held = clips[recipe.held_out :], clips[: recipe.held_out]
        if start is None:
            self.refiner.patterns.copy_(patterns([shown for shown, _ in kept], recipe.model.patterns))
            self.refiner.opposite.copy_(opposite())
        else:
            self.refiner.load_state_dict(start.state_dict())
        self._clips = [self._clip(shown, truth) for shown, truth in kept]
        self._clips += [self._clip(self.refiner.mirrored(shown), truth[:, MIRROR]) for shown, truth in kept]
        self._clips.sort(key=lambda clip: len(clip.truth))
        self._lengths = np.array([len(clip.truth) for clip in self._clips])
        moved = np.stack([clip.truth.max(0) > MOVED for clip in self._clips])
        rarity = np.sqrt(recipe.common / np.maximum(moved.mean(0), 1e-9))
        self._chance = np.concatenate([[0.0], np.cumsum(np.maximum(1.0, (moved * rarity).max(1)))])
        self._held = [(shown, truth) for shown, truth in held]
        power = np.sqrt(np.concatenate([clip.truth**2 for clip in self._clips]).mean(0))
        weight = torch.from_numpy(1.0 / (power + 0.06)).float()
        self._weight = weight / weight.mean()

    @property
    def model(self) -> nn.Module:
        """What learns."""
        return self.refiner

    def _clip(self, shown: Shown, truth: Floats) -> Clip:
        return Clip(shown.expression, shown.scores, shown.angles, self.refiner.along_patterns(shown.lacking), truth)

    def loss(self, step: int) -> dict[str, Tensor]:
        """Smooth L1 of a batch of pieces of one length: what fills a batch up is nothing that a face does."""
        recipe, rng = self._recipe, np.random.default_rng((self._recipe.training.seed, step))
        length = min(self._lengths[self._drawn(rng, 0, len(self._clips))], LONGEST)
        longest = math.inf
        if rng.random() < recipe.whole:
            longest = WHOLE * length
        else:
            length = int(rng.integers(min(SHORTEST, length), length + 1))
        first, end = np.searchsorted(self._lengths, length), np.searchsorted(self._lengths, longest, "right")
        clips = [self._clips[self._drawn(rng, first, end)] for _ in range(recipe.training.batch_size)]
        rows = [self._piece(clip, length, rng) for clip in clips]
        numbers, expression, truth = (torch.from_numpy(np.stack(part)) for part in zip(*rows, strict=True))
        found = self.refiner(numbers, expression)
        error = torch.nn.functional.smooth_l1_loss(found, truth, beta=0.1, reduction="none")
        return {"loss": (error * self._weight * (1 + recipe.shown * truth)).mean()}

    def _drawn(self, rng: np.random.Generator, first: int, end: int) -> int:
        """Of the clips from `first` to before `end`, one by its chance."""
        at = rng.uniform(self._chance[first], self._chance[end])
        return int(np.clip(np.searchsorted(self._chance, at, "right") - 1, first, end - 1))

    def _piece(self, clip: Clip, length: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """Numbers, fitted coefficients and truth of a piece of a clip, of a person who is made otherwise."""
        recipe = self._recipe
        clip = clip.cut(int(rng.integers(len(clip.truth) - length + 1)), length)
        expression = self._otherwise(clip.expression, recipe.gain, rng)
        scores = self._otherwise(clip.scores, recipe.score_gain, rng) * (rng.random() >= recipe.no_scores)
        along = clip.along * np.exp(rng.normal(0, recipe.pattern_gain, clip.along.shape[1]))
        along = along * (rng.random() >= recipe.no_patterns)
        numbers = told(expression, scores, clip.angles, along)
        return numbers, expression.astype(np.float32), clip.truth

    def _otherwise(self, values: Floats, gain: float, rng: np.random.Generator) -> Floats:
        count = values.shape[1]
        added = (rng.random(count) < 0.5) * rng.normal(0, self._recipe.offset, count)
        changed: Floats = np.clip(values * np.exp(rng.normal(0, gain, count)) + added, 0, 1).astype(np.float32)
        return changed

    def evaluate(self) -> dict[str, float]:
        """Root mean square errors of coefficients of held-out films, as fitted and as refined."""
        refined = [self.refiner.refined(shown) - truth for shown, truth in self._held]
        as_fitted = [shown.expression - truth for shown, truth in self._held]
        return {
            "refined": float(np.sqrt(np.mean(np.concatenate(refined) ** 2))),
            "fitted": float(np.sqrt(np.mean(np.concatenate(as_fitted) ** 2))),
        }


def patterns(clips: Sequence[Shown], count: int) -> Tensor:
    """(K, L * 3) directions in which points lack most about each clip's median, over how far they do."""
    some = [(each.lacking - np.median(each.lacking, axis=0))[::3] for each in clips]
    flat = np.concatenate(some).reshape(-1, 3 * LANDMARKS)
    power, directions = np.linalg.eigh(flat.T @ flat / len(flat))
    largest = directions[:, ::-1][:, :count] / np.sqrt(power[::-1][:count])
    return torch.from_numpy(largest.T.astype(np.float32))


def opposite() -> Tensor:
    """(L,) the point nearest to where each is in a mirror."""
    rest = load_rig().rest
    return torch.cdist(rest * torch.tensor([-1.0, 1.0, 1.0]), rest).argmin(1)


def read(folder: Path) -> list[tuple[Shown, Floats]]:
    """Fitted films with their truths."""
    clips = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as stored:
            if "truth" in stored:
                parts = [stored[name].astype(np.float32) for name in ("expression", "scores", "angles", "lacking")]
                clips.append((Shown(*parts), stored["truth"].astype(np.float32)))
    return clips


def mean(folders: Sequence[Path]) -> Refiner:
    """The mean of the weights of refiners that came from one another: better on people than each of them.

    Wortsman and others 2022, "Model soups".
    """
    states = [load_refiner(folder).state_dict() for folder in folders]
    refiner = Refiner(load_refiner(folders[0]).config)
    refiner.load_state_dict(
        {
            name: torch.stack([state[name] for state in states]).mean(0) if first.is_floating_point() else first
            for name, first in states[0].items()
        }
    )
    return refiner


def main() -> None:
    """Film, fit, train, average, or measure errors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    filming = commands.add_parser("film")
    filming.add_argument("--landmarker", type=Path, help="face_landmarker.task; without it, wherever it is found")
    filming.add_argument("--clips", type=int, default=900)
    filming.add_argument("--seed", type=int, default=6001)
    fitting = commands.add_parser("fit")
    fitting.add_argument("films", type=Path)
    training = commands.add_parser("train")
    training.add_argument("fitted", type=Path)
    training.add_argument("--recipe", type=Path, default=Path("recipes/refiner.yaml"))
    training.add_argument("--run", type=Path, default=Path("refiner-run"), help="folder of checkpoints and metrics")
    training.add_argument("--start", type=Path, help="folder of a refiner to go on from, instead of from nothing")
    averaging = commands.add_parser("mean")
    averaging.add_argument("refiners", type=Path, nargs="+")
    measuring = commands.add_parser("errors")
    measuring.add_argument("films", type=Path)
    for each in (filming, fitting, training, averaging, measuring):
        each.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    if asked.command == "train":
        recipe, clips = read_recipe(asked.recipe, RefinerRecipe), read(asked.fitted)
        learning = Learning(clips, recipe, None if asked.start is None else load_refiner(asked.start))
        result = train_model(learning, recipe.training, asked.run, resolve("cpu"))
        print(result)
        save(learning.refiner, asked.out, {"films": len(clips), "steps": result.step, "metrics": result.metrics})
        return
    if asked.command == "mean":
        save(mean(asked.refiners), asked.out, {"mean_of": [str(each) for each in asked.refiners]})
        return
    torch.set_num_threads(1)
    if asked.command == "errors":
        acts, tracks, events = errors(sorted(asked.films.glob("*.npz")))
        compared(acts, tracks, events)
        TrackingNoise.measured(acts, tracks).save(asked.out)
        return
    asked.out.mkdir(parents=True, exist_ok=True)
    films = sorted(asked.films.glob("*.npz")) if asked.command == "fit" else range(asked.clips)
    for each in shown_progress(films):
        path = asked.out / (each.name if isinstance(each, Path) else f"{asked.seed}-{each:05d}.npz")
        if not path.exists():
            content = fitted(each) if isinstance(each, Path) else film(asked.landmarker, asked.seed, each)
            with written_aside(path) as aside:
                np.savez(aside, **content)


if __name__ == "__main__":
    main()
