"""tdmm: words to faces, faces to words.

>>> import tdmm
>>> motion = tdmm.animate("a shy smile that fades, then she looks down")
>>> tdmm.describe(motion)  # doctest: +SKIP

Names are loaded on first use; importing `tdmm` imports neither torch nor transformers.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "animate": "tdmm.api:animate",
    "describe": "tdmm.api:describe",
    "transcribe": "tdmm.api:transcribe",
    "edit": "tdmm.api:edit",
    "extend": "tdmm.api:extend",
    "stream": "tdmm.api:stream",
    "play": "tdmm.api:play",
    "track": "tdmm.api:track",
    "explain": "tdmm.api:explain",
    "act": "tdmm.api:act",
    "direct": "tdmm.api:direct",
    "use_models": "tdmm.api:use_models",
    "load": "tdmm.api:load",
    "save": "tdmm.api:save",
    "FaceMotion": "tdmm.motion.clip:FaceMotion",
    "Script": "tdmm.acting.script:Script",
    "TdmmError": "tdmm.errors:TdmmError",
}

__all__ = [
    "FaceMotion", "Script", "TdmmError", "act", "animate", "describe", "direct", "edit", "explain", "extend", "load",
    "play", "save", "stream", "track", "transcribe", "use_models",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'tdmm' has no attribute '{name}'")
    module, attribute = _PUBLIC[name].split(":")
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
