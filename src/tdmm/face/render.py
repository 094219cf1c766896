"""A software rasteriser for faces: numpy alone, smooth shaded, z-buffered.

Fast because nothing loops over triangles: every triangle is cut into the pixels of its bounding box,
triangles of like size together, and the nearest one at each pixel wins through one packed integer
(depth above, triangle below).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tdmm.errors import InvalidInput
from tdmm.face.head_asset import HeadAsset, load_asset

if TYPE_CHECKING:
    from tdmm.face.model import Moving

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks at a point.

    Attributes:
        target: metres, the point in the middle of the picture.
        distance: metres from the target.
        yaw, pitch: radians; yaw > 0 moves the camera to the face's own left, pitch > 0 raises it.
        height_m: metres that fill the picture's height at the target's distance.
    """

    target: tuple[float, float, float] = (0.0, 0.014, 0.03)
    distance: float = 1.4
    yaw: float = 0.0
    pitch: float = 0.0
    height_m: float = 0.285

    def rotation(self) -> Floats:
        """(3, 3): rows are the picture's right, up and toward the viewer, in world axes."""
        cy, sy, cp, sp = np.cos(self.yaw), np.sin(self.yaw), np.cos(self.pitch), np.sin(self.pitch)
        return np.array([[cy, 0, -sy], [-sy * sp, cp, -cy * sp], [sy * cp, sp, cy * cp]], np.float32)

    def project(self, points: Floats, width: int, height: int) -> tuple[Floats, Floats, Floats]:
        """Pixel x, pixel y (down) and distance in metres of world points (..., 3)."""
        seen = (points - np.asarray(self.target, np.float32)) @ self.rotation().T
        depth = np.float32(self.distance) - seen[..., 2]
        scale = np.float32(height / self.height_m * self.distance) / depth
        x = seen[..., 0] * scale + np.float32(width / 2)
        y = np.float32(height / 2) - seen[..., 1] * scale
        return x, y, depth


@dataclass(frozen=True)
class Light:
    """A distant lamp. `direction` points from the face to the lamp, in the camera's axes."""

    direction: tuple[float, float, float]
    colour: tuple[float, float, float]


KEY_FILL_RIM: tuple[Light, ...] = (
    Light((-0.45, 0.55, 0.75), (0.84, 0.81, 0.77)),
    Light((0.80, 0.05, 0.55), (0.26, 0.28, 0.32)),
    Light((0.15, 0.70, -0.70), (0.35, 0.36, 0.40)),
)
"""A warm key from the upper left, a cool fill from the right, a rim from behind."""
SKY, GROUND = np.array([0.34, 0.35, 0.38], np.float32), np.array([0.20, 0.17, 0.16], np.float32)
BACKGROUND = (0.16, 0.18, 0.22)
_GLOSS = {
    "skin": 0.07, "sclera": 0.35, "limbus": 0.8, "iris": 0.8, "pupil": 0.8,
    "teeth": 0.25, "tongue": 0.2,
}  # fmt: skip


_DULL = 0.5
"""Cosines below it, to the power of a highlight, are less than a picture can show."""


def vertex_normals(vertices: Floats, faces: Ints) -> Floats:
    """Area-weighted unit normals (V, 3)."""
    corners = vertices[faces]
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat = faces.ravel()
    out = np.stack([np.bincount(flat, np.repeat(face[:, k], 3), len(vertices)) for k in range(3)], 1)
    length = np.sqrt(np.einsum("vc,vc->v", out, out))
    normals: Floats = (out / np.maximum(length, 1e-20)[:, None]).astype(np.float32)
    return normals


def rasterise(x: Floats, y: Floats, depth: Floats, faces: Ints, width: int, height: int) -> Ints:
    """(H, W) nearest triangle that covers each pixel's middle; -1 where there is none.

    Only triangles that face the viewer are drawn.
    """
    triangles = _Triangles.on_screen(x, y, faces)
    ax, ay = triangles.x, triangles.y
    left = np.ceil(ax.min(0) - 0.5).astype(np.int32).clip(0)
    right = np.floor(ax.max(0) - 0.5).astype(np.int32).clip(None, width - 1)
    top = np.ceil(ay.min(0) - 0.5).astype(np.int32).clip(0)
    bottom = np.floor(ay.max(0) - 0.5).astype(np.int32).clip(None, height - 1)
    wide, tall = right - left + 1, bottom - top + 1
    far = depth[faces.T.copy()]
    kept = np.flatnonzero((triangles.area < 0) & (wide > 0) & (tall > 0) & (far.min(0) > 0.05))
    # One list of all pixels of all bounding boxes: pixel k of triangle f.
    count = wide[kept] * tall[kept]
    face = np.repeat(kept, count)
    start = np.cumsum(count) - count
    k = np.arange(len(face), dtype=np.int32) - np.repeat(start.astype(np.int32), count)
    row, column = np.divmod(k, wide[face])
    column += left[face]
    row += top[face]
    px, py = column.astype(np.float32) + np.float32(0.5), row.astype(np.float32) + np.float32(0.5)
    w1, w2 = triangles.weights(face, px, py)
    inside = np.flatnonzero((w1 >= 0) & (w2 >= 0) & (w1 + w2 <= 1))
    face, w1, w2 = face[inside], w1[inside], w2[inside]
    pixel = row[inside] * np.int32(width) + column[inside]
    n0, n1, n2 = np.float32(1) / far
    near = n0[face] + w1 * (n1 - n0)[face] + w2 * (n2 - n0)[face]
    return _nearest(pixel, near, face, width * height).reshape(height, width)


