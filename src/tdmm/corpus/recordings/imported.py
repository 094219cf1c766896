"""Results of other trackers in place of ours: files of SMIRK, SPECTRE, EMOCA and the like, Live Link, or our own."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tdmm.errors import InvalidMotion, UnknownFormat
from tdmm.face.arkit import load_head
from tdmm.face.flame import FlameHead
from tdmm.face.named_arrays import READABLE
from tdmm.files import require_readable
from tdmm.motion.clip import FaceMotion
from tdmm.motion.files import load
from tdmm.motion.flame_files import read_parameters
from tdmm.motion.retarget import Converter

EXTENSIONS = (".csv", *READABLE)
"""Extensions that `imported` reads."""


def imported(path: Path, flame: FlameHead | None = None, fps: float | None = None) -> FaceMotion:
    """Read what a tracker found.

    `.csv` is Live Link Face, an `.npz` with a `rig` is ours; any other `.npz`, `.pkl` and `.npy` holds FLAME parameters
    (see `tdmm.motion.flame_files` for the names that are known), among them what the tools of the TDMM-LM release write
    with SMIRK (`expression`, `pose`, `jaw`, `eyelid`, `identity`, `camera_pose`) and SPECTRE (`exp`, `pose`, `shape`).
    No pickle is run. Eyelid shapes have no place in FLAME's rig and are left out: blinks are lost with them.

    Args:
        path: of the file.
        flame: FLAME, on which parameters are brought to the `arkit` rig; without it they stay on the rig `flame`.
        fps: of the video that was tracked; needed where the file does not say.

    Raises:
        UnknownFormat: another extension.
        FileProblem, ArtifactProblem: the file cannot be read, or asks for code.
        InvalidMotion: its arrays are not known, or no frame rate is given.
    """
    extension = path.suffix.lower()
    if extension not in EXTENSIONS:
        raise UnknownFormat(f"{path}: is no result of a tracker that is known. Readable: {', '.join(EXTENSIONS)}.")
    if extension == ".csv" or (extension == ".npz" and _ours(require_readable(path))):
        return load(path)
    motion = read_parameters(path, fps)
    return motion if flame is None else Converter(flame, load_head()).convert(motion).motion


def _ours(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "rig.npy" in archive.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise InvalidMotion(f"{path}: is not a whole .npz file ({error}). Copy it again.") from error
