"""The layout of MEAD (Wang et al., ECCV 2020): `M003/video/front/angry/level_1/001.mp4`.

Sixty speakers say sentences in eight emotions at three levels (neutral has one), filmed from seven sides. The labels
say what the speaker was asked for: they are weak, and nothing is said about when.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tdmm.acting.intensity_words import Level
from tdmm.corpus.recordings.folder import videos_in
from tdmm.corpus.recordings.recording import Listing, Recording, with_ids
from tdmm.errors import InvalidInput

EMOTIONS: dict[str, tuple[str, str]] = {
    "angry": ("anger", "angry"),
    "contempt": ("smirk", "contemptuous"),
    "disgusted": ("disgust", "disgusted"),
    "fear": ("fear", "afraid"),
    "happy": ("joy", "happy"),
    "neutral": ("", "neutral"),
    "sad": ("sadness", "sad"),
    "surprised": ("surprise", "surprised"),
}
"""MEAD's emotions: the family of the lexicon each is nearest to (none for neutral), and a word for it."""

LEVELS: dict[str, Level] = {"1": "slight", "2": "plain", "3": "strong"}
"""MEAD's levels (weak, medium, strong) as degrees."""

_DEGREES = {"slight": "slightly ", "plain": "", "strong": "very "}
_LAYOUT = re.compile(
    r"(?:^|/)(?P<person>(?P<sex>[MW])\d+)/(?:video/)?(?P<view>front|down|top|left_30|left_60|right_30|right_60)"
    rf"/(?P<emotion>{'|'.join(EMOTIONS)})/level_(?P<level>[123])/(?P<take>[^/]+)\.\w+$"
)


def is_mead(folder: Path) -> bool:
    """Whether videos of MEAD's paths lie in a folder."""
    return any(_parts(path, folder) for path in videos_in(folder))


def list_mead(folder: Path) -> Listing:
    """MEAD's videos, with person, view, emotion and level as labels, and a caption made of them.

    `family` is the family of the lexicon that the emotion is nearest to, `degree` the level as a degree. The caption
    says no more than the labels do. Videos on other paths are left out and named.

    Raises:
        FileProblem: the folder cannot be read.
        InvalidInput: none of its videos lies on such a path.
    """
    found, left_out = [], []
    for path in videos_in(folder):
        parts = _parts(path, folder)
        if parts is None:
            left_out.append(f"{path}: is not on a path of MEAD, and left out")
            continue
        family, word = EMOTIONS[parts["emotion"]]
        degree = LEVELS[parts["level"]]
        labels = {name: parts[name] for name in ("view", "emotion", "level")} | {"degree": degree}
        recording = Recording(
            "",
            path,
            person=parts["person"],
            texts=(_caption(parts["sex"], word, degree),),
            labels=labels | ({"family": family} if family else {}),
            group=f"{parts['emotion']}-{parts['level']}",
        )
        found.append(
            (f"mead/{parts['person']}/{parts['view']}/{parts['emotion']}/{parts['level']}/{parts['take']}", recording)
        )
    if not found:
        raise InvalidInput(
            f"{folder}: no video lies on a path of MEAD. Unpacked, they are M003/video/front/angry/level_1/001.mp4."
        )
    return Listing(with_ids(found), tuple(left_out))


def _parts(path: Path, folder: Path) -> dict[str, Any] | None:
    # The folder given may be that of one speaker: its own name counts too.
    within = Path(folder.absolute().name) / path.relative_to(folder)
    found = _LAYOUT.search(within.as_posix())
    return found.groupdict() if found else None


def _caption(sex: str, word: str, degree: Level) -> str:
    who = "A man" if sex == "M" else "A woman"
    if word == "neutral":
        return f"{who} speaks with a neutral face."
    return f"{who} looks {_DEGREES[degree]}{word} while speaking."
