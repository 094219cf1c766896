"""Promises about the house: what is imported when, and in which direction."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "transformers", "pyarrow", "av", "PIL", "scipy")


def _heavy_modules_after(code: str) -> list[str]:
    script = f"import sys\n{code}\nprint(' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.split("\n")[-2].split()


def test_import_tdmm_imports_nothing_heavy() -> None:
    assert _heavy_modules_after("import tdmm") == []


@pytest.mark.parametrize(
    "command", [[], ["animate"], ["describe"], ["corpus", "act"], ["tokens", "train"], ["language", "train"]]
)
def test_help_imports_nothing_heavy(command: list[str]) -> None:
    code = (
        f"sys.argv = ['tdmm', *{command!r}, '--help']\n"
        "from tdmm.cli.main import run\n"
        "try:\n    run()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code"
    )
    assert _heavy_modules_after(code) == []


def test_tracked_files_stay_small() -> None:
    """16 MiB a file; weights 40 MiB in all."""
    sizes = {path: path.stat().st_size for path in (ROOT / "src").rglob("*") if path.is_file()}
    assert max(sizes.values()) < 16 * 2**20
    weights = [size for path, size in sizes.items() if path.suffix in {".safetensors", ".npz", ".parquet"}]
    assert sum(weights) < 40 * 2**20
    assert not [path for path in sizes if path.suffix in {".pkl", ".pt", ".pth", ".ckpt"}]
