"""What one training run is told: steps, rates, precision, when to save."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class TrainingConfig(BaseModel):
    """How `tdmm.training.loop.fit` trains. Unknown keys are errors.

    Attributes:
        steps: optimizer steps of the whole run.
        batch_size: items a step; the task reads it when it draws a batch.
        learning_rate: peak rate of AdamW.
        schedule: after the warm-up, `cosine` falls to 2% of the peak; `wsd` stays at the peak and falls
            linearly over the last `decay_fraction` of the run.
        warmup_steps: steps of linear rise.
        weight_decay: on matrices and kernels only, never on biases, gains and other vectors.
        gradient_clip: largest norm of the whole gradient; 0 turns clipping off.
        ema_decay: decay of a running mean of the weights, which is then what is evaluated and kept; 0 is off.
        precision: `bf16` runs matrix products in bfloat16.
        seed: of initial draws and of every batch.
        minutes: time limit over all resumed parts. The schedule then follows the clock where that is ahead
            of the steps, so that the rate still falls to its end; such a run cannot be repeated bit for bit.
        checkpoint_every_steps: save after so many steps; 0: by the clock alone.
        checkpoint_every_seconds: save after so many seconds; 0: by steps alone.
        log_every: steps between two lines of `metrics.jsonl`.
        evaluate_every: steps between two evaluations; 0 evaluates only at the end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(gt=0)
    batch_size: int = Field(gt=0)
    learning_rate: float = Field(gt=0)
    schedule: Literal["cosine", "wsd"] = "cosine"
    warmup_steps: int = Field(default=100, ge=0)
    decay_fraction: float = Field(default=0.2, gt=0, le=1)
    weight_decay: float = Field(default=0.01, ge=0)
    gradient_clip: float = Field(default=1.0, ge=0)
    ema_decay: float = Field(default=0.0, ge=0, lt=1)
    precision: Literal["fp32", "bf16"] = "fp32"
    seed: int = Field(default=0, ge=0)
    minutes: float | None = Field(default=None, gt=0)
    checkpoint_every_steps: int = Field(default=0, ge=0)
    checkpoint_every_seconds: float = Field(default=60.0, ge=0)
    log_every: int = Field(default=20, gt=0)
    evaluate_every: int = Field(default=0, ge=0)
