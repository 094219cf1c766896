"""What a model should know at each frame of a motion that it reads.

A sentence says little about a clip, and late. Beside it, the state after each frame has to name what is going on and
how strongly; the layer that does is trained along and thrown away.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tdmm.acting.meanings import MEANINGS, PLACES
from tdmm.acting.script import Script
from tdmm.motion.clip import FPS, Floats

_SEEN = 0.5
"""Share of a rise, or of a movement of the head, after which it can be told what it is."""
_AFTER = 0.2
"""Seconds for which what is over should still be known."""
_BLINK, _SLOW_BLINK = 0.46, 0.7
_RARE = -5.0  # log odds that something is going on, to begin with


def frame_labels(script: Script, frames: int) -> Floats:
    """(T, meanings) intensity of what a script does at each frame, 0 where it does not.

    Args:
        script: what happens.
        frames: of the clip; where it is not as long as the script, all moments are stretched to fit.
    """
    labels = np.zeros((frames, len(MEANINGS)), np.float32)
    rate = frames / max(script.seconds * FPS, 1.0) * FPS

    def mark(name: str, strength: float, start: float, end: float) -> None:
        labels[max(0, round(start * rate)) : round((end + _AFTER) * rate), PLACES[name]] = strength

    for event in script.events:
        mark(event.descriptor, event.intensity, event.onset + _SEEN * (event.apex - event.onset), event.end)
    for motion in script.head:
        mark(motion.kind, motion.intensity, motion.onset + _SEEN * (motion.end - motion.onset), motion.end)
    for look in script.gaze:
        mark(f"gaze_{look.direction}", look.intensity, look.onset + 0.1, look.end)
    for blink in script.blinks:
        length = blink.count * (_SLOW_BLINK if blink.slow else _BLINK)
        mark("blink", 1.0, blink.time + 0.1, blink.time + length)
    return labels


class FrameKnowledge(nn.Module):
    """Says of each state what is going on, and how strongly.

    Args:
        width: of the states.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.what, self.much = nn.Linear(width, len(MEANINGS)), nn.Linear(width, len(MEANINGS))
        nn.init.constant_(self.what.bias, _RARE)

    def forward(self, states: Tensor, scripts: Sequence[Script], frames: Sequence[int]) -> Tensor:
        """Loss of B clips: cross entropy of what is going on (nats a frame) and the error of its intensity.

        Args:
            states: (B, T, width) after each frame, padded.
            scripts: what happens in each clip.
            frames: valid frames of each.
        """
        labels = np.zeros((*states.shape[:2], len(MEANINGS)), np.float32)
        for row, (script, count) in enumerate(zip(scripts, frames, strict=True)):
            labels[row, :count] = frame_labels(script, count)
        told = torch.from_numpy(labels).to(states.device)
        valid = (
            torch.arange(states.shape[1], device=states.device) < torch.tensor(frames, device=states.device)[:, None]
        )
        seen, told = states[valid], told[valid]
        going_on = told > 0
        entropy = F.binary_cross_entropy_with_logits(self.what(seen).float(), going_on.float(), reduction="none")
        off = (self.much(seen).float() - told).abs()[going_on]
        loss: Tensor = entropy.sum(-1).mean() + (off.mean() if len(off) else off.sum())
        return loss
