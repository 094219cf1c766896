"""Recipes: YAML files read into pydantic models, with errors that name the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from tdmm.errors import InvalidConfig
from tdmm.files import require_readable

Recipe = TypeVar("Recipe", bound=BaseModel)


def read_recipe(path: Path, schema: type[Recipe]) -> Recipe:
    """Read a YAML recipe into `schema`, a pydantic model.

    Numbers such as ``1e-4``, which YAML takes for text, are read as numbers.

    Raises:
        FileProblem: the file cannot be read.
        InvalidConfig: it is not YAML, or a key or a value is wrong; the message names each by its path.
    """
    try:
        content: Any = yaml.safe_load(require_readable(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidConfig(f"{path}: is not YAML ({error}).") from error
    if not isinstance(content, dict):
        raise InvalidConfig(f"{path}: must hold keys and values, as the files in recipes/ do.")
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'the file'}: {problem['msg']}"
            for problem in error.errors()
        )
        raise InvalidConfig(f"{path}: {problems}. Compare with the files in recipes/.") from error
