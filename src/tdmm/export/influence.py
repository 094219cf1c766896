"""A picture of which word moved which part of the face, and when."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tdmm.face.facs import ACTIONS
from tdmm.files import written_aside
from tdmm.language.influence import Influence
from tdmm.motion.clip import FPS

_LANES = ("head", "brows", "lids", "gaze", "nose", "cheeks", "mouth", "jaw")
_COLOURS = (
    (214, 92, 76), (64, 132, 196), (84, 158, 92), (196, 138, 44), (136, 98, 178), (44, 150, 152), (190, 84, 140),
    (120, 120, 72),
)  # fmt: skip
_PAPER, _INK, _FAINT, _UNSAID = (252, 251, 248), (40, 40, 44), (224, 222, 216), (176, 174, 168)
_WIDTH, _LEFT, _ROW, _TOP = 1080, 96, 26, 116
_CLEAR = 0.15
"""Share of an event that a word must have to be named for it."""


class _Bar(NamedTuple):
    """What stands in a lane: from when to when, how strong, what it is called, and the shares of the words in it."""

    lane: str
    start: float
    end: float
    strength: float
    name: str
    shares: np.ndarray


def draw(found: Influence, path: Path) -> None:
    """Write the picture: the prompt with a colour a word, and below it a lane for each part of the face.

    A bar is an event of the plan, as tall as it is strong, in the colour of the word that matters most to it;
    what no word matters to (blinks that come by themselves) is grey.

    Raises:
        FileProblem: the file cannot be written.
    """
    bars = _bars(found)
    colours = _colours(bars)
    rows = _stacked(bars)
    heights = {lane: max(1, 1 + max((row for bar, row in rows if bar.lane == lane), default=0)) for lane in _LANES}
    height = _TOP + _ROW * sum(heights.values()) + 10 * len(_LANES) + 34
    image = Image.new("RGB", (_WIDTH, height), _PAPER)
    pen, font, small = ImageDraw.Draw(image), ImageFont.load_default(18), ImageFont.load_default(12)
    _prompt(pen, found, colours, font)
    scale = (_WIDTH - _LEFT - 20) / max(found.plan.frames / FPS, 0.1)
    for second in range(int(found.plan.frames / FPS) + 1):
        across = _LEFT + second * scale
        pen.line((across, _TOP - 6, across, height - 34), fill=_FAINT)
        pen.text((across - 6, height - 28), f"{second} s", fill=_INK, font=small)
    top = _TOP
    for lane in _LANES:
        deep = _ROW * heights[lane]
        pen.text((14, top + deep / 2 - 8), lane, fill=_INK, font=small)
        pen.line((_LEFT, top + deep + 4, _WIDTH - 20, top + deep + 4), fill=_FAINT)
        for bar, row in rows:
            if bar.lane == lane:
                _bar(pen, bar, top + _ROW * row, scale, colours, found, small)
        top += deep + 10
    with written_aside(path) as temporary:
        image.save(temporary, format="PNG")


def _bars(found: Influence) -> list[_Bar]:
    events, column = found.plan.events, 0
    bars = []
    for action in events.actions:
        name = action.action.replace("_", " ") + ("" if action.side == "both" else f" ({action.side})")
        lane = ACTIONS[action.action].region
        bars.append(_Bar(lane, action.onset, action.end, action.strength, name, found.shares[:, column]))
        column += 1
    for motion in events.head:
        times = f" x{motion.cycles}" if motion.cycles > 1 else ""
        name = motion.kind.replace("_", " ") + times
        bars.append(_Bar("head", motion.onset, motion.end, 0.8, name, found.shares[:, column]))
        column += 1
    for look in events.gaze:
        name = "look " + look.direction.replace("_", " ")
        bars.append(_Bar("gaze", look.onset, look.end, look.strength, name, found.shares[:, column]))
        column += 1
    for blink in events.blinks:
        bars.append(_Bar("lids", blink.time, blink.time + blink.duration, 0.9, "blink", found.shares[:, column]))
        column += 1
    return bars


def _colours(bars: list[_Bar]) -> dict[int, tuple[int, int, int]]:
    """A colour for each word that matters most to something, in the order of the words."""
    leading = sorted({int(bar.shares.argmax()) for bar in bars if bar.shares.size and bar.shares.max() >= _CLEAR})
    return {word: _COLOURS[place % len(_COLOURS)] for place, word in enumerate(leading)}


def _stacked(bars: list[_Bar]) -> list[tuple[_Bar, int]]:
    """Each bar with its row in its lane, so that none lies on another."""
    ends: dict[str, list[float]] = {lane: [] for lane in _LANES}
    placed = []
    for bar in sorted(bars, key=lambda each: each.start):
        rows = ends[bar.lane]
        row = next((index for index, end in enumerate(rows) if end <= bar.start), len(rows))
        if row == len(rows):
            rows.append(0.0)
        # Room for the name, which may be longer than the bar.
        rows[row] = max(bar.end, bar.start + 0.5)
        placed.append((bar, row))
    return placed


def _prompt(
    pen: ImageDraw.ImageDraw,
    found: Influence,
    colours: dict[int, tuple[int, int, int]],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    x, y, done = 20.0, 20.0, 0
    for word, (start, end) in enumerate(found.spans):
        between, text = found.prompt[done:start].strip(), found.prompt[start:end]
        wide = pen.textlength(f"{between}{text} ", font=font)
        if x + wide > _WIDTH - 20:
            x, y = 20.0, y + 28
        colour = colours.get(word)
        if colour is not None:
            pen.rounded_rectangle((x - 3, y - 2, x + wide - 2, y + 22), 4, fill=colour)
        pen.text((x, y), f"{between}{text}", fill=_PAPER if colour else _INK, font=font)
        x, done = x + wide + 2, end


def _bar(
    pen: ImageDraw.ImageDraw,
    bar: _Bar,
    top: float,
    scale: float,
    colours: dict[int, tuple[int, int, int]],
    found: Influence,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    word = int(bar.shares.argmax()) if bar.shares.size else -1
    said = word in colours and bar.shares[word] >= _CLEAR
    tall = 4 + (_ROW - 8) * min(bar.strength, 1.0)
    left, right = _LEFT + bar.start * scale, _LEFT + max(bar.end, bar.start + 0.08) * scale
    bottom = top + _ROW - 2
    pen.rounded_rectangle((left, bottom - tall, right, bottom), 3, fill=colours[word] if said else _UNSAID)
    label = f"{bar.name} - {found.words[word]}" if said else bar.name
    inside = pen.textlength(label, font=font) < right - left - 6 and tall > 14
    pen.text((left + 4 if inside else right + 3, bottom - 15), label, fill=_PAPER if inside else _INK, font=font)
