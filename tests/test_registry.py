from __future__ import annotations

import pytest

from tdmm.errors import UnknownName
from tdmm.registry import Registry


def test_factories_are_imported_on_demand() -> None:
    registry: Registry[object] = Registry("thing")
    registry.register("path", "pathlib:Path")
    registry.register("broken", "no_such_module:x")
    assert registry.names() == ("broken", "path")
    assert str(registry.get("path")("a")) == "a"


def test_duplicates_and_unknown_names() -> None:
    registry: Registry[object] = Registry("quantizer")
    registry.register("rvq", "pathlib:Path")
    with pytest.raises(ValueError, match="already registered"):
        registry.register("rvq", "pathlib:PurePath")
    with pytest.raises(UnknownName, match=r"Unknown quantizer 'rqv'\. Did you mean 'rvq'\?"):
        registry.get("rqv")
