"""How fast a FLAME head is on the CPU, and, where the package `smplx` is installed, how that compares.

python benchmarks/bench_flame.py [--frames 1000] [--threads 1]

The model is of the published size (5,023 vertices, 300 + 100 components) with random content. One identity,
another expression, pose and translation in every frame. The median of the repeats, after one run to warm up.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tdmm.face.flame import FlameHead
from tdmm.face.flame_file import read_flame

VERTICES, FACES, REPEATS = 5023, 9976, 5


def write_model(folder: Path) -> Path:
    """A `.npz` as FLAME's files are, and the landmark file that smplx insists on."""
    rng = np.random.default_rng(0)
    regressor = rng.random((5, VERTICES)) ** 8
    weights = rng.random((VERTICES, 5)) ** 3
    path = folder / "FLAME_NEUTRAL.npz"
    np.savez(
        path,
        v_template=rng.normal(0, 0.1, (VERTICES, 3)),
        shapedirs=rng.normal(0, 1e-3, (VERTICES, 3, 400)),
        posedirs=rng.normal(0, 1e-3, (VERTICES, 3, 36)),
        J_regressor=regressor / regressor.sum(1, keepdims=True),
        weights=weights / weights.sum(1, keepdims=True),
        kintree_table=np.array([[2**32 - 1, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.uint32),
        f=rng.integers(0, VERTICES, (FACES, 3)).astype(np.uint32),
    )
    return path


def seconds(work: Callable[[], Tensor]) -> float:
    work()
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def smplx_work(folder: Path, fields: tuple[Tensor, ...]) -> Callable[[], Tensor] | None:
    """The same frames in the package `smplx`; None where it is not installed."""
    try:
        import smplx
    except ImportError:
        return None
    import pickle

    static = {"lmk_face_idx": np.zeros(51, np.int64), "lmk_b_coords": np.full((51, 3), 1 / 3)}
    (folder / "flame_static_embedding.pkl").write_bytes(pickle.dumps(static))
    identity, expression, rotations, translation = fields
    rows = len(expression)
    model = smplx.FLAME(str(folder), ext="npz", num_betas=300, num_expression_coeffs=100, batch_size=rows)
    root, neck, jaw, left, right = rotations.unbind(1)

    def work() -> Tensor:
        made = model(
            betas=identity.expand(rows, -1), expression=expression, global_orient=root, neck_pose=neck, jaw_pose=jaw,
            leye_pose=left, reye_pose=right, transl=translation,
        )  # fmt: skip
        vertices: Tensor = made.vertices
        return vertices

    return work


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    shapes = ((1, 300), (options.frames, 100), (options.frames, 5, 3), (options.frames, 3))
    identity, expression, rotations, translation = (torch.randn(shape) for shape in shapes)
    fields = (identity, expression, rotations * 0.3, translation * 0.1)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        head = FlameHead(read_flame(write_model(Path(folder))))
        ours = seconds(lambda: head(*fields))
        print(f"{options.frames} frames, {options.threads} thread(s), CPU")
        print(f"FlameHead  {ours:8.3f} s   {options.frames / ours:8.0f} frames a second")
        work = smplx_work(Path(folder), fields)
        if work is None:
            print("smplx      is not installed; nothing to compare with")
            return
        theirs = seconds(work)
        print(f"smplx      {theirs:8.3f} s   {options.frames / theirs:8.0f} frames a second")
        print(f"ratio      {theirs / ours:8.2f}")
        print(f"largest difference {float((head(*fields) - work()).abs().max()):.1e} m")


if __name__ == "__main__":
    main()
