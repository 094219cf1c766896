"""Landmarks that a head shows by itself, without a file that places them: lids, lips, tip of the nose, eyeballs.

The neutral head is drawn from the front. Where an eyeball shows between the lids is the opening of that eye; its rim
gives the corners and both lids. Where the skin below goes with the opening jaw and the skin above does not is the line
between the lips. Any head with eyeballs and a jaw has these, so that heads without landmark files find each other too,
and upper lip meets upper lip.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tdmm.errors import ArtifactProblem
from tdmm.face.head_surface import SIDES, Floats, HeadSurface, Ints, Mask
from tdmm.face.render import rasterise

_STEP = 0.4e-3
"""Metres a pixel."""
_FAR = 100.0
"""Metres to the camera; so far that the picture is flat."""
_ALONG = (-0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75)
"""Where along a lid or a lip points are taken, from the middle to the corners."""
_JUMP = 0.25
"""Lips part where the skin's way with the jaw jumps by this share of the jump in the middle."""
_LEAST_JUMP = 0.1
"""The least jump in the middle that is one."""
_AROUND, _DEEP = 12, 8e-3
"""Skin this many metres behind skin that many pixels above or below is the inside of the mouth."""

Placed = dict[str, tuple[Ints, Floats]]


def seen_landmarks(head: HeadSurface) -> Placed:
    """Landmark name to its place on the head, as `HeadSurface.landmarks`; names begin with `seen_`.

    Raises:
        ArtifactProblem: an eye is shut, or no lips part as the jaw opens: the head is not neutral, or not a face.
    """
    view = _View(head)
    found: Placed = {}
    for side in SIDES:
        found |= view.lids(side)
    found |= view.lips()
    found |= view.nose(found)
    return found


