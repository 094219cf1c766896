"""`tdmm.<name>` is what `__all__` says."""

from __future__ import annotations

import pytest

import tdmm


def test_all_names_resolve() -> None:
    for name in tdmm.__all__:
        assert getattr(tdmm, name) is not None
    assert set(tdmm.__all__) == set(tdmm._PUBLIC)
    assert set(tdmm.__all__) <= set(dir(tdmm))


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'anmiate'"):
        _ = tdmm.anmiate


def test_version_is_in_the_changelog() -> None:
    from pathlib import Path

    changelog = (Path(__file__).parents[1] / "CHANGELOG.md").read_text()
    assert f"## {tdmm.__version__}" in changelog
