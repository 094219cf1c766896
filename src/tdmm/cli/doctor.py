"""`tdmm doctor`: what is installed, what works, what to do about the rest."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(doctor)


def doctor() -> None:
    """Check the installation: packages, weights, device, and a first face.

    Exit code 0 when all that tdmm needs is in order, 1 otherwise. Example: tdmm doctor
    """
    from tdmm.diagnosis import diagnose

    findings = list(diagnose())
    for finding in findings:
        mark = typer.style("ok  ", fg="green") if finding.good else typer.style("FAIL", fg="red")
        typer.echo(f"{mark} {finding.name:<22} {finding.detail}")
        if not finding.good:
            typer.echo(f"     -> {finding.remedy}")
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)
