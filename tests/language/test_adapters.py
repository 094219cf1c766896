from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tdmm.errors import InvalidConfig, MissingDependency
from tdmm.language.motion2language import Motion2Language

from .tiny_models import checkpoint, model


def test_without_peft_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = checkpoint(tmp_path / "base")
    model(base).save(tmp_path / "adapter")
    monkeypatch.setitem(sys.modules, "peft", None)
    for use in (lambda: model(base), lambda: Motion2Language.load(tmp_path / "adapter")):
        with pytest.raises(MissingDependency, match=r"pip install 'tdmm\[lora\]'"):
            use()


@pytest.mark.parametrize("targets", ["no_such_layer", ["no_such_layer"]])
def test_targets_that_are_not_there_are_refused(tmp_path: Path, targets: object) -> None:
    with pytest.raises(InvalidConfig, match="no_such_layer"):
        model(checkpoint(tmp_path / "base"), lora={"targets": targets})


def test_targets_are_where_the_adapter_goes(tmp_path: Path) -> None:
    reader = model(checkpoint(tmp_path / "base"), lora={"targets": ["q_proj", "v_proj"], "rank": 2})
    layers = {name.split(".lora_")[0].rsplit(".", 1)[-1] for name, _ in reader.named_parameters() if "lora_" in name}
    assert layers == {"q_proj", "v_proj"}
