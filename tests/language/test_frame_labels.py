"""What goes on at each frame, and a layer that learns to say it."""

from __future__ import annotations

import numpy as np
import torch

from tdmm.acting.casting import cast
from tdmm.acting.meanings import MEANINGS, PLACES
from tdmm.acting.script import Blink, Event, HeadMotion, Script
from tdmm.language.frame_labels import FrameKnowledge, frame_labels

SMILE = Event(descriptor="happiness", intensity=0.8, side="both", onset=0.4, apex=0.8, offset=1.2, end=1.6)
NOD = HeadMotion(kind="nod", intensity=0.5, cycles=2, onset=2.0, end=3.0)
SCRIPT = Script(
    seconds=4.0, subject="a person", energy="normal", events=(SMILE,), head=(NOD,), gaze=(),
    blinks=(Blink(time=3.2, count=1, slow=False),),
)  # fmt: skip


def test_labels_lie_where_things_happen() -> None:
    labels = frame_labels(SCRIPT, 100)
    assert labels.shape == (100, len(MEANINGS))
    smile, nod, blink = (np.flatnonzero(labels[:, PLACES[name]]) for name in ("happiness", "nod", "blink"))
    assert (smile[0], smile[-1]) == (15, 44)
    assert (nod[0], nod[-1]) == (round(2.5 * 25), 79)
    assert 80 <= blink[0] < blink[-1] < 100
    assert labels[20, PLACES["happiness"]] == np.float32(0.8)
    assert (labels > 0).any(0).sum() == 3


def test_a_stretched_clip_has_stretched_labels() -> None:
    smile = np.flatnonzero(frame_labels(SCRIPT, 200)[:, PLACES["happiness"]])
    assert (smile[0], smile[-1]) == (30, 89)


def test_the_layer_learns_to_name_what_its_states_show() -> None:
    torch.manual_seed(0)
    scripts = [cast(5, index) for index in range(4)]
    frames = [50, 60, 40, 60]
    known = torch.zeros(4, 60, len(MEANINGS))
    for row, (script, count) in enumerate(zip(scripts, frames, strict=True)):
        known[row, :count] = torch.from_numpy(frame_labels(script, count))
    states = torch.cat([known, known + torch.randn_like(known)], -1)
    layer = FrameKnowledge(states.shape[-1])
    optimizer = torch.optim.AdamW(layer.parameters(), 0.1)
    losses = []
    for _ in range(60):
        loss = layer(states, scripts, frames)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.2 * losses[0]
    padded = torch.nn.functional.pad(states, (0, 0, 0, 5), value=9.0)
    with torch.no_grad():
        assert torch.isclose(layer(padded, scripts, frames), layer(states, scripts, frames))
