"""The lexicon: 200 descriptors of what a face can do, by name, by family, and in free text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from tdmm.acting.descriptors import ActionRecipe, Descriptor, Phrasing
from tdmm.acting.lexicon_files import read_descriptors
from tdmm.acting.mentions import Finder, Found, Mention, descriptor_patterns, head_motions_in, motion_patterns
from tdmm.acting.strict_yaml import parse_yaml
from tdmm.errors import InvalidConfig, UnknownName, did_you_mean
from tdmm.motion.events import HeadMotionKind

DATA = Path(__file__).parent / "data"
"""Folder of the reviewed YAML: one `lexicon_*.yaml` a kind."""


@dataclass(frozen=True)
class Lexicon:
    """Descriptors by name.

    Raises:
        InvalidConfig: a name stands twice.
    """

    entries: tuple[Descriptor, ...]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for entry in self.entries:
            if entry.name in seen:
                raise InvalidConfig(f"The lexicon has two entries named '{entry.name}'; rename one.")
            seen.add(entry.name)

    @cached_property
    def descriptors(self) -> dict[str, Descriptor]:
        """Name to descriptor, in the order of the files."""
        return {entry.name: entry for entry in self.entries}

    @cached_property
    def families(self) -> dict[str, tuple[str, ...]]:
        """Family to the names of its descriptors."""
        families: dict[str, list[str]] = {}
        for entry in self.entries:
            families.setdefault(entry.family, []).append(entry.name)
        return {family: tuple(names) for family, names in families.items()}

    def get(self, name: str) -> Descriptor:
        """The descriptor of that name.

        Raises:
            UnknownName: there is none; the message suggests close names.
        """
        found = self.descriptors.get(name)
        if found is None:
            raise UnknownName(
                f"Unknown descriptor '{name}'.{did_you_mean(name, self.descriptors)} `tdmm lexicon` lists all of them."
            )
        return found

    def look_up(self, words: str) -> tuple[Descriptor, ...]:
        """Descriptors by name, by family, or named in a phrase ("furrows her brow").

        A name goes before a family of the same name.

        Raises:
            UnknownName: nothing of it is known; the message suggests close names.
        """
        name = "_".join(words.lower().replace("-", " ").replace("_", " ").split())
        if name in self.descriptors:
            return (self.descriptors[name],)
        if name in self.families:
            return tuple(self.descriptors[member] for member in self.families[name])
        named = dict.fromkeys(mention.descriptor for mention in self.mentions(words))
        if named:
            return tuple(self.descriptors[found] for found in named)
        raise UnknownName(
            f"Nothing in the lexicon is called '{words}'.{did_you_mean(name, {*self.descriptors, *self.families})} "
            "`tdmm lexicon` lists all."
        )

    @cached_property
    def finder(self) -> Finder:
        """Finds what this lexicon and the words for head motions, looks and blinks can name."""
        return Finder([*descriptor_patterns(self.entries), *motion_patterns()])

    def find(self, text: str) -> list[Found]:
        """Descriptors, head motions, looks and blinks named in free text, in its order."""
        return self.finder.find(text)

    def mentions(self, text: str) -> list[Mention]:
        """Descriptors named in free text, in its order: any inflection, small words between allowed.

        The longest phrasing wins: "smiles in embarrassment" is embarrassment, not a smile. A text that
        denies something ("does not smile") still names it.
        """
        return [Mention(found.name, found.start, found.end) for found in self.find(text) if found.sort == "descriptor"]

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, name: object) -> bool:
        return name in self.descriptors


def read(paths: Iterable[Path]) -> Lexicon:
    """Read a lexicon from YAML files, in the order given.

    Raises:
        InvalidConfig: a file breaks the format (file, entry and field are named).
        FileProblem: a file cannot be read.
    """
    return Lexicon(tuple(entry for path in paths for entry in read_descriptors(path)))


@cache
def load() -> Lexicon:
    """The built-in lexicon. Read once."""
    return read(sorted(DATA.glob("lexicon_*.yaml")))


@cache
def sources() -> dict[str, str]:
    """Where recipes come from: the key in `Descriptor.source` to the citation."""
    path = DATA / "sources.yaml"
    document = parse_yaml(path.read_text(encoding="utf-8"), lambda message: InvalidConfig(f"{path.name}: {message}"))
    return {str(key): str(value) for key, value in document.data.items()}


def mentioned_head_motions(text: str) -> list[HeadMotionKind]:
    """Head motions named in free text, each once, in its order.

    "Looks down" alone is gaze; "lowers her head" and "drops her chin" are the head. "Turns to the left"
    is the head, "turns her eyes to the left" is not. What belongs to a longer phrasing of a descriptor
    ("hangs her head in shame") counts as that descriptor.
    """
    return head_motions_in(load().find(text))


def words_known() -> frozenset[str]:
    """Content words of every phrasing in every inflection, with those for head motions, gaze and blinks."""
    return load().finder.words


__all__ = [
    "ActionRecipe",
    "Descriptor",
    "Found",
    "Lexicon",
    "Mention",
    "Phrasing",
    "load",
    "mentioned_head_motions",
    "read",
    "sources",
    "words_known",
]
