"""YAML read strictly: no duplicate keys, no anchors, no tags, bounded size, and a line for every value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import ValidationError

Path = tuple[str | int, ...]
"""Where a value is in a document: keys and list positions from the top."""

MAX_CHARACTERS = 200_000
MAX_DEPTH = 12


@dataclass(frozen=True)
class Document:
    """Parsed YAML. `lines` gives the line (from 1) of every value by its path."""

    data: Any
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int | None:
        """The line of the value at `path`, or of its nearest parent that is known."""
        for size in range(len(path), -1, -1):
            if path[:size] in self.lines:
                return self.lines[path[:size]]
        return None


@dataclass(frozen=True)
class Fault:
    """What is wrong with a document that does not fit its model: where, on which line, and why."""

    where: Path
    line: int | None
    message: str

    @property
    def field(self) -> str:
        """Where, as `grin.direct.verb.0`."""
        return ".".join(str(part) for part in self.where)


def first_fault(error: ValidationError, document: Document) -> Fault:
    """The first thing that pydantic found wrong."""
    found = error.errors()[0]
    where = tuple(part for part in found["loc"] if isinstance(part, str | int))
    return Fault(where, document.line(where), found["msg"].removeprefix("Value error, "))


# libyaml reads the lexicon five times as fast; PyYAML's own parser reads the same where it is missing.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """SafeLoader as in YAML 1.2 where it matters: `on`, `off`, `yes` and `no` are words, dates are text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":bool", ":merge"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse_yaml(text: str, fail: Callable[[str], Exception]) -> Document:
    """Parse one YAML document.

    Args:
        text: the whole document.
        fail: makes the exception to raise from a message ("line 3: ...").

    Raises:
        whatever `fail` makes: the text is too long, is no YAML, nests too deep, repeats a key, or uses
        anchors, aliases or tags.
    """
    if len(text) > MAX_CHARACTERS:
        raise fail(f"the file has {len(text):,} characters; {MAX_CHARACTERS:,} is the limit.")
    try:
        _check_events(text, fail)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return Document(None)
            lines: dict[Path, int] = {}
            return Document(_build(loader, node, (), lines, fail), lines)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise fail(_explained(error)) from error
    except ValueError as error:  # a number of thousands of digits, say
        raise fail(f"a value cannot be read ({error}).") from error


def _check_events(text: str, fail: Callable[[str], Exception]) -> None:
    """Refuse what is not wanted before anything is built: the parser's events cost next to nothing."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise fail(f"{_at(event)}: anchors (&) and aliases (*) are not allowed; write the value out.")
        if tag := getattr(event, "tag", None):
            raise fail(f"{_at(event)}: tags ({tag}) are not allowed; write a plain value.")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise fail(f"{_at(event)}: nests too deep; {MAX_DEPTH} levels is the limit.")


def _build(
    loader: _Loader, node: yaml.Node, path: Path, lines: dict[Path, int], fail: Callable[[str], Exception]
) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, (*path, index), lines, fail) for index, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise fail(f"{_at(key_node)}: a key must be a plain word.")
            key = str(key_node.value)
            if key in mapping:
                raise fail(f"{_at(key_node)}: the key '{key}' stands here twice.")
            mapping[key] = _build(loader, value_node, (*path, key), lines, fail)
            lines[(*path, key)] = key_node.start_mark.line + 1
        return mapping
    return loader.construct_object(node)


def _at(marked: Any) -> str:
    return f"line {marked.start_mark.line + 1}"


def _explained(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    where = f"line {mark.line + 1}: " if mark is not None else ""
    return f"{where}this is not YAML ({problem})."
