"""`tdmm language`: training of the models between words and motion."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer(
    name="language",
    help="Train the models between words and motion tokens: language2motion and motion2language.",
    no_args_is_help=True,
)


class Model(StrEnum):
    """What can be trained."""

    language2motion = "language2motion"
    motion2language = "motion2language"


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
    corpus: Annotated[Path, typer.Option(help="Folder of a corpus, from `tdmm corpus act`.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the finished model.")],
    tokenizer: Annotated[
        Path | None, typer.Option(help="Folder of a tokenizer, from `tdmm tokens train`; ours when left out.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="CPU threads; all cores when left out.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint, if there is one.")] = True,
) -> None:
    """Train a model on a corpus, as a recipe says.

    Motion becomes tokens and texts become word states once; both are kept in OUT-run, beside checkpoints and
    metrics.jsonl. Ctrl-C saves and stops; the same command goes on where it was.

    Example: tdmm language train language2motion recipes/language2motion.yaml --corpus corpus --out l2m
    """
    from tdmm import runtime
    from tdmm.language.train import train as train_model

    trained = train_model(
        model.value, recipe, corpus, out, runtime.resolve(device, threads=threads),
        tokenizer=tokenizer, resume=resume,
    )  # fmt: skip
    minutes = trained.run.seconds / 60
    if trained.fingerprint is None:
        typer.echo(f"Stopped at step {trained.run.step}; the same command goes on from there.")
        raise typer.Exit(130)
    figures = "  ".join(f"{name} {value:.3g}" for name, value in trained.run.metrics.items())
    typer.echo(f"{out}: {model.value} after {trained.run.step} steps in {minutes:.1f} minutes.\n{figures}")