@dataclass(frozen=True)
class _Triangles:
    """Triangles on the screen: corners (3, F), twice the signed area, the edges at the first corner over it."""

    x: Floats
    y: Floats
    area: Floats
    edges: tuple[Floats, Floats, Floats, Floats]

    @classmethod
    def on_screen(cls, x: Floats, y: Floats, faces: Ints) -> _Triangles:
        corners = faces.T.copy()
        ax, ay = x[corners], y[corners]
        x1, y1, x2, y2 = ax[1] - ax[0], ay[1] - ay[0], ax[2] - ax[0], ay[2] - ay[0]
        area = x1 * y2 - y1 * x2
        inverse = np.float32(1) / np.where(area == 0, np.float32(1), area)
        return cls(ax, ay, area, (x1 * inverse, y1 * inverse, x2 * inverse, y2 * inverse))

    def weights(self, face: npt.NDArray[np.signedinteger[Any]], px: Floats, py: Floats) -> tuple[Floats, Floats]:
        """Weights of the second and third corner of each `face` at a pixel, linear on the screen."""
        x1, y1, x2, y2 = self.edges
        dx, dy = px - self.x[0][face], py - self.y[0][face]
        return dx * y2[face] - dy * x2[face], dy * x1[face] - dx * y1[face]


def _nearest(pixel: Ints, near: Floats, face: npt.NDArray[np.intp], pixels: int) -> Ints:
    """Face with the largest `near` at each pixel.

    Positive floats order as their bits do, so nearness and face pack into one integer.
    """
    packed = near.view(np.uint32).astype(np.uint64) << np.uint64(32) | face.astype(np.uint64)
    buffer = np.zeros(pixels, np.uint64)
    np.maximum.at(buffer, pixel, packed)
    winner: Ints = np.where(buffer == 0, -1, (buffer & np.uint64(0xFFFFFFFF)).astype(np.int32))
    return winner


def render(
    vertices: Floats,
    size: tuple[int, int] = (384, 384),
    *,
    camera: Camera | None = None,
    lights: tuple[Light, ...] = KEY_FILL_RIM,
    background: tuple[float, float, float] = BACKGROUND,
    supersample: int = 1,
    asset: HeadAsset | None = None,
) -> Image:
    """Draw one head.

    Args:
        vertices: (V, 3) metres, as `ArkitHead` gives them.
        size: width and height in pixels.
        camera: from the front by default.
        lights: distant lamps in the camera's axes, added to a soft sky.
        background: sRGB, 0 to 1.
        supersample: 2 draws at twice the size and averages; smoother edges, about four times slower.
        asset: triangles and colours; the built-in head by default.

    Returns:
        (height, width, 3) uint8 sRGB.

    Raises:
        InvalidInput: the vertices are not this head's, or a size is not positive.
    """
    asset, camera = asset or load_asset(), camera or Camera()
    if vertices.shape != asset.vertices.shape:
        raise InvalidInput(f"vertices has shape {vertices.shape}; {asset.vertices.shape} is needed.")
    if min(*size, supersample) < 1:
        raise InvalidInput(f"size {size} and supersample {supersample} must be 1 or more.")
    width, height = size[0] * supersample, size[1] * supersample
    vertices = np.ascontiguousarray(vertices, np.float32)
    x, y, depth = camera.project(vertices, width, height)
    winner = rasterise(x, y, depth, asset.faces, width, height).ravel()
    drawn = np.flatnonzero(winner >= 0)
    face = winner[drawn]
    colours = _shade(asset, vertices, camera, lights, (x, y, depth), face, drawn, width)
    if supersample == 1:
        flat = np.empty((height * width, 3), np.uint8)
        flat[:] = _to_bytes(np.asarray(background, np.float32))
        flat[drawn] = _to_bytes(colours)
        return flat.reshape(height, width, 3)
    image = np.tile(np.asarray(background, np.float32), (width * height, 1))
    image[drawn] = colours
    return _to_bytes(image.reshape(size[1], supersample, size[0], supersample, 3).mean((1, 3)))


def _to_bytes(srgb: Floats) -> Image:
    out: Image = (srgb.clip(0, 1) * 255 + 0.5).astype(np.uint8)
    return out


