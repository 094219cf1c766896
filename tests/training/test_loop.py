from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tdmm.errors import ArtifactProblem, InvalidConfig, TdmmError
from tdmm.recipes import read_recipe
from tdmm.runtime import Runtime
from tdmm.training import checkpoint
from tdmm.training.config import TrainingConfig
from tdmm.training.loop import fit, rate

CPU = Runtime("cpu")


class LineTask:
    """y = 3x + 1 with dropout, so that the random state matters, and a buffer that changes."""

    def __init__(self, seed: int = 0) -> None:
        torch.manual_seed(99)
        self.model = nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1))
        self.seed = seed
        self.at_step = lambda step: None

    def loss(self, step: int) -> dict[str, Tensor]:
        self.at_step(step)
        draw = torch.Generator().manual_seed(self.seed * 100_003 + step)
        x = torch.rand(16, 1, generator=draw)
        error = (self.model(x) - (3 * x + 1)).pow(2).mean()
        return {"loss": error, "error": error}

    def evaluate(self) -> dict[str, float]:
        torch.rand(3)  # must not disturb training
        x = torch.linspace(0, 1, 16)[:, None]
        return {"held_out": float((self.model(x) - (3 * x + 1)).pow(2).mean())}


def config(**changes: object) -> TrainingConfig:
    base: dict[str, object] = {
        "steps": 30, "batch_size": 16, "learning_rate": 0.01, "warmup_steps": 3, "log_every": 5,
        "evaluate_every": 7, "checkpoint_every_steps": 4, "checkpoint_every_seconds": 0,
    }  # fmt: skip
    return TrainingConfig.model_validate({**base, **changes})


@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
def test_resumed_run_equals_straight_run_bit_for_bit(tmp_path: Path, ema_decay: float) -> None:
    straight = LineTask()
    fit(straight, config(ema_decay=ema_decay), tmp_path / "straight", CPU, progress=False)

    broken = LineTask()
    broken.at_step = lambda step: (_ for _ in ()).throw(RuntimeError("killed")) if step == 17 else None
    with pytest.raises(RuntimeError, match="killed"):
        fit(broken, config(ema_decay=ema_decay), tmp_path / "resumed", CPU, progress=False)
    resumed = LineTask()
    result = fit(resumed, config(ema_decay=ema_decay), tmp_path / "resumed", CPU, progress=False)

    assert result.stopped == "finished"
    assert result.step == 30
    for name, value in straight.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    steps = [json.loads(line)["step"] for line in (tmp_path / "resumed/metrics.jsonl").read_text().splitlines()]
    assert steps == sorted(steps)
    assert steps.count(5) == 1


def test_a_signal_saves_and_a_second_start_goes_on(tmp_path: Path) -> None:
    task = LineTask()
    task.at_step = lambda step: os.kill(os.getpid(), signal.SIGTERM) if step == 9 else None
    first = fit(task, config(checkpoint_every_steps=0), tmp_path, CPU, progress=False)
    assert first.stopped == "interrupted"
    assert first.step == 10
    assert first.metrics == {}
    second = fit(LineTask(), config(), tmp_path, CPU, progress=False)
    assert second.step == 30


def test_torn_newest_checkpoint_falls_back_to_the_one_before(tmp_path: Path) -> None:
    fit(LineTask(), config(), tmp_path, CPU, progress=False)
    newest = tmp_path / checkpoint.CHECKPOINT
    newest.write_bytes(newest.read_bytes()[:100])
    stored = checkpoint.read(tmp_path)
    assert stored is not None
    assert stored.state["step"] == 28
    (tmp_path / checkpoint.PREVIOUS).write_bytes(b"nothing")
    with pytest.raises(ArtifactProblem, match="no-resume"):
        checkpoint.read(tmp_path)


def test_settings_that_change_the_result_may_not_change_on_resume(tmp_path: Path) -> None:
    fit(LineTask(), config(), tmp_path, CPU, progress=False)
    with pytest.raises(InvalidConfig, match=r"learning_rate was 0\.01, is 0\.02"):
        fit(LineTask(), config(learning_rate=0.02), tmp_path, CPU, progress=False)
    assert fit(LineTask(), config(steps=32), tmp_path, CPU, progress=False).step == 32


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    fit(LineTask(), config(), tmp_path, CPU, progress=False)
    other = LineTask()
    other.model = nn.Sequential(nn.Linear(1, 4), nn.Linear(4, 1))
    with pytest.raises(ArtifactProblem, match="another model"):
        fit(other, config(), tmp_path, CPU, progress=False)


def test_a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    task = LineTask()

    def poison(step: int) -> None:
        if step == 6:
            with torch.no_grad():
                task.model[0].weight.fill_(float("nan"))

    task.at_step = poison
    with pytest.raises(TdmmError, match="step 6"):
        fit(task, config(), tmp_path, CPU, progress=False)
    stored = checkpoint.read(tmp_path)
    assert stored is not None
    assert stored.state["step"] == 4


def test_the_clock_ends_a_run_with_a_small_rate(tmp_path: Path) -> None:
    result = fit(LineTask(), config(steps=10**6, minutes=0.005), tmp_path, CPU, progress=False)
    assert result.stopped == "time"
    assert result.metrics
    assert rate(config(minutes=1.0), step=5, elapsed=60.0) == pytest.approx(0.01 * 0.02)


def test_it_learns(tmp_path: Path) -> None:
    task = LineTask()
    result = fit(task, config(steps=300, learning_rate=0.03, ema_decay=0.9), tmp_path, CPU, progress=True)
    assert result.metrics["held_out"] < 0.2


def test_schedules_rise_and_fall() -> None:
    for schedule in ("cosine", "wsd"):
        settings = config(schedule=schedule, steps=100, warmup_steps=10)
        rates = [rate(settings, step, 0.0) for step in range(100)]
        assert rates[0] < rates[9]
        assert max(rates) == pytest.approx(0.01, rel=0.05)
        assert rates[-1] < 0.1 * max(rates)


def test_recipes_read_yaml_numbers_and_name_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("steps: 10\nbatch_size: 2\nlearning_rate: 1e-4\n")
    assert read_recipe(path, TrainingConfig).learning_rate == pytest.approx(1e-4)
    path.write_text("steps: 10\nbatch_size: 2\nlearning_rat: 1\n")
    with pytest.raises(InvalidConfig, match="learning_rat: Extra inputs"):
        read_recipe(path, TrainingConfig)
    path.write_text("- 1\n")
    with pytest.raises(InvalidConfig, match="keys and values"):
        read_recipe(path, TrainingConfig)
