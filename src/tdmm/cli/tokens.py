"""`tdmm tokens`: train a tokenizer, look at one, send motions through it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer(help="Motion to tokens and back.", no_args_is_help=True)

Weights = Annotated[Path | None, typer.Option("--tokenizer", help="A tokenizer's folder. Default: the bundled one.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(commands, name="tokens")


@commands.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="A YAML recipe, for example recipes/tokenizer-rvq.yaml.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the finished tokenizer.")],
    corpus: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FOLDER[:WEIGHT]",
            help="A corpus folder of any source. Repeatable: windows are drawn from each by its weight, 1 when left "
            "out. Without: random combinations only.",
        ),
    ] = None,
    decoder_of: Annotated[
        Path | None,
        typer.Option(help="A finished tokenizer whose decoder alone learns on; its codes stay as they are."),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the checkpoint in OUT-run, if there is one.")] = True,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads. Default: torch's choice.")] = None,
) -> None:
    """Train a tokenizer. Stop it with Ctrl-C and start it again with the same words to go on.

    Checkpoints and metrics.jsonl lie in OUT-run, the finished tokenizer in OUT.

    Example: tdmm tokens train recipes/tokenizer-rvq.yaml --corpus acted:0.7 --corpus wild:0.3 -o tokenizer
    """
    from tdmm.corpus.mixing import read_share
    from tdmm.recipes import read_recipe
    from tdmm.runtime import resolve
    from tdmm.tokens.train import TokenizerRecipe
    from tdmm.tokens.train import train as run_training

    settings = read_recipe(recipe, TokenizerRecipe)
    runtime = resolve(device, settings.training.precision, threads)
    corpora = [read_share(each) for each in corpus or ()]
    trained = run_training(settings, out, runtime, corpora=corpora, resume=resume, decoder_of=decoder_of)
    typer.echo(f"{trained.run.step} steps in {trained.run.seconds / 60:.1f} min: {trained.run.stopped}", err=True)
    if trained.tokenizer is None:
        typer.echo("Saved. Run the same command to go on.", err=True)
        raise typer.Exit(130)
    if trained.fidelity is not None:
        _show_fidelity("held-out clips", trained.fidelity.as_json())
    typer.echo(str(out))


@commands.command()
def encode(
    file: Annotated[Path, typer.Argument(help="A motion: .npz, or a Live Link Face .csv; any frame rate.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The .npz to write: `codes` (T, L) and `fingerprint`.")],
    tokenizer: Weights = None,
) -> None:
    """Turn a motion into tokens: L codes a frame, 25 frames a second.

    Example: tdmm tokens encode smirk.csv -o codes.npz
    """
    from tdmm.files import require_writable
    from tdmm.motion.files import load
    from tdmm.tokens.tokenizer import Tokenizer, write_tokens

    require_writable(out)
    tokens = Tokenizer.load(tokenizer).encode(load(file))
    write_tokens(tokens, out)
    typer.echo(f"{tokens.frames} frames of {tokens.codes.shape[1]} codes: {out}")


@commands.command()
def decode(
    file: Annotated[Path, typer.Argument(help="Tokens, as `tdmm tokens encode` wrote them.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The motion to write; the extension says how.")],
    tokenizer: Weights = None,
) -> None:
    """Turn tokens back into a motion.

    Example: tdmm tokens decode codes.npz -o face.csv
    """
    from tdmm import export
    from tdmm.tokens.tokenizer import Tokenizer, read_tokens

    export.check([out])
    motion = Tokenizer.load(tokenizer).decode(read_tokens(file))
    export.save(motion, [out])
    typer.echo(f"{motion.seconds:.1f} s at {motion.fps:g} fps: {out}")


@commands.command()
def inspect(
    folder: Annotated[Path | None, typer.Argument(help="A tokenizer's folder. Default: the bundled one.")] = None,
    motion: Annotated[
        list[Path] | None,
        typer.Option("--motion", help="Also send this motion through and measure. Repeatable."),
    ] = None,
) -> None:
    """Say what a tokenizer is, what it was trained on and what it loses.

    Example: tdmm tokens inspect --motion capture.csv
    """
    from tdmm import artifact, weights
    from tdmm.motion.features import to_features
    from tdmm.motion.files import load
    from tdmm.motion.timeline import resample
    from tdmm.tokens import fidelity
    from tdmm.tokens.tokenizer import KIND, Tokenizer

    chosen = folder or weights.folder("tokenizer")
    tokenizer = Tokenizer.load(chosen)
    provenance = artifact.load(chosen, kind=KIND).provenance
    sizes = tokenizer.model.config
    typer.echo(
        f"{sizes.quantizer}: {sizes.levels} level(s) of {sizes.codebook_size} codes, {tokenizer.frame_rate:g} a second"
    )
    typer.echo(f"fingerprint {tokenizer.fingerprint}")
    typer.echo(f"trained on {provenance.get('corpus')}, {provenance.get('steps')} steps")
    if "held_out" in provenance:
        _show_fidelity("held-out clips", provenance["held_out"])
    for path in motion or []:
        figures = fidelity.measure(tokenizer, [to_features(resample(load(path)))])
        _show_fidelity(str(path), figures.as_json())


def _show_fidelity(title: str, figures: dict[str, object]) -> None:
    """Print what `Fidelity.as_json` holds."""
    typer.echo(f"{title} ({figures['clips']} clips, {figures['frames']} frames):")
    typer.echo(f"  face {figures['face_mm']:.3f} mm, head {figures['head_deg']:.3f} degrees, "
               f"coefficients {figures['coefficients']:.4f}")  # fmt: skip
    regions = figures["regions_mm"]
    if isinstance(regions, dict):
        typer.echo("  " + ", ".join(f"{name} {value:.3f}" for name, value in regions.items()) + " mm")
    typer.echo(f"  codes used {figures['used']}, perplexity {figures['perplexity']}")
