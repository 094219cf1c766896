"""The phrase bank: what people really write for each descriptor, beside the plain phrasings of the lexicon."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ConfigDict, RootModel, ValidationError, field_validator

from tdmm.acting.descriptors import FORMS, Descriptor, Phrasing, Style
from tdmm.acting.holding_out import HELD_OUT, Wordings, rank
from tdmm.acting.lexicon import load
from tdmm.acting.lexicon_files import checked_nouns, checked_texts
from tdmm.acting.strict_yaml import first_fault, parse_yaml
from tdmm.errors import InvalidConfig, did_you_mean
from tdmm.files import require_readable

BANK_STYLES: tuple[Style, ...] = tuple(style for style in get_args(Style) if style != "plain")


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    verb: list[str] = []
    noun: list[str] = []
    adjective: list[str] = []

    _wording = field_validator("verb", "noun", "adjective")(checked_texts)
    _article = field_validator("noun")(checked_nouns)

    def phrasings(self, style: Style) -> Iterable[Phrasing]:
        for form in FORMS:
            for text in getattr(self, form):
                yield Phrasing(form, text.removesuffix("!"), text.endswith("!"), style)


class _Styles(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    direct: _Said
    idiom: _Said
    situation: _Said
    clinical: _Said
    director: _Said


class _File(RootModel[dict[str, _Styles]]):
    pass


def read(path: Path) -> dict[str, tuple[Phrasing, ...]]:
    """Read one file of the bank: descriptor to its phrasings.

    Raises:
        InvalidConfig: not YAML, a style is missing, or a phrasing breaks the form of `Phrasing`.
        FileProblem: it cannot be read.
    """
    text = require_readable(path).read_text(encoding="utf-8")
    document = parse_yaml(text, lambda message: InvalidConfig(f"{path.name}: {message}"))
    try:
        file = _File.model_validate(document.data)
    except ValidationError as error:
        fault = first_fault(error, document)
        raise InvalidConfig(f"{path.name}, line {fault.line}, field {fault.field}: {fault.message}") from error
    return {
        name: tuple(each for style in BANK_STYLES for each in getattr(styles, style).phrasings(style))
        for name, styles in file.root.items()
    }


@cache
def bank() -> dict[str, tuple[Phrasing, ...]]:
    """The built-in bank, descriptor to phrasings. Read once.

    Raises:
        InvalidConfig: a file breaks the format, or words a descriptor twice.
    """
    names = dict.fromkeys(name for part in _parts() for name in part)
    return {name: tuple(each for part in _parts() for each in part.get(name, ())) for name in names}


@cache
def _parts() -> tuple[dict[str, tuple[Phrasing, ...]], ...]:
    """The banks as they were written. Each holds out its own, so that a later one moves none of an earlier."""
    data = Path(__file__).parent / "data"
    return tuple(
        _merged(sorted(data.glob(f"{which}wordings_*.yaml"))) for which in ("", "more_", "further_", "fourth_")
    )


def _merged(paths: Iterable[Path]) -> dict[str, tuple[Phrasing, ...]]:
    said: dict[str, tuple[Phrasing, ...]] = {}
    for path in paths:
        for name, phrasings in read(path).items():
            if name in said:
                raise InvalidConfig(f"{path.name}: '{name}' is worded in two files of one bank; put both in one.")
            said[name] = phrasings
    return said


def require_known(names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse wordings of a descriptor that the lexicon lacks.

    Raises:
        InvalidConfig: there is one; the message suggests close names.
    """
    known = list(known)
    for name in names:
        if name not in known:
            raise InvalidConfig(f"The bank words '{name}', which the lexicon lacks.{did_you_mean(name, known)}")


@cache
def held_out(entry: Descriptor) -> frozenset[Phrasing]:
    """About a fifth of the phrasings of a descriptor, all from the banks, of as many styles as there are.

    Which ones depends on their words alone, so adding a phrasing moves few others. One whose words stand within
    a phrasing that is trained, of this or another descriptor, is not unseen and not held out.
    """
    return frozenset(each for each in _picked(entry) if not _said_in_training(each.text))


def _said_in_training(text: str) -> bool:
    found = (_trained_words().get(word, "") for word in text.split())
    # The rarest word has the fewest texts to look through.
    return f" {text} " in min(found, key=len)


@cache
def _trained_words() -> dict[str, str]:
    """Of each word all phrasings with it that are not picked, in one text."""
    said: dict[str, list[str]] = {}
    for entry in load().entries:
        picked = _picked(entry)
        for each in (*entry.phrasings, *bank().get(entry.name, ())):
            if each not in picked:
                for word in set(each.text.split()):
                    said.setdefault(word, []).append(each.text)
    return {word: f" {' | '.join(texts)} " for word, texts in said.items()}


@cache
def _picked(entry: Descriptor) -> frozenset[Phrasing]:
    hidden: list[Phrasing] = []
    for place, part in enumerate(_parts()):
        said = part.get(entry.name, ())
        # The plain phrasings of the lexicon are all trained on; the first bank holds out their fifth.
        hidden += _hidden(entry.name, said, len(said) + (len(entry.phrasings) if place == 0 else 0))
    return frozenset(hidden)


def _hidden(name: str, said: Sequence[Phrasing], among: int) -> list[Phrasing]:
    ranked = sorted(said, key=lambda each: rank(name, each.text))
    first_of_style = {each.style: each for each in reversed(ranked)}
    spread = sorted(first_of_style.values(), key=ranked.index)
    rest = [each for each in ranked if each not in spread]
    return (spread + rest)[: round(HELD_OUT * among)]


@cache
def phrasings(entry: Descriptor, wordings: Wordings) -> tuple[Phrasing, ...]:
    """The phrasings of a descriptor that a narration may draw on."""
    if wordings == "plain":
        return entry.phrasings
    hidden = held_out(entry)
    if wordings == "held_out":
        return tuple(each for each in bank().get(entry.name, ()) if each in hidden)
    return (*entry.phrasings, *(each for each in bank().get(entry.name, ()) if each not in hidden))
