from __future__ import annotations

from pathlib import Path

from one_process import Tdmm

RECIPE = str(Path(__file__).resolve().parents[2] / "recipes" / "corpus-laptop.yaml")


def test_prompts_are_shown_in_a_generators_words(tdmm: Tdmm) -> None:
    done = tdmm("corpus", "prompts", "--count", "2", "--style", "wan")
    assert done.code == 0
    assert done.out.count("prompt-7-") == 2
    assert "camera shake" in done.out
    refused = tdmm("corpus", "prompts", "--style", "wann")
    assert refused.code == 2
    assert "Did you mean" in refused.err


def test_evenness_of_a_suite_is_printed(tdmm: Tdmm) -> None:
    done = tdmm("corpus", "prompts", "--count", "200", "--evenness")
    assert done.code == 0
    assert "descriptor" in done.out


def test_a_plan_tells_hours_storage_and_money(tdmm: Tdmm) -> None:
    done = tdmm("corpus", "plan", RECIPE, "--clips", "57000", "--clip-price", "2")
    assert done.code == 0
    assert "57,000 clips asked for" in done.out
    assert "Money, in the currency of your prices: 114,000" in done.out


def test_there_is_no_status_of_nothing(tdmm: Tdmm, tmp_path: Path) -> None:
    done = tdmm("corpus", "status", str(tmp_path))
    assert done.code == 2
    assert "no corpus" in done.err.lower() or "ledger" in done.err.lower()


def test_a_recipe_that_is_none_is_refused_before_anything_is_made(tdmm: Tdmm, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("prompts: {clips: 0}\nvideo: {name: rendered}\n")
    done = tdmm("corpus", "build", "bad.yaml", "--out", "corpus")
    assert done.code == 2
    assert "prompts.clips" in done.err
    assert not (tmp_path / "corpus").exists()


def test_a_generator_on_a_gpu_is_planned_in_gpu_hours(tdmm: Tdmm, tmp_path: Path) -> None:
    (tmp_path / "wan.yaml").write_text("prompts: {clips: 2}\nvideo: {name: diffusion, preset: wan2.1-1.3b}\n")
    done = tdmm("corpus", "plan", "wan.yaml", "--clips", "900", "--gpu-hour", "2")
    assert done.code == 0
    assert "GPU-hours: 60;" in done.out
    assert "prices: 120" in done.out
