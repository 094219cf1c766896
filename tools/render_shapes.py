"""Draws every one of the 52 shapes at 1.0 on one sheet, to be looked at: `python tools/render_shapes.py`.

Left is the face's own left, which is on the right of the picture. Two shapes make no sense alone and
are drawn with another: mouthClose, which closes the lips of an open jaw, and tongueOut.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from tdmm.face.arkit import load_head
from tdmm.face.channels import ARKIT, INDEX
from tdmm.face.render import Camera, render

OUT = Path(__file__).resolve().parents[1] / "docs/images/shapes.png"
WITH = {"mouthClose": {"jawOpen": 0.6, "mouthClose": 0.6}, "tongueOut": {"jawOpen": 0.35}}
CELL, LABEL, COLUMNS, COLOURS = 196, 18, 9, 128
CLOSE = Camera(target=(0.0, -0.005, 0.08), height_m=0.2)


def main() -> None:
    """Render and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    out = parser.parse_args().out
    names = ["neutral", *ARKIT]
    expression = torch.zeros(len(names), len(ARKIT))
    for row, name in enumerate(ARKIT, 1):
        expression[row, INDEX[name]] = 1.0
        for other, value in WITH.get(name, {}).items():
            expression[row, INDEX[other]] = value
    faces = load_head()(expression=expression).numpy()
    rows = -(-len(names) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * CELL, rows * (CELL + LABEL)), (30, 33, 40))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for place, (name, vertices) in enumerate(zip(names, faces, strict=True)):
        x, y = place % COLUMNS * CELL, place // COLUMNS * (CELL + LABEL)
        picture = render(np.ascontiguousarray(vertices), (CELL - 4, CELL - 2), camera=CLOSE, supersample=2)
        sheet.paste(Image.fromarray(picture), (x + 2, y + 2))
        text = name + "".join(f" +{other}" for other in WITH.get(name, {}) if other != name)
        pen.text((x + CELL / 2, y + CELL + 1), text, font=font, fill=(225, 228, 235), anchor="ma")
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.quantize(COLOURS, dither=Image.Dither.NONE).save(out, optimize=True)
    print(f"{out}: {out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
