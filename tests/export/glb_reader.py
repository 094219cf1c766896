"""Reads back what a `.glb` says, by the specification and with nothing of tdmm."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

_DTYPES = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
_WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class GlbFile:
    def __init__(self, path: Path) -> None:
        content = path.read_bytes()
        magic, version, length = struct.unpack_from("<III", content)
        assert (magic, version, length) == (0x46546C67, 2, len(content))
        size, kind = struct.unpack_from("<II", content, 12)
        assert kind == 0x4E4F534A
        self.json: dict[str, Any] = json.loads(content[20 : 20 + size])
        _, kind = struct.unpack_from("<II", content, 20 + size)
        assert kind == 0x004E4942
        self.binary = content[28 + size :]

    def accessor(self, number: int) -> np.ndarray:
        entry = self.json["accessors"][number]
        width, dtype = _WIDTHS[entry["type"]], _DTYPES[entry["componentType"]]
        array = np.zeros((entry["count"], width), dtype)
        if "bufferView" in entry:
            array = self._view(entry["bufferView"], dtype, entry["count"] * width).reshape(-1, width).copy()
        if "sparse" in entry:
            sparse = entry["sparse"]
            index = self._view(
                sparse["indices"]["bufferView"], _DTYPES[sparse["indices"]["componentType"]], sparse["count"]
            )
            array[index] = self._view(sparse["values"]["bufferView"], dtype, sparse["count"] * width).reshape(-1, width)
        return array

    def track(self, node_name: str, path: str) -> tuple[np.ndarray, np.ndarray]:
        """Times and values of an animated property."""
        animation = self.json["animations"][0]
        for channel in animation["channels"]:
            target = channel["target"]
            if self.json["nodes"][target["node"]]["name"] == node_name and target["path"] == path:
                sampler = animation["samplers"][channel["sampler"]]
                return self.accessor(sampler["input"])[:, 0], self.accessor(sampler["output"])
        raise AssertionError(f"no track for {path} of {node_name}")

    def posed(self, frame: int) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """Material, vertices (V, 3) and triangles (F, 3) of each primitive at a frame: morphed, then skinned."""
        weights = self.track("face", "weights")[1].reshape(-1, 52)[frame]
        joints = self._joints(frame)
        out = []
        for primitive in self.json["meshes"][0]["primitives"]:
            attributes = primitive["attributes"]
            vertices = self.accessor(attributes["POSITION"]).astype(float)
            for weight, target in zip(weights, primitive["targets"], strict=True):
                vertices += weight * self.accessor(target["POSITION"])
            bound = np.einsum(
                "vj,vjrc->vrc",
                self.accessor(attributes["WEIGHTS_0"]).astype(float),
                joints[self.accessor(attributes["JOINTS_0"])],
            )
            vertices = np.einsum("vrc,vc->vr", bound, np.c_[vertices, np.ones(len(vertices))])[:, :3]
            name = self.json["materials"][primitive["material"]]["name"]
            out.append((name, vertices, self.accessor(primitive["indices"]).reshape(-1, 3)))
        return out

    def _joints(self, frame: int) -> np.ndarray:
        skin = self.json["skins"][0]
        inverse = self.accessor(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1).astype(float)
        nodes = self.json["nodes"]
        parent = {child: number for number, node in enumerate(nodes) for child in node.get("children", [])}
        world: dict[int, np.ndarray] = {}
        for number in sorted(skin["joints"], key=lambda n: _depth(n, parent)):
            local = self._local(nodes[number], frame)
            world[number] = world[parent[number]] @ local if number in parent else local
        return np.stack([world[number] @ matrix for number, matrix in zip(skin["joints"], inverse, strict=True)])

    def _local(self, node: dict[str, Any], frame: int) -> np.ndarray:
        matrix = np.eye(4)
        matrix[:3, 3] = node.get("translation", [0, 0, 0])
        for path in ("translation", "rotation"):
            try:
                value = self.track(node["name"], path)[1][frame].astype(float)
            except AssertionError:
                continue
            if path == "translation":
                matrix[:3, 3] = value
            else:
                x, y, z, w = value
                matrix[:3, :3] = [
                    [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                    [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                    [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
                ]
        return matrix

    def _view(self, number: int, dtype: Any, count: int) -> np.ndarray:
        view = self.json["bufferViews"][number]
        assert np.dtype(dtype).itemsize * count <= view["byteLength"]
        return np.frombuffer(self.binary, dtype, count, view["byteOffset"])


def _depth(number: int, parent: dict[int, int]) -> int:
    return 1 + _depth(parent[number], parent) if number in parent else 0
