"""The bundled artifacts, and where they lie."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
TOKENIZER = FOLDER / "tokenizer"
LISTENING_TOKENIZER = FOLDER / "tokenizer_listening"
"""The tokenizer that Motion2Language was trained with."""
PLANNER = FOLDER / "planner"
LANGUAGE2MOTION = FOLDER / "language2motion"
MOTION2LANGUAGE = FOLDER / "motion2language"
