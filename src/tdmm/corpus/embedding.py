"""t-SNE: points of many dimensions on a page, near ones staying near.

Van der Maaten and Hinton, "Visualizing Data using t-SNE" (2008), in its exact form: time and memory grow with the
square of the number of points, and a thousand take some seconds.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

_EXAGGERATED, _BY = 100, 12.0  # steps in which near ones are pulled together harder, and how much
_HALVINGS = 40


def tsne(points: Doubles, *, perplexity: float = 30.0, steps: int = 400, seed: int = 0) -> Doubles:
    """(n, 2) places of points (n, D), the same for the same seed.

    Args:
        points: scaled here to the same spread in every dimension; at least four.
        perplexity: about how many neighbours a point looks at; at most a third of the points.
        steps: of gradient descent.
        seed: where the points start.
    """
    count = len(points)
    if count < 4:
        raise ValueError(f"{count} points; at least 4 are needed")
    spread = points.std(0)
    scaled = (points - points.mean(0))[:, spread > 0] / spread[spread > 0]
    near = _likenesses(_squares(scaled), min(perplexity, (count - 1) / 3))
    near = np.maximum((near + near.T) / (2 * count), 1e-12)
    placed = np.random.default_rng(seed).normal(0, 1e-4, (count, 2))
    moving, gains = np.zeros_like(placed), np.ones_like(placed)
    rate = max(count / _BY / 4, 50.0)
    for step in range(steps):
        kernel = 1.0 / (1.0 + _squares(placed))
        np.fill_diagonal(kernel, 0.0)
        wanted = near * (_BY if step < _EXAGGERATED else 1.0)
        pull = (wanted - kernel / kernel.sum()) * kernel
        gradient = 4.0 * (pull.sum(1)[:, None] * placed - pull @ placed)
        # Larger steps where the direction stays, smaller ones where it turns.
        gains = np.maximum(np.where(np.sign(gradient) == np.sign(moving), 0.8 * gains, gains + 0.2), 0.01)
        moving = (0.5 if step < _EXAGGERATED else 0.8) * moving - rate * gains * gradient
        placed = placed + moving
    centred: Doubles = placed - placed.mean(0)
    return centred


def _squares(points: Doubles) -> Doubles:
    """(n, n) squared distances."""
    lengths = (points**2).sum(1)
    squares: Doubles = np.maximum(lengths[:, None] + lengths - 2.0 * points @ points.T, 0.0)
    return squares


def _likenesses(squares: Doubles, perplexity: float) -> Doubles:
    """(n, n) how likely each point would choose each other as its neighbour; each row of that perplexity."""
    low, high = np.full(len(squares), 1e-12), np.full(len(squares), 1e12)
    others = ~np.eye(len(squares), dtype=bool)
    # Of a row only the differences count, so the nearest one is put at 0.
    farther = np.maximum(squares - np.where(others, squares, np.inf).min(1, keepdims=True), 0.0)
    chances = np.zeros_like(squares)
    for _ in range(_HALVINGS):
        sharp = np.sqrt(low * high)
        chances = np.exp(-farther * sharp[:, None]) * others
        chances /= chances.sum(1, keepdims=True)
        entropy = -(chances * np.log(np.maximum(chances, 1e-300))).sum(1)
        wide = entropy > np.log(perplexity)
        low, high = np.where(wide, sharp, low), np.where(wide, high, sharp)
    return chances
