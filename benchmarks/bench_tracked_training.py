"""What it costs to learn from tracked motions in the place of exact ones.

tdmm corpus build recipes/corpus-laptop.yaml --out corpus
python benchmarks/bench_tracked_training.py corpus --recordings take.npz other.csv --steps 600

The clips of a rendered corpus are known exactly. Two tokenizers of the bundled sizes learn for equally long from the
same clips, one from what was tracked, one from the truth; both then encode and decode held-out acted clips and
recordings of people (motion files).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from tdmm.corpus.build import built_rows
from tdmm.corpus.manifest import load as load_manifest
from tdmm.corpus.mixing import Share
from tdmm.corpus.pipeline.status import finished
from tdmm.corpus.recipe import CorpusRecipe
from tdmm.corpus.rows import Row
from tdmm.corpus.sharding import write_shards
from tdmm.evaluation.held_out import clips
from tdmm.motion.clip import Floats
from tdmm.motion.features import to_features
from tdmm.motion.files import load
from tdmm.motion.timeline import resample
from tdmm.recipes import read_recipe
from tdmm.runtime import resolve
from tdmm.tokens.fidelity import measure
from tdmm.tokens.tokenizer import Tokenizer
from tdmm.tokens.train import TokenizerRecipe, train

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "tokenizer-rvq.yaml"
SEED = 4201


def exact(folder: Path, recipe: CorpusRecipe) -> Iterator[Row]:
    """The rows of a built corpus with their true motions."""
    truths = {clip.clip_id: clip.files["truth"] for clip in finished(folder)}
    for row in built_rows(folder, recipe):
        yield replace(row, motion=resample(load(truths[row.clip_id])))


def main() -> None:
    """Train both, measure both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--recordings", type=Path, nargs="*", default=[])
    parser.add_argument("--steps", type=int, default=600)
    asked = parser.parse_args()
    recipe = read_recipe(RECIPE, TokenizerRecipe)
    training = recipe.training.model_copy(update={"steps": asked.steps, "minutes": None, "evaluate_every": 0})
    recipe = recipe.model_copy(update={"training": training})
    corpus = CorpusRecipe.model_validate(load_manifest(asked.corpus).origin["recipe"])
    judged: Mapping[str, list[Floats]] = {
        "held-out acted clips": [to_features(clip.performance.motion) for clip in clips(60, SEED)],
        "recordings": [to_features(resample(load(path))) for path in asked.recordings],
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_shards(folder / "exact", exact(asked.corpus, corpus), origin={"kind": "exact twin"})
        for kind, source in (("tracked", asked.corpus), ("exact", folder / "exact")):
            train(recipe, folder / kind, resolve("cpu"), corpora=[Share(source)])
            tokenizer = Tokenizer.load(folder / kind)
            for what, motions in judged.items():
                if motions:
                    found = measure(tokenizer, motions)
                    print(f"{kind:8} {what}: face {found.face_mm:.3f} mm, head {found.head_deg:.3f} degrees")


if __name__ == "__main__":
    main()
