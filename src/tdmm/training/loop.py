"""The one training loop: AdamW, a schedule, checkpoints that resume exactly, metrics as JSON lines."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from tdmm.errors import ArtifactProblem, FileProblem, InvalidConfig, TdmmError
from tdmm.interrupts import stop_requests
from tdmm.runtime import Runtime
from tdmm.training import checkpoint
from tdmm.training.config import TrainingConfig
from tdmm.training.console import Bar, shown_bar
from tdmm.training.processes import Processes

METRICS = "metrics.jsonl"
_MAY_CHANGE = {
    "steps", "minutes", "log_every", "evaluate_every", "checkpoint_every_steps", "checkpoint_every_seconds",
}  # fmt: skip


class Task(Protocol):
    """What is trained. Batches depend on (seed, step) alone, so that a resumed run equals a straight one.

    In several processes `loss` is that of this one's share, scaled so that the mean over the processes is the
    loss of the whole batch.
    """

    @property
    def model(self) -> nn.Module:
        """What holds the parameters; `fit` moves it to the device of the run."""
        ...

    def loss(self, step: int) -> dict[str, Tensor]:
        """Scalars of the batch of that step; `loss` is minimised, the others are logged."""
        ...

    def evaluate(self) -> dict[str, float]:
        """Figures on held-out data; called in evaluation mode without gradients."""
        ...


@dataclass(frozen=True)
class FitResult:
    """How a run ended.

    Attributes:
        step: optimizer steps done, over all resumed parts.
        seconds: time spent in them.
        metrics: of the last evaluation; empty when the run was interrupted.
        stopped: `finished`, `time` (the `minutes` were up) or `interrupted` (a signal; start again to go on).
    """

    step: int
    seconds: float
    metrics: dict[str, float]
    stopped: Literal["finished", "time", "interrupted"]


def fit(
    task: Task,
    config: TrainingConfig,
    folder: Path,
    runtime: Runtime,
    resume: bool = True,
    progress: bool = True,
    processes: Processes | None = None,
    identity: Mapping[str, str] | None = None,
) -> FitResult:
    """Train `task.model` in place; with `ema_decay` it ends with the averaged weights.

    Writes `metrics.jsonl` and `checkpoint.safetensors` in `folder` (and the checkpoint before it). Parameters
    that are not trained (`requires_grad` off) are not in the checkpoint; the task brings them.
    Ctrl-C or SIGTERM ends the current step, saves, and returns with `stopped="interrupted"`.

    Args:
        task: model, losses and evaluation.
        config: steps, rates, precision and intervals.
        folder: made if missing.
        runtime: the device; its precision is overruled by the configuration's.
        resume: go on from the checkpoint in `folder`, if there is one.
        progress: draw a bar on stderr.
        processes: that train together; None is this one alone.
        identity: what the untrained parameters are (fingerprints by name); a checkpoint of others is refused.

    Raises:
        TdmmError: the loss is not finite.
        InvalidConfig: the checkpoint was made with other settings.
        ArtifactProblem: the checkpoint cannot be read or is of another model.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileProblem(f"{folder}: cannot make this folder ({error.strerror or error}).") from error
    torch.manual_seed(config.seed)
    processes = processes or Processes()
    run = _Run(task, config, folder, replace(runtime, precision=config.precision), processes, identity or {})
    stored = checkpoint.read(folder) if resume else None
    if stored is not None:
        run.restore(stored)
    # Nobody may write before all have read.
    processes.wait()
    if processes.first:
        _keep_metrics(folder / METRICS, run.step)
    with stop_requests() as stop, shown_bar(progress and processes.first) as bar:
        return run.go(stop, bar)


def rate(config: TrainingConfig, step: int, elapsed: float) -> float:
    """Learning rate of a step, given the seconds spent so far (used only under a time limit)."""
    done = _fraction(config, step, elapsed)
    warm = min(1.0, (step + 1) / max(1, config.warmup_steps))
    if config.schedule == "cosine":
        shape = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    else:
        shape = min(1.0, max(0.0, 1 - done) / config.decay_fraction)
    return config.learning_rate * warm * shape


def _fraction(config: TrainingConfig, step: int, elapsed: float) -> float:
    """Share of the run that is over, by steps or by the clock, whichever is ahead."""
    by_clock = elapsed / (60 * config.minutes) if config.minutes else 0.0
    return max(step / config.steps, by_clock)


