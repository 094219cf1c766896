"""Own models in the place of the bundled ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tdmm import weights
from tdmm.errors import InvalidInput


def test_own_models_come_first_and_ours_stand_in_for_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(weights.VARIABLE, "")
    (tmp_path / "planner").mkdir()
    weights.use(tmp_path)
    assert weights.folder("planner") == tmp_path / "planner"
    assert weights.folder("tokenizer") == weights.BUNDLED / "tokenizer"
    weights.use(None)
    assert weights.folder("planner") == weights.BUNDLED / "planner"


def test_a_folder_without_models_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match="holds no models"):
        weights.use(tmp_path)
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path / "missing"))
    with pytest.raises(InvalidInput, match="missing: holds no models"):
        weights.folder("planner")


def test_all_bundled_models_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(weights.VARIABLE, raising=False)
    assert all((weights.folder(name) / "weights.safetensors").is_file() for name in weights.NAMES)
