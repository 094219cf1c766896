"""The card of a corpus: a README.md as the Hugging Face hub shows it, with figures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tdmm.corpus.figures import Picture, draw
from tdmm.corpus.manifest import Manifest
from tdmm.corpus.rows import COLUMNS
from tdmm.corpus.splits import SPLITS
from tdmm.corpus.stats import TOLERANCE, Evenness, Stats, measure
from tdmm.files import written_aside
from tdmm.motion.features import FEATURES

CARD = "README.md"
UNKNOWN = "unknown"

_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"))


def write_card(folder: Path, *, title: str | None = None, licence: str = UNKNOWN) -> Path:
    """Measure a corpus, draw its figures and write `README.md` beside its shards.

    Args:
        folder: of a corpus.
        title: what it is called; None is the folder's name.
        licence: identifier as on the hub, for example cc-by-4.0.

    Raises:
        FileProblem: the corpus is unfinished or damaged, or the folder cannot be written.
        MissingDependency: matplotlib is not installed.
    """
    stats = measure(folder)
    pictures = draw(stats, folder)
    path = folder / CARD
    with written_aside(path) as aside:
        aside.write_text(card(stats, pictures, title or folder.resolve().name, licence))
    return path


def card(stats: Stats, pictures: Sequence[Picture], title: str, licence: str = UNKNOWN) -> str:
    """The text of the card."""
    parts = [
        "---\n" + yaml.safe_dump(front_matter(stats.manifest, title, licence), sort_keys=False) + "---",
        f"# {title}",
        _summary(stats, licence),
        "## Clips\n\n" + _table(("source", "clips"), stats.sources) + "\n\n" + _splits(stats),
        "## How it was made\n\n" + _made(stats.manifest.origin),
        "## How even it is\n\n" + "\n".join(f"- {line}" for line in evenness_lines(stats)),
        "## Figures\n\n" + "\n\n".join(f"![{each.caption}]({each.path})\n\n{each.caption}" for each in pictures),
        "## Columns\n\nOne row a clip.\n\n" + _table(("column", "what"), {c.name: c.meaning for c in COLUMNS}),
        _READING,
    ]
    return "\n\n".join(parts) + "\n"


def front_matter(manifest: Manifest, title: str, licence: str) -> dict[str, Any]:
    """The YAML that the hub reads: licence, size, and which files are which split."""
    size = next((name for limit, name in _SIZES if manifest.clips() < limit), "n>1M")
    return {
        "pretty_name": title,
        "license": licence,
        "language": ["en"],
        "size_categories": [size],
        "tags": ["facial-animation", "face", "motion", "blendshapes", "arkit", "facs", "text-to-motion"],
        "configs": [{"config_name": "default", "data_files": _data_files(manifest)}],
    }


def _data_files(manifest: Manifest) -> list[dict[str, Any]]:
    """Files of each split; files that hold several splits are all under `train`, as the hub asks for a name."""
    pure = all(len([count for count in shard.clips.values() if count]) == 1 for shard in manifest.shards)
    if not pure:
        return [{"split": "train", "path": [shard.name for shard in manifest.shards]}]
    files = {split: [shard.name for shard in manifest.shards if shard.clips.get(split)] for split in SPLITS}
    return [{"split": split, "path": names} for split, names in files.items() if names]


def evenness_lines(stats: Stats) -> list[str]:
    """What is to be said of the balance, a line each."""
    lines = []
    for what, even in (("descriptors", stats.descriptors), ("subject x descriptor", stats.crossed)):
        if not any(even.counts.values()):
            lines.append(f"{what}: no clip tells.")
            continue
        rarest, most = even.ordered()[0], even.ordered()[-1]
        lines.append(
            f"{what}: {len(even.counts)}, {even.mean:.1f} clips each on average, from {even.deviation(rarest):+.1%} "
            f"({_said(rarest)}) to {even.deviation(most):+.1%} ({_said(most)}); {_within(even)}."
        )
    return lines


def _within(even: Evenness) -> str:
    said = f"{even.within()} within ±{TOLERANCE:.0%}"
    return said if even.mean * TOLERANCE >= 1 else f"{said}, {even.within_one()} less than one clip off"


def _said(kind: str) -> str:
    return kind.replace("_", " ")


def _summary(stats: Stats, licence: str) -> str:
    seconds, head = stats.seconds, np.percentile(stats.head_deg, (50, 95), axis=0)
    lines = [
        f"{len(seconds):,} clips of faces in motion, {seconds.sum() / 3600:.2f} hours, {stats.texts:,} texts. Each "
        f"clip is {len(FEATURES)} numbers a frame, 25 frames a second: ARKit's 52 coefficients, the turns of the head "
        "and its place.",
        f"A clip lasts {seconds.min():.1f} to {seconds.max():.1f} s, {np.median(seconds):.1f} s in the middle. Heads "
        f"turn {head[0, 0]:.0f}° in pitch, {head[0, 1]:.0f}° in yaw and {head[0, 2]:.0f}° in roll in the middle clip, "
        f"{head[1, 0]:.0f}°, {head[1, 1]:.0f}° and {head[1, 2]:.0f}° in one of twenty.",
    ]
    if licence == UNKNOWN:
        lines.append("Whoever made it has named no licence.")
    return "\n\n".join(lines)


def _splits(stats: Stats) -> str:
    unused = stats.splits.get("unused", 0)
    held = (
        "No family of prompts and no person is in two of train, validation and test."
        f" {stats.families:,} families, {stats.persons:,} persons that more than one clip could show."
    )
    if unused:
        held += f" {unused:,} clips are in none of the three, for their person and their family are in different ones."
    return _table(("split", "clips"), {split: stats.splits[split] for split in SPLITS if stats.splits.get(split)}) + (
        "\n\n" + held
    )


def _made(origin: Mapping[str, Any]) -> str:
    command = origin.get("command")
    said = f"`{command} --out FOLDER`\n\n" if command else ""
    return said + "```json\n" + json.dumps(dict(origin), indent=1, sort_keys=True) + "\n```"


def _table(head: tuple[str, str], rows: Mapping[str, Any]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {value} |" for name, value in rows.items())])


_READING = """## Reading it

```python
from pathlib import Path
from tdmm.corpus.shards import read

for clip in read(Path("."), "train"):
    print(clip.clip_id, clip.motion.frames, clip.texts[0].text if clip.texts else "")
```

Any reader of Parquet will do as well; `features.json` names the numbers of a frame with their units. Where one file
holds several splits, the column `split` tells them apart; `tdmm corpus merge` writes such a corpus anew with a split to
each file. `manifest.json` has the SHA-256 of every shard: `tdmm corpus verify FOLDER` checks them."""
