"""Every error tdmm raises for a user to read.

::

    TdmmError                  what the command line prints, with exit code 2
    ├── InvalidInput           a value or an option makes no sense
    │   ├── InvalidPrompt      text that cannot be acted
    │   ├── InvalidScript      a script file or object that breaks the grammar
    │   ├── InvalidMotion      a motion file or array that is not one
    │   ├── InvalidVideo       a recording that no pictures can be had from
    │   └── InvalidConfig      a recipe or a model configuration
    ├── UnknownName            a name that is not registered ("did you mean ...")
    ├── FileProblem            a path that cannot be read or written
    │   └── UnknownFormat      a file extension nobody handles
    ├── ArtifactProblem        a folder of weights, or the file of a head, that cannot be trusted
    │   └── TokenizerMismatch  tokens of one tokenizer given to the model of another
    └── MissingDependency      an optional package that is not installed

Messages say what was wrong, where, and what to do next. Programming errors stay what they are
(TypeError, ValueError); only what a user can cause is one of these.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TdmmError(Exception):
    """Base of every error that a user can cause and mend."""


class InvalidInput(TdmmError):
    """A value or an option makes no sense."""


class InvalidPrompt(InvalidInput):
    """Text that cannot be acted."""


class InvalidScript(InvalidInput):
    """A script that breaks the grammar."""


class InvalidMotion(InvalidInput):
    """A motion file or array that is not one."""


class InvalidVideo(InvalidInput):
    """A recording that no pictures can be had from."""


class InvalidConfig(InvalidInput):
    """A recipe or a model configuration that cannot be used."""


class UnknownName(TdmmError):
    """A name that is not registered."""


class FileProblem(TdmmError):
    """A path that cannot be read or written."""


class UnknownFormat(FileProblem):
    """A file extension nobody handles."""


class ArtifactProblem(TdmmError):
    """A folder of weights, or the file of a head, that cannot be trusted."""


class TokenizerMismatch(ArtifactProblem):
    """Tokens of one tokenizer given to the model of another."""


class MissingDependency(TdmmError):
    """An optional package that is not installed."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x' or 'y'?`` for the closest known names, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    if not close:
        return ""
    return " Did you mean " + " or ".join(f"'{candidate}'" for candidate in close) + "?"