class _Run:
    """State of one run: model, optimizer, averaged weights, step."""

    def __init__(
        self,
        task: Task,
        config: TrainingConfig,
        folder: Path,
        runtime: Runtime,
        processes: Processes,
        identity: Mapping[str, str],
    ) -> None:
        self.task, self.config, self.folder, self.runtime = task, config, folder, runtime
        self.processes, self.identity = processes, dict(identity)
        self.model = task.model.to(runtime.torch_device())
        self.parameters = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        matrices = [p for p in self.parameters.values() if p.ndim >= 2]
        vectors = [p for p in self.parameters.values() if p.ndim < 2]
        groups = [
            {"params": matrices, "weight_decay": config.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.99))
        self.averaged: dict[str, Tensor] = {}
        if config.ema_decay:
            self.averaged = {name: p.detach().clone() for name, p in self.parameters.items()}
        self.step = 0
        self.seconds = 0.0

    def go(self, stop: threading.Event, bar: Bar) -> FitResult:
        config, started = self.config, time.monotonic() - self.seconds
        saved_at, recent = time.monotonic(), _Means()
        stopped: Literal["finished", "time", "interrupted"] = "finished"
        while self.step < config.steps:
            self.seconds = self.processes.of_first(time.monotonic() - started)
            if any(self.processes.total([stop.is_set()])):
                stopped = "interrupted"
                break
            if config.minutes and self.seconds > 60 * config.minutes:
                stopped = "time"
                break
            losses, current_rate = self._advance()
            recent.add(losses)
            bar.show(_fraction(config, self.step, self.seconds), self.step, losses["loss"])
            last = self.step == config.steps
            if self.step % config.log_every == 0 or last:
                self._log({**recent.take(), "learning_rate": current_rate, "seconds": round(self.seconds, 2)})
            if config.evaluate_every and self.step % config.evaluate_every == 0 and not last:
                self._log(self._evaluate())
            waited = time.monotonic() - saved_at
            if _due(config.checkpoint_every_steps, self.step) or 0 < config.checkpoint_every_seconds < waited:
                self.save()
                saved_at = time.monotonic()
        self.save()
        metrics: dict[str, float] = {}
        if stopped != "interrupted":
            metrics = self._evaluate()
            self._log(metrics)
            self._load_averaged()
        return FitResult(self.step, self.seconds, metrics, stopped)

    def _advance(self) -> tuple[dict[str, float], float]:
        """One optimizer step; returns its losses and the rate used."""
        self.model.train()
        if self.processes.count > 1:
            # Each its own dropout, and the same again after a resume: only the first one's state is saved.
            draw = np.random.SeedSequence([self.config.seed, self.step, self.processes.rank])
            torch.manual_seed(int(draw.generate_state(1)[0]))
        current_rate = rate(self.config, self.step, self.seconds)
        for group in self.optimizer.param_groups:
            group["lr"] = current_rate
        self.optimizer.zero_grad(set_to_none=True)
        with self.runtime.autocast():
            losses = self.task.loss(self.step)
        sums = self.processes.total([float(value.detach()) for value in losses.values()])
        values = {name: value / self.processes.count for name, value in zip(losses, sums, strict=True)}
        if not math.isfinite(values["loss"]):
            raise TdmmError(
                f"The loss is {values['loss']} at step {self.step}. Lower learning_rate or gradient_clip; "
                f"the last good checkpoint in {self.folder} is kept."
            )
        losses["loss"].backward()  # type: ignore[no-untyped-call]
        self.processes.average_gradients(self.parameters.values())
        if self.config.gradient_clip:
            nn.utils.clip_grad_norm_(self.parameters.values(), self.config.gradient_clip)
        self.optimizer.step()
        if self.averaged:
            # Short at first, so that the mean forgets the random start.
            decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
            with torch.no_grad():
                for name, parameter in self.parameters.items():
                    self.averaged[name].lerp_(parameter, 1 - decay)
        self.step += 1
        return values, current_rate

    def _evaluate(self) -> dict[str, float]:
        """Figures of the averaged weights where they exist; training's random state is left untouched."""
        own = {name: p.detach().clone() for name, p in self.parameters.items()} if self.averaged else {}
        devices = [self.runtime.torch_device()] if self.runtime.torch_device().type == "cuda" else []
        self._load_averaged()
        self.model.eval()
        with torch.no_grad(), torch.random.fork_rng(devices=devices):
            figures = self.task.evaluate()
            for name, value in own.items():
                self.parameters[name].copy_(value)
        return figures

    @torch.no_grad()
    def _load_averaged(self) -> None:
        for name, value in self.averaged.items():
            self.parameters[name].copy_(value)

    def _log(self, row: Mapping[str, float]) -> None:
        if not self.processes.first:
            return
        with (self.folder / METRICS).open("a", encoding="utf-8") as handle:
            handle.write(json.dumps({"step": self.step, **row}) + "\n")

    def save(self) -> None:
        """Write everything that `restore` needs."""
        if not self.processes.first:
            return
        frozen = self._frozen()
        tensors = {f"model/{name}": value for name, value in self.model.state_dict().items() if name not in frozen}
        tensors |= {f"ema/{name}": value for name, value in self.averaged.items()}
        for name, parameter in self.parameters.items():
            for key, value in self.optimizer.state[parameter].items():
                tensors[f"optimizer/{name}/{key}"] = torch.as_tensor(value)
        tensors["rng/cpu"] = torch.get_rng_state()
        if self.runtime.torch_device().type == "cuda":
            tensors["rng/cuda"] = torch.cuda.get_rng_state()
        state = {
            "step": self.step, "seconds": self.seconds, "config": self.config.model_dump(), "identity": self.identity,
        }  # fmt: skip
        checkpoint.write(self.folder, tensors, state)

    def restore(self, stored: checkpoint.Checkpoint) -> None:
        """Go back to where a checkpoint was written."""
        self._require_same({**stored.state["config"], **stored.state.get("identity", {})})
        try:
            left = self.model.load_state_dict(stored.part("model"), strict=False)
            wrong = {*left.unexpected_keys, *left.missing_keys} - self._frozen()
            if wrong:
                raise KeyError(", ".join(sorted(wrong)))
            averaged = stored.part("ema")
            with torch.no_grad():
                for name, value in self.averaged.items():
                    value.copy_(averaged[name])
            for name, parameter in self.parameters.items():
                moments = stored.part(f"optimizer/{name}")
                if moments:
                    self.optimizer.state[parameter] = {
                        key: value if key == "step" else value.to(parameter.device) for key, value in moments.items()
                    }
        except (RuntimeError, KeyError) as error:
            raise ArtifactProblem(
                f"{self.folder}: its checkpoint is of another model ({error}). Use --no-resume or another folder."
            ) from error
        torch.set_rng_state(stored.tensors["rng/cpu"])
        if "rng/cuda" in stored.tensors and self.runtime.torch_device().type == "cuda":
            torch.cuda.set_rng_state(stored.tensors["rng/cuda"])
        self.step, self.seconds = int(stored.state["step"]), float(stored.state["seconds"])

    def _frozen(self) -> set[str]:
        """Names of parameters that are not trained, each under all its names."""
        named = self.model.named_parameters(remove_duplicate=False)
        return {name for name, parameter in named if not parameter.requires_grad}

    def _require_same(self, before: Mapping[str, Any]) -> None:
        now = {**self.config.model_dump(), **self.identity}
        other = [
            f"{key} was {before.get(key)}, is {value}"
            for key, value in now.items()
            if key not in _MAY_CHANGE and before.get(key) != value
        ]
        if other:
            raise InvalidConfig(
                f"{self.folder}: its checkpoint was made with other settings ({'; '.join(other)}). "
                "Set them back, or use --no-resume or another folder."
            )


class _Means:
    """Running means of the losses since the last line of the log."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._count = 0

    def add(self, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count += 1

    def take(self) -> dict[str, float]:
        means = {name: total / self._count for name, total in self._sums.items()}
        self._sums, self._count = {}, 0
        return means


def _due(interval: int, step: int) -> bool:
    return bool(interval) and step % interval == 0


def _keep_metrics(path: Path, step: int) -> None:
    """Drop the lines after `step`: a resumed run will write them again."""
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if step and _step_of(line) <= step]
    path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return math.inf  # a line torn by a crash
