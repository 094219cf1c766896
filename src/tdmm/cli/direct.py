"""`tdmm direct`: a scene becomes a script, is shown, may be edited, and is acted."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tdmm.errors import FileProblem, InvalidInput, InvalidScript

if TYPE_CHECKING:
    from tdmm.acting.script import Script

SCRIPTS = (".yaml", ".yml")
"""Extensions of outputs that are the script itself."""

_KEY = "OPENAI_API_KEY"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(direct)


def direct(
    scene: Annotated[str, typer.Argument(help='Dialogue, a scene or a feeling: "he learns that his brother lied".')],
    endpoint: Annotated[str, typer.Option(help="Base URL of an OpenAI-compatible server: http://localhost:11434/v1")],
    model: Annotated[str, typer.Option(help="The model's name there.")],
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "-o",
            "--out",
            help="A file to write; the extension says what. Repeatable. Without it the script is printed.",
        ),
    ] = None,
    more: Annotated[
        list[Path] | None, typer.Argument(help="Further files, so that -o a.glb b.yaml works.", metavar="FILE...")
    ] = None,
    edit: Annotated[bool, typer.Option("--edit", help="Open the script in $VISUAL or $EDITOR before acting.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Act without asking.")] = False,
    seed: Annotated[
        int | None, typer.Option(help="Another seed is another take; passed on to the model as well.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for one answer.")] = 120.0,
    api_key_env: Annotated[
        str, typer.Option(help="Environment variable that holds the API key; local servers need none.")
    ] = _KEY,
    size: Annotated[int, typer.Option(help="Pixels of a rendered face (.mp4, .png).")] = 384,
) -> None:
    """Have a language model write the script of a scene, and act it.

    The script is shown before it is acted; at a terminal you are asked, and may edit it.
    Needs the openai package, which the extra "api" of tdmm brings.

    Formats: .yaml (the script itself), .npz, .csv (Live Link Face), .glb, .mp4, .png (contact sheet),
    .json (web page).

    Example: tdmm direct "he learns that his brother lied" -o lied.yaml lied.glb
    --endpoint http://localhost:11434/v1 --model qwen3
    """
    from tdmm import api

    scripts, motions = _outputs(out, more, size)
    key = _key(api_key_env)
    with _waiting(f"{model} writes the script") as progress:
        script = api.direct(
            scene, endpoint=endpoint, model=model, api_key=key, timeout=timeout, seed=seed, progress=progress
        )
    with _draft(script, f"{model}: {scene}") as draft:
        if edit:
            _edit(draft)
        _review(draft, ask=bool(motions) and not yes and sys.stdin.isatty())
        _write(draft, scripts, motions, scene=scene, model=model, seed=seed or 0, size=size)


def _outputs(out: Sequence[Path] | None, more: Sequence[Path] | None, size: int) -> tuple[list[Path], list[Path]]:
    """Files for the script and files for the motion, all of them writable: checked before a model is asked."""
    from tdmm import export
    from tdmm.files import require_writable

    if more and not out:
        raise InvalidInput(f"'{more[0]}' follows the scene. Put the scene in quotes, and files after -o.")
    paths = [*(out or []), *(more or [])]
    scripts = [path for path in paths if path.suffix.lower() in SCRIPTS]
    motions = [path for path in paths if path not in scripts]
    if motions:
        export.ExportOptions(size)
        export.check(motions)
    for path in scripts:
        require_writable(path)
    if len({path.resolve() for path in paths}) < len(paths):
        raise FileProblem("The same file is named twice; each output needs its own name.")
    return scripts, motions


def _key(variable: str) -> str | None:
    key = os.environ.get(variable)
    if not key and variable != _KEY:
        raise InvalidInput(f"The environment variable {variable} holds no API key. Set it, or leave --api-key-env out.")
    return key or None


@contextmanager
def _draft(script: Script, heading: str) -> Iterator[Path]:
    """The script as a file that an editor may change, gone when the command ends."""
    from tdmm.acting.grammar import write_script

    with tempfile.TemporaryDirectory(prefix="tdmm-") as folder:
        path = Path(folder) / "script.yaml"
        write_script(script, path)
        # A comment ends with its line and may hold nothing unprintable; the heading is anybody's words.
        line = "".join(letter if letter.isprintable() else " " for letter in heading)[:200]
        path.write_text(f"# {line}\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
        yield path


def _review(draft: Path, *, ask: bool) -> None:
    """Show the script; where `ask`, let the user act it, edit it or leave it."""
    typer.echo(draft.read_text(encoding="utf-8"), nl=False)
    while ask:
        answer = typer.prompt("Act it? [y]es, [e]dit, [n]o", default="y", err=True).strip().lower()
        if answer in ("y", "yes"):
            return
        if answer in ("n", "no"):
            typer.echo("Nothing was written.", err=True)
            raise typer.Exit(1)
        if answer in ("e", "edit"):
            _edit(draft)
            typer.echo(draft.read_text(encoding="utf-8"), nl=False)


def _edit(draft: Path) -> None:
    """Open the draft in the user's editor, again and again at a terminal, until it is a script.

    Raises:
        InvalidInput: the editor cannot be started or fails.
        InvalidScript: what came back is no script, and nobody is there to mend it or wants to.
    """
    from tdmm.acting.grammar import read_script

    while True:
        _run_editor(draft)
        try:
            read_script(draft)
        except InvalidScript as error:
            if not sys.stdin.isatty():
                raise
            typer.secho(str(error), fg="yellow", err=True)
            if not typer.confirm("Edit it again?", default=True, err=True):
                raise
        else:
            return


def _run_editor(path: Path) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        code = subprocess.run([*shlex.split(editor), str(path)], check=False).returncode
    except (OSError, ValueError, IndexError) as error:
        raise InvalidInput(
            f"The editor '{editor}' cannot be started ({error}). Set EDITOR, or leave out --edit and change the .yaml "
            "that -o writes."
        ) from error
    if code != 0:
        raise InvalidInput(f"The editor '{editor}' ended with exit code {code}; the script was not acted.")


def _write(
    draft: Path, scripts: list[Path], motions: list[Path], *, scene: str, model: str, seed: int, size: int
) -> None:
    """Act the draft into its files, the script first: it is the part that cannot be made again."""
    from tdmm import api, export
    from tdmm.acting.grammar import read_script
    from tdmm.files import written_aside

    script = read_script(draft)
    for path in scripts:
        with written_aside(path) as aside:
            aside.write_text(draft.read_text(encoding="utf-8-sig"), encoding="utf-8")
    done = f"{script.seconds:.1f} s"
    if motions:
        motion = api.act(script, seed=seed)
        provenance = {**motion.provenance, "by": "tdmm direct", "scene": scene, "model": model}
        with _waiting("writing " + " ".join(path.name for path in motions)):
            export.save(motion.with_(text=_short(scene), provenance=provenance), motions, size=size)
        done = f"{motion.seconds:.1f} s at {motion.fps:g} fps"
    if scripts or motions:
        typer.echo(f"{done}: " + " ".join(str(path) for path in [*scripts, *motions]))


def _short(scene: str, longest: int = 300) -> str:
    words = " ".join(scene.split())
    return words if len(words) <= longest else f"{words[: longest - 3]}..."


@contextmanager
def _waiting(message: str) -> Iterator[Callable[[str], None]]:
    """A spinner on stderr; nothing when it is not a terminal."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _message: None
        return
    room = console.width - 4  # beside the spinner: a line that wraps would flicker
    with console.status(escape(_short(message, room))) as status:
        yield lambda changed: status.update(escape(_short(changed, room)))
