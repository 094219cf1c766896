"""`tdmm language`: training of the models between words and motion."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer(
    name="language",
    help="Train the models between words and motion: phrases, planner, language2motion and motion2language.",
    no_args_is_help=True,
)


class Model(StrEnum):
    """What can be trained."""

    phrases = "phrases"
    planner = "planner"
    language2motion = "language2motion"
    motion2language = "motion2language"


class Entrance(StrEnum):
    """How motion enters a pretrained language model."""

    frames = "frames"
    tokens = "tokens"


def register(app: typer.Typer) -> None:
    """Add `tdmm language` to the command line."""
    app.add_typer(commands)


@commands.callback()
def _language() -> None:
    pass


@commands.command("train")
def train(
    model: Annotated[Model, typer.Argument(help="Which model.")],
    recipe: Annotated[Path, typer.Argument(help="A YAML file as in recipes/.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the finished model.")],
    corpus: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FOLDER[:WEIGHT]",
            help="Folder of a corpus of any source; phrases needs none. Repeatable: clips are drawn from each by its "
            "weight, 1 when left out.",
        ),
    ] = None,
    tokenizer: Annotated[
        Path | None, typer.Option(help="Folder of a tokenizer, from `tdmm tokens train`; ours when left out.")
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Go on from a finished small motion2language of the recipe's sizes, with its words."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="CPU threads; all cores when left out.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint, if there is one.")] = True,
    backbone: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="motion2language on this language model: a folder, or a name on the Hugging Face hub. "
            "Needs: pip install 'tdmm[lora]'",
        ),
    ] = None,
    lora: Annotated[
        int | None, typer.Option(metavar="RANK", min=1, help="Rank of the adapter that is trained on --backbone.")
    ] = None,
    motion: Annotated[
        Entrance | None,
        typer.Option(help="How motion enters --backbone: one embedding a frame, or codes as words of its vocabulary."),
    ] = None,
) -> None:
    """Train a model on a corpus, as a recipe says.

    Motion becomes tokens and texts become word states once; both are kept in OUT-run, beside checkpoints and
    metrics.jsonl. Ctrl-C saves and stops; the same command goes on where it was.

    Example: tdmm language train language2motion recipes/language2motion.yaml --corpus corpus --out l2m
    """
    from tdmm import runtime
    from tdmm.corpus.mixing import read_share
    from tdmm.errors import InvalidInput
    from tdmm.language.motion2language_training import recipe_for
    from tdmm.language.train import train as train_model

    adapted = any(option is not None for option in (backbone, lora, motion))
    if adapted and model is not Model.motion2language:
        raise InvalidInput("--backbone, --lora and --motion are for motion2language. Leave them out.")
    settings = recipe_for(recipe, backbone, motion and motion.value, lora) if adapted else recipe
    corpora = [read_share(each) for each in corpus or ()]
    trained = train_model(
        model.value, settings, corpora, out, runtime.resolve(device, threads=threads),
        tokenizer=tokenizer, start=start, resume=resume,
    )  # fmt: skip
    minutes = trained.run.seconds / 60
    if trained.run.stopped == "interrupted":
        typer.echo(f"Stopped at step {trained.run.step}; the same command goes on from there.")
        raise typer.Exit(130)
    if trained.fingerprint is None:
        return  # another process wrote it, and says so
    figures = "  ".join(f"{name} {value:.3g}" for name, value in trained.run.metrics.items())
    typer.echo(f"{out}: {model.value} after {trained.run.step} steps in {minutes:.1f} minutes.\n{figures}")


@commands.command("merge")
def merge(
    adapter: Annotated[Path, typer.Argument(help="Folder of a motion2language on a pretrained language model.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write; an older one is replaced.")],
    base: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="The language model, when it is no longer where the adapter was trained."),
    ] = None,
) -> None:
    """Merge an adapter into its language model: a plain Hugging Face folder, for servers such as vLLM.

    Its README.md says how a motion is put to it.

    Example: tdmm language merge m2l-qwen -o m2l-qwen-merged
    """
    from tdmm.language.merging import merge as merge_adapter
    from tdmm.language.motion2language import Motion2Language

    merge_adapter(Motion2Language.load(adapter, base), out)
    typer.echo(f"{out}: config, weights and tokenizer of the merged language model.")
