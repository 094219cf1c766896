"""How well motions go from head to head: the figures of docs/retargeting.md.

python benchmarks/bench_retarget.py [--linear FOLDER] [--clips 12]

`--linear` is a folder as `tdmm.face.linear_head` reads it, with ARKit's names or ICT's. The FLAME here is the tests'
stand-in, a model in FLAME's format with the face of another person (tests/face/flame_faces.py): its truth is known.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "face"))

from flame_faces import FlameFace, flame_face

from tdmm.acting.actor import perform
from tdmm.acting.casting import cast
from tdmm.face.arkit import load_head
from tdmm.face.channels import ARKIT
from tdmm.face.flame import FlameHead
from tdmm.face.geometry import FACE_REGIONS, moving, vertex_errors_mm
from tdmm.face.linear_head import LinearHead, read_linear
from tdmm.face.model import FaceModel, FaceParameters
from tdmm.motion.clip import FaceMotion
from tdmm.motion.retarget import Converter
from tdmm.tokens.tokenizer import Tokenizer

Floats = npt.NDArray[np.float32]
EACH: Floats = np.eye(52, dtype=np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linear", type=Path)
    parser.add_argument("--clips", type=int, default=12)
    options = parser.parse_args()
    clips = [perform(cast(5, index), index).motion for index in range(options.clips)]
    print(f"{len(clips)} acted clips, {sum(clip.frames for clip in clips)} frames, {torch.get_num_threads()} thread(s)")
    face = flame_face()
    for landmarks in (True, False):
        flame = face.head(landmarks)
        there, back = Converter(load_head(), flame), Converter(flame, load_head())
        print(f"\nFLAME stand-in, {'with' if landmarks else 'without'} landmark files")
        pairs(face, there)
        each_on_flame(face, flame, there)
        journeys(clips, there, back)
    from_flame(clips, flame, there, back)
    tokens(clips, there, back)
    if options.linear:
        linear = LinearHead(read_linear(options.linear))
        print(f"\n{linear.name}, {len(linear.channels)} channels")
        there, back = Converter(load_head(), linear), Converter(linear, load_head())
        same_names(linear, there)
        journeys(clips, there, back)


def pairs(face: FlameFace, there: Converter) -> None:
    found = there.retargeting.correspondence
    place = np.full(len(load_head().template), -1)
    place[face.ours] = np.arange(len(face.ours))
    gaps = found.target.on(face.file.template) - face.file.template[place[found.source.corners[:, 0]]]
    off = np.linalg.norm(gaps, axis=1) * 1e3
    regions = {name: off[found.region == number].mean() for number, name in enumerate(found.region_names)}
    print(
        f"  {len(off)} pairs from {len(found.landmarks)} landmarks; off the true point by {off.mean():.2f} mm:", end=""
    )
    print(" " + ", ".join(f"{name} {value:.2f}" for name, value in regions.items()))


def each_on_flame(face: FlameFace, flame: FlameHead, there: Converter) -> None:
    fit = there.retargeting.convert(EACH)
    vertices = posed(flame, fit.expression)
    wanted = EACH @ (load_head().asset.expression[:, face.ours] @ face.turn.T).reshape(52, -1)
    gaps = np.linalg.norm(vertices - face.file.template - wanted.reshape(vertices.shape), axis=2)[
        :, moving()[face.ours]
    ]
    off = gaps.mean(1) * 1e3
    print(f"  each shape at 1.0: {off.mean():.3f} mm from the truth, at worst {ARKIT[off.argmax()]} {off.max():.2f} mm")


def posed(rig: FaceModel, expression: Floats) -> Floats:
    with torch.no_grad():
        vertices: Floats = rig.pose(FaceParameters(torch.tensor(expression))).numpy()
    return vertices


def journeys(clips: list[FaceMotion], there: Converter, back: Converter) -> None:
    fit = there.retargeting.convert(EACH)
    again = back.retargeting.convert(fit.expression).expression
    named = sum(int(row.argmax()) == number for number, row in enumerate(again))
    print(
        f"  each shape there and back: {table(vertex_errors_mm(EACH, again))}; {named} of 52 largest under their name"
    )
    start = time.perf_counter()
    away = [there.convert(clip) for clip in clips]
    middle = time.perf_counter()
    home = [back.convert(one.motion).motion for one in away]
    end = time.perf_counter()
    frames = sum(clip.frames for clip in clips)
    residual = np.concatenate([one.fit.residual_mm for one in away])
    print(f"  clips there: residual {residual.mean():.3f} mm, worst frame {residual.max():.2f} mm, "
          f"{frames / (middle - start):.0f} frames/s; back {frames / (end - middle):.0f} frames/s")  # fmt: skip
    a = np.concatenate([clip.in_order(ARKIT) for clip in clips])
    b = np.concatenate([clip.in_order(ARKIT) for clip in home])
    print(f"  clips there and back: {table(vertex_errors_mm(a, b))}")
    turns = max(float(np.abs(x.head - y.head).max()) for x, y in zip(clips, home, strict=True))
    shifts = max(
        float(np.abs(x.translation_or_zeros() - y.translation_or_zeros()).max())
        for x, y in zip(clips, home, strict=True)
    )
    print(f"  head there and back: {np.degrees(turns):.4f} degrees, {shifts * 1e3:.4f} mm at most")


def from_flame(clips: list[FaceMotion], flame: FlameHead, there: Converter, back: Converter) -> None:
    start = np.concatenate([there.convert(clip).fit.expression for clip in clips[:4]])
    middle = back.retargeting.convert(start)
    again = there.retargeting.convert(middle.expression).expression
    skin = np.unique(there.surfaces[1].skin)
    moved = np.linalg.norm(posed(flame, start)[:, skin] - posed(flame, again)[:, skin], axis=2).mean() * 1e3
    print(f"\nFLAME -> arkit -> FLAME: skin {moved:.3f} mm; residual on arkit {middle.residual_mm.mean():.3f} mm")


def tokens(clips: list[FaceMotion], there: Converter, back: Converter) -> None:
    tokenizer = Tokenizer.load()
    equal, own, other, apart = [], [], [], []
    for clip in clips:
        home = back.convert(there.convert(clip).motion).motion
        a, b = tokenizer.encode(clip), tokenizer.encode(home)
        equal.append(a.codes == b.codes)
        one, two = (tokenizer.decode(codes).in_order(ARKIT) for codes in (a, b))
        truth = clip.in_order(ARKIT)
        own.append(vertex_errors_mm(truth, one)["face"])
        other.append(vertex_errors_mm(truth, two)["face"])
        apart.append(vertex_errors_mm(one, two)["face"])
    levels = np.concatenate(equal).mean(0)
    print(f"\nTokens of a motion, and of the same motion by way of FLAME: equal codes by level {np.round(levels, 3)}")
    print(f"  decoded, {np.mean(apart):.3f} mm apart; {np.mean(own):.3f} and {np.mean(other):.3f} mm off the motion")


def same_names(linear: LinearHead, there: Converter) -> None:
    fit = there.retargeting.convert(EACH)
    meaning = linear.file.meaning
    known = [name for name in ARKIT if name in meaning.values()]
    missed = []
    for name in known:
        row = fit.expression[ARKIT.index(name)]
        largest = fit.channels[int(row.argmax())]
        if meaning.get(largest) != name:
            own = max(float(row[fit.channels.index(mine)]) for mine, arkit in meaning.items() if arkit == name)
            missed.append(f"{name} ({largest} {row.max():.2f}, its own {own:.2f})")
    print(f"  each shape at 1.0: {len(known) - len(missed)} of {len(known)} largest under their own name")
    print("  not: " + ", ".join(missed))
    worst = int(fit.residual_mm.argmax())
    print(f"  residual {fit.residual_mm.mean():.2f} mm, worst {ARKIT[worst]} {fit.residual_mm[worst]:.2f}")
    print("  by region: " + ", ".join(f"{name} {v.mean():.2f}" for name, v in fit.residual_by_region_mm.items()))


def table(errors: dict[str, float]) -> str:
    return f"face {errors['face']:.3f} mm (" + ", ".join(f"{name} {errors[name]:.2f}" for name in FACE_REGIONS) + ")"


if __name__ == "__main__":
    main()
