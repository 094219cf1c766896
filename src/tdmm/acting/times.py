"""Seconds in words and figures: "at 1.5 s", "from 1 to 2.5 seconds", "after two seconds"."""

from __future__ import annotations

from random import Random

from tdmm.acting.inflection import number


def said(start: float, end: float, rng: Random) -> str:
    """When something happens: from when, and often how long or until when."""
    lasts = end - start
    options = [moment(start, rng), moment(start, rng)]
    if lasts >= 0.25:
        options += [f"{moment(start, rng)} for {length(lasts, rng)}", _span(start, end, rng)]
    return rng.choice(options)


def moment(seconds: float, rng: Random) -> str:
    """A moment: "at 1.5 s"."""
    figure = _figure(seconds)
    options = [
        f"at {figure} s", f"at {figure}s", f"at {figure} seconds", f"starting at {figure} s",
        f"{figure} seconds in", f"at second {figure}", f"after {figure} seconds", f"at the {figure} second mark",
    ]  # fmt: skip
    if figure.isdigit() and 0 < int(figure) <= 12:
        options += [f"after {number(int(figure))} second{'s' * (figure != '1')}", f"at {number(int(figure))} seconds"]
    return rng.choice(options)


def length(seconds: float, rng: Random) -> str:
    """A duration: "1.5 seconds", "two seconds"."""
    figure = _figure(seconds)
    options = [f"{figure} s", f"{figure}s", f"{figure} seconds"]
    if figure.isdigit() and 0 < int(figure) <= 12:
        options.append(f"{number(int(figure))} second{'s' * (figure != '1')}")
    return rng.choice(options)


def _span(start: float, end: float, rng: Random) -> str:
    first, last = _figure(start), _figure(end)
    return rng.choice(
        (
            f"from {first} to {last} seconds", f"from {first} s to {last} s", f"between {first} and {last} seconds",
            f"({first}-{last} s)", f"from {first}s until {last}s",
        )
    )  # fmt: skip


def _figure(seconds: float) -> str:
    return f"{seconds:.1f}".removesuffix(".0")
