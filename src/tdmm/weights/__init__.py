"""The bundled artifacts, and where they lie."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
TOKENIZER = FOLDER / "tokenizer"
PHRASES = FOLDER / "phrases"
"""What tunes the text encoder of the planner."""
PLANNER = FOLDER / "planner"
LANGUAGE2MOTION = FOLDER / "language2motion"
MOTION2LANGUAGE = FOLDER / "motion2language"
