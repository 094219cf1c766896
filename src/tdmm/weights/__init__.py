"""Where the models lie: the bundled ones, or one's own in their place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, get_args

from tdmm.errors import InvalidInput

Name = Literal["tokenizer", "tokenizer_vq", "phrases", "planner", "language2motion", "motion2language", "refiner"]
"""`phrases` tunes the text encoder of the planner; `tokenizer_vq` has one code a frame;
`refiner` tells what a tracked face does."""

NAMES: tuple[Name, ...] = get_args(Name)
BUNDLED = Path(__file__).parent
VARIABLE = "TDMM_MODELS"
"""The environment variable that names a folder of one's own models."""


def folder(name: Name) -> Path:
    """Of a model: one's own where `TDMM_MODELS` names a folder that has one of this name, else the bundled one.

    Raises:
        InvalidInput: what `TDMM_MODELS` names holds no models.
    """
    own = os.environ.get(VARIABLE)
    if not own:
        return BUNDLED / name
    _require_models(Path(own))
    return Path(own) / name if (Path(own) / name).is_dir() else BUNDLED / name


def use(models: Path | None) -> None:
    """Let `folder` look there first, in this process and those that it starts; None is the bundled ones again.

    Raises:
        InvalidInput: it holds no models.
    """
    if models is None:
        os.environ.pop(VARIABLE, None)
    else:
        _require_models(models)
        os.environ[VARIABLE] = str(models)


def _require_models(models: Path) -> None:
    if not any((models / name).is_dir() for name in NAMES):
        raise InvalidInput(
            f"{models}: holds no models. It needs one folder or more named {', '.join(NAMES)}, each as "
            "`tdmm tokens train -o` or `tdmm language train -o` writes it."
        )
