"""Which recordings there are: a folder of videos, a manifest, or the layout of a data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, get_args

from tdmm.corpus.recordings.folder import list_folder
from tdmm.corpus.recordings.manifest import read_manifest
from tdmm.corpus.recordings.mead import is_mead, list_mead
from tdmm.corpus.recordings.recording import Listing
from tdmm.corpus.recordings.released import list_released, text_files
from tdmm.errors import InvalidInput, did_you_mean

Layout = Literal["auto", "folder", "manifest", "mead", "released"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)


def list_recordings(source: Path, layout: Layout = "auto") -> Listing:
    """List the recordings of a user.

    Args:
        source: a folder, or a manifest (`.csv`, `.jsonl`).
        layout: `auto` takes a file for a manifest, a folder with MEAD's paths for MEAD, one with json files for the
            released data of TDMM-LM, and any other for a folder of videos.

    Raises:
        FileProblem: it cannot be read.
        InvalidInput: there is no recording in it, or it is not of that layout; the message says what was looked for.
    """
    if layout not in LAYOUTS:
        raise InvalidInput(f"Unknown layout '{layout}'.{did_you_mean(layout, LAYOUTS)} Known: {', '.join(LAYOUTS)}.")
    if layout == "auto":
        if not source.is_dir():
            layout = "manifest"
        elif is_mead(source):
            layout = "mead"
        else:
            layout = "released" if text_files(source) else "folder"
    readers: Mapping[str, Callable[[Path], Listing]] = {
        "folder": list_folder, "manifest": read_manifest, "mead": list_mead, "released": list_released
    }  # fmt: skip
    return readers[layout](source)