class _View:
    """The head from the front, a pixel each `_STEP`."""

    def __init__(self, head: HeadSurface) -> None:
        self.head = head
        centres = np.stack([head.eye_centre(side) for side in SIDES])
        between = float(np.linalg.norm(centres[0] - centres[1]))
        # From above the brows to below the chin, in widths between the eyes.
        self.left, self.top = centres[:, 0].mean() - 1.1 * between, centres[:, 1].mean() + 0.8 * between
        width, height = int(2.2 * between / _STEP), int(3.0 * between / _STEP)
        self.eyes = centres
        self.between = between
        self.faces = np.concatenate([head.skin, *(head.eyes[side] for side in SIDES)])
        ends = np.cumsum([len(head.skin), *(len(head.eyes[side]) for side in SIDES)])
        # Pictures have x to the right, which is the face's own left seen from the front.
        x = ((head.vertices[:, 0] - self.left) / _STEP).astype(np.float32)
        y = ((self.top - head.vertices[:, 1]) / _STEP).astype(np.float32)
        depth = (_FAR - head.vertices[:, 2]).astype(np.float32)
        self.shown = rasterise(x, y, depth, self.faces.astype(np.int32), width, height)
        self.is_skin: Mask = (self.shown >= 0) & (self.shown < ends[0])
        self.near = np.where(self.shown >= 0, head.vertices[self.faces[self.shown]][..., 2].mean(-1), -np.inf)
        self.is_eye = {side: (self.shown >= ends[i]) & (self.shown < ends[i + 1]) for i, side in enumerate(SIDES)}

    def lids(self, side: str) -> Placed:
        rows, columns = np.nonzero(self.is_eye[side])
        if len(rows) < 20:
            raise ArtifactProblem(f"The {side} eye of the head '{self.head.name}' is shut; give its neutral face.")
        first, last = int(columns.min()), int(columns.max())
        middle, half = (first + last) / 2, (last - first) / 2
        found: Placed = {}
        for number, share in enumerate(_ALONG):
            column = round(middle + share * half)
            own = rows[columns == column]
            if len(own):
                found |= self._skin_near(f"seen_upper_lid_{side}_{number}", int(own.min()), column, -1, 0)
                found |= self._skin_near(f"seen_lower_lid_{side}_{number}", int(own.max()), column, 1, 0)
        for corner, column, step in (("low_x", first, -1), ("high_x", last, 1)):
            row = round(float(rows[columns == column].mean()))
            found |= self._skin_near(f"seen_corner_{corner}_{side}", row, column, 0, step)
        return found

    def lips(self) -> Placed:
        share, outer = self._jaw_share(), self._outer()
        # Between lips that do not quite touch one sees into the mouth: there the lip above goes on.
        last = np.maximum.accumulate(np.where(outer, np.arange(len(outer))[:, None], 0), axis=0)
        share = np.take_along_axis(share, last, axis=0)
        low = self._row(self.eyes[:, 1].mean() - 0.5 * self.between)
        jumps = share[low + 2 :] - share[low:-2]
        rows, sizes = jumps.argmax(0) + low + 1, jumps.max(0)
        centre = round((self.eyes[:, 0].mean() - self.left) / _STEP)
        if sizes[centre] < _LEAST_JUMP:
            raise ArtifactProblem(f"No lips part as the jaw of the head '{self.head.name}' opens; is it a whole face?")
        ends = []
        for step in (-1, 1):
            column = centre
            while (
                0 < column < len(sizes) - 1
                and sizes[column + step] > _JUMP * sizes[centre]
                and abs(rows[column + step] - rows[column]) < 6
            ):
                column += step
            ends.append(column)
        middle, half = sum(ends) / 2, (ends[1] - ends[0]) / 2
        found: Placed = {}
        for number, along in enumerate((-1.0, *_ALONG, 1.0)):
            column = round(middle + along * half)
            row = int(last[rows[column] - 1, column])
            found |= {f"seen_lips_{number}": self._place(row, column)}
        return found

    def nose(self, found: Placed) -> Placed:
        """The foremost skin between the eyes and the lips."""
        corners, shares = found[f"seen_lips_{1 + _ALONG.index(0.0)}"]
        lips = float((self.head.vertices[corners] * shares[:, None]).sum(0)[1])
        first, last = self._row(self.eyes[:, 1].mean()), self._row(lips)
        centre, reach = round((self.eyes[:, 0].mean() - self.left) / _STEP), round(0.15 * self.between / _STEP)
        part = np.where(self.is_skin, self.near, -np.inf)[first:last, centre - reach : centre + reach]
        row, column = np.unravel_index(int(part.argmax()), part.shape)
        return {"seen_nose": self._place(first + int(row), centre - reach + int(column))}

    def _outer(self) -> Mask:
        """(H, W) skin that is not deep behind the skin a little above or below it, as the inside of a mouth is."""
        near = np.where(self.is_skin, self.near, -np.inf)
        around = np.pad(near, ((_AROUND, _AROUND), (0, 0)), constant_values=-np.inf)
        foremost = np.lib.stride_tricks.sliding_window_view(around, 2 * _AROUND + 1, axis=0).max(-1)
        outer: Mask = self.is_skin & (near > foremost - _DEEP)
        return outer

    def _row(self, y: float) -> int:
        return round(float(self.top - y) / _STEP)

    def _jaw_share(self) -> npt.NDArray[np.float64]:
        corners = self.faces[self.shown]
        weights = self._shares(corners, *np.indices(self.shown.shape))
        share: npt.NDArray[np.float64] = np.einsum("hwk,hwk->hw", self.head.jaw_share[corners], weights)
        return share

    def _skin_near(self, name: str, row: int, column: int, down: int, right: int) -> Placed:
        """The first pixel of skin from here on in that direction; nothing where there is none within 3 mm."""
        for _ in range(round(3e-3 / _STEP)):
            if not (0 <= row < self.shown.shape[0] and 0 <= column < self.shown.shape[1]):
                break
            if self.is_skin[row, column]:
                return {name: self._place(row, column)}
            row, column = row + down, column + right
        return {}

    def _place(self, row: int, column: int) -> tuple[Ints, Floats]:
        corners = self.faces[self.shown[row, column]]
        return corners, self._shares(corners, np.array(row), np.array(column)).astype(np.float32)

    def _shares(self, corners: Ints, rows: Ints, columns: Ints) -> npt.NDArray[np.float64]:
        """(..., 3) of the corners (..., 3) of the triangles at pixels, as seen from the front."""
        point = np.stack([self.left + (columns + 0.5) * _STEP, self.top - (rows + 0.5) * _STEP], -1)
        a, b, c = np.moveaxis(self.head.vertices[corners][..., :2].astype(np.float64), -2, 0)
        ab, ac, ap = b - a, c - a, point - a
        area = ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0]
        area = np.where(np.abs(area) < 1e-14, 1e-14, area)
        second = ((ap[..., 0] * ac[..., 1] - ap[..., 1] * ac[..., 0]) / area).clip(0, 1)
        third = ((ab[..., 0] * ap[..., 1] - ab[..., 1] * ap[..., 0]) / area).clip(0, 1)
        # A triangle seen from its edge has no inside; its shares stay shares.
        over = np.maximum(second + third, 1)
        return np.stack([1 - (second + third) / over, second / over, third / over], -1)
