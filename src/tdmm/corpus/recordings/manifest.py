"""A list of videos with what is known of each, as CSV or JSON lines."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tdmm.corpus.recordings.recording import Listing, Recording, with_ids
from tdmm.errors import InvalidInput, did_you_mean
from tdmm.files import require_readable, written_aside

_FIELDS = ("path", "person", "caption", "labels", "licence", "group")
_SPELLINGS = {"license": "licence", "video": "path", "text": "caption"}
_LONGEST_TEXT = 2000


def read_manifest(path: Path) -> Listing:
    """Read a list of videos.

    A `.csv` has a header, a `.jsonl` an object a line. Fields: `path` (needed; relative to the manifest's folder),
    `person`, `caption` (in JSON a list of texts will do), `labels` (in JSON an object, in CSV `emotion=angry;
    level=2`), `licence`, and `group` (what splits never divide).

    Raises:
        FileProblem: the manifest cannot be read.
        InvalidInput: a line breaks the format (it is named), a field is unknown, or a video is missing.
    """
    require_readable(path)
    kinds = {".csv": _csv_rows, ".jsonl": _jsonl_rows}
    extension = path.suffix.lower()
    if extension not in kinds:
        raise InvalidInput(f"{path}: is no manifest. Give a .csv, a .jsonl, or a folder of videos.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: is not UTF-8 text ({error}). Save it as UTF-8.") from error
    found = []
    for line, row in kinds[extension](path, text):
        recording = _recording(path, line, row)
        name = str(row["path"])
        found.append((name[: -len(Path(name).suffix)] if Path(name).suffix else name, recording))
    if not found:
        raise InvalidInput(f"{path}: lists no video. It needs a line for each, with a field 'path'.")
    return Listing(with_ids(found))


def write_manifest(recordings: tuple[Recording, ...], path: Path) -> None:
    """Write a `.jsonl` that `read_manifest` reads, with paths relative to its folder where they lie below it.

    Raises:
        FileProblem: it cannot be written.
    """
    with written_aside(path) as temporary, temporary.open("w", encoding="utf-8") as handle:
        for each in recordings:
            below = each.path.is_relative_to(path.parent)
            row: dict[str, Any] = {"path": str(each.path.relative_to(path.parent) if below else each.path.absolute())}
            row |= {"person": each.person, "caption": list(each.texts), "labels": dict(each.labels)}
            row |= {"licence": each.licence, "group": each.group}
            handle.write(json.dumps({name: value for name, value in row.items() if value}, ensure_ascii=False) + "\n")


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(text.splitlines(), strict=True, restkey="")
    try:
        for row in reader:
            if "" in row:
                raise InvalidInput(f"{path}, line {reader.line_num}: has more columns than the header.")
            filled = {
                str(name).strip().lower(): value.strip() for name, value in row.items() if value and value.strip()
            }
            if "labels" in filled:
                filled["labels"] = _pairs(path, reader.line_num, filled["labels"])
            yield reader.line_num, filled
    except csv.Error as error:
        raise InvalidInput(f"{path}, line {reader.line_num}: is no CSV ({error}).") from error


def _pairs(path: Path, line: int, text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in re.split(r"[;|]", text) if pair.strip()]
    if any(not equals or not name.strip() for name, equals, _ in pairs):
        raise InvalidInput(f"{path}, line {line}: labels are '{text[:60]}'; write them as emotion=angry; level=2")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _jsonl_rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, words in enumerate(text.split("\n"), start=1):
        if not words.strip():
            continue
        try:
            row = json.loads(words)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"{path}, line {line}: is no JSON ({error}).") from error
        if not isinstance(row, dict):
            raise InvalidInput(f"{path}, line {line}: an object is needed, with a field 'path'.")
        yield line, {str(name).strip().lower(): value for name, value in row.items() if value not in (None, "", [], {})}


def _recording(path: Path, line: int, row: dict[str, Any]) -> Recording:
    for spelling, name in _SPELLINGS.items():
        if spelling in row and name not in row:
            row[name] = row.pop(spelling)
    for name in row:
        if name not in _FIELDS:
            raise InvalidInput(
                f"{path}, line {line}: unknown field '{name}'.{did_you_mean(name, _FIELDS)} Known: "
                f"{', '.join(_FIELDS)}. What else is known of a video goes into 'labels'."
            )

    def words(name: str) -> str:
        value = row.get(name, "")
        if not isinstance(value, str) or len(value) > _LONGEST_TEXT or "\0" in value:
            raise InvalidInput(f"{path}, line {line}: '{name}' must be words, at most {_LONGEST_TEXT} characters.")
        return value.strip()

    if not words("path"):
        raise InvalidInput(f"{path}, line {line}: has no 'path' of a video.")
    video = path.parent / words("path")
    if not video.is_file():
        raise InvalidInput(f"{path}, line {line}: there is no video {video}. Paths count from the manifest's folder.")
    captions = row.get("caption", "")
    texts = captions if isinstance(captions, list) else [words("caption")]
    labels = row.get("labels", {})
    if not all(isinstance(text, str) and len(text) <= _LONGEST_TEXT for text in texts):
        raise InvalidInput(f"{path}, line {line}: 'caption' must be words or a list of texts.")
    if not isinstance(labels, dict) or not all(isinstance(value, str | int | float) for value in labels.values()):
        raise InvalidInput(
            f'{path}, line {line}: \'labels\' must be an object of words, such as {{"emotion": "angry"}}.'
        )
    return Recording(
        "",
        video,
        person=words("person"),
        texts=tuple(text.strip() for text in texts if text.strip()),
        labels={str(name): str(value) for name, value in labels.items()},
        licence=words("licence"),
        group=words("group"),
    )
