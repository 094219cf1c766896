"""`tdmm lexicon`: what a face can be asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from tdmm.acting.descriptors import ActionRecipe, Descriptor


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(lexicon)


def lexicon(
    word: str = typer.Argument("", help="a descriptor, a family, or words that name one ('furrows her brow')"),
    as_json: bool = typer.Option(False, "--json", help="print JSON instead of text"),
) -> None:
    """List the words for faces, or explain one: its recipe, timing and phrasings.

    Examples: tdmm lexicon    tdmm lexicon smirk    tdmm lexicon joy    tdmm lexicon --json
    """
    from tdmm.acting.lexicon import load

    words = load()
    if word:
        found = words.look_up(word)
        if as_json:
            typer.echo(json.dumps([_plain(entry) for entry in found], indent=2))
        else:
            typer.echo("\n\n".join(_explained(entry) for entry in found))
        return
    if as_json:
        typer.echo(json.dumps([_plain(entry) for entry in words.entries], indent=2))
        return
    typer.echo(f"{len(words)} descriptors in {len(words.families)} families. `tdmm lexicon NAME` explains one.\n")
    for family, names in sorted(words.families.items()):
        typer.echo(f"{family:<14} {len(names):>3}  {', '.join(names)}")


def _plain(entry: Descriptor) -> dict[str, Any]:
    from dataclasses import asdict

    from tdmm.face.facs import ACTIONS

    plain = asdict(entry)
    for action in plain["actions"]:
        action["units"] = ACTIONS[action["action"]].units
    return {**plain, "core": entry.core}


def _explained(entry: Descriptor) -> str:
    from tdmm.acting.lexicon import sources

    sides = {"both": "both sides", "one": "one side, left or right", "either": "both sides, or one if asked"}
    lines = [
        f"{entry.name}  ({entry.kind.replace('_', ' ')}, family {entry.family}; {sides[entry.side]})",
        "",
        "  action                units           peak at full intensity   how often",
        *(_recipe_line(recipe) for recipe in entry.actions),
        "",
        "  rises in {:.2f}-{:.2f} s, stays {:.2f}-{:.2f} s, fades in {:.2f}-{:.2f} s".format(
            *entry.onset, *entry.hold, *entry.offset
        ),
    ]
    meant = [
        f"gaze {entry.gaze.replace('_', ' ')}" if entry.gaze else "",
        f"head {entry.head.replace('_', ' ')}" if entry.head else "",
        f"{entry.blinks} blink{'s' * (entry.blinks > 1)}" if entry.blinks else "",
    ]
    if any(meant):
        lines.append("  part of its meaning: " + ", ".join(part for part in meant if part))
    for form in ("verb", "noun", "adjective"):
        texts = [phrasing.text.replace("*", "") for phrasing in entry.phrasings if phrasing.form == form]
        if texts:
            lines.append(f"  {form + 's:':<12} {'; '.join(texts)}")
    return "\n".join([*lines, f"  source:      {sources()[entry.source]}"])


def _recipe_line(recipe: ActionRecipe) -> str:
    from tdmm.face.facs import ACTIONS

    units = "+".join(ACTIONS[recipe.action].units) or "-"
    often = "always" if recipe.probability == 1.0 else f"{100 * recipe.probability:.0f} %"
    extra = {"same": "", "both": ", both sides", "opposite": ", other side"}[recipe.side]
    late = f", {recipe.delay:g} s later" if recipe.delay else ""
    low, high = recipe.peak
    return f"  {recipe.action:<21} {units:<15} {low:.2f} to {high:.2f}              {often}{extra}{late}"
