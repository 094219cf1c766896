"""The `tdmm` command: every sub-command in one place, heavy imports in none."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from tdmm.errors import TdmmError

_COMMANDS = ("animate", "motion", "track", "direct", "lexicon", "corpus", "tokens", "language", "evaluate", "doctor")

app = typer.Typer(
    name="tdmm",
    help="Words to faces, faces to words.\n\n"
    'Start with: tdmm animate "she smirks, turns her head and blinks" -o smirk.glb smirk.mp4',
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        import tdmm

        typer.echo(f"tdmm {tdmm.__version__}")
        raise typer.Exit


@app.callback()
def _main(
    _asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    models: Annotated[
        Path | None,
        typer.Option(
            envvar="TDMM_MODELS",
            help="A folder of your own models, to use in place of ours: planner, language2motion, motion2language, "
            "tokenizer, as the train commands write them. Goes before the command.",
        ),
    ] = None,
) -> None:
    if models is not None:
        from tdmm import weights

        weights.use(models)


for _name in _COMMANDS:
    importlib.import_module(f"tdmm.cli.{_name}").register(app)


def run() -> None:
    """Run the command line; what a user can mend is one message and exit code 2."""
    # Keeps model libraries from asking the network for what is on disk.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        app()
    except TdmmError as error:
        typer.secho(f"tdmm: {error}", fg="red", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.secho("tdmm: interrupted", err=True)
        sys.exit(130)


if __name__ == "__main__":
    run()
