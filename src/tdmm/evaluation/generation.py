"""Running a model over many inputs so that one failure costs one input and is counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from tdmm.errors import ArtifactProblem, FileProblem, MissingDependency, TdmmError

Given = TypeVar("Given")
Made = TypeVar("Made")


class NoModel(TdmmError):
    """The model itself cannot be had, which says nothing about any input."""


def in_batches(
    make: Callable[[Sequence[Given]], Sequence[Made]],
    inputs: Sequence[Given],
    size: int,
    done: Callable[[int], None],
) -> list[Made | None]:
    """Outputs in the order of the inputs; None where the model failed on an input by itself.

    A batch that fails is done again one by one, so that its other inputs are not lost with it.

    Args:
        done: called with the number of inputs that are finished.

    Raises:
        NoModel: the model's files or packages are missing or unusable.
    """
    made: list[Made | None] = []
    for start in range(0, len(inputs), size):
        batch = inputs[start : start + size]
        try:
            made += _checked(make, batch)
        except (ArtifactProblem, FileProblem, MissingDependency, ImportError) as error:
            raise NoModel(str(error)) from error
        except Exception:  # noqa: BLE001 - whatever went wrong is counted below, input by input
            made += [_one(make, each) for each in batch]
        done(len(made))
    return made


def _one(make: Callable[[Sequence[Given]], Sequence[Made]], given: Given) -> Made | None:
    try:
        return _checked(make, [given])[0]
    except Exception:  # noqa: BLE001 - a failure is a None, which callers count
        return None


def _checked(make: Callable[[Sequence[Given]], Sequence[Made]], batch: Sequence[Given]) -> Sequence[Made]:
    made = make(batch)
    if len(made) != len(batch):
        raise ValueError(f"{len(made)} outputs for {len(batch)} inputs")
    return made
