"""The identity space of the built-in head: a small PCA of MakeHuman's adults.

Heads are drawn at random: gender, age (25 to 80), muscle, weight, ancestry (a mixture of MakeHuman's
three) and the local targets of head, forehead, brows, eyes, nose, mouth, cheeks, chin, ears and neck,
left and right together with a little asymmetry. Targets are linear, so the drawn coefficients times the
targets are the heads. One unit of a component is one standard deviation of the drawn heads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from makehuman import MakeHuman

Array = npt.NDArray[np.float64]
LOCAL_FOLDERS = ("head", "forehead", "eyebrows", "eyes", "nose", "mouth", "cheek", "chin", "ears", "neck")
LOCAL_SPREAD = {"head": 0.2, "neck": 0.2, "ears": 0.25, "eyes": 0.22, "mouth": 0.2}
OPPOSITES = (
    ("decr", "incr"), ("down", "up"), ("in", "out"), ("backward", "forward"), ("concave", "convex"),
    ("compress", "uncompress"),
)  # fmt: skip
ASYMMETRY = 0.15
# Targets that move the whole head or are not shapes people have.
LEFT_OUT = (
    "head/head-trans", "head/head-age", "neck/neck-trans",
    "ears/l-ear-shape-pointed", "ears/r-ear-shape-pointed",
)  # fmt: skip


@dataclass(frozen=True)
class Axis:
    """One local degree of freedom: a target for either sign (the same one negated if there is none)."""

    positive: str
    negative: str | None
    spread: float
    pair: str  # left and right share this


def local_axes(source: MakeHuman) -> list[Axis]:
    """The local targets as signed axes."""
    axes = []
    for folder in LOCAL_FOLDERS:
        names = [n for n in source.target_names(folder) if not n.startswith(LEFT_OUT)]
        for name in names:
            stem, _, ending = name.rpartition("-")
            partner = next((low for low, high in OPPOSITES if high == ending and f"{stem}-{low}" in names), None)
            if any(low == ending and f"{stem}-{high}" in names for low, high in OPPOSITES):
                continue
            pair = name.replace("/l-", "/").replace("/r-", "/")
            spread = LOCAL_SPREAD.get(folder, 0.25)
            axes.append(Axis(name, f"{stem}-{partner}" if partner else None, spread, pair))
    return axes


def macro_names() -> list[str]:
    """The age, gender, ancestry, muscle and weight targets of adults."""
    ages, genders = ("young", "old"), ("female", "male")
    ancestries = ("african", "asian", "caucasian")
    names = [f"macrodetails/{r}-{g}-{a}" for r in ancestries for g in genders for a in ages]
    names += [
        f"macrodetails/universal-{g}-{a}-{m}muscle-{w}weight"
        for g in genders for a in ages for m in ("min", "average", "max") for w in ("min", "average", "max")
    ]  # fmt: skip
    return names


def _macro_weights(rng: np.random.Generator) -> dict[str, float]:
    male, old = rng.beta(0.7, 0.7), rng.beta(1.0, 2.2)
    ancestry = dict(zip(("african", "asian", "caucasian"), rng.dirichlet([0.7] * 3), strict=True))
    level = {}
    for kind, value in (("muscle", rng.normal(0, 0.3)), ("weight", rng.normal(0, 0.35))):
        value = float(np.clip(value, -1, 1))
        level[kind] = {"min": max(-value, 0.0), "average": 1 - abs(value), "max": max(value, 0.0)}
    weights = {}
    for name in macro_names():
        parts = name.removeprefix("macrodetails/").split("-")
        weight = (male if parts[1] == "male" else 1 - male) * (old if parts[2] == "old" else 1 - old)
        if parts[0] == "universal":
            weight *= level["muscle"][parts[3].removesuffix("muscle")]
            weight *= level["weight"][parts[4].removesuffix("weight")]
        else:
            weight *= ancestry[parts[0]]
        weights[name] = weight
    return weights


def draw(source: MakeHuman, count: int, seed: int) -> tuple[list[str], Array]:
    """Target names and (count, targets) coefficients of random adults; symmetric on average."""
    axes = local_axes(source)
    names = macro_names() + [n for axis in axes for n in (axis.positive, axis.negative) if n]
    place = {name: i for i, name in enumerate(names)}
    rng = np.random.default_rng(seed)
    coefficients = np.zeros((2 * count, len(names)))
    for row in range(count):
        macro = _macro_weights(rng)
        shared = {pair: rng.normal() for pair in sorted({axis.pair for axis in axes})}
        own = {axis.positive: ASYMMETRY * rng.normal() for axis in axes}
        for half in (0, 1):  # every head and its mirror image: the average is symmetric
            target = coefficients[2 * row + half]
            for name, weight in macro.items():
                target[place[name]] = weight
            for axis in axes:
                swapped = axis.positive.replace("/l-", "/?-").replace("/r-", "/l-").replace("/?-", "/r-")
                private = own.get(swapped if half else axis.positive, 0.0) if axis.positive != axis.pair else 0.0
                value = axis.spread * (shared[axis.pair] + private)
                if axis.negative is None or value >= 0:
                    target[place[axis.positive]] = value
                else:
                    target[place[axis.negative]] = -value
    return names, coefficients


def principal(heads: Array, weight: Array, components: int) -> tuple[Array, Array, Array]:
    """PCA of heads (N, V, 3) with a weight per vertex.

    Returns:
        mean (V, 3), basis (components, V, 3) for one standard deviation each, share of the weighted variance.
    """
    mean = heads.mean(0)
    flat = (heads - mean) * np.sqrt(weight)[:, None]
    flat = flat.reshape(len(heads), -1)
    gram = flat @ flat.T / len(heads)
    values, vectors = np.linalg.eigh(gram)
    values, vectors = values[::-1][:components], vectors[:, ::-1][:, :components]
    scores = vectors * np.sqrt(len(heads))  # unit variance
    basis = np.einsum("nk,nvc->kvc", scores, heads - mean) / len(heads)
    # Signs are made definite: the largest displacement of a component points to a positive direction.
    for k in range(components):
        peak = basis[k].ravel()[np.abs(basis[k]).argmax()]
        basis[k] *= np.sign(peak)
    return mean, basis, values / np.trace(gram)
