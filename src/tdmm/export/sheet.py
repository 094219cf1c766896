"""A contact sheet: the telling frames of a motion on one `.png`, each with its time and what it shows."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tdmm.export.formats import ExportOptions
from tdmm.export.frames import caption, key_frames
from tdmm.export.pictures import pictures
from tdmm.files import written_aside
from tdmm.motion.clip import FaceMotion

COUNT, COLUMNS = 8, 4
"""Pictures on a sheet, and in a row."""

_PAPER, _INK, _FAINT = (24, 26, 31), (236, 236, 232), (160, 164, 172)


def write_png(motion: FaceMotion, path: Path, options: ExportOptions) -> None:
    """Write the contact sheet.

    Raises:
        InvalidMotion: another rig, or a missing ARKit channel.
        FileProblem: the folder cannot be written, or the disk is full; nothing is left behind.
    """
    sheet = contact_sheet(motion, options)
    with written_aside(path) as temporary:
        sheet.save(temporary, format="PNG", optimize=True)


def contact_sheet(motion: FaceMotion, options: ExportOptions) -> Image.Image:
    """The sheet as a picture: at most eight frames, four in a row, under the motion's text."""
    chosen = key_frames(motion, COUNT)
    shown = motion.with_(
        expression=motion.expression[chosen],
        head=motion.head[chosen],
        translation=None if motion.translation is None else motion.translation[chosen],
        confidence=None if motion.confidence is None else motion.confidence[chosen],
    )
    size = options.size
    small, large = (ImageFont.load_default(max(10, size // share)) for share in (24, 18))
    margin, line = max(4, size // 40), max(13, size // 18)
    columns = min(COLUMNS, len(chosen))
    title = _wrapped(motion.text, large, columns * size)
    top = margin + len(title) * (line + line // 2) + (margin if title else 0)
    cell = size + 3 * line + margin
    sheet = Image.new("RGB", (columns * size, top + math.ceil(len(chosen) / columns) * cell), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for row, text in enumerate(title):
        draw.text((margin, margin + row * (line + line // 2)), text, fill=_INK, font=large)
    for place, (frame, picture) in enumerate(zip(chosen, pictures(shown, options, supersample=2), strict=True)):
        x, y = place % columns * size, top + place // columns * cell
        sheet.paste(Image.fromarray(np.asarray(picture)), (x, y))
        draw.text((x + margin, y + size + 2), f"{frame / motion.fps:.2f} s", fill=_INK, font=small)
        for row, text in enumerate(_wrapped(caption(motion, int(frame)), small, size)[:2]):
            draw.text((x + margin, y + size + (row + 1) * line), text, fill=_FAINT, font=small)
    return sheet


def _wrapped(text: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Lines of whole words that fit into `width` pixels, four at most."""
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width * 0.95:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines[:4]
