"""`tdmm animate` and `tdmm describe`: the two directions of the main job."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tdmm.errors import InvalidInput, InvalidPrompt

if TYPE_CHECKING:
    from tdmm.motion.clip import FaceMotion

TASKS = ("describe", "emotion", "head", "intensity", "timeline", "micro")


class Pick(StrEnum):
    """Which of several takes are written."""

    all = "all"
    best = "best"


Out = Annotated[list[Path], typer.Option("-o", "--out", help="A file to write; the extension says what. Repeatable.")]
More = Annotated[
    list[Path] | None, typer.Argument(help="Further files, so that -o a.glb b.csv c.mp4 works.", metavar="FILE...")
]
Seconds = Annotated[float | None, typer.Option(help="Length, up to 30. Default: as long as it takes.")]
Guidance = Annotated[float | None, typer.Option(help="How hard the words pull; 1 is plain sampling.")]
Temperature = Annotated[float | None, typer.Option(help="How much takes differ; 0 is always the likeliest.")]
Strength = Annotated[float, typer.Option(help="Of everything that happens, as a multiple: 0.5 is half as strong.")]
Size = Annotated[int, typer.Option(min=64, max=2048, help="Pixels of a rendered frame (mp4, png).")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(animate)
    app.command()(edit)
    app.command("continue")(go_on)
    app.command()(describe)


def animate(
    out: Out,
    prompt: Annotated[
        str | None, typer.Argument(help='What the face does: "a shy smile that fades, then she looks down".')
    ] = None,
    more: More = None,
    timeline: Annotated[
        Path | None, typer.Option(help="A YAML list of {at: [0, 2], do: curious look} in place of a prompt.")
    ] = None,
    like: Annotated[
        Path | None, typer.Option(help="A motion (.npz, .csv) whose timing and head motion to keep.")
    ] = None,
    seconds: Seconds = None,
    seed: Annotated[int, typer.Option(help="Another seed is another take.")] = 0,
    takes: Annotated[int, typer.Option(min=1, max=64, help="Several takes: face-1.glb, face-2.glb ...")] = 1,
    pick: Annotated[Pick, typer.Option(help="Of several takes: all, or the best one by the reader.")] = Pick.all,
    guidance: Guidance = None,
    temperature: Temperature = None,
    strength: Strength = 1.0,
    identity: Annotated[int | None, typer.Option(help="A random head of this seed instead of the average one.")] = None,
    size: Size = 384,
    explain: Annotated[
        Path | None, typer.Option(help="A .png that shows which word moved which part of the face, and when.")
    ] = None,
) -> None:
    """Turn words into a moving face.

    A prompt can be a sentence, a longer text, or a timeline: "[0-2s] curious look | [2-4s] breaks into a laugh".
    Words in parentheses with a number weigh more or less: "a (furious:1.4) glare".

    Formats: .glb (Blender, Unity, web), .csv (Live Link Face, Unreal), .npz (numpy; keeps the plan for `edit`),
    .mp4 (preview), .png (contact sheet), .json (web page).

    Example: tdmm animate "he smirks and shakes his head" -o smirk.glb smirk.csv smirk.mp4
    """
    from tdmm import api, export

    if timeline is not None and prompt is not None:
        # Without a prompt the first of several files takes its place.
        more, prompt = [Path(prompt), *(more or [])], None
    paths = [*out, *(more or [])]
    if prompt is None and timeline is None:
        raise InvalidPrompt('Say what the face does, for example "a shy smile that fades", or give --timeline FILE.')
    if prompt is not None:
        api.check_prompt(prompt)
    if like is not None and (timeline is not None or seconds is not None or takes > 1):
        raise InvalidInput(
            "--like keeps the timing and the length of a motion; leave out --timeline, --seconds and --takes."
        )
    written = 1 if pick is Pick.best else takes
    targets = [[_take(path, index, written) for path in paths] for index in range(written)]
    for group in targets:
        export.check(group)
    if explain is not None:
        _check_explain(prompt, explain)
    named = prompt is None or prompt.lstrip().startswith("[") or api.understand(prompt).named
    seeds = [seed + index for index in range(takes)]
    how = {"guidance": guidance, "temperature": temperature, "seconds": seconds}
    motions = _motions(prompt, timeline, like, seeds, strength, how)
    if not named:
        _say_reading(motions[0])
    if pick is Pick.best:
        motions = [api.best(motions)]
    if identity is not None:
        motions = [motion.with_(identity=api.random_identity(identity)) for motion in motions]
    for motion, group in zip(motions, targets, strict=True):
        _write(motion, group, size)
    if explain is not None and prompt is not None:
        from tdmm.export.influence import draw

        draw(api.explain(prompt, seed=seed, guidance=guidance), explain)
        typer.echo(f"words and what they moved: {explain}")


def _say_reading(motion: FaceMotion) -> None:
    """What the words were taken for, when none of them is a name."""
    meant = [each["descriptor"].replace("_", " ") for each in motion.provenance["plan"]["expressions"]]
    typer.secho(
        "tdmm: nothing in this prompt has a name in the lexicon; read by its meaning as: "
        + (", ".join(meant) or "no expression"),
        err=True,
        fg="yellow",
    )


def _check_explain(prompt: str | None, picture: Path) -> None:
    from tdmm import api, export

    if prompt is None:
        raise InvalidInput("--explain shows the words of one prompt; give one row of the timeline as the prompt.")
    api.check_explainable(prompt)
    export.check([picture])


def _motions(
    prompt: str | None,
    timeline: Path | None,
    like: Path | None,
    seeds: list[int],
    strength: float,
    how: dict[str, float | None],
) -> list[FaceMotion]:
    from tdmm import api

    guidance, temperature, seconds = how["guidance"], how["temperature"], how["seconds"]
    if timeline is not None:
        return [
            api.play(
                timeline, seconds=seconds, seed=seed, guidance=guidance, temperature=temperature, strength=strength
            )
            for seed in seeds
        ]
    words = prompt or ""
    if like is not None:
        return [
            api.edit(like, words, seed=seed, guidance=guidance, temperature=temperature, strength=strength)
            for seed in seeds
        ]
    return api.animate_many(
        [words] * len(seeds), seeds, seconds=seconds, guidance=guidance, temperature=temperature, strength=strength
    )


def edit(
    motion: Annotated[Path, typer.Argument(help="A motion: .npz made by `tdmm animate`, or any .npz or .csv.")],
    prompt: Annotated[str, typer.Argument(help="What the face does instead.")],
    out: Out,
    more: More = None,
    seed: Annotated[int | None, typer.Option(help="Another take of what is new. Default: as it was made.")] = None,
    guidance: Guidance = None,
    temperature: Temperature = None,
    strength: Strength = 1.0,
    size: Size = 384,
) -> None:
    """Change what a motion says and keep the rest: its timing, head motion, blinks and length.

    Example: tdmm edit smirk.npz "she grins, then turns her head to the right" -o grin.npz grin.mp4
    """
    from tdmm import api, export

    paths = [*out, *(more or [])]
    api.check_prompt(prompt)
    export.check(paths)
    _write(
        api.edit(motion, prompt, seed=seed, guidance=guidance, temperature=temperature, strength=strength), paths, size
    )


def go_on(
    motion: Annotated[Path, typer.Argument(help="What comes first: .npz or Live Link Face .csv.")],
    prompt: Annotated[str, typer.Argument(help="What comes next.")],
    out: Out,
    more: More = None,
    to: Annotated[Path | None, typer.Option(help="A motion that follows; the gap between the two is filled.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Length of what is new. Default: as long as it takes.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed is another take.")] = 0,
    guidance: Guidance = None,
    temperature: Temperature = None,
    strength: Strength = 1.0,
    size: Size = 384,
) -> None:
    """Go on from a motion without a seam, or fill the gap between two.

    Example: tdmm continue smirk.npz "then she bursts out laughing" -o longer.npz longer.mp4
    """
    from tdmm import api, export

    paths = [*out, *(more or [])]
    api.check_prompt(prompt)
    export.check(paths)
    joined = api.extend(
        motion, prompt, until=to, seconds=seconds, seed=seed, guidance=guidance, temperature=temperature,
        strength=strength,
    )  # fmt: skip
    _write(joined, paths, size)


def _write(motion: FaceMotion, paths: list[Path], size: int) -> None:
    from tdmm import export

    export.save(motion, paths, size=size)
    typer.echo(f"{motion.seconds:.1f} s at {motion.fps:g} fps: " + " ".join(str(path) for path in paths))


def describe(
    file: Annotated[
        Path, typer.Argument(help="A motion (.npz, Live Link Face .csv), or a video of a face, which is tracked first.")
    ],
    task: Annotated[
        str, typer.Option(help="What to say: " + ", ".join(TASKS) + " (micro-expressions alone).")
    ] = "describe",
    ask: Annotated[
        str | None, typer.Option(help='A question instead, that yes or no answers: "does she blink twice?"')
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Every task that the model knows, as one JSON object; and --ask.")
    ] = False,
    script: Annotated[
        Path | None,
        typer.Option(help="Also write what is seen as a script (.yaml), to be changed and acted: tdmm act SCRIPT."),
    ] = None,
) -> None:
    """Say in words what a face does, or answer a question about it.

    Example: tdmm describe smirk.npz --task timeline

    Example: tdmm describe smirk.npz --ask "is the smirk on the left?"

    Example: tdmm describe take.csv --script take.yaml

    Example: tdmm describe take.mp4
    """
    from tdmm import api
    from tdmm.corpus.tracking.images import is_footage

    if script is not None:
        from tdmm.files import require_writable

        require_writable(script)
    if is_footage(file):
        from tdmm.cli.track import tracked

        motion = tracked(file)
    else:
        motion = api.load(file)
    if as_json:
        known = [name for name in TASKS if name in api.motion2language().tasks]
        answers = {name: api.describe(motion, task=name) for name in known}
        if ask is not None:
            answers |= {"question": ask, "answer": api.describe(motion, ask=ask)}
        typer.echo(json.dumps({"file": str(file), "seconds": round(motion.seconds, 3), **answers}, indent=1))
    else:
        typer.echo(api.describe(motion, task=task, ask=ask))
    if script is not None:
        from tdmm.acting.grammar import write_script

        write_script(api.transcribe(motion), script)


def _take(path: Path, index: int, takes: int) -> Path:
    return path if takes == 1 else path.with_name(f"{path.stem}-{index + 1}{path.suffix}")
