"""The data that the authors of TDMM-LM released (`Songluchuan/TDMM-LM_data`): videos, and json with their words.

Its page says that the language is "as shown in json file", and not how; the names of its videos are like
`prompt_1_3000/0000_happy_subtle.mp4` and `00019_ Emotion: happy.mp4`. So what is accepted here is wide:

- a json beside a video, of its name: an object, a text, or a list of texts;
- any other `.json` or `.jsonl`: a list of objects (or an object of them by name) that name a video in one of
  `VIDEO_FIELDS` and give words in one or more of `TEXT_FIELDS`; or an object of texts by the names of videos. A list
  may lie one level down (`{"data": [...]}`).

A video is named by its path, the end of its path, or its name without extension. Other short fields become labels.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tdmm.corpus.recordings.folder import files_in, videos_in
from tdmm.corpus.recordings.recording import Listing, Recording, with_ids
from tdmm.errors import InvalidInput

VIDEO_FIELDS = (
    "video", "video_path", "video_name", "video_file", "path", "file", "filename", "file_name", "file_path", "name",
    "clip", "clip_id", "id",
)  # fmt: skip
TEXT_FIELDS = (
    "caption", "captions", "text", "texts", "prompt", "prompts", "description", "descriptions", "annotation",
    "annotations", "language", "sentence", "sentences", "paraphrase", "paraphrases", "refined_prompt",
)  # fmt: skip
_LISTS = ("data", "items", "annotations", "videos", "clips", "samples")
_TEXTS = (".json", ".jsonl")
_LONGEST_LABEL = 100
_NAMED = re.compile(r"^\d+_\s*(?:Emotion:\s*)?(?P<asked>[A-Za-z][A-Za-z -]*?)(?:_(?P<degree>[a-z]+))?$")
"""`00019_ Emotion: happy`, `0000_happy_subtle`."""


@dataclass
class _Said:
    """What the json files say of one video."""

    texts: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)


def text_files(folder: Path) -> list[Path]:
    """The json files of a folder."""
    return files_in(folder, _TEXTS)


def list_released(folder: Path) -> Listing:
    """The released videos, with their texts and labels.

    A video that no json has words for is listed without texts, and named among those left out. The label `asked` is
    what its own name says ("happy"), `asked_degree` how much ("subtle"); both together are its group.

    Raises:
        FileProblem: the folder or a file cannot be read.
        InvalidInput: there is no video, no json, a json that is none, or not one that has words for a video; the
            message says what is looked for.
    """
    videos = videos_in(folder)
    if not videos:
        raise InvalidInput(f"{folder}: holds no video. Fetch them with the release's download_gdrive_folder.sh.")
    sources = text_files(folder)
    if not sources:
        raise InvalidInput(
            f"{folder}: holds {len(videos)} video(s) and no json, so nothing says what they show. Put the release's "
            "json files there; or list them as a plain folder (layout 'folder') and have them captioned."
        )
    places = _places(videos, folder)
    said: dict[Path, _Said] = {}
    left_out: list[str] = []
    for source in sources:
        left_out += _read(source, folder, places, said)
    if not any(each.texts for each in said.values()):
        raise InvalidInput(
            f"{folder}: none of its {len(sources)} json have words for a video. {' '.join(left_out[:2])} A video "
            f"is looked for in {', '.join(VIDEO_FIELDS)}; words in {', '.join(TEXT_FIELDS)}."
        )
    recordings = []
    for video in videos:
        about = said.get(video, _Said())
        if not about.texts:
            left_out.append(f"{video}: no json has words for it; it is listed without")
        named = _named(video)
        recording = Recording(
            "", video, texts=tuple(about.texts), labels=named | about.labels, group="-".join(named.values())
        )
        recordings.append((str(video.relative_to(folder).with_suffix("")), recording))
    return Listing(with_ids(recordings), tuple(left_out))


def _places(videos: list[Path], folder: Path) -> dict[str, Path | None]:
    """What a video may be called to the video; None for what may be several."""
    places: dict[str, Path | None] = {}
    for video in videos:
        parts = video.relative_to(folder).parts
        for start in range(len(parts)):
            end = "/".join(parts[start:])
            for name in {end, end.removesuffix(video.suffix)}:
                places[name] = None if name in places and places[name] != video else video
    return places


def _found(name: str, places: dict[str, Path | None]) -> Path | None:
    """The video of a name: of the longest end of its path that is known."""
    parts = name.strip().replace("\\", "/").split("/")
    for start in range(len(parts)):
        end = "/".join(parts[start:])
        if end in places:
            return places[end]
    return None


def _read(source: Path, folder: Path, places: dict[str, Path | None], said: dict[Path, _Said]) -> list[str]:
    """Add what one file says; return what of it could not be used, in words."""
    content = _content(source)
    own = [path for path in places.values() if path is not None and path.with_suffix("") == source.with_suffix("")]
    if own and not _entries(content):
        texts, labels = _of(content)
        _add(said, own[0], texts, labels)
        return [] if texts else [f"{source}: has no words in a field that is known; it has {_names(content)}."]
    unknown, wordless, used = 0, 0, 0
    for name, value in _entries(content):
        video = _found(name, places)
        texts, labels = _of(value)
        if video is None:
            unknown += 1
        elif not texts:
            wordless += 1
        else:
            _add(said, video, texts, labels)
            used += 1
    shown = source.relative_to(folder)
    left_out = []
    if unknown:
        left_out.append(f"{shown}: {unknown} of its entries name no video that is here, or one of several.")
    if wordless:
        left_out.append(f"{shown}: {wordless} of its entries have no words in a field that is known.")
    if not (unknown or wordless or used):
        left_out.append(f"{shown}: has no entry that names a video; it has {_names(content)}.")
    return left_out


def _content(source: Path) -> Any:
    try:
        text = source.read_text(encoding="utf-8-sig")
        if source.suffix.lower() == ".jsonl":
            return [json.loads(line) for line in text.split("\n") if line.strip()]
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{source}: is no JSON ({error}). Fetch it again.") from error


def _entries(content: Any) -> list[tuple[str, Any]]:
    """Names of videos and what is said of each."""
    if isinstance(content, dict):
        if _name(content) and any(field in content for field in TEXT_FIELDS):
            return [(_name(content), content)]
        for inner in _LISTS:
            if isinstance(content.get(inner), list) and any(isinstance(each, dict) for each in content[inner]):
                return _entries(content[inner])
        if any(field in content for field in TEXT_FIELDS):
            return []
        return [(str(name), value) for name, value in content.items() if isinstance(value, dict | list | str)]
    if isinstance(content, list):
        return [(_name(each), each) for each in content if isinstance(each, dict) and _name(each)]
    return []


def _name(entry: dict[str, Any]) -> str:
    named = [entry[field] for field in VIDEO_FIELDS if isinstance(entry.get(field), str | int)]
    return str(named[0]) if named else ""


def _of(entry: Any) -> tuple[list[str], dict[str, str]]:
    """The texts and the labels of an entry."""
    if not isinstance(entry, dict):
        return list(_texts(entry)), {}
    texts = [text for field in TEXT_FIELDS if field in entry for text in _texts(entry[field])]
    labels = {
        str(name): str(value)
        for name, value in entry.items()
        if name not in (*TEXT_FIELDS, *VIDEO_FIELDS)
        and isinstance(value, str | int | float)
        and 0 < len(str(value)) <= _LONGEST_LABEL
    }
    return texts, labels


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.strip():
        yield value.strip()
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _add(said: dict[Path, _Said], video: Path, texts: list[str], labels: dict[str, str]) -> None:
    about = said.setdefault(video, _Said())
    about.texts += [text for text in texts if text not in about.texts]
    about.labels.update(labels)


def _names(content: Any) -> str:
    if isinstance(content, dict):
        return ", ".join(map(str, list(content)[:6])) or "nothing"
    return f"a list of {type(content[0]).__name__}" if isinstance(content, list) and content else "nothing"


def _named(video: Path) -> dict[str, str]:
    """Labels that a video's own name carries."""
    found = _NAMED.match(video.stem)
    labels = {} if found is None else {"asked": found["asked"].strip(), "asked_degree": found["degree"] or ""}
    return {name: value for name, value in labels.items() if value}