def _shade(
    asset: HeadAsset,
    vertices: Floats,
    camera: Camera,
    lights: tuple[Light, ...],
    screen: tuple[Floats, Floats, Floats],
    face: Ints,
    pixel: npt.NDArray[np.intp],
    width: int,
) -> Floats:
    """Colours (P, 3) of the drawn pixels."""
    x, y, _ = screen
    row, column = np.divmod(pixel.astype(np.int32), np.int32(width))
    px, py = column.astype(np.float32) + np.float32(0.5), row.astype(np.float32) + np.float32(0.5)
    w1, w2 = _Triangles.on_screen(x, y, asset.faces).weights(face, px, py)
    # Rows are components and columns pixels: numpy is fast along long rows.
    per_vertex = np.concatenate([vertex_normals(vertices, asset.faces) @ camera.rotation().T, asset.tint], 1).T.copy()
    first, second, third = per_vertex[:, asset.faces.T.copy()[:, face]].swapaxes(0, 1)
    mixed = first * (1 - w1 - w2) + second * w1 + third * w2
    return _lit(asset, lights, mixed[:3], mixed[3:], asset.face_material[face]).T


def _lit(
    asset: HeadAsset, lights: tuple[Light, ...], normal: Floats, tint: Floats, material: npt.NDArray[np.uint8]
) -> Floats:
    """Colours (3, P) of pixels with these normals (3, P), tints (3, P) and materials (P,)."""
    normal = normal / np.sqrt((normal * normal).sum(0)).clip(1e-6)
    # Rows of teeth are coarse boxes whose smooth normals look bruised; they are lit as if facing the viewer.
    teeth = np.flatnonzero(material == _place(asset, "teeth"))
    normal[:, teeth] = normal[:, teeth] * np.float32(0.25) + np.array([[0], [0], [0.75]], np.float32)
    albedo = np.array([m.srgb for m in asset.materials], np.float32).T[:, material] * tint
    gloss = np.array([_GLOSS.get(m.name, 0.0) for m in asset.materials], np.float32)[material]

    sky = (normal[1] + 1) * np.float32(0.5)
    light = GROUND[:, None] + sky * (SKY - GROUND)[:, None]
    shine = np.zeros(len(material), np.float32)
    for lamp in lights:
        direction = np.asarray(lamp.direction, np.float32)
        direction = direction / np.linalg.norm(direction)
        # Light wraps a little around the form, as it does through skin.
        wrapped = ((direction @ normal + 0.25) / 1.25).clip(0)
        light += wrapped * np.asarray(lamp.colour, np.float32)[:, None]
        halfway = direction + np.array([0, 0, 1], np.float32)
        length = np.linalg.norm(halfway)
        if length > 0.5:
            mirrored = (halfway / length) @ normal
            bright = np.flatnonzero(mirrored > _DULL)
            shine[bright] += mirrored[bright] ** 40 * np.float32(max(lamp.colour))
    out: Floats = albedo * light + gloss * shine
    return out


def _place(asset: HeadAsset, material: str) -> int:
    return next((i for i, m in enumerate(asset.materials) if m.name == material), -1)


def render_motion(
    motion: Moving,
    size: tuple[int, int] = (384, 384),
    *,
    camera: Camera | None = None,
    identity: Floats | None = None,
    supersample: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Image]:
    """Draw every frame of a motion on the built-in head, with one framing for the whole clip.

    Args:
        motion: on the `arkit` rig.
        size: width and height in pixels.
        camera: by default from the front, moved to the middle of the clip's own translation.
        identity: (I,) in place of the motion's own.
        supersample: as in `render`.
        progress: called with frames done and frames in all.

    Yields:
        (height, width, 3) uint8 sRGB, one a frame.

    Raises:
        InvalidInput: the motion is on another rig or lacks a channel.
    """
    import torch

    from tdmm.face.arkit import load_head

    head = load_head()
    if camera is None:
        middle = motion.translation_or_zeros()
        middle = (middle.min(0) + middle.max(0)) / 2
        x, y, z = (float(a + b) for a, b in zip(Camera().target, middle, strict=True))
        camera = Camera(target=(x, y, z))
    whole = None if identity is None else torch.tensor(identity)
    for first in range(0, motion.frames, 32):
        with torch.inference_mode():
            chunk = head.animate(_Frames(motion, first, min(first + 32, motion.frames)), whole).numpy()
        for offset, vertices in enumerate(chunk):
            yield render(vertices, size, camera=camera, supersample=supersample, asset=head.asset)
            if progress:
                progress(first + offset + 1, motion.frames)


class _Frames:
    """Some frames of a motion."""

    def __init__(self, motion: Moving, first: int, last: int) -> None:
        self._motion, self._span = motion, slice(first, last)
        self.rig, self.identity, self.frames = motion.rig, motion.identity, last - first
        self.head = motion.head[self._span]

    def in_order(self, channels: tuple[str, ...]) -> Floats:
        frames: Floats = self._motion.in_order(channels)[self._span]
        return frames

    def translation_or_zeros(self) -> Floats:
        frames: Floats = self._motion.translation_or_zeros()[self._span]
        return frames
