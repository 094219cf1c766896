"""Pictures of what a corpus holds. Needs the extra `[eval]`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tdmm.corpus.embedding import tsne
from tdmm.corpus.manifest import make_folder
from tdmm.corpus.stats import Evenness, Stats
from tdmm.errors import MissingDependency
from tdmm.files import written_aside

FIGURES = "figures"
"""Folder of the pictures, within that of the corpus."""

_INK, _BLUE, _SIZE, _DPI = "#333333", "#3b6ea8", (6.4, 3.6), 120
_NAMED = 10  # descriptors that have a colour of their own
_FEWEST = 8  # clips that neighbours can be told for
_ANGLES = ("pitch", "yaw", "roll")


@dataclass(frozen=True)
class Picture:
    """A picture that was drawn: its path within the corpus, and what it shows."""

    path: str
    caption: str


def draw(stats: Stats, folder: Path) -> list[Picture]:
    """Draw into `folder/figures` what there is to draw: what no clip tells is left out.

    Raises:
        MissingDependency: matplotlib is not installed.
        FileProblem: the folder cannot be written.
    """
    figure_of = _figures()
    make_folder(folder / FIGURES)
    pictures = []
    for name, caption, painted, there in _planned(stats):
        if not there:
            continue
        figure = figure_of()
        axes = figure.add_subplot()
        painted(axes)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=_INK, labelsize=8)
        with written_aside(folder / FIGURES / f"{name}.png") as aside:
            # Without the date and the version the same corpus gives the same bytes.
            figure.savefig(aside, dpi=_DPI, metadata={"Software": None})
        pictures.append(Picture(f"{FIGURES}/{name}.png", caption))
    return pictures


def _figures() -> Callable[[], Any]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependency(f"Drawing figures needs matplotlib ({error}): pip install 'tdmm[eval]'") from error

    def figure() -> Any:
        made = Figure(figsize=_SIZE, layout="constrained")
        FigureCanvasAgg(made)
        return made

    return figure


def _planned(stats: Stats) -> list[tuple[str, str, Callable[[Any], None], bool]]:
    """Name, caption, painter, and whether there is anything to paint."""
    return [
        ("durations", "Seconds a clip.", lambda axes: _histogram(axes, stats.seconds, "seconds"), True),
        (
            "descriptors", "Clips of each descriptor, the rarest first; the line is their mean, the band 5 % about it.",
            lambda axes: _counts(axes, stats.descriptors), bool(stats.descriptors.counts),
        ),
        (
            "subjects", "Clips of each subject.",
            lambda axes: _bars(axes, stats.subjects.counts), bool(stats.subjects.counts),
        ),
        (
            "intensities", "Intensities that were asked for.",
            lambda axes: _histogram(axes, stats.intensities, "intensity"), stats.intensities.size > 0,
        ),
        (
            "head", "How far heads turn within a clip, from one extreme to the other: half of the clips lie in the "
            "boxes, nine in ten between the whiskers.",
            lambda axes: _boxes(axes, stats), True,
        ),
        (
            "motions", f"{len(stats.labels)} motions of one descriptor by likeness (t-SNE of the mean, spread and peak "
            f"of every coefficient); the {_NAMED} most frequent descriptors among them have a colour.",
            lambda axes: _map(axes, stats), len(stats.labels) >= _FEWEST,
        ),
    ]  # fmt: skip


def _histogram(axes: Any, values: Any, what: str) -> None:
    axes.hist(values, bins=30, color=_BLUE)
    axes.set_xlabel(what)
    axes.set_ylabel("count")


def _counts(axes: Any, even: Evenness) -> None:
    axes.bar(range(len(even.counts)), [even.counts[kind] for kind in even.ordered()], width=1.0, color=_BLUE)
    axes.axhline(even.mean, color=_INK, linewidth=0.8)
    axes.axhspan(0.95 * even.mean, 1.05 * even.mean, color=_INK, alpha=0.15, linewidth=0)
    axes.set_xlabel("descriptors")
    axes.set_ylabel("clips")


def _bars(axes: Any, counts: Mapping[str, int]) -> None:
    shown = Counter(counts).most_common(40)
    axes.barh([name for name, _ in reversed(shown)], [count for _, count in reversed(shown)], color=_BLUE)
    axes.tick_params(axis="y", labelsize=min(8.0, 160 / len(shown)))
    axes.set_xlabel("clips")


def _boxes(axes: Any, stats: Stats) -> None:
    axes.boxplot(stats.head_deg, whis=(5, 95), showfliers=False, orientation="horizontal", tick_labels=_ANGLES)
    axes.set_xlabel("degrees")


def _map(axes: Any, stats: Stats) -> None:
    places = tsne(stats.signatures)
    named = [name for name, _ in Counter(stats.labels).most_common(_NAMED)]
    others = [label not in named for label in stats.labels]
    axes.scatter(*places[others].T, s=4, color="#cccccc", linewidths=0)
    for number, name in enumerate(named):
        these = [label == name for label in stats.labels]
        label = name.replace("_", " ")
        axes.scatter(*places[these].T, s=9, color=f"C{number}", label=label, linewidths=0)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.legend(fontsize=6, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
